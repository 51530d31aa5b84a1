// SPDX-License-Identifier: Apache-2.0
//
// Device memory: host memory that ends at pages which nobody may touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host_threads.h"

namespace megaclass_host {

/** Bytes of each emulated device, and those in use of one. */
extern MEGACLASS_HIDDEN size_t memory_total;
MEGACLASS_HIDDEN size_t memory_used(int device);

/** Memory full of poison, aligned to 16 bytes; null if the device has less left. */
MEGACLASS_HIDDEN char* allocate_memory(size_t bytes, int device);

/** Frees what allocate_memory gave; false if it gave no such address. */
MEGACLASS_HIDDEN bool free_memory(const char* address);

/** Whether all of these bytes belong to one buffer of a device; so do no bytes anywhere. */
MEGACLASS_HIDDEN bool is_device_memory(const void* address, size_t bytes, int device);

/** The device that has this byte; -1 when none has. */
MEGACLASS_HIDDEN int device_of(const void* address);

/** Empty, or which buffer was written past its end or before its start. */
MEGACLASS_HIDDEN std::string damaged_buffer();

/** Where an address lies, for people: "4 bytes past a buffer of 1024 bytes". */
MEGACLASS_HIDDEN std::string describe_address(const void* address);

/** Leaves the buffer that begins there out of what the next three save, restore and compare. */
MEGACLASS_HIDDEN void mark_scratch(const void* address);

/** The contents of all buffers, one after the other. */
MEGACLASS_HIDDEN std::vector<char> save_memory();
MEGACLASS_HIDDEN void restore_memory(const std::vector<char>& saved);

/** Empty, or the first byte in which memory differs from what was saved. */
MEGACLASS_HIDDEN std::string difference_from(const std::vector<char>& saved);

}  // namespace megaclass_host
