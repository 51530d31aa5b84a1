// SPDX-License-Identifier: Apache-2.0
//
// The part of CUDA C++ that the kernels of Megaclass use, for g++: with it a .cu file compiles for
// the CPU as it stands. Threads of a block are fibers (host_threads.cpp), blocks run one after the
// other; every __syncthreads and every warp function is a point where fibers take turns.
#pragma once

#include <climits>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "host_threads.h"

// ---- Words of the language -------------------------------------------------------------------

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

// One block runs at a time, so its shared memory may be static. All of it lies in one section of
// the file that it stands in: the launch fills that section with poison before each block.
#define __shared__ static __attribute__((section(MEGACLASS_SHARED_SECTION)))

struct uint2 { unsigned x, y; };
struct int2 { int x, y; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(16) float4 { float x, y, z, w; };

inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }

#define threadIdx (::megaclass_host::current->index)
#define blockIdx ::megaclass_host::block_index
#define blockDim ::megaclass_host::block_size
#define gridDim ::megaclass_host::grid_size
#define warpSize 32

// ---- Barriers and warp functions -------------------------------------------------------------

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  megaclass_host::wait_for_block({"__syncthreads", file, line});
}

inline void __syncwarp(unsigned mask = 0xffffffffu, const char* file = __builtin_FILE(),
                       int line = __builtin_LINE()) {
  megaclass_host::exchange({"__syncwarp", file, line}, mask, 0);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, const char* file = __builtin_FILE(),
                              int line = __builtin_LINE()) {
  const uint32_t* lanes =
      megaclass_host::exchange({"__ballot_sync", file, line}, mask, predicate != 0);
  unsigned ballot = 0;
  for (int lane = 0; lane < 32; lane++) ballot |= lanes[lane] << lane;
  return ballot;
}

namespace megaclass_host {

/** What lane `from` of this warp gave; the own value where that lane does not exist. */
template <typename T>
inline T shuffle(Site site, unsigned mask, T value, int from) {
  static_assert(std::is_same<T, int>::value || std::is_same<T, unsigned>::value ||
                    std::is_same<T, float>::value,
                "warp shuffles are for int, unsigned and float");
  uint32_t bits;
  memcpy(&bits, &value, 4);
  const uint32_t* lanes = exchange(site, mask, bits);
  if (from < 0 || from > 31) return value;
  T result;
  memcpy(&result, &lanes[from], 4);
  return result;
}

}  // namespace megaclass_host

template <typename T>
inline T __shfl_sync(unsigned mask, T value, int lane, const char* file = __builtin_FILE(),
                     int line = __builtin_LINE()) {
  return megaclass_host::shuffle({"__shfl_sync", file, line}, mask, value, lane & 31);
}

template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits, const char* file = __builtin_FILE(),
                         int line = __builtin_LINE()) {
  return megaclass_host::shuffle({"__shfl_xor_sync", file, line}, mask, value,
                                 megaclass_host::lane() ^ bits);
}

template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta,
                        const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return megaclass_host::shuffle({"__shfl_up_sync", file, line}, mask, value,
                                 megaclass_host::lane() - static_cast<int>(delta));
}

template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta,
                          const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return megaclass_host::shuffle({"__shfl_down_sync", file, line}, mask, value,
                                 megaclass_host::lane() + static_cast<int>(delta));
}

// ---- Atomics: fibers give way only where they wait, so plain operations are atomic ------------

template <typename T, typename V>
inline T atomicAdd(T* address, V value) {
  static_assert(std::is_integral<T>::value, "sums of floats depend on the order of their terms");
  T old = *address;
  *address = old + static_cast<T>(value);
  return old;
}

template <typename T, typename V>
inline T atomicMax(T* address, V value) {
  static_assert(std::is_integral<T>::value, "atomics are for int and unsigned");
  T old = *address;
  if (static_cast<T>(value) > old) *address = static_cast<T>(value);
  return old;
}

template <typename T, typename V>
inline T atomicMin(T* address, V value) {
  static_assert(std::is_integral<T>::value, "atomics are for int and unsigned");
  T old = *address;
  if (static_cast<T>(value) < old) *address = static_cast<T>(value);
  return old;
}

// ---- Bits and numbers ------------------------------------------------------------------------

namespace megaclass_host {

template <typename To, typename From>
inline To bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "as many bits");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

}  // namespace megaclass_host

inline unsigned __float_as_uint(float x) { return megaclass_host::bits<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return megaclass_host::bits<float>(x); }
inline int __float_as_int(float x) { return megaclass_host::bits<int>(x); }
inline float __int_as_float(int x) { return megaclass_host::bits<float>(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(x); }

// CUDA overloads min and max for arithmetic types at global scope.
template <typename A, typename B>
inline typename std::common_type<A, B>::type min(A a, B b) { return b < a ? b : a; }
template <typename A, typename B>
inline typename std::common_type<A, B>::type max(A a, B b) { return a < b ? b : a; }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
template <typename T>
inline T __ldg(const T* address) { return *address; }
