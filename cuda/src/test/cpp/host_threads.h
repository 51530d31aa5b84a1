// SPDX-License-Identifier: Apache-2.0
//
// The threads of a block as fibers of one OS thread. One launch runs at a time (host_driver.cpp
// holds a lock), so all of this is plain global state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace megaclass_host {

#define MEGACLASS_HIDDEN __attribute__((visibility("hidden")))

struct Index {
  unsigned x, y, z;
};

/** A place in a kernel where its threads meet. */
struct Site {
  const char* function;
  const char* file;
  int line;
};

enum class Wait : int { kNothing, kWarp, kBlock, kDone };

/** One thread of the block that runs now. */
struct Thread {
  Index index;         // threadIdx
  int number;          // x first, then y, then z
  void* context;       // where it waits; null before it has begun
  Wait wait;           // what for
  unsigned turn;       // it waits until its warp's or block's turn is another
};

extern MEGACLASS_HIDDEN Thread* current;
extern MEGACLASS_HIDDEN Index block_index;
extern MEGACLASS_HIDDEN Index block_size;
extern MEGACLASS_HIDDEN Index grid_size;

inline int lane() { return current->number & 31; }

/** Waits until all threads of the block are here. */
MEGACLASS_HIDDEN void wait_for_block(Site site);

/** Waits until all 32 lanes of the warp are here; returns what each gave, until the next call. */
MEGACLASS_HIDDEN const uint32_t* exchange(Site site, unsigned mask, uint32_t value);

/** Where `extern __shared__ unsigned char shared_memory[]` lies; 16-byte aligned. */
MEGACLASS_HIDDEN unsigned char* dynamic_shared_memory();

// ---- What the driver needs -------------------------------------------------------------------

/** A kernel as registered by the file that was generated around its source. */
struct KernelEntry {
  const char* module;        // "rows" of rows.cu
  const char* name;
  void (*call)(void** arguments);
  int num_parameters;
  const int* parameter_bytes;
  char* shared_begin;        // all __shared__ variables of the file; null if it has none
  char* shared_end;
};

struct Launch {
  const KernelEntry* kernel;
  Index grid;
  Index block;
  unsigned shared_bytes;
  void** arguments;          // addresses of the values
};

enum Outcome : int { kOk = 0, kIllegalAddress = 700, kLaunchFailed = 719 };

/** Runs all blocks; on failure `failure` says what happened, in which thread. */
MEGACLASS_HIDDEN Outcome run(const Launch& launch, std::string& failure);

/** The order in which threads of a block and blocks of a grid run: ascending, or descending. */
MEGACLASS_HIDDEN void set_order(bool reverse_threads, bool reverse_blocks);

MEGACLASS_HIDDEN void register_kernel(const KernelEntry& kernel);

/** Calls a kernel with values taken from an array of their addresses, as cuLaunchKernel gets it. */
template <auto kernel>
struct Trampoline;

template <typename... P, void (*kernel)(P...)>
struct Trampoline<kernel> {
  static constexpr int kNumParameters = sizeof...(P);
  static constexpr int kParameterBytes[sizeof...(P) + 1] = {sizeof(P)..., 0};

  static void call(void** arguments) { call(arguments, std::index_sequence_for<P...>{}); }

 private:
  template <size_t... I>
  static void call(void** arguments, std::index_sequence<I...>) {
    kernel(*static_cast<P*>(arguments[I])...);
  }
};

struct Registration {
  template <auto kernel>
  static Registration of(const char* module, const char* name, char* shared_begin,
                         char* shared_end) {
    using T = Trampoline<kernel>;
    register_kernel({module, name, &T::call, T::kNumParameters, T::kParameterBytes, shared_begin,
                     shared_end});
    return {};
  }
};

}  // namespace megaclass_host
