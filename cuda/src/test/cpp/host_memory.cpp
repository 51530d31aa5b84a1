// SPDX-License-Identifier: Apache-2.0

#include "host_memory.h"

#include <string.h>
#include <sys/mman.h>

#include <map>

#include "host_driver.h"

namespace megaclass_host {

size_t memory_total = size_t{8} << 30;

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kAlignment = 16;          // widest load of a kernel; CUDA gives 256
constexpr size_t kForbidden = 1024 * 1024;  // on both sides
constexpr size_t kWatched = 256;           // bytes before a buffer that must not change
constexpr unsigned char kCanary = 0xa5;
constexpr unsigned char kPoison = 0xff;    // NaN as a float, -1 as an int

struct Buffer {
  size_t bytes;
  char* mapping;
  size_t mapped;
  bool scratch;  // what it holds between calls means nothing
  int device;
};

std::map<const char*, Buffer> buffers;  // by address
size_t used[kDevices];

size_t rounded(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/** Bytes between a buffer's end and the page after it. */
size_t slack(const Buffer& buffer) { return rounded(buffer.bytes, kAlignment) - buffer.bytes; }

size_t watched_before(const char* address, const Buffer& buffer) {
  size_t before = static_cast<size_t>(address - (buffer.mapping + kForbidden));
  return before < kWatched ? before : kWatched;
}

bool is_canary(const char* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    if (static_cast<unsigned char>(from[i]) != kCanary) return false;
  }
  return true;
}

std::string number(size_t n) { return std::to_string(n); }

}  // namespace

size_t memory_used(int device) { return used[device]; }

char* allocate_memory(size_t bytes, int device) {
  if (bytes > memory_total - used[device]) return nullptr;
  size_t usable = rounded(bytes, kPage);
  size_t mapped = usable + 2 * kForbidden;
  void* mapping =
      mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  char* from = static_cast<char*>(mapping) + kForbidden;
  mprotect(from, usable, PROT_READ | PROT_WRITE);
  char* address = from + usable - rounded(bytes, kAlignment);
  Buffer buffer = {bytes, static_cast<char*>(mapping), mapped, false, device};
  memset(address - watched_before(address, buffer), kCanary, watched_before(address, buffer));
  memset(address, kPoison, bytes);
  memset(address + bytes, kCanary, slack(buffer));
  buffers[address] = buffer;
  used[device] += bytes;
  return address;
}

bool free_memory(const char* address) {
  auto found = buffers.find(address);
  if (found == buffers.end()) return false;
  munmap(found->second.mapping, found->second.mapped);
  used[found->second.device] -= found->second.bytes;
  buffers.erase(found);
  return true;
}

int device_of(const void* address) {
  auto* at = static_cast<const char*>(address);
  auto next = buffers.upper_bound(at);
  if (next == buffers.begin()) return -1;
  auto& [from, buffer] = *std::prev(next);
  return static_cast<size_t>(at - from) < buffer.bytes ? buffer.device : -1;
}

bool is_device_memory(const void* address, size_t bytes, int device) {
  if (bytes == 0) return true;
  auto* at = static_cast<const char*>(address);
  auto next = buffers.upper_bound(at);
  if (next == buffers.begin()) return false;
  auto& [from, buffer] = *std::prev(next);
  size_t offset = static_cast<size_t>(at - from);
  return buffer.device == device && offset <= buffer.bytes && bytes <= buffer.bytes - offset;
}

std::string damaged_buffer() {
  for (auto& [address, buffer] : buffers) {
    size_t before = watched_before(address, buffer);
    if (!is_canary(address - before, before)) {
      return "bytes before a buffer of " + number(buffer.bytes) + " bytes were written";
    }
    if (!is_canary(address + buffer.bytes, slack(buffer))) {
      return "bytes past a buffer of " + number(buffer.bytes) + " bytes were written";
    }
  }
  return "";
}

std::string describe_address(const void* address) {
  auto* at = static_cast<const char*>(address);
  for (auto& [from, buffer] : buffers) {
    if (at < buffer.mapping || at >= buffer.mapping + buffer.mapped) continue;
    std::string size = "a buffer of " + number(buffer.bytes) + " bytes";
    if (buffer.device != current_device()) size += " of another device";
    if (at < from) return number(static_cast<size_t>(from - at)) + " bytes before " + size;
    size_t offset = static_cast<size_t>(at - from);
    if (offset < buffer.bytes) return "byte " + number(offset) + " of " + size;
    return number(offset - buffer.bytes) + " bytes past " + size;
  }
  char text[64];
  snprintf(text, sizeof(text), "address %p, where no buffer is", address);
  return text;
}

void mark_scratch(const void* address) {
  auto found = buffers.find(static_cast<const char*>(address));
  if (found != buffers.end()) found->second.scratch = true;
}

std::vector<char> save_memory() {
  std::vector<char> saved;
  size_t bytes = 0;
  for (auto& [address, buffer] : buffers) bytes += buffer.scratch ? 0 : buffer.bytes;
  saved.reserve(bytes);
  for (auto& [address, buffer] : buffers) {
    if (buffer.scratch) continue;
    saved.insert(saved.end(), address, address + buffer.bytes);
  }
  return saved;
}

void restore_memory(const std::vector<char>& saved) {
  size_t offset = 0;
  for (auto& [address, buffer] : buffers) {
    if (buffer.scratch) continue;
    memcpy(const_cast<char*>(address), saved.data() + offset, buffer.bytes);
    offset += buffer.bytes;
  }
}

std::string difference_from(const std::vector<char>& saved) {
  size_t offset = 0;
  for (auto& [address, buffer] : buffers) {
    if (buffer.scratch) continue;
    if (memcmp(address, saved.data() + offset, buffer.bytes) != 0) {
      size_t i = 0;
      while (address[i] == saved[offset + i]) i++;
      return "byte " + number(i) + " of a buffer of " + number(buffer.bytes) + " bytes";
    }
    offset += buffer.bytes;
  }
  return "";
}

}  // namespace megaclass_host
