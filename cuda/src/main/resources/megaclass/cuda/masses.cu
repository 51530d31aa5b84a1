// SPDX-License-Identifier: Apache-2.0
// Which classes matter most to a batch: IndexedClasses with a coverage of 1. Probabilities of the
// candidates of each sample, summed by class in the order of the samples, and the largest of them.
#include "common.cuh"

#define MASS_THREADS 128
#define RANK_DIGITS 256

// What the choice of the largest ranks has found out: the digits of the smallest rank to take that
// are known, how many with just these are still to be taken, and whether simply all are taken.
#define STATE_RANK 0
#define STATE_LEFT 1
#define STATE_ALL 2

// Sum over a block of 128 threads, the same bits in all of them; scratch: 128 doubles.
__device__ inline double blockSumOfDoubles(double value, double* scratch) {
  __syncthreads();
  scratch[threadIdx.x] = value;
  __syncthreads();
  for (int half = MASS_THREADS / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      scratch[threadIdx.x] += scratch[threadIdx.x + half];
    }
    __syncthreads();
  }
  return scratch[0];
}

__device__ inline double blockMaxOfDoubles(double value, double* scratch) {
  __syncthreads();
  scratch[threadIdx.x] = value;
  __syncthreads();
  for (int half = MASS_THREADS / 2; half > 0; half /= 2) {
    if (threadIdx.x < half && scratch[threadIdx.x + half] > scratch[threadIdx.x]) {
      scratch[threadIdx.x] = scratch[threadIdx.x + half];
    }
    __syncthreads();
  }
  return scratch[0];
}

// Probability of each candidate among the target and the candidates of its sample: IndexedClasses
// .normalise and .addMass, in double as there. ids and scores (batch, perSample), id -1 where there
// is no candidate; targets and targetScores (batch); scaleBits: a double. Writes keys, the class or
// numClasses where there is none, and masses, both (batch, perSample). Those of targets do not
// count: sum_masses knows them by their flags. One block of 128 threads a sample.
extern "C" __global__ void candidate_masses(const int* ids, const float* scores, int perSample, const int* targets, const float* targetScores, long long scaleBits, int numClasses, unsigned* keys, float* masses) {
  __shared__ double scratch[MASS_THREADS];
  double scale = *(double*)&scaleBits;
  long long first = (long long)blockIdx.x * perSample;
  int target = targets[blockIdx.x];
  double targetLogit = scale * targetScores[blockIdx.x];
  double max = targetLogit;
  for (int i = threadIdx.x; i < perSample; i += MASS_THREADS) {
    if (ids[first + i] >= 0) {
      double logit = scale * scores[first + i];
      max = logit > max ? logit : max;
    }
  }
  max = blockMaxOfDoubles(max, scratch);
  double sum = 0;
  for (int i = threadIdx.x; i < perSample; i += MASS_THREADS) {
    int id = ids[first + i];
    if (id >= 0 && id != target) {
      sum += exp(scale * scores[first + i] - max);
    }
  }
  sum = blockSumOfDoubles(sum, scratch) + exp(targetLogit - max);
  double logSumExp = max + log(sum);
  for (int i = threadIdx.x; i < perSample; i += MASS_THREADS) {
    int id = ids[first + i];
    keys[first + i] = (unsigned)(id >= 0 ? id : numClasses);
    masses[first + i] = id >= 0 ? (float)exp(scale * scores[first + i] - logSumExp) : 0.0f;
  }
}

// Sums the masses (n) of each class in the order they came: MassTable.add. keys ascending. ranks
// (n): at the first entry of a class that is not active, the bits of its mass plus 1, which are in
// the order of masses, since none is negative; 0 elsewhere.
extern "C" __global__ void sum_masses(const unsigned* keys, const float* masses, int n, int numClasses, const unsigned char* flags, unsigned* ranks) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) {
    return;
  }
  unsigned key = keys[i];
  unsigned rank = 0;
  if (key < (unsigned)numClasses && (i == 0 || keys[i - 1] != key) && flags[key] == 0) {
    float sum = masses[i];
    for (int next = i + 1; next < n && keys[next] == key; next++) {
      sum += masses[next];
    }
    rank = __float_as_uint(sum) + 1;
  }
  ranks[i] = rank;
}

// counts (256): of the ranks (n) whose digits above `shift` + 8 are those of the state, how often
// each next digit occurs. Exact selection of the largest ranks, 8 bits at a time.
extern "C" __global__ void count_ranks(const unsigned* ranks, int n, int shift, const int* state, int* counts) {
  __shared__ int own[RANK_DIGITS];
  own[threadIdx.x] = 0;
  __syncthreads();
  unsigned known = (unsigned)state[STATE_RANK];
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    unsigned rank = ranks[i];
    if (rank != 0 && (shift == 24 || rank >> (shift + 8) == known >> (shift + 8))) {
      atomicAdd(&own[(rank >> shift) & (RANK_DIGITS - 1)], 1);
    }
  }
  __syncthreads();
  if (own[threadIdx.x] > 0) {
    atomicAdd(&counts[threadIdx.x], own[threadIdx.x]);
  }
}

// Fixes the digit of the smallest rank to take, and clears counts for the next one. One block of
// 256 threads; thread t looks at digit 255 - t, so that prefix sums count what is larger.
extern "C" __global__ void pick_rank(int shift, int* counts, int* state) {
  __shared__ int scratch[WARP];
  int digit = RANK_DIGITS - 1 - threadIdx.x;
  int count = counts[digit];
  int left = state[STATE_LEFT];
  int total;
  int larger = blockSumBefore(count, scratch, &total);
  counts[digit] = 0;
  __syncthreads();
  if (shift == 24 && total <= left) {
    state[STATE_ALL] = 1;
  } else if (larger < left && left <= larger + count) {
    state[STATE_RANK] |= digit << shift;
    state[STATE_LEFT] = left - larger;
  }
}

// Marks the classes whose rank is above that of the state. Those with just this rank go to order
// (n), -1 elsewhere, ascending: mark_first takes as many of them as are left, smallest ids first.
extern "C" __global__ void take_ranked(const unsigned* keys, const unsigned* ranks, int n, const int* state, unsigned char* flags, int* order) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) {
    return;
  }
  unsigned smallest = (unsigned)state[STATE_RANK];
  int all = state[STATE_ALL];
  unsigned rank = ranks[i];
  if (rank != 0 && (all || rank > smallest)) {
    flags[keys[i]] = 1;
  }
  order[i] = rank != 0 && !all && rank == smallest ? (int)keys[i] : -1;
}
