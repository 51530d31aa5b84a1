// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import megaclass.cuda.Gemm.Precision;

/** One product of random matrices, by a device and by plain loops. */
final class HostProduct {
  private final int m;
  private final int n;
  private final int k;
  private final boolean transposeA;
  private final boolean transposeB;
  private final Precision precision;
  private final int lda;
  private final int ldb;
  private final int ldc;
  private final float[] a;
  private final float[] b;
  private final float[] c;

  /** Rows are 3 numbers longer than they must be. */
  HostProduct(int m, int n, int k, int transposed, Precision precision, SplittableRandom random) {
    this.m = m;
    this.n = n;
    this.k = k;
    this.precision = precision;
    transposeA = (transposed & 1) != 0;
    transposeB = (transposed & 2) != 0;
    lda = (transposeA ? m : k) + 3;
    ldb = (transposeB ? k : n) + 3;
    ldc = n + 3;
    a = numbers((transposeA ? k : m) * lda, random);
    b = numbers((transposeB ? n : k) * ldb, random);
    c = numbers(m * ldc, random);
  }

  /** With 8 bits of mantissa, so that they are the same in bf16 and TF32. */
  private static float[] numbers(int count, SplittableRandom random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = random.nextInt(-128, 129) / 128f;
    }
    return numbers;
  }

  void check(Device device) {
    try (var onA = upload(device, a);
        var onB = upload(device, b);
        var onC = DeviceArrays.upload(device, c)) {
      device
          .gemm()
          .multiply(
              precision,
              transposeA,
              transposeB,
              m,
              n,
              k,
              0.5f,
              onA.address(),
              lda,
              onB.address(),
              ldb,
              2f,
              onC.address(),
              ldc);
      float[] actual = DeviceArrays.floats(device, onC, c.length);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < ldc; j++) {
          double expected = j < n ? entry(i, j) : c[i * ldc + j];
          assertEquals(expected, actual[i * ldc + j], 1e-5 * k, this::toString);
        }
      }
    }
  }

  private double entry(int i, int j) {
    double sum = 0;
    for (int l = 0; l < k; l++) {
      sum +=
          (double) a[transposeA ? l * lda + i : i * lda + l]
              * b[transposeB ? j * ldb + l : l * ldb + j];
    }
    return 0.5 * sum + 2.0 * c[i * ldc + j];
  }

  private DeviceBuffer upload(Device device, float... values) {
    if (precision != Precision.BF16) {
      return DeviceArrays.upload(device, values);
    }
    int[] words = new int[(values.length + 1) / 2];
    for (int i = 0; i < values.length; i++) {
      words[i / 2] |= (Float.floatToRawIntBits(values[i]) >>> 16) << (16 * (i % 2));
    }
    return DeviceArrays.upload(device, words);
  }

  @Override
  public String toString() {
    return "%d x %d x %d, %s, transposed %b and %b"
        .formatted(m, n, k, precision, transposeA, transposeB);
  }
}
