// SPDX-License-Identifier: Apache-2.0
//
// The functions of the CUDA driver for memory, copies, streams and events.

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "host_driver.h"
#include "host_memory.h"

namespace megaclass_host {
namespace {

using Address = unsigned long long;  // of device memory

struct Event {
  double milliseconds = -1;  // when it happened; less than 0 before
  void* stream = nullptr;    // on which it was last recorded
  int recorded = 0;          // how often
  int happened = 0;          // how many of these have happened
};

bool late;  // operations wait until somebody waits for them
std::map<void*, std::deque<std::function<int()>>> pending;  // by stream
std::map<void*, int> streams;  // with their devices
std::set<Event*> events;
std::map<const char*, size_t> pinned;  // page-locked memory of the host

template <typename T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

int check_range(const char* what, Address address, size_t bytes) {
  if (is_device_memory(at<char>(address), bytes, current_device())) return kSuccess;
  return failure(kInvalidValue, std::string(what) + " of " + std::to_string(bytes) + " bytes at " +
                                    describe_address(at<char>(address)));
}

bool is_pinned(const void* memory, size_t bytes) {
  auto* from = static_cast<const char*>(memory);
  auto next = pinned.upper_bound(from);
  if (next == pinned.begin()) return false;
  auto& [start, length] = *std::prev(next);
  return from + bytes <= start + length;
}

/** Does what is late on a stream, in its order, until that is all or an event has happened. */
template <typename Happened>
int run_until(void* stream, Happened happened) {
  int first = kSuccess;
  auto& operations = pending[stream];
  while (!operations.empty() && !happened()) {
    auto operation = std::move(operations.front());
    operations.pop_front();
    int result = operation();
    if (first == kSuccess) first = result;
  }
  return first;
}

int run_stream(void* stream) {
  return run_until(stream, [] { return false; });
}

/** Does what comes before an event, as it was recorded the given number of times. */
int run_before(const Event* event, void* stream, int times) {
  return run_until(stream, [=] { return event->happened >= times; });
}

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

}  // namespace

int run_pending() {
  int first = kSuccess;
  for (auto& [stream, _] : pending) {
    int result = run_stream(stream);
    if (first == kSuccess) first = result;
  }
  return first;
}

int check_stream(void* stream) {
  int result = check_context();
  if (result != kSuccess) return result;
  return stream == nullptr ? static_cast<int>(kSuccess) : check_stream(stream, current_device());
}

int check_stream(void* stream, int device) {
  auto found = streams.find(stream);
  if (found == streams.end()) return failure(kInvalidHandle, "no such stream");
  if (found->second != device) return failure(kInvalidHandle, "a stream of another device");
  return kSuccess;
}

int on_stream(void* stream, std::function<int()> operation) {
  int result = check_stream(stream);
  if (result != kSuccess) return result;
  if (!late) return operation();
  pending[stream].push_back(std::move(operation));
  return kSuccess;
}

}  // namespace megaclass_host

using namespace megaclass_host;

/** Whether the operations of a stream are done as late as possible instead of at once. */
MEGACLASS_EXPORT int megaclassHostLate(int on) {
  Lock lock(driver_lock);
  int result = run_pending();
  late = on != 0;
  return result;
}

/** How many operations of streams are not done yet. */
MEGACLASS_EXPORT int megaclassHostPending() {
  Lock lock(driver_lock);
  int count = 0;
  for (auto& [_, operations] : pending) count += static_cast<int>(operations.size());
  return count;
}

// ---- Memory ----------------------------------------------------------------------------------

MEGACLASS_EXPORT int cuMemAlloc_v2(Address* address, size_t bytes) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  if (bytes == 0) return failure(kInvalidValue, "0 bytes");
  char* memory = allocate_memory(bytes, current_device());
  if (memory == nullptr) {
    return failure(kOutOfMemory, std::to_string(bytes) + " bytes; " +
                                     std::to_string(memory_total - memory_used(current_device())) + " are free");
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
  int result = check_context();
  if (result != kSuccess) return result;
  *free = memory_total - memory_used(current_device());
  *total = memory_total;
  return kSuccess;
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
  return result == kSuccess && !is_pinned(to, bytes) ? run_stream(stream) : result;
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

// ---- Streams and events ----------------------------------------------------------------------

MEGACLASS_EXPORT int cuStreamCreate(void** stream, unsigned) {
  Lock lock(driver_lock);
  int result = check_context();
  if (result != kSuccess) return result;
  *stream = new char;
  streams[*stream] = current_device();
  return kSuccess;
}

MEGACLASS_EXPORT int cuStreamDestroy_v2(void* stream) {
  Lock lock(driver_lock);
  int result = check_stream(stream);
  if (result != kSuccess || stream == nullptr) return result;
  result = run_stream(stream);
  pending.erase(stream);
  streams.erase(stream);
  delete static_cast<char*>(stream);
  return result;
}

MEGACLASS_EXPORT int cuStreamSynchronize(void* stream) {
  Lock lock(driver_lock);
  int result = check_stream(stream);
  if (result == kSuccess) result = run_stream(stream);
  return result != kSuccess ? result : check_buffers("cuStreamSynchronize");
}

MEGACLASS_EXPORT int cuCtxSynchronize() {
  Lock lock(driver_lock);
  int result = check_context();
  if (result == kSuccess) result = run_pending();
  return result != kSuccess ? result : check_buffers("cuCtxSynchronize");
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
  int result = check_stream(stream);
  if (result != kSuccess) return result;
  event->stream = stream;
  event->recorded++;
  return on_stream(stream,
                   [=] { return event->milliseconds = now(), event->happened++, kSuccess; });
}

MEGACLASS_EXPORT int cuStreamWaitEvent(void* stream, Event* event, unsigned flags) {
  Lock lock(driver_lock);
  if (events.count(event) == 0) return failure(kInvalidHandle, "no such event");
  if (flags != 0) return failure(kInvalidValue, "flags");
  return on_stream(stream, [=, from = event->stream, times = event->recorded] {
    return run_before(event, from, times);
  });
}

MEGACLASS_EXPORT int cuEventSynchronize(Event* event) {
  Lock lock(driver_lock);
  if (events.count(event) == 0) return failure(kInvalidHandle, "no such event");
  return run_before(event, event->stream, event->recorded);
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
