// SPDX-License-Identifier: Apache-2.0

#include "host_switch.h"

#include <ucontext.h>

#include <cstddef>

namespace megaclass_host {

#ifndef MEGACLASS_UCONTEXT

// Pushes what a function must keep, stores the stack pointer in *save and goes on at `to`.
extern "C" MEGACLASS_HIDDEN void megaclass_switch(void** save, void* to);
asm(R"(
.text
.p2align 4
.hidden megaclass_switch
.globl megaclass_switch
.type megaclass_switch, @function
megaclass_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size megaclass_switch, .-megaclass_switch
)");

void switch_to(void** save, void* to) { megaclass_switch(save, to); }

void* fresh_context(char* stack, char* top, void (*entry)()) {
  (void)stack;
  void** sp = reinterpret_cast<void**>(top);
  *--sp = nullptr;                            // entry never returns
  *--sp = reinterpret_cast<void*>(entry);     // where `ret` goes; the stack is aligned as by a call
  for (int i = 0; i < 6; i++) *--sp = nullptr;
  return sp;
}

#else

// A context that waits is a ucontext_t on its own stack.
void switch_to(void** save, void* to) {
  ucontext_t here;
  *save = &here;
  swapcontext(&here, static_cast<ucontext_t*>(to));
}

void* fresh_context(char* stack, char* top, void (*entry)()) {
  auto* context = reinterpret_cast<ucontext_t*>(stack);
  getcontext(context);
  context->uc_stack.ss_sp = stack + sizeof(ucontext_t);
  context->uc_stack.ss_size = static_cast<size_t>(top - stack) - sizeof(ucontext_t);
  context->uc_link = nullptr;
  makecontext(context, entry, 0);
  return context;
}

#endif

}  // namespace megaclass_host
