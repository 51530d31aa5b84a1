// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import megaclass.compute.CodeKernels;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.index.Rotation;

/** The operands of one thread that scans codes: a tile of 8192 codes, and four queries. */
final class CodeMemory {
  static final int NUM_CODES = 8192;
  static final int NUM_BLOCKS = NUM_CODES / CodeKernels.BLOCK;
  static final int NUM_QUERIES = 4;

  final Rotation rotation;
  final int words;
  final MemorySegment rotated;

  /** Where codes of rows are written: others than those that are scanned. */
  final long signed;

  final long codes;
  final long factors;
  final long[] signs = new long[NUM_QUERIES];
  final long[] planes = new long[NUM_QUERIES];
  final float[] scales = new float[NUM_QUERIES];
  final float[] bases = new float[NUM_QUERIES];
  final int[] distances = new int[NUM_QUERIES * NUM_CODES];
  final long[] sums = new long[NUM_CODES];
  final float[] estimates = new float[NUM_QUERIES * NUM_CODES];
  final int[] found = new int[NUM_CODES];

  /** What about one of a hundred of {@link #someEstimates} is above. */
  static final float THRESHOLD = 0.99f;

  final float[] someEstimates = new float[NUM_CODES];

  CodeMemory(int dim, ComputeBackend backend, Arena arena) {
    var random = new SplittableRandom(dim);
    rotation = new Rotation(dim, dim, backend);
    words = rotation.words();
    rotated = floats(random, rotation.codeDim(), arena);
    signed =
        NativeMemory.allocate(CodeKernels.bytes(KernelMemory.NUM_ROWS, words), arena).address();
    var longs = NativeMemory.allocate(CodeKernels.bytes(NUM_CODES, words), arena);
    for (long i = 0; i < longs.byteSize() / 8; i++) {
      longs.setAtIndex(JAVA_LONG, i, random.nextLong());
    }
    codes = longs.address();
    factors = floats(random, NUM_CODES, arena).address();
    for (int i = 0; i < NUM_QUERIES; i++) {
      long query = floats(random, rotation.codeDim(), arena).address();
      signs[i] = NativeMemory.allocate(8L * words, arena).address();
      planes[i] = NativeMemory.allocate(8L * words * CodeKernels.PLANES, arena).address();
      backend.codes().signs(query, words, signs[i], 1);
      scales[i] = backend.codes().planes(query, words, planes[i]);
      bases[i] = i;
    }
    for (int j = 0; j < NUM_CODES; j++) {
      someEstimates[j] = random.nextFloat();
    }
  }

  private static MemorySegment floats(SplittableRandom random, int count, Arena arena) {
    var floats = NativeMemory.allocate(4L * count, arena);
    for (int i = 0; i < count; i++) {
      floats.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return floats;
  }

  /** Integers as floats, to be compared. */
  static MemorySegment asFloats(long[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = values[i];
    }
    return MemorySegment.ofArray(floats);
  }

  /** Integers as floats, to be compared. */
  static MemorySegment asFloats(int[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = values[i];
    }
    return MemorySegment.ofArray(floats);
  }
}
