// hsmtls._core: the C face of libhsmtls.so, for the package hsmtls and nobody else.
#include "bindings/python/core.hpp"

using namespace hsmtls::python;

// One process has one token layer, and pybind11's types are those of one interpreter.
static void refuse_subinterpreter() {
  if (PyInterpreterState_Get() != PyInterpreterState_Main())
    throw py::import_error("hsmtls works in the main interpreter only, not in a subinterpreter");
}

// By hand: PYBIND11_MODULE makes types before anything could be refused.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  PYBIND11_CHECK_PYTHON_VERSION
  static PyModuleDef definition;
  try {
    refuse_subinterpreter();
    auto module = py::module_::create_extension_module("_core", nullptr, &definition);
    module.def("refuse_subinterpreter", &refuse_subinterpreter);
    module.def("version", &hsmtls_version);
    module.def("raise_by", [](py::object function) { error_of = function.release().ptr(); });
    add_events(module);
    add_identity(module);
    add_openssl(module);
    return module.ptr();
  }
  PYBIND11_CATCH_INIT_EXCEPTIONS
}
