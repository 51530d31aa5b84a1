// SPDX-License-Identifier: Apache-2.0
// The coarse quantizer: megaclass.index.CoarseQuantizer. Products of rows and centroids are
// cuBLAS's; here is which of them is the largest, and centroids as means of rows in a fixed order.
#include "common.cuh"

#define NEAREST_THREADS 256

// minusHalfSquares (n): -|mu|^2 / 2 of rows (n, stride). A warp a row.
extern "C" __global__ void half_squares(const float* rows, int stride, int n, float* minusHalfSquares) {
  int lane = threadIdx.x % WARP;
  int row = blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP;
  if (row >= n) {
    return;
  }
  float squares = 0.0f;
  for (int q = lane; q < stride / 8; q += WARP) {
    RowPart part = readFloats(rows + (long long)row * stride, stride, q);
    squares = dotParts(part, part, squares);
  }
  squares = lanesSum(squares, WARP);
  if (lane == 0) {
    minusHalfSquares[row] = -0.5f * squares;
  }
}

// The nearest centroid of rows: the largest w.mu - |mu|^2 / 2, of equal ones the first. products
// (n, numLists); a block of 256 threads a row.
extern "C" __global__ void nearest_lists(const float* products, int numLists, const float* minusHalfSquares, int* into) {
  __shared__ float scores[NEAREST_THREADS];
  __shared__ int lists[NEAREST_THREADS];
  const float* own = products + (long long)blockIdx.x * numLists;
  float best = NEGATIVE_INFINITY;
  int bestList = 0;
  for (int list = threadIdx.x; list < numLists; list += NEAREST_THREADS) {
    float score = own[list] + minusHalfSquares[list];
    if (score > best) {
      best = score;
      bestList = list;
    }
  }
  scores[threadIdx.x] = best;
  lists[threadIdx.x] = bestList;
  __syncthreads();
  for (int half = NEAREST_THREADS / 2; half > 0; half /= 2) {
    if ((int)threadIdx.x < half) {
      float score = scores[threadIdx.x + half];
      int list = lists[threadIdx.x + half];
      if (score > scores[threadIdx.x] || (score == scores[threadIdx.x] && list < lists[threadIdx.x])) {
        scores[threadIdx.x] = score;
        lists[threadIdx.x] = list;
      }
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    into[blockIdx.x] = lists[0];
  }
}

// 1 / |row| of classes (n) for rows that count as directions, 1 for others. A warp a row.
extern "C" __global__ void row_units(const unsigned* rows, int bf16, int rowWords, int stride, int normalised, const int* slots, const int* classes, int n, float* units) {
  int lane = threadIdx.x % WARP;
  int i = blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP;
  if (i >= n) {
    return;
  }
  const unsigned* row = rows + rowSlot(slots, classes[i]) * rowWords;
  float squares = 0.0f;
  for (int q = lane; q < stride / 8; q += WARP) {
    RowPart part = readRow(row, bf16, stride, q);
    squares = dotParts(part, part, squares);
  }
  squares = lanesSum(squares, WARP);
  if (lane == 0) {
    units[i] = normalised ? inverseNorm(squares) : 1.0f;
  }
}

// Number j of a row: RowFormat.get.
__device__ inline float numberOf(const unsigned* row, int bf16, int stride, int j) {
  if (!bf16) {
    return __uint_as_float(row[j]);
  }
  int half = stride / 2;
  return __uint_as_float(j < half ? row[j] & 0xffff0000u : row[j - half] << 16);
}

// Hash.below: a number in [0, bound) from 64 random bits.
__device__ inline int below(int bound, unsigned long long bits) {
  unsigned long long low = (bits & 0xffffffffu) * (unsigned)bound >> 32;
  return (int)(((bits >> 32) * (unsigned)bound + low) >> 32);
}

// Moves centroids to means: CoarseQuantizer.moveToMeans. Block x works on list firstList + x and
// adds its members in order: members (sorted by list, ascending in a list), places in classes and
// units. A list without members starts again from a random one of the classes (n) by restartKey, if
// restart is 1, and else stays. centroids (numLists, stride). A thread adds up one number, so that
// the order is that of members.
//
// Only places [firstPlace, lastPlace) are added: what does not fit on the device together comes
// part by part, in order, and centroids hold the sums until the last part, which ends at n.
extern "C" __global__ void mean_rows(const unsigned* rows, int bf16, int rowWords, int stride, const int* slots, const int* classes, const float* units, int n, int firstPlace, int lastPlace, const int* members, const int* starts, const int* ends, int firstList, int restart, long long restartKey, float* centroids) {
  int list = firstList + blockIdx.x;
  int start = starts[list];
  int end = ends[list];
  float* centroid = centroids + (long long)list * stride;
  if (start == end && !restart) {
    return;
  }
  int from = start + placeOf(firstPlace, members + start, end - start);
  int to = from + placeOf(lastPlace, members + from, end - from);
  float factor = lastPlace == n ? 1.0f / (end - start) : 1.0f;
  int random = below(n, hashKey((unsigned long long)restartKey, (unsigned long long)list));
  for (int j = threadIdx.x; j < stride; j += blockDim.x) {
    float sum = firstPlace == 0 ? 0.0f : centroid[j];
#pragma unroll 8
    for (int i = from; i < to; i++) {
      int place = members[i];
      const unsigned* row = rows + rowSlot(slots, classes[place]) * rowWords;
      sum += numberOf(row, bf16, stride, j) * units[place];
    }
    if (start < end) {
      centroid[j] = sum * factor;
    } else if (firstPlace <= random && random < lastPlace) {
      const unsigned* row = rows + rowSlot(slots, classes[random]) * rowWords;
      centroid[j] = numberOf(row, bf16, stride, j) * units[random];
    }
  }
}
