// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.internal.Hash;

/**
 * Draws the hyperplanes that cells are split by; the last one drawn is kept. For one thread.
 *
 * <p>A hyperplane is the perpendicular bisector of two random points a and b of the cell (Zhang et
 * al. 2018): n = a - b, t = n . (a + b) / 2, and a point is on the left if n . x > t. Every draw is
 * a function of the cell's key. Three guards:
 *
 * <ul>
 *   <li>n is rounded to signed bytes, of which the largest is 127, and t follows the rounded n, so
 *       that the hyperplane still passes through the middle. See {@link ForestTree} for the reason.
 *   <li>Where lengths differ much, a bisector in many dimensions cuts off little more than the
 *       longer of its two points. A pair that leaves all of a sample of 16 points on one side is
 *       drawn anew, and the third hyperplane is moved to the median of the sample.
 *   <li>If no pair differs, as among copies of one row, there is no hyperplane.
 * </ul>
 */
final class Splitter {
  private static final int PAIRS = 3;

  /** How many points are tried for one that differs from the first of a pair. */
  private static final int TRIES = 64;

  private static final int SAMPLE = 16;

  /** A bisector has at least so many points of the sample on each side. */
  private static final int FEWEST = 1;

  private static final int LARGEST_CODE = 127;

  // Purposes of draws from a cell's key; see also TreeDraft.
  private static final long PAIR = 3;
  private static final long OF_SAMPLE = 4;

  private final ComputeBackend backend;
  private final int stride;
  private final MemorySegment memory;
  private final long normal;
  private final float[] a;
  private final float[] b;
  private final float[] normalValues;
  private final byte[] codes;
  private final long[] sample = new long[SAMPLE];
  private final float[] projections = new float[SAMPLE];
  private float threshold;
  private float inverseLength;

  /** Its memory, one row for each point of a sample and some more, lives as long as the arena. */
  Splitter(int stride, ComputeBackend backend, Arena arena) {
    this.stride = stride;
    this.backend = backend;
    memory = NativeMemory.allocate(4L * stride * (SAMPLE + 2), arena);
    normal = memory.address();
    a = new float[stride];
    b = new float[stride];
    normalValues = new float[stride];
    codes = new byte[stride];
  }

  /** n as signed bytes, (stride); all 0 when there is no hyperplane. Not to be changed. */
  byte[] codes() {
    return codes;
  }

  /** Address of n as floats, (stride). */
  long normal() {
    return normal;
  }

  /** t: a point x is on the left if n . x > t. */
  float threshold() {
    return threshold;
  }

  /** 1 / |n|, or 0 when there is no hyperplane. */
  float inverseLength() {
    return inverseLength;
  }

  /** Draws a hyperplane; returns false when there is none, and the split has to be random. */
  boolean draw(Cell cell, long key) {
    takeSample(cell, key);
    boolean found = false;
    for (int attempt = 0; attempt < PAIRS; attempt++) {
      if (drawPair(cell, key, attempt)) {
        found = true;
        int left = project();
        if (left >= FEWEST && left <= SAMPLE - FEWEST) {
          return true;
        }
      }
    }
    if (found && moveToMedian()) {
      return true;
    }
    Arrays.fill(codes, (byte) 0);
    threshold = 0;
    inverseLength = 0;
    return false;
  }

  private void takeSample(Cell cell, long key) {
    for (int i = 0; i < SAMPLE; i++) {
      int position = Hash.below(cell.size(), Hash.key(key, OF_SAMPLE, i));
      sample[i] = cell.address(position, normal + 4L * stride * (2 + i));
    }
  }

  /** Takes two random points that differ, if it can, and the hyperplane between them. */
  private boolean drawPair(Cell cell, long key, int attempt) {
    int first = Hash.below(cell.size(), Hash.key(key, PAIR, attempt, 0));
    int start = Hash.below(cell.size(), Hash.key(key, PAIR, attempt, 1));
    read(cell, first, a);
    for (int i = 0; i < Math.min(TRIES, cell.size()); i++) {
      read(cell, (int) (((long) start + i) % cell.size()), b);
      if (bisect()) {
        return true;
      }
    }
    return false;
  }

  private void read(Cell cell, int position, float[] into) {
    long from = cell.address(position, normal + 4L * stride);
    var row = MemorySegment.ofAddress(from).reinterpret(4L * stride);
    MemorySegment.copy(row, JAVA_FLOAT_UNALIGNED, 0, into, 0, stride);
  }

  /** The hyperplane between a and b; false if they are equal or their distance is not finite. */
  private boolean bisect() {
    double largest = 0;
    for (int j = 0; j < stride; j++) {
      largest = Math.max(largest, Math.abs((double) a[j] - b[j]));
    }
    if (!(largest > 0 && largest < Double.POSITIVE_INFINITY)) {
      return false;
    }
    double scale = LARGEST_CODE / largest;
    double twice = 0;
    double square = 0;
    for (int j = 0; j < stride; j++) {
      double code = Math.rint(((double) a[j] - b[j]) * scale);
      twice += code * ((double) a[j] + b[j]);
      square += code * code;
      normalValues[j] = (float) code;
      codes[j] = (byte) code;
    }
    MemorySegment.copy(normalValues, 0, memory, JAVA_FLOAT, 0, stride);
    threshold = (float) (twice / 2);
    inverseLength = (float) (1 / Math.sqrt(square));
    return true;
  }

  /** Projects the sample on n; returns how many of it are on the left. */
  private int project() {
    backend.dots(sample, SAMPLE, normal, stride, projections);
    int left = 0;
    for (int i = 0; i < SAMPLE; i++) {
      left += projections[i] > threshold ? 1 : 0;
    }
    return left;
  }

  /** Moves t to where it halves the sample, as nearly as equal values allow. */
  private boolean moveToMedian() {
    Arrays.sort(projections);
    int middle = SAMPLE / 2 - 1;
    for (int distance = 0; distance <= middle; distance++) {
      for (int at : new int[] {middle - distance, middle + distance}) {
        if (projections[at] < projections[at + 1]) {
          threshold = projections[at];
          return true;
        }
      }
    }
    return false;
  }
}
