// SPDX-License-Identifier: Apache-2.0
// What all kernels share: bf16, the layout of rows, reductions in a fixed order, hashes.
//
// Compiled by NVRTC, by nvcc and, for tests without a GPU, by g++ with a shim. So: no headers, no
// templates of CUDA's libraries, and every multiply-add that must round once says fmaf. A kernel
// begins with extern "C" __global__ void NAME( on one line, and takes pointers, int, long long and
// float: megaclass.cuda.KernelSource reads that from the text.
#pragma once

#define WARP 32
#define WHOLE_WARP 0xffffffffu

#define NEGATIVE_INFINITY __int_as_float(0xff800000)

// Least positive normal float: squares below it have no inverse norm (ComputeBackend.inverseNorm).
#define LEAST_NORMAL 1.17549435e-38f

// ---- bf16: the upper 16 bits of a float --------------------------------------------------------

__device__ inline float fromBf16(unsigned short bits) {
  return __uint_as_float((unsigned)bits << 16);
}

// Rounded to the nearest, ties to even; NaN stays NaN.
__device__ inline unsigned short toBf16(float value) {
  unsigned bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return (unsigned short)((bits >> 16) | 0x40u);
  }
  return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// Two numbers side by side in memory: the first one in the lower half (little endian).
__device__ inline unsigned twoBf16(float first, float second) {
  return (unsigned)toBf16(first) | (unsigned)toBf16(second) << 16;
}

// ---- hashes: megaclass.internal.Hash and megaclass.compute.Rounding, bit for bit ---------------

__device__ inline unsigned long long hashMix(unsigned long long z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// Hash.key(seed, a).
__device__ inline unsigned long long hashKey(unsigned long long seed, unsigned long long a) {
  const unsigned long long gamma = 0x9E3779B97F4A7C15ull;
  return hashMix(hashMix(seed + gamma) + a * gamma + gamma);
}

// Rounding.bits(key, position): the lower half for one number, the upper half for another.
__device__ inline unsigned roundingBits(unsigned key, unsigned position) {
  unsigned x = key + 0x9E3779B9u * position;
  x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
  x = (x ^ (x >> 13)) * 0xC2B2AE35u;
  return x ^ (x >> 16);
}

// ---- lists of class ids ------------------------------------------------------------------------

// How many of ids (n, ascending) are below id: its place, if it is among them.
__device__ inline int placeOf(int id, const int* ids, int n) {
  int low = 0;
  int high = n;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (ids[middle] < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// ---- rows: megaclass.compute.RowFormat ---------------------------------------------------------
//
// A row of `stride` numbers (a multiple of 16) is worked on in parts of 8: part q has the numbers
// 4q .. 4q+3 of its first half and the same of its second half. That is 16 bytes of a bf16 row,
// whose word k holds number k above number stride/2 + k, and twice 16 bytes of an fp32 row.

struct RowPart {
  float first[4];   // numbers 4q + i
  float second[4];  // numbers stride/2 + 4q + i
};

// Where the row of a class lies: in its slot, -1 for none, or at its id where slots (numClasses) is
// null.
__device__ inline long long rowSlot(const int* slots, int classId) {
  return slots ? slots[classId] : classId;
}

// Lanes of a warp that share a row: one part each, if that many are there. A power of two.
__device__ inline int lanesPerRow(int stride) {
  int lanes = 2;
  while (lanes < WARP && lanes < stride / 8) {
    lanes *= 2;
  }
  return lanes;
}

__device__ inline RowPart readFloats(const float* row, int stride, int q) {
  float4 a = ((const float4*)row)[q];
  float4 b = ((const float4*)(row + stride / 2))[q];
  RowPart part = {{a.x, a.y, a.z, a.w}, {b.x, b.y, b.z, b.w}};
  return part;
}

__device__ inline void writeFloats(float* row, int stride, int q, RowPart part) {
  float4 a = {part.first[0], part.first[1], part.first[2], part.first[3]};
  float4 b = {part.second[0], part.second[1], part.second[2], part.second[3]};
  ((float4*)row)[q] = a;
  ((float4*)(row + stride / 2))[q] = b;
}

// ComputeBackend.widen for one part.
__device__ inline RowPart readWords(const unsigned* row, int q) {
  uint4 words = ((const uint4*)row)[q];
  unsigned word[4] = {words.x, words.y, words.z, words.w};
  RowPart part;
  for (int i = 0; i < 4; i++) {
    part.first[i] = __uint_as_float(word[i] & 0xffff0000u);
    part.second[i] = __uint_as_float(word[i] << 16);
  }
  return part;
}

// ComputeBackend.narrow for one part: rounded stochastically by the bits of (key, position).
__device__ inline void writeWords(unsigned* row, int q, unsigned key, RowPart part) {
  unsigned word[4];
  for (int i = 0; i < 4; i++) {
    unsigned random = roundingBits(key, (unsigned)(4 * q + i));
    unsigned first = __float_as_uint(part.first[i]) + (random & 0xffffu);
    unsigned second = __float_as_uint(part.second[i]) + (random >> 16);
    word[i] = (first & 0xffff0000u) | (second >> 16);
  }
  uint4 words = {word[0], word[1], word[2], word[3]};
  ((uint4*)row)[q] = words;
}

// A part of a row of either format; `row` points to its first word.
__device__ inline RowPart readRow(const unsigned* row, int bf16, int stride, int q) {
  return bf16 ? readWords(row, q) : readFloats((const float*)row, stride, q);
}

__device__ inline void writeRow(unsigned* row, int bf16, int stride, int q, unsigned key,
                                RowPart part) {
  if (bf16) {
    writeWords(row, q, key, part);
  } else {
    writeFloats((float*)row, stride, q, part);
  }
}

__device__ inline float dotParts(RowPart a, RowPart b, float sum) {
  for (int i = 0; i < 4; i++) {
    sum = fmaf(a.first[i], b.first[i], sum);
  }
  for (int i = 0; i < 4; i++) {
    sum = fmaf(a.second[i], b.second[i], sum);
  }
  return sum;
}

// ComputeBackend.inverseNorm: 0 for a row of zeros, whose cosine with everything is 0.
__device__ inline float inverseNorm(float squares) {
  return squares < LEAST_NORMAL ? 0.0f : (float)(1.0 / sqrt((double)squares));
}

// ---- reductions in a fixed order ---------------------------------------------------------------

// Sum over each aligned group of `lanes` lanes (a power of two); all lanes of the warp take part
// and every lane of a group gets the same bits.
__device__ inline float lanesSum(float value, int lanes) {
  for (int offset = lanes / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(WHOLE_WARP, value, offset);
  }
  return value;
}

__device__ inline float lanesMax(float value, int lanes) {
  for (int offset = lanes / 2; offset > 0; offset /= 2) {
    float other = __shfl_xor_sync(WHOLE_WARP, value, offset);
    value = other > value ? other : value;
  }
  return value;
}

// Sum over a block of whole warps, the same bits in all threads. scratch: 32 floats of shared
// memory, which may be used again after the next __syncthreads().
__device__ inline float blockSum(float value, float* scratch) {
  value = lanesSum(value, WARP);
  if (threadIdx.x % WARP == 0) {
    scratch[threadIdx.x / WARP] = value;
  }
  __syncthreads();
  float sum = 0.0f;
  for (int warp = 0; warp < (int)blockDim.x / WARP; warp++) {
    sum += scratch[warp];
  }
  return sum;
}

__device__ inline float blockMax(float value, float* scratch) {
  value = lanesMax(value, WARP);
  if (threadIdx.x % WARP == 0) {
    scratch[threadIdx.x / WARP] = value;
  }
  __syncthreads();
  float max = scratch[0];
  for (int warp = 1; warp < (int)blockDim.x / WARP; warp++) {
    max = scratch[warp] > max ? scratch[warp] : max;
  }
  return max;
}

// ---- prefix sums -------------------------------------------------------------------------------

// Sum of the values of the threads before this one, and of the whole block; whole warps. scratch:
// 32 ints of shared memory, which may be used again after the next __syncthreads().
__device__ inline int blockSumBefore(int value, int* scratch, int* total) {
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int upToHere = value;
  for (int offset = 1; offset < WARP; offset *= 2) {
    int other = __shfl_up_sync(WHOLE_WARP, upToHere, offset);
    upToHere += lane >= offset ? other : 0;
  }
  if (lane == WARP - 1) {
    scratch[warp] = upToHere;
  }
  __syncthreads();
  int before = 0;
  *total = 0;
  for (int w = 0; w < (int)blockDim.x / WARP; w++) {
    before += w < warp ? scratch[w] : 0;
    *total += scratch[w];
  }
  return before + upToHere - value;
}
