// What the parts of hsmtls._core share: how the C face is called, and what its errors become.
#pragma once

#include <memory>

#include "bindings/python/gil.hpp"
#include "hsmtls/hsmtls_openssl.h"

namespace hsmtls::python {

namespace py = pybind11;

void add_events(py::module_& module);
void add_identity(py::module_& module);
void add_openssl(py::module_& module);

struct freed {
  void operator()(hsmtls_error* error) const { hsmtls_error_free(error); }
};
using error_ptr = std::unique_ptr<hsmtls_error, freed>;

// hsmtls.errors.error_of, from when the package has been imported.
inline PyObject* error_of = nullptr;

// `exception_of` makes the hsmtls.Error that says what was wrong.
inline py::object exception_of(int32_t code, const hsmtls_error* error) {
  return called(error_of,
                py::make_tuple(hsmtls_code_name(code),
                               hsmtls_error_message(error),
                               hsmtls_error_ckr_name(error),
                               hsmtls_error_openssl_reason(error)));
}

struct outcome {
  int32_t code;
  error_ptr error;

  void or_raise() const {
    if (code == HSMTLS_OK) return;
    const py::object exception = exception_of(code, error.get());
    PyErr_SetObject(py::type::handle_of(exception).ptr(), exception.ptr());
    throw py::error_already_set();
  }
};

// `call` calls function(…, hsmtls_error**) of the C face, while others may run.
template <class Function, class... Arguments>
outcome call(Function function, Arguments... arguments) {
  hsmtls_error* error = nullptr;
  const without_gil waiting;
  const int32_t code = function(arguments..., &error);
  return {code, error_ptr(error)};
}

// `text` returns a str, or null for None; what it points to lives as long as the str.
inline const char* text(py::handle from) {
  const char* data = nullptr;
  if (PyArg_Parse(from.ptr(), "z", &data) == 0) throw py::error_already_set();
  return data;
}

// `tell_event` is an hsmtls_event_fn; `identity` is the number that Python knows it by.
void tell_event(void* identity, const hsmtls_event* event);

// `ssl_ctx_of` returns what an ssl.SSLContext has inside. Throws TypeError where it is none.
ssl_ctx_st* ssl_ctx_of(py::handle context);

}  // namespace hsmtls::python
