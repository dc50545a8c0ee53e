// Threads of our own in somebody else's program.
#pragma once

#include <csignal>
#include <thread>

namespace hsmtls::pkcs11 {

// `run_in_thread` runs `body` in a new, detached thread that takes none of the program's signals.
// Returns false if there is no thread to be had.
template <class Body>
bool run_in_thread(Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a new thread inherits the mask
  bool started = true;
  try {
    std::thread(std::move(body)).detach();
  } catch (...) {  // no thread or no memory for one
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace hsmtls::pkcs11
