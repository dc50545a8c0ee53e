// The interpreter's lock, which nobody holds who waits for a token.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <pybind11/pybind11.h>

#include <cxxabi.h>
#include <unistd.h>

namespace hsmtls::python {

// Before 3.14, CPython ends a thread that runs Python when the interpreter has ended (a daemon thread, at
// exit) by unwinding it, through frames of ours with Python objects in them. Such a thread stays here.
template <class Function>
void unless_ended(Function&& function) {
  try {
    function();
  } catch (const abi::__forced_unwind&) {
    while (true) pause();
  }
}

// For as long as one of these lives, others may run.
class without_gil {
 public:
  without_gil() : state_(PyEval_SaveThread()) {}
  ~without_gil() {
    unless_ended([&] { PyEval_RestoreThread(state_); });
  }
  without_gil(const without_gil&) = delete;
  without_gil& operator=(const without_gil&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace hsmtls::python
