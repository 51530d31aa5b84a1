// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import java.util.stream.Stream;
import megaclass.head.CpuHead;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import megaclass.loss.SoftmaxHead;

class CpuHeadKeepsTheContractTest extends TrainingHeadContract {
  @Override
  protected TrainingHead head(HeadProblem problem) {
    var settings = problem.settings();
    return new CpuHead(
        problem,
        new SoftmaxHead(
            settings.loss(), problem.weights(), settings.batchSize(), problem.engine()));
  }

  @Override
  protected Stream<HeadSettings> settings() {
    return """
    1    | 3   | fp32 | softmax                       | all                             | adagrad                                      | 1
    700  | 33  | fp32 | softmax(bias=true)            | all                             | sgd(momentum=0.9, decay=0.01)                | 65
    700  | 33  | fp32 | normsoftmax(scale=16)         | uniform(0.2)                    | adagrad                                      | 64
    700  | 33  | fp32 | normsoftmax(scale=16)         | uniform(0.1)                    | sgd(momentum=0.9, decay=0.01)                | 20
    1031 | 16  | bf16 | arcface(scale=16, margin=0.2) | uniform(0.1, corrected=true)    | sgd(momentum=0.9, nesterov=true)             | 130
    1031 | 50  | bf16 | cosface(scale=16, margin=0.1) | ivf(0.1, repairEvery=3)         | adagrad                                      | 30
    500  | 40  | fp32 | dsoftmax(scale=16, d=0.9)     | ivf(0.1) + tail(0.5)            | sgd(momentum=0.9, decay=0.01, lazyDecay=off) | 63
    500  | 40  | fp32 | normsoftmax(scale=16)         | exactTop(50) + groups(3)        | sgd(momentum=0.9)                            | 100
    500  | 40  | fp32 | softmax(bias=true)            | forest(0.2, numTrees=3)         | sgd(momentum=0)                              | 63
    """
        .lines()
        .map(TrainingHeadContract::settings);
  }
}
