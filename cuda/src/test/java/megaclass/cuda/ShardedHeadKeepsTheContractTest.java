// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.stream.Stream;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import megaclass.testkit.TrainingHeadContract;

/** Three devices are a head like any other. */
class ShardedHeadKeepsTheContractTest extends TrainingHeadContract {
  /** So that there are several tiles. */
  private static final long TILE_BYTES = 30_000;

  @Override
  protected TrainingHead head(HeadProblem problem) {
    return ShardedHeadTest.open(problem, 3, TILE_BYTES);
  }

  @Override
  protected Stream<HeadSettings> settings() {
    return """
    3   | 3   | fp32 | softmax                       | all                             | adagrad                                      | 1
    61  | 33  | fp32 | softmax(bias=true)            | all                             | sgd(momentum=0.9, decay=0.01)                | 19
    71  | 16  | bf16 | arcface(scale=16, margin=0.2) | uniform(0.2, corrected=true)    | sgd(momentum=0.9, nesterov=true)             | 17
    80  | 34  | bf16 | cosface(scale=16, margin=0.1) | ivf(0.2, repairEvery=3)         | adagrad                                      | 11
    100 | 40  | fp32 | dsoftmax(scale=16, d=0.9)     | uniform(0.01)                   | sgd(momentum=0.9, decay=0.01, lazyDecay=off) | 2
    """
        .lines()
        .map(TrainingHeadContract::settings);
  }
}
