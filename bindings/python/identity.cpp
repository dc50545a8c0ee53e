#include "bindings/python/login.hpp"

namespace hsmtls::python {
namespace {

struct released {
  // The last reference closes the identity, which ends sessions.
  void operator()(hsmtls_identity* one) const {
    const without_gil waiting;
    hsmtls_identity_release(one);
  }
};

struct identity {
  std::unique_ptr<hsmtls_identity, released> open;
};

identity open(const py::kwargs& given) {
  login how(given);
  hsmtls_identity_options options{};
  options.struct_size = sizeof options;
  options.deadline_ms = given["deadline_ms"].cast<uint32_t>();
  options.key = text(given["key"]);
  options.certificate = text(given["certificate"]);
  options.module = text(given["module"]);
  options.login = how.get();
  options.require = given["require"].cast<uint32_t>();
  options.on_event = &tell_event;
  options.event_user = reinterpret_cast<void*>(given["number"].cast<uintptr_t>());
  hsmtls_identity* opened = nullptr;
  const outcome ended = call(&hsmtls_identity_open, &options, &opened);
  identity made{decltype(identity::open)(opened)};
  how.rethrow();
  ended.or_raise();
  return made;
}

void close(const identity& self) {
  const without_gil waiting;
  hsmtls_identity_close(self.open.get());
}

py::tuple info(const identity& self) {
  hsmtls_identity_info is{};
  is.struct_size = sizeof is;
  call(&hsmtls_identity_get_info, self.open.get(), &is).or_raise();
  return py::make_tuple(
      is.key_type, is.key_bits, is.key_flags, is.key_uri, is.key_name, is.num_certificates);
}

py::tuple counters(const identity& self) {
  hsmtls_identity_counters has{};
  has.struct_size = sizeof has;
  call(&hsmtls_identity_get_counters, self.open.get(), &has).or_raise();
  return py::make_tuple(
      has.open_sessions, has.lost, has.restored, has.signatures, has.failed_signatures);
}

py::object last_error(const identity& self) {
  const error_ptr last(hsmtls_identity_last_error(self.open.get()));
  return last ? exception_of(hsmtls_error_code_of(last.get()), last.get()) : py::none();
}

}  // namespace

void add_identity(py::module_& module) {
  py::class_<identity>(module, "Identity")
      .def(py::init(&open))
      .def("close", &close)
      .def("apply",
           [](const identity& self, py::handle context) {
             call(&hsmtls_identity_apply, self.open.get(), ssl_ctx_of(context)).or_raise();
           })
      .def("write_files",
           [](const identity& self, py::handle directory) {
             call(&hsmtls_identity_write_files, self.open.get(), text(directory)).or_raise();
           })
      .def("certificate_pem",
           [](const identity& self) { return hsmtls_identity_certificate_pem(self.open.get()); })
      .def("key_pem", [](const identity& self) { return hsmtls_identity_key_pem(self.open.get()); })
      .def("info", &info)
      .def("counters", &counters)
      .def("last_error", &last_error);
}

}  // namespace hsmtls::python
