// SPDX-License-Identifier: Apache-2.0
//
// The functions of NCCL that Megaclass calls, among devices of this process, each driven by a thread
// of its own. A collective is done when all devices have called it; who comes first waits in the
// call, where NCCL's would wait on the stream. A device that never calls is an error after a while.

#include <string.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <set>
#include <vector>

#include "host_driver.h"
#include "host_memory.h"

namespace megaclass_host {
namespace {

// Results of NCCL.
constexpr int kSystemError = 2;
constexpr int kInvalidArgument = 4;
constexpr int kInvalidUsage = 5;
constexpr int kRemoteError = 6;

constexpr int kInt32 = 2;  // of ncclDataType_t
constexpr std::chrono::seconds kPatience(60);

/** What a device brings to a collective. */
struct Call {
  const char* from;
  char* into;
  size_t bytes;
};

/** The devices that talk to each other. */
struct Clique {
  std::vector<Call> calls;  // by rank, of the collective that is not complete yet
  std::vector<bool> called;
  size_t count = 0;
  long long done = 0;  // collectives
  int result = kSuccess;  // of the last one
  bool aborted = false;
};

struct Comm {
  std::shared_ptr<Clique> clique;
  size_t rank;
  int device;
};

std::set<Comm*> comms;
std::condition_variable_any changed;

/** Every device receives what all of them bring, in the order of their ranks. */
int gather(const Clique& clique) {
  size_t bytes = clique.calls[0].bytes;
  for (auto& call : clique.calls) {
    if (call.bytes != bytes) return failure(kInvalidArgument, "devices bring different sizes");
  }
  std::vector<char> all(bytes * clique.calls.size());
  for (size_t rank = 0; rank < clique.calls.size(); rank++) {
    memcpy(&all[rank * bytes], clique.calls[rank].from, bytes);
  }
  for (auto& call : clique.calls) memcpy(call.into, all.data(), all.size());
  return kSuccess;
}

/** Waits until all devices have called. */
int meet(Clique& clique, size_t rank, const Call& call, std::unique_lock<std::recursive_mutex>& lock) {
  if (clique.aborted) return failure(kRemoteError, "another device has given up");
  if (clique.called[rank]) return failure(kInvalidUsage, "two calls of one device at a time");
  clique.calls[rank] = call;
  clique.called[rank] = true;
  long long number = clique.done;
  if (++clique.count == clique.calls.size()) {
    clique.result = gather(clique);
    clique.called.assign(clique.called.size(), false);
    clique.count = 0;
    clique.done++;
    changed.notify_all();
    return clique.result;
  }
  bool met = changed.wait_for(lock, kPatience,
                              [&] { return clique.done > number || clique.aborted; });
  if (clique.done > number) return clique.result;
  clique.called[rank] = false;  // its memory may go
  clique.count--;
  return met ? failure(kRemoteError, "another device has given up")
             : failure(kSystemError, "another device did not call");
}

}  // namespace
}  // namespace megaclass_host

using namespace megaclass_host;

MEGACLASS_EXPORT int ncclCommInitAll(Comm** into, int count, const int* devices) {
  Lock lock(driver_lock);
  if (count < 1) return failure(kInvalidArgument, "no devices");
  auto clique = std::make_shared<Clique>();
  clique->calls.resize(static_cast<size_t>(count));
  clique->called.resize(static_cast<size_t>(count));
  for (int i = 0; i < count; i++) {
    if (devices[i] < 0 || devices[i] >= kDevices) return failure(kInvalidArgument, "no such device");
    for (int j = 0; j < i; j++) {
      if (devices[i] == devices[j]) return failure(kInvalidUsage, "the same device twice");
    }
    into[i] = new Comm{clique, static_cast<size_t>(i), devices[i]};
    comms.insert(into[i]);
  }
  return kSuccess;
}

MEGACLASS_EXPORT int ncclCommDestroy(Comm* comm) {
  Lock lock(driver_lock);
  if (comms.erase(comm) == 0) return failure(kInvalidArgument, "no such communicator");
  delete comm;
  return kSuccess;
}

MEGACLASS_EXPORT int ncclCommAbort(Comm* comm) {
  Lock lock(driver_lock);
  if (comms.count(comm) == 0) return failure(kInvalidArgument, "no such communicator");
  comm->clique->aborted = true;
  changed.notify_all();
  return ncclCommDestroy(comm);
}

MEGACLASS_EXPORT int ncclAllGather(const char* from, char* into, size_t count, int type, Comm* comm,
                                   void* stream) {
  std::unique_lock<std::recursive_mutex> lock(driver_lock);
  if (comms.count(comm) == 0) return failure(kInvalidArgument, "no such communicator");
  if (type != kInt32) return failure(kInvalidArgument, "a type that is not emulated");
  auto clique = comm->clique;  // stays when the communicator goes
  size_t rank = comm->rank;
  size_t bytes = 4 * count;
  if (check_stream(stream, comm->device) != kSuccess) return kInvalidArgument;
  if (!is_device_memory(from, bytes, comm->device) ||
      !is_device_memory(into, bytes * clique->calls.size(), comm->device)) {
    return failure(kInvalidArgument, "memory that is not inside one buffer of the device");
  }
  char* own = into + rank * bytes;
  bool apart = from + bytes <= into || into + bytes * clique->calls.size() <= from;
  if (from != own && !apart) return failure(kInvalidUsage, "parts overlap, but are not in place");
  int result = run_pending();  // what all streams were asked before
  return result != kSuccess ? result : meet(*clique, rank, {from, into, bytes}, lock);
}

/** What the last error was about; NCCL's text is the name of the code. */
MEGACLASS_EXPORT const char* ncclGetErrorString(int) {
  const char* text;
  cuGetErrorString(0, &text);
  return text;
}
