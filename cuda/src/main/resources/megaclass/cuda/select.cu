// SPDX-License-Identifier: Apache-2.0
// The choice of a batch's active classes. Each class has a flag: 0 not active, 1 active for itself,
// 2 a uniform draw. Flags make duplicates vanish and, read in order, give ascending class ids.
#include "common.cuh"

#define SELECT_THREADS 256
#define IDS_PER_BLOCK 1024
#define FLAGS_PER_BLOCK 4096

#define NOT_ACTIVE 0
#define DRAWN 2

// ---- flags -------------------------------------------------------------------------------------

// flags[ids[i]] = 1 for ids (n), which may repeat.
extern "C" __global__ void mark_classes(const int* ids, int n, unsigned char* flags) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    flags[ids[i]] = 1;
  }
}

__device__ inline int activeIn(uint4 flags) {
  unsigned words[4] = {flags.x, flags.y, flags.z, flags.w};
  int count = 0;
  for (int i = 0; i < 4; i++) {
    count += __popc((words[i] | words[i] >> 1) & 0x01010101u);
  }
  return count;
}

// counts (gridDim.x): active classes of each block of 4096. Flags end with zeros up to a multiple.
extern "C" __global__ void count_active(const unsigned char* flags, int* counts) {
  __shared__ int scratch[WARP];
  int own = activeIn(((const uint4*)flags)[(long long)blockIdx.x * SELECT_THREADS + threadIdx.x]);
  int total;
  blockSumBefore(own, scratch, &total);
  if (threadIdx.x == 0) {
    counts[blockIdx.x] = total;
  }
}

// ids (numActive): the active classes, ascending. places: prefix sums of count_active.
extern "C" __global__ void list_active(const unsigned char* flags, const int* places, int* ids) {
  __shared__ int scratch[WARP];
  long long part = (long long)blockIdx.x * SELECT_THREADS + threadIdx.x;
  int total;
  int at = places[blockIdx.x] + blockSumBefore(activeIn(((const uint4*)flags)[part]), scratch, &total);
  for (int i = 0; i < 16; i++) {
    if (flags[16 * part + i] != NOT_ACTIVE) {
      ids[at++] = (int)(16 * part + i);
    }
  }
}

// Position of each target (batch) among ids (numActive, ascending): ActiveClasses.positions.
extern "C" __global__ void find_targets(const int* targets, int batch, const int* ids, int numActive, int* positions) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= batch) {
    return;
  }
  positions[i] = placeOf(targets[i], ids, numActive);
}

// starts (numTiles): how many of ids (n) come before each tile of so many `classes` of allIds, in
// which all of ids are; both ascend.
extern "C" __global__ void tile_starts(const int* ids, int n, const int* allIds, int numTiles, int classes, int* starts) {
  int tile = blockIdx.x * blockDim.x + threadIdx.x;
  if (tile < numTiles) {
    starts[tile] = placeOf(allIds[(long long)tile * classes], ids, n);
  }
}

// TailedClasses.logWeights: what a draw stands for, and 0 for classes that stand for themselves.
extern "C" __global__ void log_weights(const unsigned char* flags, const int* ids, int numActive, float ofDraw, float* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < numActive) {
    into[i] = flags[ids[i]] == DRAWN ? ofDraw : 0.0f;
  }
}

// ---- uniform draws -----------------------------------------------------------------------------

// order (n): what Permutation(numClasses, key) has at positions 0 .. n - 1, or -1 for a class that
// is active already. bits: those of numClasses - 1. ClassSet.fillUniformly takes the first few: of
// n = wanted positions, at least as many are new as are missing.
extern "C" __global__ void draw_classes(const unsigned char* flags, int n, int numClasses, int bits, long long key, int* order) {
  __shared__ unsigned long long roundKeys[8];
  if (threadIdx.x < 8) {
    roundKeys[threadIdx.x] = hashKey((unsigned long long)key, threadIdx.x);
  }
  __syncthreads();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) {
    return;
  }
  int lowBits = bits / 2;
  unsigned long long lowMask = (1ull << lowBits) - 1;
  unsigned long long highMask = (1ull << (bits - lowBits)) - 1;
  unsigned long long x = (unsigned long long)i;
  do {
    unsigned long long low = x & lowMask;
    unsigned long long high = x >> lowBits;
    for (int round = 0; round < 8; round += 2) {
      high ^= hashMix(roundKeys[round] + low) & highMask;
      low ^= hashMix(roundKeys[round + 1] + high) & lowMask;
    }
    x = high << lowBits | low;
  } while (x >= (unsigned long long)numClasses);
  order[i] = flags[x] == NOT_ACTIVE ? (int)x : -1;
}

// counts (gridDim.x): how many of each block of 1024 of order (n) are classes, not -1.
extern "C" __global__ void count_listed(const int* order, int n, int* counts) {
  __shared__ int scratch[WARP];
  int own = 0;
  int from = blockIdx.x * IDS_PER_BLOCK + 4 * threadIdx.x;
  for (int i = from; i < from + 4 && i < n; i++) {
    own += order[i] >= 0 ? 1 : 0;
  }
  int total;
  blockSumBefore(own, scratch, &total);
  if (threadIdx.x == 0) {
    counts[blockIdx.x] = total;
  }
}

// Marks the first limit[0] classes of order (n). places: prefix sums of count_listed.
extern "C" __global__ void mark_first(const int* order, int n, const int* places, const int* limit, int flag, unsigned char* flags) {
  __shared__ int scratch[WARP];
  int own = 0;
  int from = blockIdx.x * IDS_PER_BLOCK + 4 * threadIdx.x;
  for (int i = from; i < from + 4 && i < n; i++) {
    own += order[i] >= 0 ? 1 : 0;
  }
  int total;
  int place = places[blockIdx.x] + blockSumBefore(own, scratch, &total);
  for (int i = from; i < from + 4 && i < n; i++) {
    if (order[i] >= 0 && place++ < limit[0]) {
      flags[order[i]] = (unsigned char)flag;
    }
  }
}
