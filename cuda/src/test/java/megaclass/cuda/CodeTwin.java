// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.compute.CodeKernels;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.index.BinaryIvf;
import megaclass.index.Rotation;

/** Codes and queries of single rows by the core's scalar kernels, as plain arrays. */
final class CodeTwin implements AutoCloseable {
  private final Engine engine = Engine.start("scalar", 1);
  private final CodeKernels kernels = engine.backend().codes();
  private final boolean hamming;
  final Rotation rotation;

  CodeTwin(int dim, BinaryIvf.Code code) {
    rotation = new Rotation(dim, 9, engine.backend());
    hamming = code == BinaryIvf.Code.HAMMING;
  }

  float[] rotate(float[] row) {
    try (var arena = Arena.ofConfined()) {
      var from = NativeMemory.allocate(4L * ComputeBackend.padded(row.length), arena);
      MemorySegment.copy(row, 0, from, JAVA_FLOAT, 0, row.length);
      var into = NativeMemory.allocate(4L * rotation.codeDim(), arena);
      rotation.rotate(from.address(), into.address());
      return into.toArray(JAVA_FLOAT);
    }
  }

  /**
   * A code and its factor, or what an embedding is compared by and its scale.
   *
   * @param words of 32 bits, the lower half of a long first
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  record Coded(int[] words, float factor) {}

  /** The code of a row whose rotated centroid is given; BinaryIvf.encode. */
  Coded code(float[] row, float[] rotatedCentroid) {
    float[] r = rotate(row);
    double squares = 0;
    for (int i = 0; i < r.length; i++) {
      r[i] -= rotatedCentroid[i];
      squares += (double) r[i] * r[i];
    }
    try (var arena = Arena.ofConfined()) {
      var into = NativeMemory.allocate(r.length / 8, arena);
      float sum = kernels.signs(upload(r, arena), rotation.words(), into.address(), 1);
      float factor = sum == 0 ? 0 : (float) (squares / sum);
      return new Coded(into.toArray(JAVA_INT), hamming ? (float) Math.sqrt(squares) : factor);
    }
  }

  /**
   * What an embedding is compared by: its code, or plane k of word h at 4 h + k; CandidateScan
   * .encode.
   */
  Coded query(float[] embedding) {
    float[] rotated = rotate(embedding);
    if (hamming) {
      return code(embedding, new float[rotated.length]);
    }
    try (var arena = Arena.ofConfined()) {
      var into = NativeMemory.allocate(rotated.length / 2, arena);
      float scale = kernels.planes(upload(rotated, arena), rotation.words(), into.address());
      int[] planes = into.toArray(JAVA_INT);
      int[] words = new int[planes.length];
      for (int h = 0; h < rotated.length / 32; h++) {
        for (int k = 0; k < 4; k++) {
          words[4 * h + k] = planes[2 * (h / 2 * 4 + k) + h % 2];
        }
      }
      return new Coded(words, scale);
    }
  }

  private static long upload(float[] row, Arena arena) {
    var memory = NativeMemory.allocate(4L * row.length, arena);
    MemorySegment.copy(row, 0, memory, JAVA_FLOAT, 0, row.length);
    return memory.address();
  }

  /** The estimate of a score; CodeKernels.estimates, or CandidateScan.estimate for HAMMING. */
  float estimate(Coded code, Coded query, float base) {
    int codeDim = rotation.codeDim();
    int differences = 0;
    for (int h = 0; h < code.words.length; h++) {
      if (hamming) {
        differences += Integer.bitCount(code.words[h] ^ query.words[h]);
      } else {
        for (int k = 0; k < 4; k++) {
          differences += Integer.bitCount(code.words[h] ^ query.words[4 * h + k]) << k;
        }
      }
    }
    if (hamming) {
      float cosine = (float) Math.cos(Math.PI * differences / codeDim);
      return base + query.factor * code.factor * cosine;
    }
    return Math.fma(code.factor, query.factor * (15 * codeDim - 2 * differences), base);
  }

  @Override
  public void close() {
    engine.close();
  }
}
