#include "core/keys/host/fork_locks.hpp"

#include <pthread.h>

#include <new>

namespace hsmtls::host {
namespace {

// Never destroyed: keys outlive everything.
struct locks {
  std::mutex instant;
  std::mutex making;
};
locks& all() {
  static locks* const only = new locks;
  return *only;
}

// At load: before anybody can hold one.
[[gnu::constructor]] void watch_forks() {
  all();
  pthread_atfork([] { all().instant.lock(); },
                 [] { all().instant.unlock(); },
                 [] {
                   all().instant.unlock();
                   // Its holder is not in this process.
                   new (&all().making) std::mutex;
                 });
}

}  // namespace

std::mutex& instant_lock() {
  return all().instant;
}
std::mutex& making_lock() {
  return all().making;
}

}  // namespace hsmtls::host
