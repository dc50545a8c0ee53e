// Where the PIN comes from, as the C face takes it.
#pragma once

#include <cstring>
#include <exception>

#include "bindings/python/core.hpp"

namespace hsmtls::python {

// Lives as long as the call that it is for, and copies no PIN: the bytes are the Python object's.
class login {
 public:
  // `given` has `pin` (str, bytes, None, or a function of the token's label), `pin_source` and so on.
  explicit login(const py::kwargs& given) : pin_(given["pin"]) {
    made_.struct_size = sizeof made_;
    if (PyCallable_Check(pin_.ptr()) != 0) {
      made_.pin_fn = &login::ask;
      made_.pin_user = this;
    } else {
      const py::ssize_t length = read(pin_, &made_.pin);
      made_.pin_len = length > 0 ? static_cast<uint32_t>(length) : 0;
    }
    made_.pin_source = text(given["pin_source"]);
    made_.forget_pin = given["forget_pin"].cast<int32_t>();
    made_.insist = given["insist"].cast<int32_t>();
  }
  login(const login&) = delete;
  login& operator=(const login&) = delete;

  [[nodiscard]] const hsmtls_login* get() const { return &made_; }
  // Throws what the function raised.
  void rethrow() const {
    if (raised_) std::rethrow_exception(raised_);
  }

 private:
  static py::ssize_t read(py::handle pin, const uint8_t** out) {
    py::ssize_t length = 0;
    if (PyArg_Parse(pin.ptr(), "z#", out, &length) == 0) {
      if (PyErr_ExceptionMatches(PyExc_UnicodeError) == 0) throw py::error_already_set();
      PyErr_Clear();  // it has the PIN in it
      throw py::value_error("the PIN is not valid Unicode");
    }
    return *out != nullptr ? length : -1;
  }
  int32_t ask(const char* label, uint8_t* out_pin, uint32_t capacity) try {
    const py::object pin = called(pin_, py::make_tuple(label));
    const uint8_t* data = nullptr;
    const py::ssize_t length = read(pin, &data);
    if (length > capacity) throw py::value_error("the PIN is too long");
    if (data != nullptr) std::memcpy(out_pin, data, static_cast<size_t>(length));
    return static_cast<int32_t>(length);
  } catch (const std::exception&) {
    raised_ = std::current_exception();
    return -1;
  }
  // On the thread that opens, which is `without_gil`.
  static int32_t ask(void* user, const char* label, uint8_t* out_pin, uint32_t capacity) {
    int32_t length = -1;
    unless_ended([&] {
      PyEval_RestoreThread(PyGILState_GetThisThreadState());
      length = static_cast<login*>(user)->ask(label, out_pin, capacity);
      PyEval_SaveThread();
    });
    return length;
  }

  py::object pin_;
  hsmtls_login made_{};
  std::exception_ptr raised_;
};

}  // namespace hsmtls::python
