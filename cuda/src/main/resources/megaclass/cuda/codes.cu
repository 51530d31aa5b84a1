// SPDX-License-Identifier: Apache-2.0
// Sign codes of rotated rows: megaclass.compute.ScalarCodes, megaclass.index.Rotation and
// BinaryIvf.encode. A warp works on a row, which lies in shared memory while it is rotated.
//
// On the device a code is codeDim / 32 words of 32 bits, and codes lie in blocks of 32, word by
// word: word h of code j is word j / 32 * 32 * (codeDim / 32) + 32 h + j % 32, so that the lanes of
// a warp read the same word of 32 codes from 128 bytes.
#include "common.cuh"

#define HALF_ROOT 0.70710677f
#define TOP_LEVEL 15.0f
#define PLANES 4

// Below this largest value a rotated embedding counts as zero: CodeKernels.SMALLEST_QUERY.
#define SMALLEST_QUERY 7.888609e-31f

__device__ inline int largestPowerOfTwo(int n) { return 1 << (31 - __clz(n)); }

// Multiplies x (size, shared) by the matrix whose entry (i, j) is -1 to the popcount of i & j.
__device__ inline void transform(float* x, int size) {
  for (int h = 1; h < size; h *= 2) {
    for (int pair = threadIdx.x % WARP; pair < size / 2; pair += WARP) {
      int i = 2 * pair - (pair & (h - 1));
      float a = x[i];
      float b = x[i + h];
      x[i] = a + b;
      x[i + h] = a - b;
    }
    __syncwarp();
  }
}

// CodeKernels.rotate for x (codeDim, shared), in place, by a warp. factors (rounds, per round).
__device__ inline void rotate(float* x, const float* factors, int rounds, int codeDim) {
  int lane = threadIdx.x % WARP;
  int size = largestPowerOfTwo(codeDim);
  int rest = codeDim - size;
  for (int round = 0; round < rounds; round++) {
    for (int i = lane; i < codeDim; i += WARP) {
      x[i] *= factors[i];
    }
    __syncwarp();
    transform(round % 2 == 0 ? x : x + rest, size);
    factors += codeDim;
    if (rest > 0) {
      for (int i = lane; i < codeDim / 2; i += WARP) {
        float a = x[i];
        float b = x[i + codeDim / 2] * factors[i];
        x[i] = (a + b) * HALF_ROOT;
        x[i + codeDim / 2] = (a - b) * HALF_ROOT;
      }
      factors += codeDim / 2;
      __syncwarp();
    }
  }
}

// Copies a row (width floats) to x (codeDim, shared) with zeros behind it, and rotates it.
__device__ inline void rotateFloats(const float* row, int width, const float* factors, int rounds, int codeDim, float* x) {
  for (int i = threadIdx.x % WARP; i < codeDim; i += WARP) {
    x[i] = i < width ? row[i] : 0.0f;
  }
  __syncwarp();
  rotate(x, factors, rounds, codeDim);
}

// Rotation.rotate for rows (n, stride), as centroids: into (n, codeDim). Shared memory: codeDim
// floats a warp.
extern "C" __global__ void rotate_rows(const float* rows, int stride, int width, int n, const float* factors, int rounds, int codeDim, float* into) {
  extern __shared__ unsigned char shared_memory[];
  int warp = threadIdx.x / WARP;
  int i = blockIdx.x * (blockDim.x / WARP) + warp;
  if (i >= n) {
    return;
  }
  float* x = (float*)shared_memory + warp * codeDim;
  rotateFloats(rows + (long long)i * stride, width, factors, rounds, codeDim, x);
  for (int j = threadIdx.x % WARP; j < codeDim; j += WARP) {
    into[(long long)i * codeDim + j] = x[j];
  }
}

// BinaryIvf.encode: codes of classes and their factors, r.r / b.r, or |r| for distances of Hamming.
// ids (n) are any classes, none twice, or 0 for the classes from `first` on; rows as in rows.cu;
// normalised: rows are taken to unit length. rotatedCentroids (numLists, codeDim); listOf and slotOf
// (numClasses): where a class stands. notFinite[0] becomes the largest id of a class whose weight
// is infinite or NaN. Shared memory: codeDim floats a warp.
extern "C" __global__ void encode_rows(const unsigned* rows, int bf16, int rowWords, int stride, int normalised, const int* slots, const int* ids, int first, int n, const float* factors, int rounds, int codeDim, const float* rotatedCentroids, const int* listOf, const int* slotOf, int hamming, unsigned* codes, float* slotFactors, int* notFinite) {
  extern __shared__ unsigned char shared_memory[];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int i = blockIdx.x * (blockDim.x / WARP) + warp;
  if (i >= n) {
    return;
  }
  int classId = ids ? ids[i] : first + i;
  const unsigned* row = rows + rowSlot(slots, classId) * rowWords;
  float* x = (float*)shared_memory + warp * codeDim;
  float squares = 0.0f;
  for (int j = lane; j < codeDim; j += WARP) {
    x[j] = 0.0f;
  }
  __syncwarp();
  for (int q = lane; q < stride / 8; q += WARP) {
    RowPart part = readRow(row, bf16, stride, q);
    squares = dotParts(part, part, squares);
    for (int k = 0; k < 4; k++) {
      x[4 * q + k] = part.first[k];
      x[stride / 2 + 4 * q + k] = part.second[k];
    }
  }
  squares = lanesSum(squares, WARP);
  if (lane == 0 && !(squares <= 3.4028235e38f)) {
    atomicMax(notFinite, classId);
  }
  __syncwarp();
  if (normalised) {
    float unit = inverseNorm(squares);
    for (int j = lane; j < stride; j += WARP) {
      x[j] *= unit;
    }
    __syncwarp();
  }
  rotate(x, factors, rounds, codeDim);

  const float* centroid = rotatedCentroids + (long long)listOf[classId] * codeDim;
  int slot = slotOf[classId];
  int words = codeDim / 32;
  unsigned* code = codes + (long long)(slot / 32) * 32 * words + slot % 32;
  float magnitudes = 0.0f;
  squares = 0.0f;
  for (int h = 0; h < words; h++) {
    float r = x[32 * h + lane] - centroid[32 * h + lane];
    magnitudes += fabsf(r);
    squares = fmaf(r, r, squares);
    unsigned word = __ballot_sync(WHOLE_WARP, r > 0.0f);
    if (lane == 0) {
      code[32 * h] = word;
    }
  }
  magnitudes = lanesSum(magnitudes, WARP);
  squares = lanesSum(squares, WARP);
  if (lane == 0) {
    slotFactors[slot] = hamming ? sqrtf(squares) : magnitudes == 0.0f ? 0.0f : squares / magnitudes;
  }
}

// CandidateScan.encode: what rotated embeddings (n, stride) are compared by. With hamming their own
// sign codes, queries (n, codeDim / 32), and scales (n) their lengths. Else 4 bits a coordinate,
// CodeKernels.planes: queries (n, codeDim / 32, 4), plane k of a word beside the others, and what
// levels are scaled by. Shared memory: codeDim floats a warp.
extern "C" __global__ void encode_queries(const float* embeddings, int stride, int width, int n, const float* factors, int rounds, int codeDim, int hamming, unsigned* queries, float* scales) {
  extern __shared__ unsigned char shared_memory[];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int i = blockIdx.x * (blockDim.x / WARP) + warp;
  if (i >= n) {
    return;
  }
  float* x = (float*)shared_memory + warp * codeDim;
  rotateFloats(embeddings + (long long)i * stride, width, factors, rounds, codeDim, x);
  int words = codeDim / 32;
  if (hamming) {
    float squares = 0.0f;
    for (int h = 0; h < words; h++) {
      float value = x[32 * h + lane];
      squares = fmaf(value, value, squares);
      unsigned word = __ballot_sync(WHOLE_WARP, value > 0.0f);
      if (lane == 0) {
        queries[(long long)i * words + h] = word;
      }
    }
    squares = lanesSum(squares, WARP);
    if (lane == 0) {
      scales[i] = sqrtf(squares);
    }
    return;
  }
  float largest = 0.0f;
  for (int h = 0; h < words; h++) {
    float magnitude = fabsf(x[32 * h + lane]);
    largest = magnitude > largest ? magnitude : largest;
  }
  largest = lanesMax(largest, WARP);
  int zero = largest < SMALLEST_QUERY;
  float toLevels = zero ? 0.0f : TOP_LEVEL / 2.0f / largest;
  for (int h = 0; h < words; h++) {
    int bits = (int)rintf(fmaf(x[32 * h + lane], toLevels, TOP_LEVEL / 2.0f));
    unsigned* into = queries + ((long long)i * words + h) * PLANES;
    for (int k = 0; k < PLANES; k++) {
      unsigned plane = __ballot_sync(WHOLE_WARP, (bits >> k) & 1);
      if (lane == 0) {
        into[k] = plane;
      }
    }
  }
  if (lane == 0) {
    scales[i] = zero ? 0.0f : largest / TOP_LEVEL;
  }
}

// IndexedRows.scores: inner products of embeddings (batch, stride) with the rows of classes, or
// cosines where rows are normalised. ids and into (batch, perSample); id -1 is skipped, and so are
// classes whose rows have no slot. A warp takes one pair; pairs of a sample are neighbours, so that
// its embedding comes from the cache.
extern "C" __global__ void score_rows(const unsigned* rows, int bf16, int rowWords, int stride, int normalised, const int* slots, const float* embeddings, const int* ids, int batch, int perSample, float* into) {
  int lane = threadIdx.x % WARP;
  long long pair = (long long)blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP;
  if (pair >= (long long)batch * perSample || ids[pair] < 0) {
    return;
  }
  long long slot = rowSlot(slots, ids[pair]);
  if (slot < 0) {
    return;
  }
  const unsigned* row = rows + slot * rowWords;
  const float* embedding = embeddings + pair / perSample * stride;
  float dot = 0.0f;
  float squares = 0.0f;
  for (int q = lane; q < stride / 8; q += WARP) {
    RowPart part = readRow(row, bf16, stride, q);
    dot = dotParts(part, readFloats(embedding, stride, q), dot);
    squares = dotParts(part, part, squares);
  }
  dot = lanesSum(dot, WARP);
  squares = lanesSum(squares, WARP);
  if (lane == 0) {
    into[pair] = normalised ? dot * inverseNorm(squares) : dot;
  }
}
