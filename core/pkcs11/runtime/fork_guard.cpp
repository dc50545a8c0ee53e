#include "core/pkcs11/runtime/fork_guard.hpp"

#include <pthread.h>

#include "core/pkcs11/runtime/runtime.hpp"

namespace hsmtls::pkcs11 {
namespace {

// Forking must stay quick, whatever a token takes for a signature; a vendor whose calls take longer
// than this talks to hardware, and waits outside its locks.
constexpr milliseconds longest_wait_before_fork{50};

// The handlers are registered several times and run as often for one fork.
thread_local int nested = 0;
thread_local runtime* held = nullptr;

void before_fork() {
  if (nested++ == 0) held = runtime::hold_for_fork(steady::now() + longest_wait_before_fork);
}

void after_fork_in_parent() {
  if (nested == 0 || --nested > 0) return;
  if (held != nullptr) held->go_on_after_fork();
  held = nullptr;
}

void after_fork_in_child() {
  if (nested == 0 || --nested > 0) return;
  held = nullptr;
  runtime::start_anew_in_child();
}

// At load, too: the process may fork before it uses us.
[[gnu::constructor]] void arm_at_load() {
  arm_fork_guard();
}

}  // namespace

void arm_fork_guard() {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

}  // namespace hsmtls::pkcs11
