// SPDX-License-Identifier: Apache-2.0
//
// What the emulated driver, cuBLAS and NVRTC share.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "host_threads.h"

#define MEGACLASS_EXPORT extern "C" __attribute__((visibility("default")))

MEGACLASS_EXPORT int cuGetErrorString(int code, const char** text);

namespace megaclass_host {

/** Held by every function of the driver and of cuBLAS. */
extern MEGACLASS_HIDDEN std::recursive_mutex driver_lock;
using Lock = std::lock_guard<std::recursive_mutex>;

// Shared memory of a block that asked for no more, and the most it may ask for.
constexpr size_t kSharedBytes = 48 * 1024;
constexpr size_t kMostSharedBytes = 227 * 1024;

/** Devices, all alike, each with memory of its own that the others cannot reach. */
constexpr int kDevices = 4;

/** Results of the driver that are used here. */
enum Result : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kInvalidHandle = 400,
  kNotFound = 500,
};

/** Keeps what cuGetErrorString is to add to the name of an error; returns the code. */
MEGACLASS_HIDDEN int failure(int code, const std::string& detail);

/**
 * Does an operation of a stream: at once, or, where operations are late, when somebody waits.
 * An operation returns a result of the driver.
 */
MEGACLASS_HIDDEN int on_stream(void* stream, std::function<int()> operation);

/** Does what is late. */
MEGACLASS_HIDDEN int run_pending();

/** The device whose context is current for this thread; -1 for none. */
MEGACLASS_HIDDEN int current_device();

/** Whether this thread has a context; else the error. */
MEGACLASS_HIDDEN int check_context();

/** Whether no buffer was written past its ends; else the error, in the name of `who`. */
MEGACLASS_HIDDEN int check_buffers(const std::string& who);

/** Whether this thread has a context, and the stream is one of its device; else the error. */
MEGACLASS_HIDDEN int check_stream(void* stream);

/** Whether the stream is one of a device; else the error. */
MEGACLASS_HIDDEN int check_stream(void* stream, int device);

/** The kernel of that name in a module; null when there is none. */
MEGACLASS_HIDDEN const KernelEntry* find_kernel(const std::string& module,
                                                const std::string& name);
MEGACLASS_HIDDEN bool has_module(const std::string& module);

/** How an image of machine code for this device begins; the name of its module follows. */
constexpr char kImageMagic[] = "megaclass-host:";

}  // namespace megaclass_host
