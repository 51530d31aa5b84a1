// SPDX-License-Identifier: Apache-2.0
//
// What a kernel does that the processor refuses, instead of the end of the process.
#pragma once

#include "host_switch.h"
#include "host_threads.h"

namespace megaclass_host {

/** Whether faults are caught on this processor; where they are not, they end the process. */
#ifdef MEGACLASS_UCONTEXT
constexpr bool kCatchesFaults = false;
#else
constexpr bool kCatchesFaults = true;
#endif

struct Fault {
  enum Kind { kAddress, kTrap, kDivision } kind;
  const char* address;  // for kAddress
  bool write;
};

/**
 * From now on a fault of this thread goes on in `handler`, which never returns, on the stack whose
 * top `top_of_stack` gives for the stack pointer of the fault. Faults of other threads go where they
 * went before; the JVM lives on some. Does nothing unless kCatchesFaults.
 */
MEGACLASS_HIDDEN void catch_faults(char* (*top_of_stack)(const char* stack_pointer),
                                   void (*handler)(const Fault& fault));
MEGACLASS_HIDDEN void release_faults();

}  // namespace megaclass_host
