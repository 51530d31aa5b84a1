// SPDX-License-Identifier: Apache-2.0
//
// The functions of the CUDA driver that Megaclass calls, over the memory and the processor of this
// machine. Strict where the driver is lenient or undefined: sizes, handles, contexts and ranges
// are checked, and so are the bytes around every buffer after every kernel.

#include "host_driver.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "host_memory.h"

namespace megaclass_host {

std::recursive_mutex driver_lock;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;
using Address = unsigned long long;  // of device memory

constexpr int kDriverVersion = 13000;
constexpr size_t kSharedBytes = 48 * 1024;          // of a block that asked for no more
constexpr size_t kMostSharedBytes = 227 * 1024;     // as the device of compute capability 9.0
constexpr char kDeviceName[] = "CPU emulation (not a GPU)";

struct Function {
  const KernelEntry* kernel;
  size_t allowed_shared = kSharedBytes;
};

struct Module {
  std::string name;
  std::map<std::string, Function> functions;
};

struct Event {
  double milliseconds = -1;  // when it happened; less than 0 before
};

bool initialised;
int contexts;                     // retained
thread_local bool has_context;
std::string error_detail;
bool late;                        // operations wait until somebody waits for them
bool both_orders;                 // every kernel runs twice
std::deque<std::function<int()>> pending;
std::set<void*> streams;
std::set<Event*> events;
std::set<Module*> modules;
std::map<const char*, size_t> pinned;  // page-locked memory of the host

std::vector<KernelEntry>& kernels() {
  static std::vector<KernelEntry> all;  // files register theirs before main()
  return all;
}

template <typename T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

int check_context() {
  if (!initialised) return failure(kNotInitialized, "cuInit was not called");
  if (!has_context) return failure(kInvalidContext, "no context is current for this thread");
  return kSuccess;
}

int check_range(const char* what, Address address, size_t bytes) {
  if (is_device_memory(at<char>(address), bytes)) return kSuccess;
  return failure(kInvalidValue, std::string(what) + " of " + std::to_string(bytes) + " bytes at " +
                                    describe_address(at<char>(address)));
}

int check_buffers(const std::string& who) {
  std::string damaged = damaged_buffer();
  return damaged.empty() ? static_cast<int>(kSuccess)
                         : failure(kIllegalAddress, who + ": " + damaged);
}

bool is_pinned(const void* memory, size_t bytes) {
  auto* from = static_cast<const char*>(memory);
  auto next = pinned.upper_bound(from);
  if (next == pinned.begin()) return false;
  auto& [start, length] = *std::prev(next);
  return from + bytes <= start + length;
}

int run_pending() {
  int first = kSuccess;
  while (!pending.empty()) {
    auto operation = std::move(pending.front());
    pending.pop_front();
    int result = operation();
    if (first == kSuccess) first = result;
  }
  return first;
}

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

// ---- Launches --------------------------------------------------------------------------------

int run_once(const Launch& launch) {
  std::string text;
  int outcome = run(launch, text);
  if (outcome != kOk) return failure(outcome, text);
  return check_buffers("kernel " + std::string(launch.kernel->name));
}

/** Runs a kernel forward and, from the same memory, in reverse; their results must agree. */
int run_in_both_orders(const Launch& launch) {
  auto before = save_memory();
  int result = run_once(launch);
  if (result != kSuccess) return result;
  auto forward = save_memory();
  restore_memory(before);
  set_order(true, true);
  result = run_once(launch);
  set_order(false, false);
  if (result != kSuccess) return result;
  auto difference = difference_from(forward);
  if (difference.empty()) return kSuccess;
  return failure(kLaunchFailed,
                 "kernel " + std::string(launch.kernel->name) + " of " + launch.kernel->module +
                     ".cu: a race: its result depends on the order of threads, " + difference);
}

/** A launch with copies of its arguments, which the caller may change once it has returned. */
struct OwnedLaunch {
  Launch launch;
  std::vector<uint64_t> values;
  std::vector<void*> addresses;

  OwnedLaunch(Launch from, void** arguments) : launch(from) {
    int count = launch.kernel->num_parameters;
    values.resize(static_cast<size_t>(count));
    for (size_t i = 0; i < values.size(); i++) {
      memcpy(&values[i], arguments[i], static_cast<size_t>(launch.kernel->parameter_bytes[i]));
      addresses.push_back(&values[i]);
    }
    launch.arguments = addresses.data();
  }
};

}  // namespace

// ---- What the others use ---------------------------------------------------------------------

int failure(int code, const std::string& detail) {
  error_detail = detail;
  return code;
}

int check_stream(void* stream) {
  int result = check_context();
  if (result != kSuccess) return result;
  if (stream != nullptr && streams.count(stream) == 0) {
    return failure(kInvalidHandle, "no such stream");
  }
  return kSuccess;
}

int on_stream(void* stream, std::function<int()> operation) {
  int result = check_stream(stream);
  if (result != kSuccess) return result;
  if (!late) return operation();
  pending.push_back(std::move(operation));
  return kSuccess;
}

void register_kernel(const KernelEntry& kernel) { kernels().push_back(kernel); }

const KernelEntry* find_kernel(const std::string& module, const std::string& name) {
  for (auto& kernel : kernels()) {
    if (module == kernel.module && name == kernel.name) return &kernel;
  }
  return nullptr;
}

bool has_module(const std::string& module) {
  for (auto& kernel : kernels()) {
    if (module == kernel.module) return true;
  }
  return false;
}

}  // namespace megaclass_host

using namespace megaclass_host;

// ---- Settings of the emulation, for tests ----------------------------------------------------

/** Sets the size of the device's memory. */
MEGACLASS_EXPORT int megaclassHostMemory(long long bytes) {
  Lock lock(driver_lock);
  memory_total = static_cast<size_t>(bytes);
  return kSuccess;
}

/** Whether threads of a block, and blocks, run from the last to the first. */
MEGACLASS_EXPORT int megaclassHostReverse(int threads, int blocks) {
  Lock lock(driver_lock);
  set_order(threads != 0, blocks != 0);
  return kSuccess;
}

/** Whether every kernel runs in both orders, and their results have to be the same bits. */
MEGACLASS_EXPORT int megaclassHostBothOrders(int on) {
  Lock lock(driver_lock);
  both_orders = on != 0;
  return kSuccess;
}

/** Whether the operations of a stream are done as late as possible instead of at once. */
MEGACLASS_EXPORT int megaclassHostLate(int on) {
  Lock lock(driver_lock);
  int result = run_pending();
  late = on != 0;
  return result;
}

// ---- Device and context ----------------------------------------------------------------------

MEGACLASS_EXPORT int cuInit(unsigned flags) {
  Lock lock(driver_lock);
  if (flags != 0) return failure(kInvalidValue, "flags must be 0");
  initialised = true;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDriverGetVersion(int* version) {
  *version = kDriverVersion;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDeviceGetCount(int* count) {
  Lock lock(driver_lock);
  if (!initialised) return failure(kNotInitialized, "cuInit was not called");
  *count = 1;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDeviceGet(int* device, int ordinal) {
  Lock lock(driver_lock);
  if (!initialised) return failure(kNotInitialized, "cuInit was not called");
  if (ordinal != 0) return failure(kInvalidDevice, "there is one device, number 0");
  *device = 0;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDeviceGetName(char* name, int length, int device) {
  Lock lock(driver_lock);
  if (device != 0) return failure(kInvalidDevice, "there is one device, number 0");
  strncpy(name, kDeviceName, static_cast<size_t>(length - 1));
  name[length - 1] = 0;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  Lock lock(driver_lock);
  if (device != 0) return failure(kInvalidDevice, "there is one device, number 0");
  *bytes = memory_total;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDeviceGetAttribute(int* value, int attribute, int device) {
  Lock lock(driver_lock);
  if (device != 0) return failure(kInvalidDevice, "there is one device, number 0");
  static const std::map<int, int> attributes = {
      {1, 1024},                                   // MAX_THREADS_PER_BLOCK
      {8, static_cast<int>(kSharedBytes)},         // MAX_SHARED_MEMORY_PER_BLOCK
      {10, 32},                                    // WARP_SIZE
      {16, 1},                                     // MULTIPROCESSOR_COUNT
      {75, 9},                                     // COMPUTE_CAPABILITY_MAJOR
      {76, 0},                                     // COMPUTE_CAPABILITY_MINOR
      {97, static_cast<int>(kMostSharedBytes)},    // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
  };
  auto found = attributes.find(attribute);
  if (found == attributes.end()) {
    return failure(kInvalidValue, "attribute " + std::to_string(attribute) + " is not emulated");
  }
  *value = found->second;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDevicePrimaryCtxRetain(void** context, int device) {
  Lock lock(driver_lock);
  if (!initialised) return failure(kNotInitialized, "cuInit was not called");
  if (device != 0) return failure(kInvalidDevice, "there is one device, number 0");
  contexts++;
  *context = &contexts;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  Lock lock(driver_lock);
  if (device != 0 || contexts == 0) return failure(kInvalidContext, "it was not retained");
  contexts--;
  return kSuccess;
}

MEGACLASS_EXPORT int cuCtxSetCurrent(void* context) {
  Lock lock(driver_lock);
  if (context != nullptr && (context != &contexts || contexts == 0)) {
    return failure(kInvalidContext, "no such context");
  }
  has_context = context != nullptr;
  return kSuccess;
}

MEGACLASS_EXPORT int cuCtxSynchronize() {
  Lock lock(driver_lock);
  int result = check_context();
  if (result == kSuccess) result = run_pending();
  return result != kSuccess ? result : check_buffers("cuCtxSynchronize");
}

// ---- Memory ----------------------------------------------------------------------------------

MEGACLASS_EXPORT int cuMemAlloc_v2(Address* address, size_t bytes) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  if (bytes == 0) return failure(kInvalidValue, "0 bytes");
  char* memory = allocate_memory(bytes);
  if (memory == nullptr) {
    return failure(kOutOfMemory, std::to_string(bytes) + " bytes; " +
                                     std::to_string(memory_total - memory_used) + " are free");
  }
  *address = reinterpret_cast<Address>(memory);
  return kSuccess;
}

MEGACLASS_EXPORT int cuMemFree_v2(Address address) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess || address == 0) return result;
  result = run_pending();  // as CUDA's does, this waits for what uses the memory
  if (result == kSuccess) result = check_buffers("cuMemFree");
  if (!free_memory(at<char>(address))) return failure(kInvalidValue, "no buffer begins there");
  return result;
}

MEGACLASS_EXPORT int cuMemGetInfo_v2(size_t* free, size_t* total) {
  Lock lock(driver_lock);
  *free = memory_total - memory_used;
  *total = memory_total;
  return check_context();
}

MEGACLASS_EXPORT int cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes,
                                          void* stream) {
  Lock lock(driver_lock);
  int result = check_range("copy to the device", to, bytes);
  if (result != kSuccess) return result;
  if (is_pinned(from, bytes)) {
    return on_stream(stream, [=] { return memcpy(at<char>(to), from, bytes), kSuccess; });
  }
  // Memory that is not page-locked is read before the call returns.
  auto* source = static_cast<const char*>(from);
  std::vector<char> copy(source, source + bytes);
  return on_stream(stream, [=, copy = std::move(copy)] {
    return memcpy(at<char>(to), copy.data(), bytes), kSuccess;
  });
}

MEGACLASS_EXPORT int cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, void* stream) {
  Lock lock(driver_lock);
  int result = check_range("copy from the device", from, bytes);
  if (result != kSuccess) return result;
  result = on_stream(stream, [=] { return memcpy(to, at<char>(from), bytes), kSuccess; });
  // Memory that is not page-locked is written before the call returns.
  return result == kSuccess && !is_pinned(to, bytes) ? run_pending() : result;
}

MEGACLASS_EXPORT int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void* stream) {
  Lock lock(driver_lock);
  int result = check_range("copy to the device", to, bytes);
  if (result == kSuccess) result = check_range("copy from the device", from, bytes);
  if (result != kSuccess) return result;
  if (to < from + bytes && from < to + bytes && bytes > 0) {
    return failure(kInvalidValue, "source and destination overlap");
  }
  return on_stream(stream,
                   [=] { return memcpy(at<char>(to), at<char>(from), bytes), kSuccess; });
}

MEGACLASS_EXPORT int cuMemcpyHtoD_v2(Address to, const void* from, size_t bytes) {
  Lock lock(driver_lock);
  int result = cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr);
  return result == kSuccess ? run_pending() : result;
}

MEGACLASS_EXPORT int cuMemcpyDtoH_v2(void* to, Address from, size_t bytes) {
  Lock lock(driver_lock);
  int result = cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr);
  return result == kSuccess ? run_pending() : result;
}

MEGACLASS_EXPORT int cuMemsetD32Async(Address to, unsigned word, size_t words, void* stream) {
  Lock lock(driver_lock);
  int result = check_range("fill", to, 4 * words);
  if (result != kSuccess) return result;
  if (to % 4 != 0) return failure(kInvalidValue, "not aligned to 4 bytes");
  return on_stream(stream, [=] {
    for (size_t i = 0; i < words; i++) at<unsigned>(to)[i] = word;
    return kSuccess;
  });
}

MEGACLASS_EXPORT int cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  void* mapping =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return failure(kOutOfMemory, std::to_string(bytes) + " bytes");
  memset(mapping, 0xff, bytes);  // what it holds is undefined
  pinned[static_cast<char*>(mapping)] = bytes;
  *memory = mapping;
  return kSuccess;
}

MEGACLASS_EXPORT int cuMemFreeHost(void* memory) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  auto found = pinned.find(static_cast<char*>(memory));
  if (found == pinned.end()) return failure(kInvalidValue, "no page-locked memory begins there");
  result = run_pending();
  munmap(memory, found->second);
  pinned.erase(found);
  return result;
}

MEGACLASS_EXPORT int cuMemHostRegister_v2(void* memory, size_t bytes, unsigned) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  if (is_pinned(memory, 1)) return failure(712, "it is registered already");
  pinned[static_cast<char*>(memory)] = bytes;
  return kSuccess;
}

MEGACLASS_EXPORT int cuMemHostUnregister(void* memory) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  result = run_pending();
  if (pinned.erase(static_cast<char*>(memory)) == 0) return failure(713, "it is not registered");
  return result;
}

// ---- Modules and launches --------------------------------------------------------------------

MEGACLASS_EXPORT int cuModuleLoadData(Module** module, const void* image) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  auto* text = static_cast<const char*>(image);
  size_t magic = sizeof(kImageMagic) - 1;
  if (strncmp(text, kImageMagic, magic) != 0) {
    return failure(kNoBinaryForGpu, "machine code of a GPU; this device runs what its own"
                                    " compiler gave");
  }
  *module = new Module{text + magic, {}};
  modules.insert(*module);
  return kSuccess;
}

MEGACLASS_EXPORT int cuModuleUnload(Module* module) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  if (modules.erase(module) == 0) return failure(kInvalidHandle, "no such module");
  result = run_pending();
  delete module;
  return result;
}

MEGACLASS_EXPORT int cuModuleGetFunction(Function** function, Module* module, const char* name) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  if (modules.count(module) == 0) return failure(kInvalidHandle, "no such module");
  auto* kernel = find_kernel(module->name, name);
  if (kernel == nullptr) {
    return failure(kNotFound, module->name + ".cu has no kernel " + std::string(name));
  }
  *function = &module->functions.try_emplace(name, Function{kernel}).first->second;
  return kSuccess;
}

MEGACLASS_EXPORT int cuFuncSetAttribute(Function* function, int attribute, int value) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  if (attribute != 8 || value < 0 || static_cast<size_t>(value) > kMostSharedBytes) {
    return failure(kInvalidValue, "attribute " + std::to_string(attribute) + " = " +
                                      std::to_string(value));
  }
  function->allowed_shared = static_cast<size_t>(value);
  return kSuccess;
}

MEGACLASS_EXPORT int cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y,
                                    unsigned grid_z, unsigned block_x, unsigned block_y,
                                    unsigned block_z, unsigned shared, void* stream,
                                    void** arguments, void** extra) {
  Lock lock(driver_lock);
  unsigned long long threads = 1ull * block_x * block_y * block_z;
  bool fits = grid_x >= 1 && grid_x <= 0x7fffffffu && grid_y >= 1 && grid_y <= 65535 &&
              grid_z >= 1 && grid_z <= 65535 && threads >= 1 && threads <= 1024 && block_z <= 64;
  if (!fits) return failure(kInvalidValue, "size of the grid or of its blocks");
  if (shared > function->allowed_shared) return failure(kInvalidValue, "too much shared memory");
  if (extra != nullptr) return failure(kInvalidValue, "arguments by `extra` are not emulated");
  Launch launch = {function->kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z},
                   shared, nullptr};
  auto owned = std::make_shared<OwnedLaunch>(launch, arguments);
  return on_stream(stream, [=] {
    return both_orders ? run_in_both_orders(owned->launch) : run_once(owned->launch);
  });
}

// ---- Streams and events ----------------------------------------------------------------------

MEGACLASS_EXPORT int cuStreamCreate(void** stream, unsigned) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  *stream = new char;
  streams.insert(*stream);
  return kSuccess;
}

MEGACLASS_EXPORT int cuStreamDestroy_v2(void* stream) {
  Lock lock(driver_lock);
  int result = check_stream(stream);
  if (result != kSuccess || stream == nullptr) return result;
  result = run_pending();
  streams.erase(stream);
  delete static_cast<char*>(stream);
  return result;
}

MEGACLASS_EXPORT int cuStreamSynchronize(void* stream) {
  Lock lock(driver_lock);
  int result = check_stream(stream);
  if (result == kSuccess) result = run_pending();
  return result != kSuccess ? result : check_buffers("cuStreamSynchronize");
}

MEGACLASS_EXPORT int cuEventCreate(Event** event, unsigned) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  *event = new Event;
  events.insert(*event);
  return kSuccess;
}

MEGACLASS_EXPORT int cuEventDestroy_v2(Event* event) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  result = run_pending();
  if (events.erase(event) == 0) return failure(kInvalidHandle, "no such event");
  delete event;
  return result;
}

MEGACLASS_EXPORT int cuEventRecord(Event* event, void* stream) {
  Lock lock(driver_lock);
  if (events.count(event) == 0) return failure(kInvalidHandle, "no such event");
  return on_stream(stream, [=] { return event->milliseconds = now(), kSuccess; });
}

MEGACLASS_EXPORT int cuEventSynchronize(Event* event) {
  Lock lock(driver_lock);
  if (events.count(event) == 0) return failure(kInvalidHandle, "no such event");
  return run_pending();
}

MEGACLASS_EXPORT int cuEventElapsedTime(float* milliseconds, Event* from, Event* to) {
  Lock lock(driver_lock);
  if (events.count(from) == 0 || events.count(to) == 0 || from->milliseconds < 0 ||
      to->milliseconds < 0) {
    return failure(kInvalidHandle, "an event that was not recorded or has not happened");
  }
  *milliseconds = static_cast<float>(to->milliseconds - from->milliseconds);
  return kSuccess;
}

MEGACLASS_EXPORT int cuEventElapsedTime_v2(float* milliseconds, Event* from, Event* to) {
  return cuEventElapsedTime(milliseconds, from, to);
}

// ---- Errors ----------------------------------------------------------------------------------

MEGACLASS_EXPORT int cuGetErrorName(int code, const char** name) {
  static const std::map<int, const char*> names = {
      {kSuccess, "CUDA_SUCCESS"},
      {kInvalidValue, "CUDA_ERROR_INVALID_VALUE"},
      {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
      {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED"},
      {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE"},
      {kInvalidImage, "CUDA_ERROR_INVALID_IMAGE"},
      {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT"},
      {kNoBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
      {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
      {kNotFound, "CUDA_ERROR_NOT_FOUND"},
      {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS"},
      {712, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED"},
      {713, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED"},
      {kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED"},
  };
  auto found = names.find(code);
  if (found == names.end()) return kInvalidValue;
  *name = found->second;
  return kSuccess;
}

/** What the last error was about. */
MEGACLASS_EXPORT int cuGetErrorString(int, const char** text) {
  static std::string kept;
  Lock lock(driver_lock);
  kept = error_detail;
  *text = kept.c_str();
  return kSuccess;
}
