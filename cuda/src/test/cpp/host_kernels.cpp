// SPDX-License-Identifier: Apache-2.0
//
// The functions of the CUDA driver for modules and launches, over the kernels that g++ compiled.

#include <string.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "host_driver.h"
#include "host_faults.h"
#include "host_memory.h"

namespace megaclass_host {
namespace {

struct Function {
  const KernelEntry* kernel;
  int device;
  size_t allowed_shared = kSharedBytes;
};

struct Module {
  std::string name;
  int device;
  std::map<std::string, Function> functions;
};

bool both_orders;  // every kernel runs twice
std::set<Module*> modules;

std::vector<KernelEntry>& kernels() {
  static std::vector<KernelEntry> all;  // files register theirs before main()
  return all;
}

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

/** Whether no pointer leads to the memory of another device; else the error. */
int check_pointers(const OwnedLaunch& owned, int device) {
  for (size_t i = 0; i < owned.values.size(); i++) {
    int of = owned.launch.kernel->parameter_bytes[i] == 8
                 ? device_of(reinterpret_cast<const void*>(owned.values[i]))
                 : -1;
    if (of >= 0 && of != device) {
      return failure(kIllegalAddress, "argument " + std::to_string(i) + " of kernel " +
                                          owned.launch.kernel->name + " on device " +
                                          std::to_string(device) + " is memory of device " +
                                          std::to_string(of));
    }
  }
  return kSuccess;
}

}  // namespace

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

/** Whether accesses that the processor refuses are errors of the launch. */
MEGACLASS_EXPORT int megaclassHostCatchesFaults() { return kCatchesFaults; }

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
  *module = new Module{text + magic, current_device(), {}};
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
  *function = &module->functions.try_emplace(name, Function{kernel, module->device}).first->second;
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
  if (function->device != current_device()) {
    return failure(kInvalidHandle, "a kernel of another device");
  }
  auto owned = std::make_shared<OwnedLaunch>(launch, arguments);
  int result = check_pointers(*owned, function->device);
  if (result != kSuccess) return result;
  return on_stream(stream, [=] {
    return both_orders ? run_in_both_orders(owned->launch) : run_once(owned->launch);
  });
}
