// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.util.Objects;
import megaclass.internal.Check;
import megaclass.internal.Hash;

/**
 * Deals the examples of a data set into mini-batches, epoch after epoch, each epoch in its own
 * order. Batch {@code step} is a pure function of (data, batch size, seed, step), so that a resumed
 * run goes on where the last one stopped. Immutable and thread-safe.
 */
public final class BatchReader {
  private static final long ORDER = 1;
  private static final long TARGET = 2;

  private final Dataset data;
  private final int batchSize;
  private final int neighbourhood;
  private final long seed;

  /**
   * Reads {@code data} in batches of {@code batchSize} examples.
   *
   * @param neighbourhood examples that stay together, see {@link EpochOrder}
   */
  public BatchReader(Dataset data, int batchSize, int neighbourhood, long seed) {
    Check.positive("number of examples", data.numExamples());
    this.data = data;
    this.batchSize = Check.positive("batchSize", batchSize);
    this.neighbourhood = EpochOrder.checkNeighbourhood(neighbourhood);
    this.seed = seed;
  }

  /** Batches an epoch has; the last one may be smaller than the others. */
  public long stepsPerEpoch() {
    return (data.numExamples() + batchSize - 1) / batchSize;
  }

  /** The epoch a step belongs to; both count from 0. */
  public int epoch(long step) {
    return Math.toIntExact(step / stepsPerEpoch());
  }

  /**
   * The batch of a step, counted from 0 over all epochs. An example with several targets stands for
   * one of them, drawn anew in each epoch.
   */
  public MiniBatch batch(long step) {
    Objects.checkIndex(step, Long.MAX_VALUE);
    int epoch = epoch(step);
    var order = new EpochOrder(data.numExamples(), neighbourhood, Hash.key(seed, ORDER), epoch);
    long from = step % stepsPerEpoch() * batchSize;
    int size = Math.toIntExact(Math.min(batchSize, data.numExamples() - from));
    var examples = new long[size];
    var classIds = new int[size];
    for (int i = 0; i < size; i++) {
      long example = order.example(from + i);
      int numTargets = data.numTargets(example);
      int drawn =
          numTargets == 1 ? 0 : Hash.below(numTargets, Hash.key(seed, TARGET, epoch, example));
      examples[i] = example;
      classIds[i] = data.target(example, drawn);
    }
    return new MiniBatch(data, step, examples, classIds);
  }
}
