// SPDX-License-Identifier: Apache-2.0
//
// The functions of cuBLAS that Megaclass calls: products of matrices, column-major, float
// accumulators. Blocks of both factors are widened to floats and packed so that the inner loop
// reads memory in order.

#include <string.h>

#include <algorithm>
#include <vector>

#include "host_driver.h"
#include "host_memory.h"

namespace megaclass_host {
namespace {


// Results of cuBLAS.
constexpr int kNotInitialised = 1;
constexpr int kInvalid = 7;
constexpr int kExecutionFailed = 13;

// Constants of its headers.
constexpr int kFloat = 0;           // CUDA_R_32F
constexpr int kBf16 = 14;           // CUDA_R_16BF
constexpr int kCompute32 = 68;      // CUBLAS_COMPUTE_32F
constexpr int kComputePedantic = 69; // CUBLAS_COMPUTE_32F_PEDANTIC
constexpr int kComputeTf32 = 77;    // CUBLAS_COMPUTE_32F_FAST_TF32
constexpr int kTf32MathMode = 3;    // CUBLAS_TF32_TENSOR_OP_MATH

struct Handle {
  void* stream;
  int math_mode;
};

enum class Read { kFloat, kTf32, kBf16 };

/** A factor as it is multiplied: entry (i, j) of op(X). */
struct Factor {
  const char* data;
  Read read;
  long long step_i;  // entries from (i, j) to (i + 1, j)
  long long step_j;

  float at(int i, int j) const {
    long long position = i * step_i + j * step_j;
    if (read == Read::kBf16) {
      uint16_t upper;
      memcpy(&upper, data + 2 * position, 2);
      uint32_t bits = static_cast<uint32_t>(upper) << 16;
      float value;
      memcpy(&value, &bits, 4);
      return value;
    }
    float value;
    memcpy(&value, data + 4 * position, 4);
    return read == Read::kTf32 ? rounded(value) : value;
  }

 private:
  /** To the 10 bits of mantissa of TF32, to the nearest, ties to even; NaN stays NaN. */
  static float rounded(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    if ((bits & 0x7f800000u) == 0x7f800000u) return value;
    bits = (bits + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu;
    memcpy(&value, &bits, 4);
    return value;
  }
};

// ---- The product -----------------------------------------------------------------------------

constexpr int kRows = 16;      // of a tile that is kept in registers
constexpr int kColumns = 6;
constexpr int kDepth = 256;    // of a block
constexpr int kBlockRows = 256;
constexpr int kBlockColumns = 384;

typedef float Vector __attribute__((vector_size(4 * kRows), aligned(4), may_alias));

/** Panels of `unit` rows (or, by `swap`, columns) of a factor, padded with zeros: (depth, unit). */
template <bool swap>
void pack(const Factor& from, int first, int count, int unit, int k0, int depth, float* into) {
  for (int panel = 0; panel < count; panel += unit) {
    for (int k = 0; k < depth; k++) {
      for (int i = 0; i < unit; i++) {
        int at = first + panel + i;
        bool inside = panel + i < count;
        *into++ = !inside ? 0.0f : swap ? from.at(k0 + k, at) : from.at(at, k0 + k);
      }
    }
  }
}

void tile(const float* a, const float* b, int depth, Vector sums[kColumns]) {
  Vector s0 = {}, s1 = {}, s2 = {}, s3 = {}, s4 = {}, s5 = {};
  for (int k = 0; k < depth; k++) {
    Vector column = *reinterpret_cast<const Vector*>(a + k * kRows);
    const float* row = b + k * kColumns;
    s0 += column * row[0];
    s1 += column * row[1];
    s2 += column * row[2];
    s3 += column * row[3];
    s4 += column * row[4];
    s5 += column * row[5];
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
  sums[4] = s4;
  sums[5] = s5;
}

struct Product {
  int m, n, k;
  float alpha, beta;
  Factor a, b;
  float* c;
  long long ldc;
};

void scale(const Product& p) {
  for (int j = 0; j < p.n; j++) {
    float* column = p.c + j * p.ldc;
    for (int i = 0; i < p.m; i++) column[i] = p.beta == 0 ? 0.0f : p.beta * column[i];
  }
}

void add_tile(const Product& p, const Vector sums[kColumns], int i0, int j0, int rows,
              int columns) {
  for (int j = 0; j < columns; j++) {
    float* into = p.c + (j0 + j) * p.ldc + i0;
    for (int i = 0; i < rows; i++) into[i] += p.alpha * sums[j][i];
  }
}

void multiply(const Product& p) {
  scale(p);
  static std::vector<float> packed_a(kBlockRows * kDepth);
  static std::vector<float> packed_b(kBlockColumns * kDepth);
  for (int k0 = 0; k0 < p.k; k0 += kDepth) {
    int depth = std::min(kDepth, p.k - k0);
    for (int j0 = 0; j0 < p.n; j0 += kBlockColumns) {
      int columns = std::min(kBlockColumns, p.n - j0);
      pack<true>(p.b, j0, columns, kColumns, k0, depth, packed_b.data());
      for (int i0 = 0; i0 < p.m; i0 += kBlockRows) {
        int rows = std::min(kBlockRows, p.m - i0);
        pack<false>(p.a, i0, rows, kRows, k0, depth, packed_a.data());
        for (int j = 0; j < columns; j += kColumns) {
          for (int i = 0; i < rows; i += kRows) {
            Vector sums[kColumns];
            tile(&packed_a[static_cast<size_t>(i * depth)],
                 &packed_b[static_cast<size_t>(j * depth)], depth, sums);
            add_tile(p, sums, i0 + i, j0 + j, std::min(kRows, rows - i),
                     std::min(kColumns, columns - j));
          }
        }
      }
    }
  }
}

// ---- Arguments -------------------------------------------------------------------------------

bool inside(const void* matrix, int rows, int columns, int ld, size_t entry_bytes) {
  if (rows == 0 || columns == 0) return true;
  size_t entries = static_cast<size_t>(columns - 1) * static_cast<size_t>(ld) +
                   static_cast<size_t>(rows);
  return is_device_memory(matrix, entries * entry_bytes, current_device());
}

}  // namespace
}  // namespace megaclass_host

using namespace megaclass_host;

MEGACLASS_EXPORT int cublasCreate_v2(Handle** handle) {
  Lock lock(driver_lock);
  if (check_stream(nullptr) != kSuccess) return kNotInitialised;
  *handle = new Handle{};
  return kSuccess;
}

MEGACLASS_EXPORT int cublasDestroy_v2(Handle* handle) {
  Lock lock(driver_lock);
  delete handle;
  return kSuccess;
}

MEGACLASS_EXPORT int cublasSetStream_v2(Handle* handle, void* stream) {
  Lock lock(driver_lock);
  if (check_stream(stream) != kSuccess) return kInvalid;
  handle->stream = stream;
  return kSuccess;
}

MEGACLASS_EXPORT int cublasSetMathMode(Handle* handle, int mode) {
  Lock lock(driver_lock);
  handle->math_mode = mode;
  return kSuccess;
}

MEGACLASS_EXPORT int cublasSetWorkspace_v2(Handle*, void* workspace, size_t bytes) {
  Lock lock(driver_lock);
  if (!is_device_memory(workspace, bytes, current_device())) return kInvalid;
  mark_scratch(workspace);
  return kSuccess;
}

MEGACLASS_EXPORT int cublasGetVersion_v2(Handle*, int* version) {
  *version = 130000;
  return kSuccess;
}

/** C (m, n) = alpha op(A) (m, k) op(B) (k, n) + beta C, all column-major; operations 0 = N, 1 = T. */
MEGACLASS_EXPORT int cublasGemmEx(Handle* handle, int op_a, int op_b, int m, int n, int k,
                                  const float* alpha, const void* a, int a_type, int lda,
                                  const void* b, int b_type, int ldb, const float* beta, void* c,
                                  int c_type, int ldc, int compute, int) {
  Lock lock(driver_lock);
  bool types = a_type == b_type && (a_type == kFloat || a_type == kBf16) && c_type == kFloat &&
               (compute == kCompute32 || compute == kComputePedantic || compute == kComputeTf32) &&
               (op_a == 0 || op_a == 1) &&
               (op_b == 0 || op_b == 1);
  if (!types) return failure(kInvalid, "types or operations that are not emulated");
  int a_rows = op_a ? k : m;
  int b_rows = op_b ? n : k;
  if (m < 0 || n < 0 || k < 0 || lda < std::max(1, a_rows) || ldb < std::max(1, b_rows) ||
      ldc < std::max(1, m)) {
    return failure(kInvalid, "a size that is less than 0, or a stride that is too small");
  }
  size_t entry = a_type == kBf16 ? 2 : 4;
  if (!inside(a, a_rows, op_a ? m : k, lda, entry) || !inside(b, b_rows, op_b ? k : n, ldb, entry) ||
      !inside(c, m, n, ldc, 4)) {
    return failure(kInvalid, "a matrix that is not inside one buffer");
  }
  bool tf32 = compute == kComputeTf32 ||
              (compute == kCompute32 && handle->math_mode == kTf32MathMode);
  Read read = a_type == kBf16 ? Read::kBf16 : tf32 ? Read::kTf32 : Read::kFloat;
  auto factor = [&](const void* data, int op, int ld) {
    return op ? Factor{static_cast<const char*>(data), read, ld, 1}
              : Factor{static_cast<const char*>(data), read, 1, ld};
  };
  Product product = {m,      n, k, *alpha, *beta, factor(a, op_a, lda), factor(b, op_b, ldb),
                     static_cast<float*>(c), ldc};
  int result = on_stream(handle->stream, [=] { return multiply(product), kSuccess; });
  return result == kSuccess ? static_cast<int>(kSuccess) : kExecutionFailed;
}

MEGACLASS_EXPORT const char* cublasGetStatusName(int status) {
  switch (status) {
    case kSuccess:
      return "CUBLAS_STATUS_SUCCESS";
    case kNotInitialised:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case kInvalid:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case kExecutionFailed:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    default:
      return "an unknown status";
  }
}

MEGACLASS_EXPORT const char* cublasGetStatusString(int) {
  const char* text;
  cuGetErrorString(0, &text);
  return text;
}
