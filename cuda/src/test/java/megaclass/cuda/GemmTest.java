// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products through the interface of cuBLAS, here written in Java as its manual defines it. */
class GemmTest {
  private static final int PADDING = 3;

  private final FakeCuda cuda = new FakeCuda();
  private final List<String> calls = new ArrayList<>();

  @TempDir Path cache;

  @BeforeEach
  void writeCublas() {
    cuda.library
        .with(
            "cublasCreate_v2",
            "p",
            a -> {
              FakeLibrary.putLong(a[0], 77);
              cuda.open++;
              return 0;
            })
        .with("cublasSetStream_v2", "ll", a -> called("stream " + a[1]))
        .with("cublasSetWorkspace_v2", "lll", a -> called("workspace " + a[2]))
        .with(
            "cublasDestroy_v2",
            "l",
            _ -> {
              cuda.open--;
              return 0;
            })
        .with("cublasGemmEx", "liiiiipliiliipliiii", this::gemmEx)
        .withText("cublasGetStatusName", code -> "CUBLAS_" + code)
        .withText("cublasGetStatusString", code -> "status " + code);
  }

  private int called(String call) {
    calls.add(call);
    return 0;
  }

  /** C = alpha op(A) op(B) + beta C, all of them column after column. */
  private int gemmEx(Object... a) {
    int m = (int) a[3];
    int n = (int) a[4];
    int k = (int) a[5];
    if (k > 1000) {
      return 14;
    }
    calls.add(
        "types %s %s %s, compute %s, algorithm %s".formatted(a[8], a[11], a[15], a[17], a[18]));
    float alpha = ((MemorySegment) a[6]).reinterpret(4).get(JAVA_FLOAT, 0);
    float beta = ((MemorySegment) a[13]).reinterpret(4).get(JAVA_FLOAT, 0);
    for (int row = 0; row < m; row++) {
      for (int column = 0; column < n; column++) {
        double sum = 0;
        for (int i = 0; i < k; i++) {
          int ofA = (int) a[1] == 0 ? row + i * (int) a[9] : i + row * (int) a[9];
          int ofB = (int) a[2] == 0 ? i + column * (int) a[12] : column + i * (int) a[12];
          sum += number((long) a[7], ofA, (int) a[8]) * number((long) a[10], ofB, (int) a[11]);
        }
        var c = MemorySegment.ofAddress((long) a[14]).reinterpret(Long.MAX_VALUE);
        int at = row + column * (int) a[16];
        double before = beta == 0 ? 0 : beta * c.getAtIndex(JAVA_FLOAT, at);
        c.setAtIndex(JAVA_FLOAT, at, (float) (alpha * sum + before));
      }
    }
    return 0;
  }

  private static double number(long address, int index, int type) {
    var memory = MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE);
    return switch (type) {
      case 0 -> memory.getAtIndex(JAVA_FLOAT, index);
      case 14 -> Float.intBitsToFloat(memory.getAtIndex(JAVA_SHORT, index) << 16);
      default -> Double.NaN;
    };
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, false, false", "BF16, false, true", "BF16, true, false", "BF16, true, true",
    "TF32, false, false", "TF32, false, true", "TF32, true, false", "TF32, true, true",
    "FP32, false, false", "FP32, false, true", "FP32, true, false", "FP32, true, true",
  })
  void productsOfRowMajorMatricesAreRight(
      Gemm.Precision precision, boolean transposeA, boolean transposeB) {
    var random = new SplittableRandom(5);
    try (var device = cuda.open(cache)) {
      for (int[] shape : new int[][] {{1, 1, 1}, {3, 5, 7}, {17, 1, 4}, {2, 33, 1}, {9, 8, 16}}) {
        var a = new Matrix(shape[0], shape[2], transposeA, precision, random);
        var b = new Matrix(shape[2], shape[1], transposeB, precision, random);
        var c = new Matrix(shape[0], shape[1], false, Gemm.Precision.FP32, random);
        var expected = product(0.5f, a, b, -2f, c);
        var result = c.upload(device);
        device
            .gemm()
            .multiply(
                precision,
                transposeA,
                transposeB,
                shape[0],
                shape[1],
                shape[2],
                0.5f,
                a.upload(device).address(),
                a.stride,
                b.upload(device).address(),
                b.stride,
                -2f,
                result.address(),
                c.stride);
        c.download(device, result);
        for (int i = 0; i < expected.length; i++) {
          assertEquals(expected[i], c.numbers[i], 1e-5, "number " + i + " of " + List.of(shape));
        }
      }
    }
  }

  @Test
  void eachPrecisionIsAskedForByItsNumbers() {
    try (var device = cuda.open(cache)) {
      long address = device.allocate(64).address();
      for (var precision : Gemm.Precision.values()) {
        device
            .gemm()
            .multiply(precision, false, false, 1, 1, 1, 1f, address, 1, address, 1, 0f, address, 1);
      }
    }
    assertEquals(
        List.of(
            "stream 22",
            "workspace " + (32 << 20),
            "types 14 14 0, compute 68, algorithm -1",
            "types 0 0 0, compute 77, algorithm -1",
            "types 0 0 0, compute 69, algorithm -1"),
        calls);
    assertEquals(0, cuda.open);
  }

  @Test
  void aFailedProductIsNamedWithItsShape() {
    try (var device = cuda.open(cache)) {
      long address = device.allocate(64).address();
      var failure =
          assertThrows(
              CudaException.class,
              () ->
                  device
                      .gemm()
                      .multiply(
                          Gemm.Precision.TF32,
                          false,
                          true,
                          2,
                          3,
                          1001,
                          1f,
                          address,
                          4,
                          address,
                          5,
                          0f,
                          address,
                          6));
      assertEquals(
          "cublasGemmEx, TF32, (2, 1001) by (1001, 3), rows 4, 5 and 6 apart, failed: CUBLAS_14"
              + " (status 14)",
          failure.getMessage());
    }
  }

  /** Rows of a matrix further apart than they are long; numbers that bf16 holds exactly. */
  private static final class Matrix {
    final int rows;
    final int columns;
    final boolean transposed;
    final int stride;
    final float[] numbers;
    private final boolean bf16;

    Matrix(
        int rows,
        int columns,
        boolean transposed,
        Gemm.Precision precision,
        SplittableRandom random) {
      this.rows = rows;
      this.columns = columns;
      this.transposed = transposed;
      bf16 = precision == Gemm.Precision.BF16;
      stride = (transposed ? rows : columns) + PADDING;
      numbers = new float[(transposed ? columns : rows) * stride];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = random.nextInt(-64, 65) / 16f;
      }
    }

    float at(int row, int column) {
      return transposed ? numbers[column * stride + row] : numbers[row * stride + column];
    }

    DeviceBuffer upload(Device device) {
      var buffer = device.allocate((bf16 ? 2L : 4L) * numbers.length);
      try (var arena = Arena.ofConfined()) {
        var memory = arena.allocate(buffer.bytes(), 4);
        for (int i = 0; i < numbers.length; i++) {
          int bits = Float.floatToRawIntBits(numbers[i]);
          if (bf16) {
            memory.setAtIndex(JAVA_SHORT, i, (short) (bits >>> 16));
          } else {
            memory.setAtIndex(JAVA_FLOAT, i, numbers[i]);
          }
        }
        device.upload(memory, buffer, 0);
        device.synchronize();
      }
      return buffer;
    }

    void download(Device device, DeviceBuffer from) {
      try (var arena = Arena.ofConfined()) {
        var memory = arena.allocate(from.bytes(), 4);
        device.download(from, 0, memory);
        MemorySegment.copy(memory, JAVA_FLOAT, 0, numbers, 0, numbers.length);
      }
    }
  }

  /** The definition; what lies between the rows of C stays as it is. */
  private static float[] product(float alpha, Matrix a, Matrix b, float beta, Matrix c) {
    float[] expected = c.numbers.clone();
    for (int i = 0; i < c.rows; i++) {
      for (int j = 0; j < c.columns; j++) {
        double sum = 0;
        for (int k = 0; k < a.columns; k++) {
          sum += (double) a.at(i, k) * b.at(k, j);
        }
        expected[i * c.stride + j] = (float) (alpha * sum + beta * c.at(i, j));
      }
    }
    return expected;
  }
}
