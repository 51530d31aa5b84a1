// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Products of matrices on a device, by cuBLAS, on the stream of the device. The same call gives the
 * same bits in each run on the same kind of device with the same version of cuBLAS: there is one
 * stream, and a workspace of our own, without which cuBLAS picks its algorithm by the memory that
 * it can still get. Used by the thread of its device.
 */
final class Gemm {
  /** What products are computed from and with; sums are float32. */
  enum Precision {
    /** bf16 numbers, on tensor cores. */
    BF16(R_16BF, COMPUTE_32F),

    /** float32 numbers, of which tensor cores take the upper 10 bits of the mantissa. */
    TF32(R_32F, COMPUTE_32F_FAST_TF32),

    /**
     * float32 numbers and arithmetic. Pedantic, since plain float32 may be emulated or computed
     * with TF32 where the environment asks for it, and this is what the others are compared with.
     */
    FP32(R_32F, COMPUTE_32F_PEDANTIC);

    private final int type;
    private final int compute;

    Precision(int type, int compute) {
      this.type = type;
      this.compute = compute;
    }

    /** What a setting asks for. */
    static Precision of(megaclass.head.Precision setting) {
      return valueOf(setting.name());
    }
  }

  // cudaDataType of library_types.h, cublasComputeType_t and others of cublas_api.h
  private static final int R_32F = 0;
  private static final int R_16BF = 14;
  private static final int COMPUTE_32F = 68;
  private static final int COMPUTE_32F_PEDANTIC = 69;
  private static final int COMPUTE_32F_FAST_TF32 = 77;
  private static final int NOT_TRANSPOSED = 0;
  private static final int TRANSPOSED = 1;
  private static final int DEFAULT_ALGORITHM = -1;

  /** What cuBLAS takes by itself on compute capability 9.0; the most it recommends. */
  static final long WORKSPACE_BYTES = 32L << 20;

  private final Device device;
  private final NativeFunctions functions;
  private final long handle;
  private final DeviceBuffer workspace;
  private final MemorySegment alpha;
  private final MemorySegment beta;

  Gemm(Device device, NativeFunctions functions, Arena arena) {
    this.device = device;
    this.functions = functions;
    alpha = arena.allocate(JAVA_FLOAT);
    beta = arena.allocate(JAVA_FLOAT);
    workspace = device.allocate(WORKSPACE_BYTES);
    var into = arena.allocate(JAVA_LONG);
    check("cublasCreate", functions.call("cublasCreate_v2", into));
    handle = into.get(JAVA_LONG, 0);
    check("cublasSetStream", functions.call("cublasSetStream_v2", handle, device.stream()));
    // After the stream: setting a stream brings the workspace of cuBLAS back.
    check(
        "cublasSetWorkspace",
        functions.call("cublasSetWorkspace_v2", handle, workspace.address(), workspace.bytes()));
  }

  /**
   * C = alpha op(A) op(B) + beta C, with row-major matrices.
   *
   * @param transposeA whether op(A) is A transposed
   * @param m rows of op(A) and C
   * @param n columns of op(B) and C
   * @param k columns of op(A), rows of op(B)
   * @param a address of A, (m, k) or, transposed, (k, m): bf16 for {@link Precision#BF16}, else
   *     float32
   * @param lda numbers from one row of A to the next
   * @param b address of B, (k, n) or, transposed, (n, k), like A
   * @param c address of C, (m, n) float32; not read when beta is 0
   */
  void multiply(
      Precision precision,
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      long a,
      int lda,
      long b,
      int ldb,
      float beta,
      long c,
      int ldc) {
    device.enter();
    this.alpha.set(JAVA_FLOAT, 0, alpha);
    this.beta.set(JAVA_FLOAT, 0, beta);
    // cuBLAS counts by columns, so it sees our matrices transposed: C' = op(B)' op(A)'.
    int code =
        functions.call(
            "cublasGemmEx",
            handle,
            transposeB ? TRANSPOSED : NOT_TRANSPOSED,
            transposeA ? TRANSPOSED : NOT_TRANSPOSED,
            n,
            m,
            k,
            this.alpha,
            b,
            precision.type,
            ldb,
            a,
            precision.type,
            lda,
            this.beta,
            c,
            R_32F,
            ldc,
            precision.compute,
            DEFAULT_ALGORITHM);
    if (code != 0) {
      check(
          "cublasGemmEx, %s, (%d, %d) by (%d, %d), rows %d, %d and %d apart,"
              .formatted(precision, m, k, k, n, lda, ldb, ldc),
          code);
    }
  }

  /** Called by the device. */
  void close() {
    functions.call("cublasDestroy_v2", handle);
  }

  private void check(String call, int code) {
    if (code != 0) {
      throw new CudaException(
          call,
          functions.text("cublasGetStatusName", code),
          functions.text("cublasGetStatusString", code));
    }
  }
}
