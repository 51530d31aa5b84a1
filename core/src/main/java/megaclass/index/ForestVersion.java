// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;

/**
 * A forest, with the step whose weights it was built from, and a few of these weights, by which it
 * can be told how far the weights have gone since. Owns its memory until {@link #close}.
 *
 * @param step steps done when the weights were as the forest knows them
 * @param sample (at most 256, dim) class weights as the forest was built from: directions, if these
 *     count
 */
record ForestVersion(HashingForest forest, long step, RowMatrix sample) implements AutoCloseable {
  private static final int SAMPLE_SIZE = 256;
  private static final String ROWS = "rows";

  /**
   * A version of a forest over these weights; if that fails, the forest is closed.
   *
   * @throws ArithmeticException when a sampled weight is infinite or NaN
   */
  static ForestVersion of(HashingForest forest, long step, IndexedRows weights) {
    var version = new ForestVersion(forest, step, emptySample(weights));
    try {
      for (int i = 0; i < version.sample.numRows(); i++) {
        weights.copy(version.classId(i), version.sample.address(i));
      }
      return version;
    } catch (RuntimeException | Error e) {
      version.close();
      throw e;
    }
  }

  private static RowMatrix emptySample(IndexedRows weights) {
    int numRows = Math.min(SAMPLE_SIZE, weights.matrix().numRows());
    return new RowMatrix(numRows, weights.matrix().width(), RowMatrix.State.NONE);
  }

  /** The class of a sampled weight: they lie at equal distances. */
  private int classId(int i) {
    return (int) ((long) i * forest.numClasses() / sample.numRows());
  }

  /** Mean |w now - w then| of the sampled class weights, over their mean |w then|. */
  double drift(IndexedRows now) {
    double moved = 0;
    double length = 0;
    var row = NativeMemory.allocate(4L * sample.stride(), Arena.ofAuto());
    for (int i = 0; i < sample.numRows(); i++) {
      now.copy(classId(i), row.address());
      double squares = 0;
      double squaresThen = 0;
      for (int j = 0; j < sample.width(); j++) {
        double then = sample.get(i, j);
        double difference = row.getAtIndex(JAVA_FLOAT, j) - then;
        squares += difference * difference;
        squaresThen += then * then;
      }
      moved += Math.sqrt(squares);
      length += Math.sqrt(squaresThen);
    }
    return moved == 0 ? 0 : moved / length;
  }

  /** What a file has to keep of it, but for the step, by name. */
  Map<String, MemorySegment> sections() {
    var sections = new LinkedHashMap<>(forest.sections());
    sections.put(ROWS, sample.shards().getFirst().rows());
    return sections;
  }

  /**
   * Reads the version that gave {@link #sections}.
   *
   * @throws IllegalArgumentException when it is of other classes than the weights
   */
  static ForestVersion read(
      Function<String, MemorySegment> sections, long step, IndexedRows weights) {
    var forest = HashingForest.read(sections, weights.backend());
    var sample = emptySample(weights);
    var version = new ForestVersion(forest, step, sample);
    try {
      requireSameClasses(forest, weights.matrix());
      sample.shards().getFirst().rows().copyFrom(sections.apply(ROWS));
      return version;
    } catch (RuntimeException | Error e) {
      version.close();
      throw e;
    }
  }

  private static void requireSameClasses(HashingForest forest, RowMatrix weights) {
    if (forest.numClasses() != weights.numRows() || forest.stride() != weights.stride()) {
      throw new IllegalArgumentException(
          "the saved forest holds %,d classes of stride %d, but there are %,d of stride %d; resume with the model that it was saved with"
              .formatted(
                  forest.numClasses(), forest.stride(), weights.numRows(), weights.stride()));
    }
  }

  @Override
  public void close() {
    forest.close();
    sample.close();
  }
}
