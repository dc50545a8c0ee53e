// Between JavaScript's values and those of the C face.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "hsmtls/hsmtls.h"

namespace hsmtls::node {

struct given_back {
  void operator()(hsmtls_error* error) const { hsmtls_error_free(error); }
  void operator()(hsmtls_identity* identity) const { hsmtls_identity_release(identity); }
};
using problem = std::unique_ptr<hsmtls_error, given_back>;
using identity = std::unique_ptr<hsmtls_identity, given_back>;

// Text is empty for undefined. C would cut it at a NUL: TypeError.
inline std::string text(const Napi::Value& value) {
  if (value.IsUndefined()) return {};
  std::string made = value.As<Napi::String>();
  if (made.find('\0') == std::string::npos) return made;
  throw Napi::TypeError::New(value.Env(), "hsmtls: a string contains a NUL");
}

// Null means "not given" in C.
inline const char* given(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// What lib/errors.js makes an HsmtlsError of.
inline Napi::Object failure(Napi::Env env, int32_t code, const hsmtls_error* error) {
  Napi::Object made = Napi::Object::New(env);
  made["code"] = code;
  made["message"] = hsmtls_error_message(error);
  made["ckr"] = hsmtls_error_ckr_name(error);
  made["opensslReason"] = hsmtls_error_openssl_reason(error);
  return made;
}

inline hsmtls_identity* identity_of(const Napi::Value& handle) {
  return handle.As<Napi::External<hsmtls_identity>>().Data();
}

}  // namespace hsmtls::node
