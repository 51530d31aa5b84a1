// SPDX-License-Identifier: Apache-2.0
//
// Threads of a block as fibers. A fiber runs threads one after the other; when its thread has to
// wait it is left, and another fiber goes on with the next thread. So a kernel without barriers
// needs one fiber and no switch at all.
//
// A thread that waits lets the other lanes of its warp run first, then the next warps: lanes of a
// warp take turns in the order of their numbers, and a warp function costs one switch per lane.

#include "host_threads.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <vector>

#include "host_faults.h"
#include "host_memory.h"
#include "host_switch.h"

namespace megaclass_host {

Thread* current;
Index block_index;
Index block_size;
Index grid_size;

namespace {

constexpr int kWarp = 32;
constexpr int kMaxThreads = 1024;
constexpr size_t kPage = 4096;
constexpr size_t kStackBytes = 64 * 1024;  // the first page of each stack must not be touched
constexpr unsigned char kPoison = 0xff;    // NaN as a float, -1 as an int
constexpr size_t kGuard = 256;             // bytes around dynamic shared memory

// ---- State of the block that runs ------------------------------------------------------------

struct Warp {
  unsigned turn;       // warp functions completed
  int arrived;         // lanes that wait in the next one
  Site site;           // where the first of them is
  uint32_t given[2][kWarp];  // by turns, since a lane may be in the next one while another reads
};

Thread threads[kMaxThreads];
Warp warps[kMaxThreads / kWarp];
int num_threads;
int num_warps;
int num_done;
unsigned block_turn;   // barriers completed
int block_arrived;     // threads that wait at the next one
Site block_site;

bool reverse_threads;
bool reverse_blocks;

void* launcher;        // where run() waits
const Launch* launched;
char* stacks;
std::vector<int> free_stacks;
int starting_stack;
std::vector<unsigned char> dynamic_shared;

bool failed;
Outcome failure_kind;
char failure_text[1024];

// ---- Failure ---------------------------------------------------------------------------------

const char* base_name(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

/** Leaves all fibers of the block for good. */
[[noreturn]] void fail(Outcome kind, const char* format, ...) __attribute__((format(printf, 2, 3)));

void fail(Outcome kind, const char* format, ...) {
  int used = snprintf(failure_text, sizeof(failure_text), "kernel %s of %s.cu, block (%u, %u)",
                      launched->kernel->name, launched->kernel->module, block_index.x,
                      block_index.y);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure_text + used, sizeof(failure_text) - static_cast<size_t>(used), format,
            arguments);
  va_end(arguments);
  failed = true;
  failure_kind = kind;
  void* dropped;
  switch_to(&dropped, launcher);
  __builtin_unreachable();
}

/** All threads that are left wait for some that never come: says which. */
[[noreturn]] void fail_stuck() {
  for (int w = 0; w < num_warps; w++) {
    const Warp& warp = warps[w];
    if (warp.arrived > 0) {
      fail(kLaunchFailed,
           ": %s (%s:%d) was reached by %d of the 32 lanes of warp %d; all must reach it",
           warp.site.function, base_name(warp.site.file), warp.site.line, warp.arrived, w);
    }
  }
  fail(kLaunchFailed,
       ": __syncthreads (%s:%d) was reached by %d of %d threads, and %d have returned; all must"
       " reach it",
       base_name(block_site.file), block_site.line, block_arrived, num_threads, num_done);
}

bool is_same(const Site& a, const Site& b) {
  return a.line == b.line && (a.file == b.file || strcmp(a.file, b.file) == 0) &&
         (a.function == b.function || strcmp(a.function, b.function) == 0);
}

// ---- Taking turns ----------------------------------------------------------------------------

bool can_run(const Thread& thread) {
  switch (thread.wait) {
    case Wait::kNothing:
      return true;
    case Wait::kWarp:
      return thread.turn != warps[thread.number / kWarp].turn;
    case Wait::kBlock:
      return thread.turn != block_turn;
    case Wait::kDone:
      return false;
  }
  return false;
}

/** The next thread of a warp from a lane on, in the order of the launch; null if none can run. */
Thread* next_of_warp(int warp, int lane) {
  int from = warp * kWarp;
  int lanes = num_threads - from < kWarp ? num_threads - from : kWarp;
  int step = reverse_threads ? lanes - 1 : 1;
  for (int i = 0; i < lanes; i++) {
    Thread& thread = threads[from + lane];
    if (can_run(thread)) return &thread;
    lane += step;
    if (lane >= lanes) lane -= lanes;
  }
  return nullptr;
}

Thread* next_thread() {
  // Mostly it is the next lane.
  int neighbour = reverse_threads ? current->number - 1 : current->number + 1;
  if (neighbour / kWarp == current->number / kWarp && neighbour >= 0 && neighbour < num_threads &&
      can_run(threads[neighbour])) {
    return &threads[neighbour];
  }
  int warp = current->number / kWarp;
  int lanes = num_threads - warp * kWarp < kWarp ? num_threads - warp * kWarp : kWarp;
  int lane = current->number % kWarp + (reverse_threads ? lanes - 1 : 1);
  Thread* next = next_of_warp(warp, lane >= lanes ? lane - lanes : lane);
  for (int i = 1; i < num_warps && next == nullptr; i++) {
    warp += reverse_threads ? num_warps - 1 : 1;
    if (warp >= num_warps) warp -= num_warps;
    int last = num_threads - warp * kWarp < kWarp ? num_threads - warp * kWarp - 1 : kWarp - 1;
    next = next_of_warp(warp, reverse_threads ? last : 0);
  }
  return next;
}

void fiber_main();

void* start_fiber() {
  starting_stack = free_stacks.back();
  free_stacks.pop_back();
  char* stack = stacks + static_cast<size_t>(starting_stack) * kStackBytes;
  // Tops of stacks at one distance would all fall into the same few sets of the cache.
  size_t color = static_cast<size_t>(starting_stack % 29) * 128;
  return fresh_context(stack + kPage, stack + kStackBytes - color, fiber_main);
}

void give_way() {
  Thread* waiting = current;
  Thread* next = next_thread();
  if (next == nullptr) fail_stuck();
  if (next->context == nullptr) next->context = start_fiber();
  current = next;
  switch_to(&waiting->context, next->context);
}

void fiber_main() {
  int stack = starting_stack;
  for (;;) {
    launched->kernel->call(launched->arguments);
    current->wait = Wait::kDone;
    Thread* next = nullptr;
    if (++num_done < num_threads) {
      next = next_thread();
      if (next == nullptr) fail_stuck();
      current = next;
      if (next->context == nullptr) continue;
    }
    free_stacks.push_back(stack);
    void* dropped;
    switch_to(&dropped, next == nullptr ? launcher : next->context);
  }
}

}  // namespace

void wait_for_block(Site site) {
  if (block_arrived == 0) {
    block_site = site;
  } else if (!is_same(site, block_site)) {
    fail(kLaunchFailed, ": threads wait in different __syncthreads, at %s:%d and at %s:%d",
         base_name(block_site.file), block_site.line, base_name(site.file), site.line);
  }
  if (++block_arrived == num_threads) {
    block_arrived = 0;
    block_turn++;
    return;
  }
  Thread& me = *current;
  me.wait = Wait::kBlock;
  me.turn = block_turn;
  give_way();
  me.wait = Wait::kNothing;
}

const uint32_t* exchange(Site site, unsigned mask, uint32_t value) {
  Thread& me = *current;
  Warp& warp = warps[me.number / kWarp];
  if (mask != 0xffffffffu) {
    fail(kLaunchFailed, ": %s (%s:%d) with mask 0x%08x; only the full mask is allowed",
         site.function, base_name(site.file), site.line, mask);
  }
  if (num_threads % kWarp != 0) {
    fail(kLaunchFailed, ": %s (%s:%d) in a block of %d threads, which are not whole warps",
         site.function, base_name(site.file), site.line, num_threads);
  }
  if (warp.arrived == 0) {
    warp.site = site;
  } else if (!is_same(site, warp.site)) {
    fail(kLaunchFailed, ": lanes of warp %d wait in %s (%s:%d) and in %s (%s:%d)",
         me.number / kWarp, warp.site.function, base_name(warp.site.file), warp.site.line,
         site.function, base_name(site.file), site.line);
  }
  uint32_t* given = warp.given[warp.turn & 1];
  given[me.number % kWarp] = value;
  if (++warp.arrived == kWarp) {
    warp.arrived = 0;
    warp.turn++;
    return given;
  }
  me.wait = Wait::kWarp;
  me.turn = warp.turn;
  give_way();
  me.wait = Wait::kNothing;
  return given;
}

unsigned char* dynamic_shared_memory() { return dynamic_shared.data() + kGuard; }

// ---- Faults ----------------------------------------------------------------------------------

namespace {

/** The top of the stack that this address is on, or has just run out of. */
char* top_of_stack(const char* at) {
  size_t stack = static_cast<size_t>(at + kPage / 2 - stacks) / kStackBytes;
  return stacks + (stack + 1) * kStackBytes;
}

void on_fault(const Fault& fault) {
  char thread[64];
  snprintf(thread, sizeof(thread), ", thread (%u, %u)", current->index.x, current->index.y);
  if (fault.kind == Fault::kDivision) {
    fail(kLaunchFailed, "%s: divides an integer by zero", thread);
  }
  if (fault.kind == Fault::kTrap) {  // of -fsanitize=alignment,bounds
    fail(kIllegalAddress, "%s: a misaligned address, or an index outside of a declared array",
         thread);
  }
  if (fault.address >= stacks && fault.address < stacks + kMaxThreads * kStackBytes) {
    fail(kLaunchFailed, "%s: more than %zu KiB of local variables", thread,
         (kStackBytes - kPage) / 1024);
  }
  fail(kIllegalAddress, "%s: %s %s", thread, fault.write ? "writes" : "reads",
       describe_address(fault.address).c_str());
}

}  // namespace

// ---- Launches --------------------------------------------------------------------------------

namespace {

void allocate_stacks() {
  if (stacks != nullptr) return;
  void* memory = mmap(nullptr, kMaxThreads * kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  stacks = static_cast<char*>(memory);
  for (int i = 0; i < kMaxThreads; i++) {
    mprotect(stacks + static_cast<size_t>(i) * kStackBytes, kPage, PROT_NONE);
  }
}

void free_all_stacks() {
  free_stacks.clear();
  for (int i = kMaxThreads - 1; i >= 0; i--) free_stacks.push_back(i);
}

/** No thread has begun, nobody waits, and shared memory holds nothing. */
void prepare_block(const Launch& launch) {
  for (int i = 0; i < num_threads; i++) {
    threads[i].context = nullptr;
    threads[i].wait = Wait::kNothing;
  }
  for (int i = 0; i < num_warps; i++) warps[i].arrived = 0;
  num_done = 0;
  block_arrived = 0;
  char* shared = launch.kernel->shared_begin;
  if (shared != nullptr) {
    memset(shared, kPoison, static_cast<size_t>(launch.kernel->shared_end - shared));
  }
  memset(dynamic_shared.data(), kPoison, launch.shared_bytes + 2 * kGuard);
}

void check_dynamic_shared(const Launch& launch) {
  for (size_t i = 0; i < kGuard; i++) {
    size_t after = kGuard + launch.shared_bytes + i;
    if (dynamic_shared[i] != kPoison || dynamic_shared[after] != kPoison) {
      failed = true;
      failure_kind = kIllegalAddress;
      snprintf(failure_text, sizeof(failure_text),
               "kernel %s of %s.cu, block (%u, %u): writes outside of its %u bytes of dynamic"
               " shared memory",
               launch.kernel->name, launch.kernel->module, block_index.x, block_index.y,
               launch.shared_bytes);
      return;
    }
  }
}

void run_block(const Launch& launch) {
  prepare_block(launch);
  current = &threads[reverse_threads ? num_threads - 1 : 0];
  void* fiber = start_fiber();
  switch_to(&launcher, fiber);
  if (failed) {
    free_all_stacks();
  } else {
    check_dynamic_shared(launch);
  }
}

void number_threads(Index block) {
  num_threads = static_cast<int>(block.x * block.y * block.z);
  num_warps = (num_threads + kWarp - 1) / kWarp;
  for (int i = 0; i < num_threads; i++) {
    unsigned number = static_cast<unsigned>(i);
    threads[i].number = i;
    threads[i].index = {number % block.x, number / block.x % block.y, number / block.x / block.y};
  }
}

}  // namespace

Outcome run(const Launch& launch, std::string& failure) {
  if (stacks == nullptr) {
    allocate_stacks();
    free_all_stacks();
  }
  launched = &launch;
  block_size = launch.block;
  grid_size = launch.grid;
  number_threads(launch.block);
  dynamic_shared.resize(launch.shared_bytes + 2 * kGuard);
  failed = false;

  catch_faults(top_of_stack, on_fault);
  unsigned long long blocks =
      static_cast<unsigned long long>(launch.grid.x) * launch.grid.y * launch.grid.z;
  for (unsigned long long i = 0; i < blocks && !failed; i++) {
    unsigned long long block = reverse_blocks ? blocks - 1 - i : i;
    block_index = {static_cast<unsigned>(block % launch.grid.x),
                   static_cast<unsigned>(block / launch.grid.x % launch.grid.y),
                   static_cast<unsigned>(block / launch.grid.x / launch.grid.y)};
    run_block(launch);
  }
  release_faults();

  if (!failed) return kOk;
  failure = failure_text;
  return failure_kind;
}

void set_order(bool threads_descend, bool blocks_descend) {
  reverse_threads = threads_descend;
  reverse_blocks = blocks_descend;
}

}  // namespace megaclass_host
