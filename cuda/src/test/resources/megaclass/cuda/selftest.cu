// SPDX-License-Identifier: Apache-2.0
// Kernels that use what the emulation offers, and kernels that do what it has to catch. Each is
// checked by HostCudaTest.
#include "common.cuh"

#define SUM_THREADS 128
#define TILE 32

// sums[block] = sum of a block's values, halving in shared memory. values (blocks, SUM_THREADS).
extern "C" __global__ void halving_sums(const int* values, int* sums) {
  __shared__ int partial[SUM_THREADS];
  partial[threadIdx.x] = values[blockIdx.x * SUM_THREADS + threadIdx.x];
  __syncthreads();
  for (int half = SUM_THREADS / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      partial[threadIdx.x] += partial[threadIdx.x + half];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    sums[blockIdx.x] = partial[0];
  }
}

// into[i] = values[0] + ... + values[i] within each warp.
extern "C" __global__ void warp_prefix_sums(const float* values, float* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int lane = threadIdx.x % WARP;
  float sum = values[i];
  for (int distance = 1; distance < WARP; distance *= 2) {
    float other = __shfl_up_sync(WHOLE_WARP, sum, distance);
    if (lane >= distance) {
      sum += other;
    }
  }
  into[i] = sum;
}

// What each shuffle gives lane i: into (4, 32) from values (32), one warp.
extern "C" __global__ void shuffles(const int* values, int* into) {
  int lane = threadIdx.x;
  into[lane] = __shfl_sync(WHOLE_WARP, values[lane], 7);
  into[WARP + lane] = __shfl_xor_sync(WHOLE_WARP, values[lane], 5);
  into[2 * WARP + lane] = __shfl_up_sync(WHOLE_WARP, values[lane], 3);
  into[3 * WARP + lane] = __shfl_down_sync(WHOLE_WARP, values[lane], 3);
}

// ballots[warp] = the lanes whose value is above 0.
extern "C" __global__ void ballots(const int* values, unsigned* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned ballot = __ballot_sync(WHOLE_WARP, values[i] > 0);
  if (threadIdx.x % WARP == 0) {
    into[i / WARP] = ballot;
  }
}

// into (columns, rows) = from (rows, columns) transposed; blocks of TILE x TILE entries, a warp to
// a row; TILE * (TILE + 1) floats of dynamic shared memory.
extern "C" __global__ void transpose(const float* from, float* into, int rows, int columns) {
  extern __shared__ unsigned char shared_memory[];
  float* tile = (float*)shared_memory;
  int lane = threadIdx.x % TILE;
  for (int i = threadIdx.x / TILE; i < TILE; i += blockDim.x / TILE) {
    int row = blockIdx.y * TILE + i;
    int column = blockIdx.x * TILE + lane;
    if (row < rows && column < columns) {
      tile[i * (TILE + 1) + lane] = from[row * columns + column];
    }
  }
  __syncthreads();
  for (int i = threadIdx.x / TILE; i < TILE; i += blockDim.x / TILE) {
    int row = blockIdx.x * TILE + i;
    int column = blockIdx.y * TILE + lane;
    if (row < columns && column < rows) {
      into[row * rows + column] = tile[lane * (TILE + 1) + i];
    }
  }
}

// counts[value]++ for each value; extremes = least and greatest.
extern "C" __global__ void count_values(const int* values, int n, int* counts, int* extremes) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    atomicAdd(&counts[values[i]], 1);
    atomicMin(&extremes[0], values[i]);
    atomicMax(&extremes[1], values[i]);
  }
}

// ---- what has to be caught ---------------------------------------------------------------------

extern "C" __global__ void write_at(float* into, long long index) {
  if (threadIdx.x == 3) {
    into[index] = 1.0f;
  }
}

extern "C" __global__ void read_at(const float* from, long long index, float* into) {
  into[0] = from[index];
}

extern "C" __global__ void read_four(const float* from, int index, float* into) {
  float4 four = *(const float4*)(from + index);
  into[0] = four.x + four.y + four.z + four.w;
}

extern "C" __global__ void read_local(const float* from, int index, float* into) {
  float four[4] = {from[0], from[1], from[2], from[3]};
  into[0] = four[index];
}

extern "C" __global__ void divide(int a, int b, int* into) {
  into[0] = a / b;
}

// Its local variables take 128 KiB.
extern "C" __global__ void large_locals(const int* values, int* into) {
  int local[32768];
  for (int i = 0; i < 32768; i++) {
    local[i] = values[i % 4] + i;
  }
  into[0] = local[values[0]];
}

extern "C" __global__ void write_shared(int index) {
  extern __shared__ unsigned char shared_memory[];
  shared_memory[index] = 1;
}

// Reads what nobody has written.
extern "C" __global__ void read_unwritten(float* into) {
  __shared__ float values[2];
  if (threadIdx.x == 0) {
    values[0] = blockIdx.x;
  }
  __syncthreads();
  into[2 * blockIdx.x + threadIdx.x] = values[threadIdx.x];
}

// Only one half of the block reaches the barrier.
extern "C" __global__ void half_a_barrier(int upper, int* into) {
  if ((threadIdx.x >= blockDim.x / 2) == (upper != 0)) {
    __syncthreads();
  }
  into[threadIdx.x] = 1;
}

// All threads reach a barrier, but not the same.
extern "C" __global__ void two_barriers(int* into) {
  if (threadIdx.x < blockDim.x / 2) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  into[threadIdx.x] = 1;
}

// Only the first half of each warp takes part.
extern "C" __global__ void half_a_warp(int* into) {
  if (threadIdx.x % WARP < WARP / 2) {
    into[threadIdx.x] = __shfl_xor_sync(WHOLE_WARP, threadIdx.x, 1);
  }
}

// All lanes take part, but in different functions.
extern "C" __global__ void mixed_warp(int* into) {
  if (threadIdx.x % WARP < WARP / 2) {
    into[threadIdx.x] = __shfl_xor_sync(WHOLE_WARP, threadIdx.x, 1);
  } else {
    into[threadIdx.x] = __shfl_xor_sync(WHOLE_WARP, threadIdx.x, 2);
  }
}

// Lacks the barrier between writing and reading.
extern "C" __global__ void race_of_threads(int* into) {
  __shared__ int values[SUM_THREADS];
  values[threadIdx.x] = threadIdx.x;
  into[threadIdx.x] = values[(threadIdx.x + 1) % SUM_THREADS];
}

// The last block to write wins.
extern "C" __global__ void race_of_blocks(int* into) {
  if (threadIdx.x == 0) {
    into[0] = blockIdx.x;
  }
}
