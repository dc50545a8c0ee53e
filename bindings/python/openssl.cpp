// The OpenSSL of CPython's ssl module.
#include "bindings/python/core.hpp"

namespace hsmtls::python {

ssl_ctx_st* ssl_ctx_of(py::handle context) {
  // Who has a context has that module.
  const auto ssl = py::reinterpret_steal<py::object>(PyImport_GetModule(py::str("_ssl").ptr()));
  if (!ssl || !py::isinstance(context, ssl.attr("_SSLContext"))) {
    throw py::type_error("not an ssl.SSLContext");
  }
  // The first field behind the object's head in every CPython so far; the head's size differs in
  // free-threaded builds. The C face reads carefully what it points to, and proves that it is one.
  const char* const object = reinterpret_cast<const char*>(context.ptr());
  return *reinterpret_cast<ssl_ctx_st* const*>(object + PyBaseObject_Type.tp_basicsize);
}

void add_openssl(py::module_& module) {
  module.def("bind", [](const py::object& context) {
    call(&hsmtls_openssl_bind_ssl_ctx, ssl_ctx_of(context)).or_raise();
  });
  module.def("install_provider", [] { call(&hsmtls_provider_install).or_raise(); });
  module.def("openssl_in_use", &hsmtls_openssl_where);
}

}  // namespace hsmtls::python
