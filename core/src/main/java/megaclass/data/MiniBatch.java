// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

/**
 * The examples of one step, by number, and for each the class it is an example of. Features are
 * read from the data set. Immutable by contract and thread-safe.
 */
public final class MiniBatch {
  private final Dataset data;
  private final long[] examples;
  private final int[] classIds;

  MiniBatch(Dataset data, long[] examples, int[] classIds) {
    this.data = data;
    this.examples = examples;
    this.classIds = classIds;
  }

  /** Where the features are. */
  public Dataset data() {
    return data;
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
