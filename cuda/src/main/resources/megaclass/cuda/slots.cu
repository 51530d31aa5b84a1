// SPDX-License-Identifier: Apache-2.0
// Rows between the memory of the host and the slots of a cache on the device, as
// megaclass.cuda.HostRows moves them. They travel packed: rows (count, rowWords), then accumulators
// (count) and last steps (count) where the optimizer keeps such. slots (numClasses) says where the
// row of a class lies, -1 for nowhere; places (count) are slots, none twice.
//
// A thread copies 16 bytes, those of a row by neighbouring threads.
#include "common.cuh"

#define VECTOR_WORDS 4

// Vector of this thread among those of all rows; `row` becomes its row.
__device__ inline int vectorOf(int rowWords, long long* row) {
  long long thread = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  int vectors = rowWords / VECTOR_WORDS;
  *row = thread / vectors;
  return (int)(thread % vectors);
}

// Puts packed rows of classes (count) into their slots.
extern "C" __global__ void place_rows(const unsigned* packed, const float* packedAccumulators, const int* packedLastSteps, const int* classes, const int* places, int count, int rowWords, unsigned* rows, float* accumulators, int* lastSteps, int* slots) {
  long long i;
  int v = vectorOf(rowWords, &i);
  if (i >= count) {
    return;
  }
  long long place = places[i];
  ((uint4*)(rows + place * rowWords))[v] = ((const uint4*)(packed + i * rowWords))[v];
  if (v == 0) {
    if (accumulators) {
      accumulators[place] = packedAccumulators[i];
    }
    if (lastSteps) {
      lastSteps[place] = packedLastSteps[i];
    }
    slots[classes[i]] = (int)place;
  }
}

// Packs the rows of some slots.
extern "C" __global__ void pack_rows(const unsigned* rows, const float* accumulators, const int* lastSteps, const int* places, int count, int rowWords, unsigned* packed, float* packedAccumulators, int* packedLastSteps) {
  long long i;
  int v = vectorOf(rowWords, &i);
  if (i >= count) {
    return;
  }
  long long place = places[i];
  ((uint4*)(packed + i * rowWords))[v] = ((const uint4*)(rows + place * rowWords))[v];
  if (v == 0) {
    if (accumulators) {
      packedAccumulators[i] = accumulators[place];
    }
    if (lastSteps) {
      packedLastSteps[i] = lastSteps[place];
    }
  }
}

// Classes (count) have no slot from here on.
extern "C" __global__ void forget_rows(const int* classes, int count, int* slots) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) {
    slots[classes[i]] = -1;
  }
}
