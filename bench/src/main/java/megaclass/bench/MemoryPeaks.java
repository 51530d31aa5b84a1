// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Memory as fast as one thread can have it, with nothing done to it: flat loops on vectors. */
final class MemoryPeaks {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final long V = S.vectorByteSize();

  /** All of memory; who calls has made what is read and written. */
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** Between two links of a chain, in ints: no two in one line of a cache, or in its neighbour. */
  static final int LINK = 32;

  /** What is read in order is a multiple of so many bytes. */
  static final long BLOCK = 256;

  private MemoryPeaks() {}

  /**
   * Adds up memory from its beginning to its end.
   *
   * @param bytes a multiple of {@link #BLOCK}
   * @param sums (16) at least, written
   */
  static void read(long from, long bytes, float[] sums) {
    FloatVector sum0 = FloatVector.zero(S);
    FloatVector sum1 = FloatVector.zero(S);
    FloatVector sum2 = FloatVector.zero(S);
    FloatVector sum3 = FloatVector.zero(S);
    for (long at = from; at < from + bytes; at += 4 * V) {
      sum0 = sum0.add(FloatVector.fromMemorySegment(S, ALL, at, NATIVE));
      sum1 = sum1.add(FloatVector.fromMemorySegment(S, ALL, at + V, NATIVE));
      sum2 = sum2.add(FloatVector.fromMemorySegment(S, ALL, at + 2 * V, NATIVE));
      sum3 = sum3.add(FloatVector.fromMemorySegment(S, ALL, at + 3 * V, NATIVE));
    }
    sum0.add(sum1).add(sum2).add(sum3).intoArray(sums, 0);
  }

  /**
   * Adds up rows, four at a time.
   *
   * @param rows a multiple of four
   * @param rowBytes a multiple of 64
   * @param sums (16) at least, written
   */
  static void readRows(long[] rows, long rowBytes, float[] sums) {
    FloatVector sum0 = FloatVector.zero(S);
    FloatVector sum1 = FloatVector.zero(S);
    FloatVector sum2 = FloatVector.zero(S);
    FloatVector sum3 = FloatVector.zero(S);
    for (int r = 0; r < rows.length; r += 4) {
      for (long at = 0; at < rowBytes; at += V) {
        sum0 = sum0.add(FloatVector.fromMemorySegment(S, ALL, rows[r] + at, NATIVE));
        sum1 = sum1.add(FloatVector.fromMemorySegment(S, ALL, rows[r + 1] + at, NATIVE));
        sum2 = sum2.add(FloatVector.fromMemorySegment(S, ALL, rows[r + 2] + at, NATIVE));
        sum3 = sum3.add(FloatVector.fromMemorySegment(S, ALL, rows[r + 3] + at, NATIVE));
      }
    }
    sum0.add(sum1).add(sum2).add(sum3).intoArray(sums, 0);
  }

  /** Changes rows, by no more than their sign. */
  static void changeRows(long[] rows, long rowBytes) {
    for (long row : rows) {
      for (long at = row; at < row + rowBytes; at += V) {
        FloatVector.fromMemorySegment(S, ALL, at, NATIVE).neg().intoMemorySegment(ALL, at, NATIVE);
      }
    }
  }

  /** Follows a chain of links for some steps, each of which tells where the next one is. */
  static int follow(MemorySegment links, int start, int steps) {
    int at = start;
    for (int step = 0; step < steps; step++) {
      at = links.getAtIndex(JAVA_INT, (long) at * LINK);
    }
    return at;
  }
}
