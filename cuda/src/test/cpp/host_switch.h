// SPDX-License-Identifier: Apache-2.0
//
// Going from one stack to another: by hand on x86-64, some 5 ns; elsewhere by ucontext, which asks
// the kernel for its signal mask each time.
#pragma once

#include "host_threads.h"

#if !defined(__x86_64__) || !defined(__linux__)
#define MEGACLASS_UCONTEXT
#endif

namespace megaclass_host {

/** Leaves here, so that *save continues here, and goes on at `to`. */
MEGACLASS_HIDDEN void switch_to(void** save, void* to);

/** A context that begins in `entry`, which never returns, on the stack [stack, top). */
MEGACLASS_HIDDEN void* fresh_context(char* stack, char* top, void (*entry)());

}  // namespace megaclass_host
