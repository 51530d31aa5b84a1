// SPDX-License-Identifier: Apache-2.0
// Classes that are divided among devices: which of the active ones a device owns, and what its
// results are together with those of the others. A device owns the classes [from, to). What passes
// between devices is gathered, device after device, and put together here in that order, on each
// device alike: so the bits do not depend on how it came.
#include "common.cuh"

// As in softmax.cu: below every logit that can occur.
#define LOWEST -1e30f

// Numbers of a sample that devices tell each other: maximum, sum, logit of the target.
#define SAMPLE_NUMBERS 3

// ---- the choice of classes ---------------------------------------------------------------------

// into (2): where the classes of a device begin and end among ids (n, ascending).
extern "C" __global__ void find_owned(const int* ids, int n, int from, int to, int* into) {
  into[threadIdx.x] = placeOf(threadIdx.x == 0 ? from : to, ids, n);
}

// into (count): ids [first, first + count), or first + i itself where ids is null.
extern "C" __global__ void own_classes(const int* ids, int first, int count, int* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) {
    into[i] = ids ? ids[first + i] : first + i;
  }
}

// into (batch): positions of targets among the device's own active classes, which begin at position
// `first` of all; -1 for targets of other devices.
extern "C" __global__ void own_targets(const int* targets, const int* positions, int batch, int from, int to, int first, int* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < batch) {
    into[i] = targets[i] >= from && targets[i] < to ? positions[i] - first : -1;
  }
}

// ---- softmax -----------------------------------------------------------------------------------

// What softmax_forward left of each sample on this device, as parts (samples, SAMPLE_NUMBERS); the
// logit is 0 where another device has the target. maxima and sums (samples, segments).
extern "C" __global__ void pack_sums(const float* maxima, const double* sums, int segments, const int* targets, const double* targetLogits, int samples, int from, int to, double* parts) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= samples) {
    return;
  }
  double highest = LOWEST;
  double sum = 0.0;
  for (int s = i * segments; s < (i + 1) * segments; s++) {
    highest = maxima[s] > highest ? maxima[s] : highest;
  }
  for (int s = i * segments; s < (i + 1) * segments; s++) {
    sum += sums[s] * exp(maxima[s] - highest);
  }
  double* part = parts + (long long)i * SAMPLE_NUMBERS;
  part[0] = highest;
  part[1] = sum;
  part[2] = targets[i] >= from && targets[i] < to ? targetLogits[i] : 0.0;
}

// The same of all devices together, parts (devices, samples, SAMPLE_NUMBERS), to where softmax_finish
// reads it: all in the first segment of a sample. One device has its target; the others add 0.
extern "C" __global__ void unpack_sums(const double* parts, int devices, int samples, int segments, float* maxima, double* sums, double* targetLogits) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= samples) {
    return;
  }
  double highest = LOWEST;
  for (int d = 0; d < devices; d++) {
    double max = parts[((long long)d * samples + i) * SAMPLE_NUMBERS];
    highest = max > highest ? max : highest;
  }
  double sum = 0.0;
  double logit = 0.0;
  for (int d = 0; d < devices; d++) {
    const double* part = parts + ((long long)d * samples + i) * SAMPLE_NUMBERS;
    sum += part[1] * exp(part[0] - highest);
    logit += part[2];
  }
  for (int s = 0; s < segments; s++) {
    maxima[i * segments + s] = s == 0 ? (float)highest : LOWEST;
    sums[i * segments + s] = s == 0 ? sum : 0.0;
  }
  targetLogits[i] = logit;
}

// ---- gradients ---------------------------------------------------------------------------------

// into (n): the sum of parts (devices, n), in the order of the devices.
extern "C" __global__ void add_parts(const float* parts, int devices, long long n, float* into) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) {
    return;
  }
  float sum = 0.0f;
  for (int d = 0; d < devices; d++) {
    sum += parts[d * n + i];
  }
  into[i] = sum;
}

// ---- an index of the classes of each device: in it a class has its place, id - from --------------

// into (n): places of ids that are in [from, to), -1 for others.
extern "C" __global__ void own_places(const int* ids, int n, int from, int to, int* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    into[i] = ids[i] >= from && ids[i] < to ? ids[i] - from : -1;
  }
}

// What was found for a sample, as scan.cu ranks it: found (samples, capacity), of which counts
// (samples) are there, to parts (samples, wanted + 1): how many, then these, with ids of classes
// instead of places. A block a sample; no count is above wanted.
extern "C" __global__ void pack_found(const unsigned long long* found, long long capacity, const int* counts, int wanted, int from, unsigned long long* parts) {
  const unsigned long long* own = found + blockIdx.x * capacity;
  unsigned long long* part = parts + blockIdx.x * (wanted + 1ll);
  int n = counts[blockIdx.x];
  if (threadIdx.x == 0) {
    part[0] = (unsigned long long)n;
  }
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    part[1 + i] = own[i] + (unsigned)from; // the id is the lower half, and never negative
  }
}

// The finds of all devices, parts (devices, samples, wanted + 1), one after the other in found
// (samples, devices * wanted); counts (samples). A block a sample.
extern "C" __global__ void unpack_found(const unsigned long long* parts, int devices, int wanted, unsigned long long* found, int* counts) {
  unsigned long long* into = found + blockIdx.x * ((long long)devices * wanted);
  int before = 0;
  for (int d = 0; d < devices; d++) {
    const unsigned long long* part = parts + ((long long)d * gridDim.x + blockIdx.x) * (wanted + 1ll);
    int n = (int)part[0];
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
      into[before + i] = part[1 + i];
    }
    before += n;
  }
  if (threadIdx.x == 0) {
    counts[blockIdx.x] = before;
  }
}

// into (n): lengths of runs, as floats.
extern "C" __global__ void count_members(const int* starts, const int* ends, int n, float* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    into[i] = (float)(ends[i] - starts[i]);
  }
}

// Centroids (n, stride) from the means of each device's members: parts (devices, n * stride + n),
// means and then how many. A list without members keeps its centroid. A mean of none is not read.
extern "C" __global__ void merge_means(const float* parts, int devices, int n, int stride, float* centroids) {
  long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= (long long)n * stride) {
    return;
  }
  int list = (int)(at / stride);
  float total = 0.0f;
  float sum = 0.0f;
  for (int d = 0; d < devices; d++) {
    const float* part = parts + d * (n * (stride + 1ll));
    float count = part[(long long)n * stride + list];
    if (count > 0.0f) {
      total += count;
      sum += part[at] * count;
    }
  }
  if (total > 0.0f) {
    centroids[at] = sum * (1.0f / total);
  }
}
