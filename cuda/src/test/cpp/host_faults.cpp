// SPDX-License-Identifier: Apache-2.0

#include "host_faults.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "host_switch.h"

namespace megaclass_host {

#ifdef MEGACLASS_UCONTEXT

void catch_faults(char* (*)(const char*), void (*)(const Fault&)) {}
void release_faults() {}

#else

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr int kGeneralProtection = 13;  // misaligned, as a trap; its signal has no address

struct sigaction old_actions[4];
stack_t old_stack;
alignas(16) char signal_stack[64 * 1024];  // the fiber's own may be what is full

bool catching;
pthread_t catching_thread;
char* (*find_top)(const char* stack_pointer);
void (*handle)(const Fault& fault);
Fault fault;

/** Runs where the fault was, after its signal. */
[[noreturn]] void faulted() {
  handle(fault);
  __builtin_unreachable();
}

void pass_on(int signal, siginfo_t* info, void* data) {
  for (int i = 0; i < 4; i++) {
    if (kSignals[i] != signal) continue;
    const struct sigaction& old = old_actions[i];
    if (old.sa_flags & SA_SIGINFO) {
      old.sa_sigaction(signal, info, data);
    } else if (old.sa_handler == SIG_DFL) {
      sigaction(signal, &old, nullptr);  // the fault repeats on return, and then ends the process
    } else if (old.sa_handler != SIG_IGN) {
      old.sa_handler(signal);
    }
  }
}

void on_signal(int signal, siginfo_t* info, void* data) {
  if (!catching || !pthread_equal(pthread_self(), catching_thread)) {
    pass_on(signal, info, data);
    return;
  }
  auto* registers = static_cast<ucontext_t*>(data)->uc_mcontext.gregs;
  bool trap = signal == SIGILL || signal == SIGBUS || registers[REG_TRAPNO] == kGeneralProtection;
  fault.kind = signal == SIGFPE ? Fault::kDivision : trap ? Fault::kTrap : Fault::kAddress;
  fault.address = static_cast<const char*>(info->si_addr);
  fault.write = (registers[REG_ERR] & 2) != 0;
  // Nothing returns to the fiber, so all of its stack is free, however full it is.
  auto* top = find_top(reinterpret_cast<const char*>(registers[REG_RSP]));
  registers[REG_RSP] = reinterpret_cast<greg_t>(top) - 8;
  registers[REG_RIP] = reinterpret_cast<greg_t>(&faulted);
}

}  // namespace

void catch_faults(char* (*top_of_stack)(const char*), void (*handler)(const Fault&)) {
  find_top = top_of_stack;
  handle = handler;
  catching_thread = pthread_self();
  catching = true;
  struct sigaction action = {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int i = 0; i < 4; i++) sigaction(kSignals[i], &action, &old_actions[i]);
  stack_t stack = {};
  stack.ss_sp = signal_stack;
  stack.ss_size = sizeof(signal_stack);
  sigaltstack(&stack, &old_stack);
}

void release_faults() {
  sigaltstack(&old_stack, nullptr);
  for (int i = 0; i < 4; i++) sigaction(kSignals[i], &old_actions[i], nullptr);
  catching = false;
}

#endif

}  // namespace megaclass_host
