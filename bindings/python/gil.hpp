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

// `called` calls a Python function, with no temporary of ours in between that unwinding would destroy.
// Throws pybind11::error_already_set.
inline pybind11::object called(pybind11::handle function, const pybind11::tuple& arguments) {
  PyObject* result = nullptr;
  unless_ended([&] { result = PyObject_CallObject(function.ptr(), arguments.ptr()); });
  if (result == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(result);
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
