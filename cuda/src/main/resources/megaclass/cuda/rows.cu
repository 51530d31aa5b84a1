// SPDX-License-Identifier: Apache-2.0
// Class rows on the device: gathered for matrix products, caught up with steps they missed, moved.
//
// Rows lie as in megaclass.compute.RowMatrix: `rowWords` 4-byte words from row to row, in which the
// weights come first and the velocity, if there is one, directly behind them. In all kernels here a
// row is shared by lanesPerRow(stride) neighbouring lanes of a warp, so that a row of 128 numbers
// keeps 16 lanes busy and every access is 16 bytes wide and coalesced. What a second pass reads is
// still in the L1 cache.
//
// Which rows: ids[0 .. count), distinct, or the range [first, first + count) where ids is null.
// Where they lie: rowSlot; what is kept beside rows lies at the same places.
#include "common.cuh"

// What a row may go through in one step, as in megaclass.optim.SparseOptimizer.
#define CAUGHT_UP 0
#define CAUGHT_UP_VELOCITY 1
#define MOVED 2
#define MOVED_VELOCITY 3

// Words of the weights of a row, which are also those of its velocity.
__device__ inline int weightWords(int bf16, int stride) {
  return bf16 ? stride / 2 : stride;
}

// Index in [0, count) of the row that this thread works on, or beyond.
__device__ inline long long rowIndex(int lanes) {
  return ((long long)blockIdx.x * blockDim.x + threadIdx.x) / lanes;
}

__device__ inline int rowAt(const int* ids, int first, long long i) {
  return ids ? ids[i] : first + (int)i;
}

// SparseOptimizer.key: of the random bits by which a row is rounded.
__device__ inline unsigned roundingKey(int row, int step, int change) {
  return (unsigned)hashKey((unsigned long long)row, 4ull * step + change);
}

// Rows as a dense matrix (count, stride), float or bf16 (rounded to the nearest) as the one of
// intoFloats and intoBf16 that is not null.
//
// Defined by Embeddings.gatherRows: each row is taken to unit length and its inverse norm kept in
// inverseNorms (count), unless that is null. The order of the numbers is the plain one in both
// outputs, since products with embeddings need one order.
extern "C" __global__ void gather_rows(
    const unsigned* rows, int bf16, long long rowWords, const int* slots, const int* ids, int first,
    int count, int stride, float* inverseNorms, float* intoFloats, unsigned short* intoBf16) {
  int lanes = lanesPerRow(stride);
  int lane = threadIdx.x % lanes;
  long long i = rowIndex(lanes);
  int parts = i < count ? stride / 8 : 0;
  const unsigned* row = i < count ? rows + rowWords * rowSlot(slots, rowAt(ids, first, i)) : rows;
  float factor = 1.0f;
  if (inverseNorms) {
    float squares = 0.0f;
    for (int q = lane; q < parts; q += lanes) {
      RowPart w = readRow(row, bf16, stride, q);
      squares = dotParts(w, w, squares);
    }
    factor = inverseNorm(lanesSum(squares, lanes));
    if (lane == 0 && i < count) {
      inverseNorms[i] = factor;
    }
  }
  for (int q = lane; q < parts; q += lanes) {
    RowPart w = readRow(row, bf16, stride, q);
    for (int k = 0; k < 4; k++) {
      w.first[k] *= factor;
      w.second[k] *= factor;
    }
    if (intoFloats) {
      writeFloats(intoFloats + i * stride, stride, q, w);
    } else {
      unsigned short* into = intoBf16 + i * stride;
      uint2 a = {twoBf16(w.first[0], w.first[1]), twoBf16(w.first[2], w.first[3])};
      uint2 b = {twoBf16(w.second[0], w.second[1]), twoBf16(w.second[2], w.second[3])};
      ((uint2*)into)[q] = a;
      ((uint2*)(into + stride / 2))[q] = b;
    }
  }
}

// Brings a table of catch-up matrices from step `from` to step `to`: entry f of products (to, 4)
// becomes the product of the matrices of steps f .. to - 1, the later ones on the left. steps
// (to, 4) holds the matrix of each step alone.
//
// Defined by CatchUp.product. That multiplies blocks of steps, this one step after the other, for
// every f at once: a step of training costs 64 bytes of traffic for each step before it, and a row
// then finds all it missed in one entry. Both multiply in double; they differ by rounding, some
// 1e-16 a missed step, before an entry is rounded to float. A run that goes on from a checkpoint
// multiplies in the same order, so its bits are the same.
extern "C" __global__ void advance_products(
    double* products, const double* steps, int from, int to) {
  int f = blockIdx.x * blockDim.x + threadIdx.x;
  if (f >= to) {
    return;
  }
  double* into = products + 4ll * f;
  const double* start = f < from ? into : steps + 4ll * f;
  double v0 = start[0];
  double v1 = start[1];
  double w0 = start[2];
  double w1 = start[3];
  for (int t = f < from ? from : f + 1; t < to; t++) {
    const double* a = steps + 4ll * t;
    double nextV0 = fma(a[0], v0, a[1] * w0);
    double nextV1 = fma(a[0], v1, a[1] * w1);
    w0 = fma(a[2], v0, a[3] * w0);
    w1 = fma(a[2], v1, a[3] * w1);
    v0 = nextV0;
    v1 = nextV1;
  }
  into[0] = v0;
  into[1] = v1;
  into[2] = w0;
  into[3] = w1;
}

// Applies to rows the steps before `step` that they missed. Defined by SparseOptimizer.catchUp.
// products (step, 4) is the table of advance_products; lastSteps has an entry for every row.
extern "C" __global__ void catch_up_rows(
    unsigned* rows, int bf16, long long rowWords, int velocity, int* lastSteps, const int* slots,
    const int* ids, int first, int count, int stride, const double* products, int step) {
  int lanes = lanesPerRow(stride);
  int lane = threadIdx.x % lanes;
  long long i = rowIndex(lanes);
  int row = i < count ? rowAt(ids, first, i) : 0;
  long long slot = i < count ? rowSlot(slots, row) : 0;
  int last = i < count ? lastSteps[slot] : step;
  __syncwarp();  // all lanes have read it before one sets it
  if (last == step) {
    return;
  }
  unsigned* w = rows + rowWords * slot;
  unsigned* v = w + weightWords(bf16, stride);
  const double* product = products + 4ll * last;
  float vv = (float)product[0];
  float vw = (float)product[1];
  float wv = (float)product[2];
  float ww = (float)product[3];
  unsigned key = bf16 ? roundingKey(row, step, CAUGHT_UP) : 0u;
  unsigned velocityKey = bf16 ? roundingKey(row, step, CAUGHT_UP_VELOCITY) : 0u;
  for (int q = lane; q < stride / 8; q += lanes) {
    RowPart weight = readRow(w, bf16, stride, q);
    if (velocity) {
      RowPart speed = readRow(v, bf16, stride, q);
      RowPart before = weight;
      for (int k = 0; k < 4; k++) {
        weight.first[k] = fmaf(speed.first[k], wv, before.first[k] * ww);
        speed.first[k] = fmaf(speed.first[k], vv, before.first[k] * vw);
        weight.second[k] = fmaf(speed.second[k], wv, before.second[k] * ww);
        speed.second[k] = fmaf(speed.second[k], vv, before.second[k] * vw);
      }
      writeRow(v, bf16, stride, q, velocityKey, speed);
    } else {
      for (int k = 0; k < 4; k++) {
        weight.first[k] *= ww;
        weight.second[k] *= ww;
      }
    }
    writeRow(w, bf16, stride, q, key, weight);
  }
  if (lane == 0) {
    lastSteps[slot] = step;
  }
}

// Adds gradients (count, stride) of the classes ids (count) to those of allIds (numAll), among which
// they are: sums (numAll, stride). Both lists ascend without duplicates, so each sum gets one
// addend, and the order of launches is that of a sum. inverseNorms (count) of the rows go to their
// places in allNorms (numAll). Defined by megaclass.loss.SharedRows.
extern "C" __global__ void add_gradients(
    const float* gradients, const float* inverseNorms, const int* ids, int count,
    const int* allIds, int numAll, int stride, float* sums, float* allNorms) {
  int lanes = lanesPerRow(stride);
  int lane = threadIdx.x % lanes;
  long long i = rowIndex(lanes);
  if (i >= count) {
    return;
  }
  long long place = placeOf(ids[i], allIds, numAll);
  for (int q = lane; q < stride / 8; q += lanes) {
    RowPart sum = readFloats(sums + place * stride, stride, q);
    RowPart added = readFloats(gradients + i * stride, stride, q);
    for (int k = 0; k < 4; k++) {
      sum.first[k] += added.first[k];
      sum.second[k] += added.second[k];
    }
    writeFloats(sums + place * stride, stride, q, sum);
  }
  if (inverseNorms && lane == 0) {
    allNorms[place] = inverseNorms[i];
  }
}

// The gradient by a row w from u, that by its unit row: (u - (u . wh) wh) / |w|, wh = w / |w|.
// `along` is (u . w) / |w|^2. As TileKernel.updateRows, whose u leaves out the loss's scale.
__device__ inline RowPart throughNormalisation(RowPart u, RowPart w, float along, float inverse) {
  for (int k = 0; k < 4; k++) {
    u.first[k] = fmaf(w.first[k], -along, u.first[k]) * inverse;
    u.second[k] = fmaf(w.second[k], -along, u.second[k]) * inverse;
  }
  return u;
}

// ComputeBackend.momentumStep for one number.
__device__ inline void momentumStep(
    float* w, float* v, float g, float rate, float momentum, float decay, int nesterov) {
  float gradient = fmaf(*w, decay, g);
  float speed = fmaf(*v, momentum, gradient);
  float move = nesterov ? fmaf(speed, momentum, gradient) : speed;
  *v = speed;
  *w = fmaf(move, -rate, *w);
}

// Moves rows by their gradients. Defined by TileKernel.updateRows and SparseOptimizer.update.
//
// gradients (count, stride): by the rows, or by the unit rows where inverseNorms (count) is not
// null. AdaGrad where accumulators (of every row) is not null; else SGD, with momentum where
// rows have a velocity. keep is 1 - rate * decay, with which SGD without momentum decays. lastSteps
// (of every row) may be null. `width` of the `stride` numbers are weights, the rest zeros.
extern "C" __global__ void update_rows(
    unsigned* rows, int bf16, long long rowWords, int velocity, float* accumulators, int* lastSteps,
    const int* slots, const int* ids, int first, int count, int stride, int width, const float* gradients,
    const float* inverseNorms, int step, float rate, float momentum, float decay, int nesterov,
    float keep, float epsilon) {
  int lanes = lanesPerRow(stride);
  int lane = threadIdx.x % lanes;
  long long i = rowIndex(lanes);
  int parts = i < count ? stride / 8 : 0;
  int row = i < count ? rowAt(ids, first, i) : 0;
  long long slot = i < count ? rowSlot(slots, row) : 0;
  unsigned* w = rows + rowWords * slot;
  unsigned* v = w + weightWords(bf16, stride);
  const float* u = gradients + (i < count ? i : 0) * stride;
  float inverse = 1.0f;
  float along = 0.0f;
  if (inverseNorms) {
    for (int q = lane; q < parts; q += lanes) {
      along = dotParts(readFloats(u, stride, q), readRow(w, bf16, stride, q), along);
    }
    inverse = i < count ? inverseNorms[i] : 0.0f;
    along = lanesSum(along, lanes) * inverse * inverse;
  }
  float move = -rate;
  if (accumulators) {
    float squares = 0.0f;
    for (int q = lane; q < parts; q += lanes) {
      RowPart g = readFloats(u, stride, q);
      if (inverseNorms) {
        g = throughNormalisation(g, readRow(w, bf16, stride, q), along, inverse);
      }
      squares = dotParts(g, g, squares);
    }
    float sum = lanesSum(squares, lanes) / width + (i < count ? accumulators[slot] : 0.0f);
    move = (float)(-rate / (sqrt((double)sum) + epsilon));
    __syncwarp();  // all lanes have read it before one sets it
    if (lane == 0 && i < count) {
      accumulators[slot] = sum;
    }
  }
  unsigned key = bf16 ? roundingKey(row, step, MOVED) : 0u;
  unsigned velocityKey = bf16 ? roundingKey(row, step, MOVED_VELOCITY) : 0u;
  for (int q = lane; q < parts; q += lanes) {
    RowPart weight = readRow(w, bf16, stride, q);
    RowPart g = readFloats(u, stride, q);
    if (inverseNorms) {
      g = throughNormalisation(g, weight, along, inverse);
    }
    if (velocity) {
      RowPart speed = readRow(v, bf16, stride, q);
      for (int k = 0; k < 4; k++) {
        momentumStep(
            &weight.first[k], &speed.first[k], g.first[k], rate, momentum, decay, nesterov);
        momentumStep(
            &weight.second[k], &speed.second[k], g.second[k], rate, momentum, decay, nesterov);
      }
      writeRow(v, bf16, stride, q, velocityKey, speed);
    } else {
      for (int k = 0; k < 4; k++) {
        weight.first[k] = fmaf(g.first[k], move, weight.first[k] * keep);
        weight.second[k] = fmaf(g.second[k], move, weight.second[k] * keep);
      }
    }
    writeRow(w, bf16, stride, q, key, weight);
  }
  if (lastSteps && lane == 0 && i < count) {
    lastSteps[slot] = step + 1;
  }
}
