// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.util.Arrays;

/**
 * The examples of one step, by number, and for each the class it is an example of. Features are
 * read from the data set. Immutable by contract and thread-safe.
 */
public final class MiniBatch {
  private final Dataset data;
  private final long step;
  private final long[] examples;
  private final int[] classIds;

  MiniBatch(Dataset data, long step, long[] examples, int[] classIds) {
    this.data = data;
    this.step = step;
    this.examples = examples;
    this.classIds = classIds;
  }

  /**
   * Consecutive examples, as evaluation and prediction read them.
   *
   * @param from the first example
   * @param size how many, at least 1
   */
  public static MiniBatch range(Dataset data, long from, int size) {
    var examples = new long[size];
    Arrays.setAll(examples, i -> from + i);
    return of(data, examples);
  }

  /**
   * Any examples outside training; each stands for its first class.
   *
   * @param examples (batch), not copied
   */
  public static MiniBatch of(Dataset data, long[] examples) {
    var classIds = new int[examples.length];
    Arrays.setAll(classIds, i -> data.target(examples[i], 0));
    return new MiniBatch(data, 0, examples, classIds);
  }

  /**
   * Some of its samples.
   *
   * @param from the first one, in [0, size)
   * @param count how many, at least 1
   */
  public MiniBatch part(int from, int count) {
    return new MiniBatch(
        data,
        step,
        Arrays.copyOfRange(examples, from, from + count),
        Arrays.copyOfRange(classIds, from, from + count));
  }

  /** Where the features are. */
  public Dataset data() {
    return data;
  }

  /** The step this batch is trained in, counted from 0: the key to what is random in it. */
  public long step() {
    return step;
  }

  /** How many samples the batch has, at least 1. */
  public int size() {
    return examples.length;
  }

  /** The example that is sample {@code i} of this batch, in [0, data.numExamples()). */
  public long example(int i) {
    return examples[i];
  }

  /** (batch): the target of each sample. The array belongs to the batch: read it only. */
  public int[] classIds() {
    return classIds;
  }
}
