// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.stream.Stream;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import megaclass.testkit.TrainingHeadContract;

class CudaHeadKeepsTheContractTest extends TrainingHeadContract {
  /** So that there are several tiles. */
  private static final long TILE_BYTES = 30_000;

  @Override
  protected TrainingHead head(HeadProblem problem) {
    return new CudaHead(HostCuda.open(), problem, TILE_BYTES);
  }

  @Override
  protected Stream<HeadSettings> settings() {
    return """
    1   | 3   | fp32 | softmax                       | all                             | adagrad                                      | 1
    90  | 33  | fp32 | softmax(bias=true)            | all                             | sgd(momentum=0.9, decay=0.01)                | 19
    101 | 16  | bf16 | arcface(scale=16, margin=0.2) | uniform(0.2, corrected=true)    | sgd(momentum=0.9, nesterov=true)             | 35
    110 | 34  | bf16 | cosface(scale=16, margin=0.1) | ivf(0.2, repairEvery=3)         | adagrad                                      | 20
    100 | 40  | fp32 | dsoftmax(scale=16, d=0.9)     | ivf(0.2) + tail(0.5)            | sgd(momentum=0.9, decay=0.01, lazyDecay=off) | 17
    90  | 24  | bf16 | normsoftmax(scale=16)         | ivf(0.1, repairEvery=3) + groups(5) | sgd(momentum=0.9, decay=0.01)            | 13
    80  | 30  | fp32 | softmax(bias=true)            | ivf(0.1) + tail(0.5) + groups(3) | adagrad                                     | 11
    """
        .lines()
        .map(TrainingHeadContract::settings);
  }
}
