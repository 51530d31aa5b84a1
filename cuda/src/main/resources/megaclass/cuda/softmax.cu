// SPDX-License-Identifier: Apache-2.0
// The softmax of a batch over its active classes, tile by tile of classes.
//
// A tile is what cuBLAS leaves: (samples, tileStride) floats, row-major, in which column j is the
// inner product of each sample's embedding with the (unit) row of the active class first + j. Its
// first `columns` columns count. tileStride is a multiple of 4, for 16-byte accesses. Where samples
// are a group of the batch, all per-sample pointers are those of the group's first sample.
//
// Loss: `kind`, and four doubles: scale, margin (of D-Softmax its end point d), cos and sin of the
// margin. What is special about a target is done once per sample and in double, as in
// megaclass.loss.BatchTargets; the rest is a multiply-add and an exponential per entry, in float.
#include "common.cuh"

#define PLAIN 0
#define COSFACE 1
#define ARCFACE 2
#define ARCFACE_STRAIGHT_THROUGH 3
#define D_SOFTMAX 4

#define SCALE 0
#define MARGIN 1
#define COS_MARGIN 2
#define SIN_MARGIN 3

// Finite, so that (-infinity) - maximum is never NaN; below every logit that can occur.
#define LOWEST -1e30f

// Loss.ArcFace.isFallback: theta + m reaches beyond pi.
__device__ inline bool isFallback(const double* loss, double cosine) {
  return cosine <= -loss[COS_MARGIN];
}

// Loss.ArcFace.psi.
__device__ inline double arcFace(const double* loss, double cosine) {
  double c = cosine < -1.0 ? -1.0 : cosine > 1.0 ? 1.0 : cosine;
  return isFallback(loss, c)
      ? c - loss[MARGIN] * loss[SIN_MARGIN]
      : c * loss[COS_MARGIN] - sqrt((1.0 - c) * (1.0 + c)) * loss[SIN_MARGIN];
}

// Loss.targetLogit.
__device__ inline double targetLogit(int kind, const double* loss, double cosine) {
  double shifted = cosine;
  if (kind == COSFACE) {
    shifted = cosine - loss[MARGIN];
  } else if (kind == ARCFACE || kind == ARCFACE_STRAIGHT_THROUGH) {
    shifted = arcFace(loss, cosine);
  }
  return loss[SCALE] * shifted;
}

// Loss.targetDerivative.
__device__ inline double targetDerivative(int kind, const double* loss, double cosine) {
  if (kind != ARCFACE || isFallback(loss, cosine)) {
    return loss[SCALE];
  }
  double largest = 1.0 - 1e-7;
  double c = cosine < largest ? cosine : largest;
  double slope = loss[COS_MARGIN] + c * loss[SIN_MARGIN] / sqrt((1.0 - c) * (1.0 + c));
  return loss[SCALE] * slope;
}

// Columns from one segment of a tile to the next; a multiple of 4.
__device__ inline int segmentLength(int columns, int segments) {
  int quads = (columns + 3) / 4;
  return (quads + segments - 1) / segments * 4;
}

__device__ inline int smaller(int a, int b) {
  return a < b ? a : b;
}

// Adds a tile to the running maxima and sums of exp(logit - maximum) of its samples, and keeps
// cosine and logit of the targets that are in it. Defined by TileKernel.forward and
// BatchTargets.apply.
//
// grid (samples, segments): a block takes one segment of one sample's columns, and the maximum and
// sum of a segment run over all tiles of a batch: maxima and sums (samples, segments). So a small
// batch fills the device, too, and the order of every sum is fixed. logWeights (columns) may be
// null; targets (samples) are positions among all active classes; fresh is 1 for the first tile.
// A maximum is one of the logits, so float holds it exactly. A thread sums a few dozen terms in
// float; the running sum, which meets every tile, is double. As in any online log-sum-exp, sums are
// rescaled when their maximum rises, which is rare.
extern "C" __global__ void softmax_forward(
    const float* tile, int tileStride, int columns, const float* logWeights, const int* targets,
    int first, int kind, const double* loss, int fresh, float* maxima, double* sums,
    double* cosines, double* targetLogits) {
  __shared__ float warpMaxima[WARP];
  __shared__ float warpSums[WARP];
  __shared__ float targetInSum;
  int sample = blockIdx.x;
  int length = segmentLength(columns, gridDim.y);
  int from = smaller(columns, blockIdx.y * length);
  int to = smaller(columns, from + length);
  int target = targets[sample] - first;
  const float* products = tile + (long long)sample * tileStride;
  if (threadIdx.x == 0 && target >= from && target < to) {
    double cosine = products[target];
    double logit = targetLogit(kind, loss, cosine) + (logWeights ? logWeights[target] : 0.0f);
    // In the sum and taken off it, the same bits: else a loss of 0 would be one of 1e-7 |logit|, and
    // the slope of ArcFace, which is in the thousands where the loss is 0, makes much of that.
    targetInSum = kind == D_SOFTMAX ? NEGATIVE_INFINITY : (float)logit;
    targetLogits[sample] = kind == D_SOFTMAX ? logit : (double)targetInSum;
    cosines[sample] = cosine;
  }
  __syncthreads();
  float scale = (float)loss[SCALE];
  float max = LOWEST;
  float sum = 0.0f;
  for (int j = from + 4 * threadIdx.x; j < to; j += 4 * blockDim.x) {
    float4 four = *(const float4*)(products + j);
    float x[4] = {four.x, four.y, four.z, four.w};
    float most = max;
    for (int k = 0; k < 4; k++) {
      if (j + k >= to) {
        x[k] = NEGATIVE_INFINITY;
      } else if (j + k == target) {
        x[k] = targetInSum;
      } else {
        x[k] = fmaf(x[k], scale, logWeights ? logWeights[j + k] : 0.0f);
      }
      most = x[k] > most ? x[k] : most;
    }
    if (most > max) {
      sum *= expf(max - most);
      max = most;
    }
    for (int k = 0; k < 4; k++) {
      sum += expf(x[k] - max);
    }
  }
  float highest = blockMax(max, warpMaxima);
  float total = blockSum(sum * expf(max - highest), warpSums);
  if (threadIdx.x == 0) {
    long long slot = (long long)sample * gridDim.y + blockIdx.y;
    float before = fresh ? LOWEST : maxima[slot];
    double sumBefore = fresh ? 0.0 : sums[slot];
    float now = highest > before ? highest : before;
    maxima[slot] = now;
    sums[slot] = sumBefore * exp((double)before - now) + total * exp((double)highest - now);
  }
}

// log(1 + exp(x)) without overflow.
__device__ inline double softplus(double x) {
  return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

// From the sums of all tiles to log Z (samples) and the loss of each sample (samples), and the mean
// loss (1), in double. Defined by TileMemory.logSumExp, BatchTargets.loss and SoftmaxHead.forward.
//
// One block of 256 threads takes all samples, so that the mean, too, is summed in a fixed order.
extern "C" __global__ void softmax_finish(
    const float* maxima, const double* sums, int segments, const double* targetLogits, int samples,
    int kind, const double* loss, double* logSumExps, double* losses, double* mean) {
  __shared__ double totals[256];
  double total = 0.0;
  for (int i = threadIdx.x; i < samples; i += blockDim.x) {
    const float* max = maxima + (long long)i * segments;
    const double* sum = sums + (long long)i * segments;
    double highest = kind == D_SOFTMAX ? 0.0 : LOWEST;
    for (int s = 0; s < segments; s++) {
      highest = max[s] > highest ? max[s] : highest;
    }
    double z = kind == D_SOFTMAX ? exp(-highest) : 0.0;
    for (int s = 0; s < segments; s++) {
      z += sum[s] * exp(max[s] - highest);
    }
    logSumExps[i] = highest + log(z);
    losses[i] = kind == D_SOFTMAX
        ? softplus(loss[SCALE] * loss[MARGIN] - targetLogits[i]) + logSumExps[i]
        : logSumExps[i] - targetLogits[i];
    total += losses[i];
  }
  totals[threadIdx.x] = total;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if ((int)threadIdx.x < half) {
      totals[threadIdx.x] += totals[threadIdx.x + half];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    *mean = totals[0] / samples;
  }
}

// The gradient of the mean loss by a sample's target's cosine. BatchTargets.gradient times the
// scale, over the batch.
__device__ inline double targetGradient(
    int kind, const double* loss, double logit, double cosine, double logSumExp, int batch) {
  double byLogit = kind == D_SOFTMAX
      ? -1.0 / (1.0 + exp(logit - loss[SCALE] * loss[MARGIN]))
      : expm1(logit - logSumExp);
  return byLogit * targetDerivative(kind, loss, cosine) / batch;
}

// Turns a tile of inner products into the gradient of the mean loss by them: scale * p / batch, and
// at targets what their margin makes of p - 1. Columns from `columns` on become 0 up to `padded`, a
// multiple of 4. Defined by TileKernel.probabilities and subtractTargets, but with the scale, which
// those leave out.
//
// grid (samples, any number of segments). Written in place, or as bf16 (samples, bf16Stride) for
// tensor cores where intoBf16 is not null; bf16Stride is a multiple of 4. log Z enters as a float
// and what that lost, which goes into the factor: else p would be off by 1e-7 |log Z|. batch is
// that of the whole batch, over which the loss is a mean.
extern "C" __global__ void softmax_gradient(
    float* tile, int tileStride, int columns, int padded, const float* logWeights,
    const int* targets, int first, int kind, const double* loss, const double* logSumExps,
    const double* cosines, const double* targetLogits, int batch, unsigned short* intoBf16,
    int bf16Stride) {
  __shared__ float factor;
  __shared__ float targetEntry;
  int sample = blockIdx.x;
  int length = segmentLength(padded, gridDim.y);
  int from = blockIdx.y * length;
  int to = smaller(padded, from + length);
  int target = targets[sample] - first;
  float offset = (float)logSumExps[sample];
  if (threadIdx.x == 0) {
    double logSumExp = logSumExps[sample];
    factor = (float)(exp(offset - logSumExp) * loss[SCALE] / batch);
    if (target >= from && target < to) {
      targetEntry = (float)targetGradient(
          kind, loss, targetLogits[sample], cosines[sample], logSumExp, batch);
    }
  }
  __syncthreads();
  float scale = (float)loss[SCALE];
  float* products = tile + (long long)sample * tileStride;
  for (int j = from + 4 * threadIdx.x; j < to; j += 4 * blockDim.x) {
    float4 four = *(const float4*)(products + j);
    float x[4] = {four.x, four.y, four.z, four.w};
    for (int k = 0; k < 4; k++) {
      if (j + k >= columns) {
        x[k] = 0.0f;
      } else if (j + k == target) {
        x[k] = targetEntry;
      } else {
        float logit = fmaf(x[k], scale, logWeights ? logWeights[j + k] : 0.0f);
        x[k] = expf(logit - offset) * factor;
      }
    }
    if (intoBf16) {
      uint2 words = {twoBf16(x[0], x[1]), twoBf16(x[2], x[3])};
      *(uint2*)(intoBf16 + (long long)sample * bf16Stride + j) = words;
    } else {
      float4 entries = {x[0], x[1], x[2], x[3]};
      *(float4*)(products + j) = entries;
    }
  }
}

// Takes the gradient by unit embeddings xh = x / |x| back to that by the embeddings, in place:
// (g - (g . xh) xh) / |x|. Defined by Embeddings.finishGradient.
//
// gradients and embeddings (samples, stride); inverseNorms (samples), or null where embeddings were
// taken as they are. Columns from `dim` on, those of the constant 1 and of padding, become 0.
extern "C" __global__ void finish_embedding_gradient(
    float* gradients, const float* embeddings, const float* inverseNorms, int samples, int stride,
    int dim) {
  int lanes = lanesPerRow(stride);
  int lane = threadIdx.x % lanes;
  long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) / lanes;
  int parts = i < samples ? stride / 8 : 0;
  float* g = gradients + (i < samples ? i : 0) * stride;
  const float* x = embeddings + (i < samples ? i : 0) * stride;
  float along = 0.0f;
  float inverse = 1.0f;
  if (inverseNorms) {
    for (int q = lane; q < parts; q += lanes) {
      along = dotParts(readFloats(g, stride, q), readFloats(x, stride, q), along);
    }
    along = lanesSum(along, lanes);
    inverse = i < samples ? inverseNorms[i] : 0.0f;
  }
  for (int q = lane; q < parts; q += lanes) {
    RowPart a = readFloats(g, stride, q);
    RowPart b = readFloats(x, stride, q);
    for (int k = 0; k < 4; k++) {
      float first = fmaf(b.first[k], -along, a.first[k]) * inverse;
      float second = fmaf(b.second[k], -along, a.second[k]) * inverse;
      a.first[k] = 4 * q + k < dim ? first : 0.0f;
      a.second[k] = stride / 2 + 4 * q + k < dim ? second : 0.0f;
    }
    writeFloats(g, stride, q, a);
  }
}
