// SPDX-License-Identifier: Apache-2.0
// The search of an inverted file: the best lists of each sample (CoarseQuantizer.probe), estimates
// of the scores of all classes in them (CodeKernels.estimates and distances), and the best of these
// (CandidateScan). Codes, queries and lists lie as codes.cu and lists.cu say.
//
// What is best is decided by numbers of 64 bits whose ascending order is that of falling scores,
// equal ones by rising id, as in megaclass.internal.Ranking: none occurs twice, so that the choice
// does not depend on the order in which threads find them.
#include "common.cuh"

#define BEST_THREADS 256
#define RANK_DIGITS 256
#define SCAN_THREADS 128

// Samples that a block compares a list with: what is read of a code serves so many.
#define TOGETHER 8

#define PLANES 4

typedef unsigned long long Ranked;

__device__ inline unsigned rankOf(float score) {
  unsigned bits = __float_as_uint(score + 0.0f);
  return bits >> 31 ? bits : ~bits & 0x7fffffffu;
}

__device__ inline Ranked ranked(float score, int id) { return (Ranked)rankOf(score) << 32 | (unsigned)id; }

__device__ inline int idOf(Ranked key) { return (int)(unsigned)key; }

__device__ inline float scoreOf(Ranked key) {
  unsigned rank = (unsigned)(key >> 32);
  return __uint_as_float(rank >> 31 ? rank : ~rank & 0x7fffffffu);
}

// ---- the best of many --------------------------------------------------------------------------

// Numbers where they lie, and those of scores by their place.
struct RankedKeys {
  const Ranked* keys;
  __device__ Ranked at(int i) const { return keys[i]; }
};

struct RankedScores {
  const float* scores;
  __device__ Ranked at(int i) const { return ranked(scores[i], i); }
};

// Shared memory of upToWanted: counts of a digit, and what was found: the digit, how many of those
// with it are wanted, and how many there are.
struct BestScratch {
  int counts[RANK_DIGITS];
  int sums[WARP];
  int found[3];
};

// A number that exactly `wanted` of the n distinct numbers are up to; 1 <= wanted < n. By a block
// of 256 threads, digit by digit of 8 bits from the top, until all with the digits found belong.
template <typename Numbers>
__device__ inline Ranked upToWanted(Numbers numbers, int n, int wanted, BestScratch* shared) {
  int* counts = shared->counts;
  int* found = shared->found;
  Ranked known = 0;
  int left = wanted;
  for (int shift = 56; shift >= 0; shift -= 8) {
    counts[threadIdx.x] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += BEST_THREADS) {
      Ranked key = numbers.at(i);
      if (shift == 56 || key >> (shift + 8) == known) {
        atomicAdd(&counts[(int)(key >> shift) & (RANK_DIGITS - 1)], 1);
      }
    }
    __syncthreads();
    int count = counts[threadIdx.x];
    int total;
    int before = blockSumBefore(count, shared->sums, &total);
    if (before < left && left <= before + count) {
      found[0] = threadIdx.x;
      found[1] = left - before;
      found[2] = count;
    }
    __syncthreads();
    known = known << 8 | (Ranked)found[0];
    left = found[1];
    if (left == found[2]) {
      return ((known + 1) << shift) - 1;
    }
  }
  return known;
}

// Sorts n numbers by one block: a bitonic network without its missing numbers, which would be the
// largest. Each merge begins by comparing with the mirror image, so that all comparisons ascend.
__device__ inline void sortBest(Ranked* keys, int n) {
  for (int size = 2; size < 2 * n; size *= 2) {
    for (int apart = size / 2; apart > 0; apart /= 2) {
      __syncthreads();
      for (int pair = threadIdx.x; 2 * (pair - (pair & (apart - 1))) + (pair & (apart - 1)) < n; pair += BEST_THREADS) {
        int low = pair & (apart - 1);
        int i = 2 * pair - low;
        int other = apart == size / 2 ? i + size - 1 - 2 * low : i + apart;
        if (other < n && keys[other] < keys[i]) {
          Ranked smaller = keys[other];
          keys[other] = keys[i];
          keys[i] = smaller;
        }
      }
    }
  }
  __syncthreads();
}

// CoarseQuantizer.probe: the numProbes best lists of each sample, best first, equal ones by number.
// scores (batch, numLists); best (batch, numProbes) is scratch; lists and listScores (batch,
// numProbes). A block of 256 threads a sample.
extern "C" __global__ void top_lists(const float* scores, int numLists, int numProbes, Ranked* best, int* lists, float* listScores) {
  __shared__ BestScratch scratch;
  __shared__ int kept;
  RankedScores own = {scores + (long long)blockIdx.x * numLists};
  long long first = (long long)blockIdx.x * numProbes;
  if (threadIdx.x == 0) {
    kept = 0;
  }
  Ranked last = numProbes < numLists ? upToWanted(own, numLists, numProbes, &scratch) : ~0ull;
  __syncthreads();
  for (int list = threadIdx.x; list < numLists; list += BEST_THREADS) {
    Ranked key = own.at(list);
    if (key <= last) {
      best[first + atomicAdd(&kept, 1)] = key;
    }
  }
  sortBest(best + first, numProbes);
  for (int i = threadIdx.x; i < numProbes; i += BEST_THREADS) {
    lists[first + i] = idOf(best[first + i]);
    listScores[first + i] = scoreOf(best[first + i]);
  }
}

// Keeps the `wanted` best of what was found of each sample, in no order, and lowers to the last of
// them the largest number that may still come in. found (batch, capacity); counts, limits (batch).
extern "C" __global__ void keep_best(Ranked* found, long long capacity, int wanted, int* counts, Ranked* limits) {
  __shared__ BestScratch scratch;
  __shared__ int kept;
  Ranked* own = found + blockIdx.x * capacity;
  int n = counts[blockIdx.x];
  if (n <= wanted) {
    return;
  }
  RankedKeys keys = {own};
  Ranked last = upToWanted(keys, n, wanted, &scratch);
  if (threadIdx.x == 0) {
    kept = 0;
  }
  for (int from = 0; from < n; from += BEST_THREADS) {
    int i = from + threadIdx.x;
    Ranked key = i < n ? own[i] : ~0ull;
    __syncthreads(); // what is written now was read before
    if (i < n && key <= last) {
      own[atomicAdd(&kept, 1)] = key;
    }
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    counts[blockIdx.x] = wanted;
    limits[blockIdx.x] = last;
  }
}

// The classes that were kept of each sample, best estimates first: ids (batch, wanted), -1 behind
// the last one.
extern "C" __global__ void list_best(Ranked* found, long long capacity, int wanted, const int* counts, int* ids) {
  Ranked* own = found + blockIdx.x * capacity;
  int n = counts[blockIdx.x];
  sortBest(own, n);
  for (int i = threadIdx.x; i < wanted; i += BEST_THREADS) {
    ids[(long long)blockIdx.x * wanted + i] = i < n ? idOf(own[i]) : -1;
  }
}

// ---- estimates ---------------------------------------------------------------------------------

// Classes in the lists that each sample probes: counts (batch). lists (batch, numProbes).
extern "C" __global__ void count_probed(const int* lists, int batch, int numProbes, const int* sizes, int* most) {
  int sample = blockIdx.x * blockDim.x + threadIdx.x;
  int count = 0;
  for (int i = 0; sample < batch && i < numProbes; i++) {
    count += sizes[lists[(long long)sample * numProbes + i]];
  }
  atomicMax(most, count);
}

// Pairs of a list and the place of its probe, for probes [from, to) of each sample: keys and
// values (batch, to - from).
extern "C" __global__ void list_pairs(const int* lists, int batch, int numProbes, int from, int to, unsigned* keys, int* values) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < batch * (to - from)) {
    int place = i / (to - from) * numProbes + from + i % (to - from);
    keys[i] = (unsigned)lists[place];
    values[i] = place;
  }
}

// Adds what a warp found of a sample behind what was found before.
__device__ inline void append(int isFound, Ranked key, int* count, Ranked* found) {
  unsigned lanes = __ballot_sync(WHOLE_WARP, isFound);
  if (lanes == 0) {
    return;
  }
  int lane = threadIdx.x % WARP;
  int first = __ffs((int)lanes) - 1;
  int base = 0;
  if (lane == first) {
    base = atomicAdd(count, __popc(lanes));
  }
  base = __shfl_sync(WHOLE_WARP, base, first);
  if (isFound) {
    found[base + __popc(lanes & ((1u << lane) - 1))] = key;
  }
}

// Sum over the planes k of 2^k times the bits in which a word differs from plane k.
__device__ inline int differences(unsigned code, uint4 planes) {
  return __popc(code ^ planes.x) + 2 * __popc(code ^ planes.y) + 4 * __popc(code ^ planes.z) + 8 * __popc(code ^ planes.w);
}

// Where the classes of lists stand.
struct Lists {
  const int* firstBlocks;
  const int* sizes;
  const unsigned* codes;
  const float* factors;
  const int* classIds;
};

// Estimates of the classes of a list with up to TOGETHER samples, and who passes. A thread takes a
// code: its words come once from memory, queries from shared memory, where all lanes read the same.
template <int HAMMING>
__device__ inline void scanList(Lists lists, int list, int words, const unsigned* queries, int count, const int* samples, const float* scales, const float* bases, const float* cosines, long long capacity, const Ranked* limits, int* counts, Ranked* found) {
  int size = lists.sizes[list];
  long long firstSlot = 32ll * lists.firstBlocks[list];
  for (int from = blockIdx.y * SCAN_THREADS; from < size; from += gridDim.y * SCAN_THREADS) {
    int place = from + threadIdx.x;
    long long slot = firstSlot + (place < size ? place : 0);
    const unsigned* code = lists.codes + slot / 32 * 32 * words + slot % 32;
    int sums[TOGETHER] = {0};
#pragma unroll 4 // so many words are on their way at a time
    for (int h = 0; h < words; h++) {
      unsigned word = code[32 * h];
#pragma unroll
      for (int s = 0; s < TOGETHER; s++) {
        if (s < count) {
          sums[s] += HAMMING ? __popc(word ^ queries[s * words + h]) : differences(word, ((const uint4*)queries)[s * words + h]);
        }
      }
    }
    float factor = lists.factors[slot];
    int classId = lists.classIds[slot];
#pragma unroll
    for (int s = 0; s < TOGETHER; s++) {
      if (s < count) {
        float estimate;
        if (HAMMING) {
          estimate = bases[s] + scales[s] * factor * cosines[sums[s]];
        } else {
          float product = (float)(15 * 32 * words - 2 * sums[s]);
          estimate = fmaf(factor, scales[s] * product, bases[s]);
        }
        Ranked key = ranked(estimate, classId);
        int isFound = place < size && key <= limits[s];
        append(isFound, key, counts + samples[s], found + samples[s] * capacity);
      }
    }
  }
}

// Compares lists with the samples that probe them. keys (numPairs, ascending): lists; pairs: places
// in probes (batch, numProbes), whose list scores are the bases of estimates. starts (numLists):
// where the pairs of a list begin. A block (x, y) takes the pairs x .. x + TOGETHER - 1 of a list,
// if x is a multiple of TOGETHER behind the list's first pair, and every gridDim.y-th 128 codes.
// Adds to found (batch, capacity) what is up to limits (batch); counts (batch). Shared memory:
// TOGETHER queries.
extern "C" __global__ void scan_lists(const unsigned* keys, const int* pairs, int numPairs, const int* starts, int numProbes, const float* listScores, const unsigned* queries, const float* scales, const int* firstBlocks, const int* sizes, const unsigned* codes, const float* factors, const int* classIds, int words, int hamming, const float* cosines, long long capacity, const Ranked* limits, int* counts, Ranked* found) {
  extern __shared__ unsigned char shared_memory[];
  __shared__ int samples[TOGETHER];
  __shared__ float sampleScales[TOGETHER];
  __shared__ float bases[TOGETHER];
  __shared__ Ranked ownLimits[TOGETHER];
  int first = blockIdx.x;
  int list = (int)keys[first];
  if ((first - starts[list]) % TOGETHER != 0 || (int)blockIdx.y * SCAN_THREADS >= sizes[list]) {
    return;
  }
  int count = 1;
  while (count < TOGETHER && first + count < numPairs && (int)keys[first + count] == list) {
    count++;
  }
  if ((int)threadIdx.x < count) {
    int place = pairs[first + threadIdx.x];
    samples[threadIdx.x] = place / numProbes;
    sampleScales[threadIdx.x] = scales[place / numProbes];
    bases[threadIdx.x] = listScores[place];
    ownLimits[threadIdx.x] = limits[place / numProbes];
  }
  __syncthreads();
  unsigned* ownQueries = (unsigned*)shared_memory;
  int queryWords = hamming ? words : PLANES * words;
  for (int s = 0; s < count; s++) {
    const unsigned* query = queries + (long long)samples[s] * queryWords;
    for (int i = threadIdx.x; i < queryWords; i += SCAN_THREADS) {
      ownQueries[s * queryWords + i] = query[i];
    }
  }
  __syncthreads();
  Lists lists = {firstBlocks, sizes, codes, factors, classIds};
  if (hamming) {
    scanList<1>(lists, list, words, ownQueries, count, samples, sampleScales, bases, cosines, capacity, ownLimits, counts, found);
  } else {
    scanList<0>(lists, list, words, ownQueries, count, samples, sampleScales, bases, cosines, capacity, ownLimits, counts, found);
  }
}
