// SPDX-License-Identifier: Apache-2.0
// A stable sort of pairs of 32 bits by their keys, digit by digit from the lowest one, and prefix
// sums. Order depends on the input alone: positions come from counts, not from who was first.
#include "common.cuh"

#define SORT_THREADS 256
#define SORT_WARPS (SORT_THREADS / WARP)
#define KEYS_PER_BLOCK 4096
#define DIGITS 256

__device__ inline int digitOf(unsigned key, int shift) { return (int)(key >> shift) & (DIGITS - 1); }

// Prefix sums in place: values (n) become the sum of those before; total[0] is that of all. One
// block of 1024 threads, since n is the number of blocks of another kernel, times 256 at most.
extern "C" __global__ void sums_before(int* values, int n, int* total) {
  __shared__ int scratch[WARP];
  const int perThread = 8;
  int before = 0;
  for (int from = 0; from < n; from += perThread * blockDim.x) {
    int own[perThread];
    int first = from + perThread * threadIdx.x;
    int sum = 0;
    for (int i = 0; i < perThread; i++) {
      own[i] = first + i < n ? values[first + i] : 0;
      sum += own[i];
    }
    int ofTile;
    int at = before + blockSumBefore(sum, scratch, &ofTile);
    for (int i = 0; i < perThread; i++) {
      if (first + i < n) {
        values[first + i] = at;
      }
      at += own[i];
    }
    before += ofTile;
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    total[0] = before;
  }
}

// Counts of one digit: counts (256, gridDim.x), of the keys of each block of 4096. Digit-major, so
// that prefix sums over all counts are the places where each block's keys of a digit go.
extern "C" __global__ void count_digits(const unsigned* keys, int n, int shift, int* counts) {
  __shared__ int own[DIGITS];
  own[threadIdx.x] = 0;
  __syncthreads();
  int from = blockIdx.x * KEYS_PER_BLOCK;
  for (int i = threadIdx.x; i < KEYS_PER_BLOCK && from + i < n; i += SORT_THREADS) {
    atomicAdd(&own[digitOf(keys[from + i], shift)], 1);
  }
  __syncthreads();
  counts[threadIdx.x * gridDim.x + blockIdx.x] = own[threadIdx.x];
}

// Lanes of the warp whose digit is that of this lane.
__device__ inline unsigned lanesWith(int digit, int isThere) {
  unsigned lanes = __ballot_sync(WHOLE_WARP, isThere);
  for (int bit = 1; bit < DIGITS; bit *= 2) {
    unsigned set = __ballot_sync(WHOLE_WARP, digit & bit);
    lanes &= (digit & bit) ? set : ~set;
  }
  return lanes;
}

// Puts keys and values (n) in the order of one digit, equal ones in the order they came. places:
// what sums_before made of count_digits. A block takes its keys 256 at a time; within these a key
// comes after those of its digit in earlier warps, then in earlier lanes.
extern "C" __global__ void move_by_digit(const unsigned* keys, const unsigned* values, int n, int shift, const int* places, unsigned* keysInto, unsigned* valuesInto) {
  __shared__ int next[DIGITS];
  __shared__ int ofWarp[SORT_WARPS][DIGITS];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  next[threadIdx.x] = places[threadIdx.x * gridDim.x + blockIdx.x];
  int from = blockIdx.x * KEYS_PER_BLOCK;
  for (int start = from; start < from + KEYS_PER_BLOCK && start < n; start += SORT_THREADS) {
    for (int w = 0; w < SORT_WARPS; w++) {
      ofWarp[w][threadIdx.x] = 0;
    }
    __syncthreads();
    int i = start + threadIdx.x;
    int isThere = i < n;
    unsigned key = isThere ? keys[i] : 0;
    int digit = digitOf(key, shift);
    unsigned same = lanesWith(digit, isThere);
    int rank = __popc(same & ((1u << lane) - 1));
    if (isThere && rank == 0) {
      ofWarp[warp][digit] = __popc(same);
    }
    __syncthreads();
    if (isThere) {
      int place = next[digit] + rank;
      for (int w = 0; w < warp; w++) {
        place += ofWarp[w][digit];
      }
      keysInto[place] = key;
      valuesInto[place] = values[i];
    }
    __syncthreads();
    for (int w = 0; w < SORT_WARPS; w++) {
      next[threadIdx.x] += ofWarp[w][threadIdx.x];
    }
  }
}

// Where the run of each key begins and ends in sorted keys (n): starts and ends are indexed by key,
// which is less than numKeys; keys that do not occur are left as they are.
extern "C" __global__ void find_runs(const unsigned* keys, int n, int numKeys, int* starts, int* ends) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || keys[i] >= (unsigned)numKeys) {
    return;
  }
  if (i == 0 || keys[i - 1] != keys[i]) {
    starts[keys[i]] = i;
  }
  if (i == n - 1 || keys[i + 1] != keys[i]) {
    ends[keys[i]] = i + 1;
  }
}
