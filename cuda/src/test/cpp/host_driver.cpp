// SPDX-License-Identifier: Apache-2.0
//
// The functions of the CUDA driver for devices, contexts and errors. The driver is emulated over the
// memory and the processor of this machine, and strict where the real one is lenient: sizes,
// handles, contexts and ranges are checked, and the bytes around every buffer after every kernel.

#include "host_driver.h"

#include <string.h>

#include <map>

#include "host_memory.h"

namespace megaclass_host {

std::recursive_mutex driver_lock;

namespace {

constexpr int kDriverVersion = 13000;
constexpr char kDeviceName[] = "CPU emulation (not a GPU)";

bool initialised;
int contexts[kDevices];           // retained, by device
thread_local int device_in_use = -1;  // its context is current
std::string error_detail;

int check_device(int device) {
  if (!initialised) return failure(kNotInitialized, "cuInit was not called");
  bool is_one = device >= 0 && device < kDevices;
  return is_one ? static_cast<int>(kSuccess) : failure(kInvalidDevice, "no such device");
}

}  // namespace

int current_device() { return device_in_use; }

int check_context() {
  if (!initialised) return failure(kNotInitialized, "cuInit was not called");
  if (device_in_use < 0) return failure(kInvalidContext, "no context is current for this thread");
  return kSuccess;
}

int check_buffers(const std::string& who) {
  std::string damaged = damaged_buffer();
  return damaged.empty() ? static_cast<int>(kSuccess)
                         : failure(kIllegalAddress, who + ": " + damaged);
}

int failure(int code, const std::string& detail) {
  error_detail = detail;
  return code;
}

}  // namespace megaclass_host

using namespace megaclass_host;

// ---- Settings of the emulation, for tests ----------------------------------------------------

/** Sets the size of each device's memory. */
MEGACLASS_EXPORT int megaclassHostMemory(long long bytes) {
  Lock lock(driver_lock);
  memory_total = static_cast<size_t>(bytes);
  return kSuccess;
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
  *count = kDevices;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDeviceGet(int* device, int ordinal) {
  Lock lock(driver_lock);
  *device = ordinal;
  return check_device(ordinal);
}

MEGACLASS_EXPORT int cuDeviceGetName(char* name, int length, int device) {
  Lock lock(driver_lock);
  int result = check_device(device);
  if (result != kSuccess) return result;
  strncpy(name, kDeviceName, static_cast<size_t>(length - 1));
  name[length - 1] = 0;
  return kSuccess;
}

MEGACLASS_EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  Lock lock(driver_lock);
  *bytes = memory_total;
  return check_device(device);
}

MEGACLASS_EXPORT int cuDeviceGetAttribute(int* value, int attribute, int device) {
  Lock lock(driver_lock);
  int result = check_device(device);
  if (result != kSuccess) return result;
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
  int result = check_device(device);
  if (result != kSuccess) return result;
  contexts[device]++;
  *context = &contexts[device];
  return kSuccess;
}

MEGACLASS_EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  Lock lock(driver_lock);
  int result = check_device(device);
  if (result != kSuccess) return result;
  if (contexts[device] == 0) return failure(kInvalidContext, "it was not retained");
  contexts[device]--;
  return kSuccess;
}

MEGACLASS_EXPORT int cuCtxSetCurrent(void* context) {
  Lock lock(driver_lock);
  int found = -1;
  for (int device = 0; device < kDevices; device++) {
    if (context == &contexts[device] && contexts[device] > 0) found = device;
  }
  if (context != nullptr && found < 0) return failure(kInvalidContext, "no such context");
  device_in_use = found;
  return kSuccess;
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
