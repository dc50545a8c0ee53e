#include <string.h>  // explicit_bzero

#include <optional>
#include <vector>

#include "bindings/node/events.hpp"
#include "bindings/node/functions.hpp"
#include "bindings/node/promise.hpp"
#include "hsmtls/hsmtls_openssl.h"

namespace hsmtls::node {
namespace {

class opening {
 public:
  opening(const Napi::Object& from, const Napi::Function& tell)
      : key_(text(from.Get("uri"))),
        certificate_(text(from.Get("certificate"))),
        module_(text(from.Get("module"))),
        pin_source_(text(from.Get("pinSource"))),
        events_(new listener(from.Env(), tell)) {
    login_.struct_size = sizeof login_;
    if (const Napi::Value pin = from.Get("pin"); !pin.IsUndefined()) {
      const auto bytes = pin.As<Napi::Uint8Array>();
      pin_.reserve(bytes.ByteLength() + 1);  // not null: an empty PIN is not the same as none
      pin_.assign(bytes.Data(), bytes.Data() + bytes.ByteLength());
      login_.pin = pin_.data();
      login_.pin_len = static_cast<uint32_t>(pin_.size());
    }
    login_.pin_fn = from.Get("askPin").ToBoolean() ? note_label : nullptr;
    login_.pin_user = &wants_pin_;
    login_.pin_source = given(pin_source_);
    login_.forget_pin = from.Get("forgetPin").ToBoolean();
    login_.insist = from.Get("insist").ToBoolean();
    options_.struct_size = sizeof options_;
    options_.key = key_.c_str();
    options_.certificate = given(certificate_);
    options_.module = given(module_);
    options_.login = &login_;
    options_.deadline_ms = from.Get("deadline").As<Napi::Number>();
    options_.require = from.Get("require").As<Napi::Number>();
    options_.flags = from.Get("flags").As<Napi::Number>();
    options_.on_event = listener::tell;
    options_.event_release = listener::end;
  }
  ~opening() { explicit_bzero(pin_.data(), pin_.size()); }

  // The provider first: where this process cannot have it, no PIN is asked for or sent.
  int32_t run(hsmtls_error** out_error) {
    int32_t code = hsmtls_openssl_bind_main(out_error);
    if (code == HSMTLS_OK) code = hsmtls_provider_install(out_error);
    if (code == HSMTLS_OK) {
      hsmtls_identity* made = nullptr;
      options_.event_user = events_.release();
      code = hsmtls_identity_open(&options_, &made, out_error);
      opened_.reset(made);
    }
    if (!wants_pin_) return code;
    opened_.reset();  // where it needed no PIN either: with the PIN it is done again
    return HSMTLS_OK;
  }

  Napi::Value result(Napi::Env env) {
    if (wants_pin_) return Napi::String::New(env, *wants_pin_);
    hsmtls_identity_info info{};
    info.struct_size = sizeof info;
    (void)hsmtls_identity_get_info(opened_.get(), &info, nullptr);
    Napi::Object made = Napi::Object::New(env);
    made["keyType"] = info.key_type;
    made["keyBits"] = info.key_bits;
    made["keyFlags"] = info.key_flags;
    made["keyUri"] = info.key_uri;
    made["keyName"] = info.key_name;
    made["numCertificates"] = info.num_certificates;
    made["cert"] = hsmtls_identity_certificate_pem(opened_.get());
    made["key"] = hsmtls_identity_key_pem(opened_.get());
    const auto give_back = [](Napi::Env, hsmtls_identity* last) { hsmtls_identity_release(last); };
    made["handle"] = Napi::External<hsmtls_identity>::New(env, opened_.release(), give_back);
    return made;
  }

 private:
  // JavaScript is asked between two attempts and never waited for inside one: so nothing can deadlock,
  // and the deadline does not run while somebody types.
  static int32_t note_label(void* user, const char* label, uint8_t* /*pin*/, uint32_t /*size*/) {
    *static_cast<std::optional<std::string>*>(user) = label;
    return -1;
  }

  std::string key_, certificate_, module_, pin_source_;
  std::vector<uint8_t> pin_;
  std::unique_ptr<listener> events_;
  hsmtls_login login_{};
  hsmtls_identity_options options_{};
  std::optional<std::string> wants_pin_;  // the label of the token that asked for one
  identity opened_;
};

}  // namespace

Napi::Value open(const Napi::CallbackInfo& info) {
  return promise<opening>(info.Env(), info[0].As<Napi::Object>(), info[1].As<Napi::Function>());
}

}  // namespace hsmtls::node
