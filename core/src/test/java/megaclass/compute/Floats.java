// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;

/**
 * Native floats for tests, with a wall of known values before and behind them: whoever writes a
 * float too many is found out by {@link #toArray}.
 */
final class Floats {
  private static final int WALL = 64;
  private static final float BRICK = 1234.5f;

  private final MemorySegment all;
  private final int length;

  private Floats(int length, Arena arena) {
    this.length = length;
    all = arena.allocate(4L * (length + 2 * WALL), 64);
    for (int i = 0; i < length + 2 * WALL; i++) {
      all.set(JAVA_FLOAT_UNALIGNED, 4L * i, BRICK);
    }
  }

  /** A copy of these values. */
  static Floats of(float[] values, Arena arena) {
    var floats = new Floats(values.length, arena);
    MemorySegment.copy(values, 0, floats.all, JAVA_FLOAT, 4L * WALL, values.length);
    return floats;
  }

  /** Normal random numbers. */
  static Floats random(SplittableRandom random, int length, Arena arena) {
    return of(normal(random, length, 1), arena);
  }

  /** Room for values to be written. */
  static Floats room(int length, Arena arena) {
    return new Floats(length, arena);
  }

  static float[] values(int length, IntToDoubleFunction value) {
    var values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) value.applyAsDouble(i);
    }
    return values;
  }

  static float[] normal(SplittableRandom random, int length, double deviation) {
    return values(length, _ -> deviation * random.nextGaussian());
  }

  long address() {
    return all.address() + 4L * WALL;
  }

  /** The values; fails when the wall around them was touched. */
  float[] toArray() {
    for (int i = 0; i < WALL; i++) {
      requireBrick(i);
      requireBrick(WALL + length + i);
    }
    return all.asSlice(4L * WALL, 4L * length).toArray(JAVA_FLOAT);
  }

  private void requireBrick(int i) {
    if (all.get(JAVA_FLOAT_UNALIGNED, 4L * i) != BRICK) {
      throw new AssertionError("something was written at float " + (i - WALL) + " of " + length);
    }
  }
}
