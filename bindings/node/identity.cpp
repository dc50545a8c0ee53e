#include "bindings/node/functions.hpp"
#include "bindings/node/promise.hpp"

namespace hsmtls::node {
namespace {

struct file_writing {
  identity from;
  std::string directory;

  int32_t run(hsmtls_error** out_error) const {
    return hsmtls_identity_write_files(from.get(), directory.c_str(), out_error);
  }
  static Napi::Value result(Napi::Env env) { return env.Undefined(); }
};

}  // namespace

Napi::Value counters(const Napi::CallbackInfo& info) {
  hsmtls_identity_counters counted{};
  counted.struct_size = sizeof counted;
  hsmtls_error* taken = nullptr;
  const int32_t code = hsmtls_identity_get_counters(identity_of(info[0]), &counted, &taken);
  if (const problem why(taken); why) return failure(info.Env(), code, why.get());
  Napi::Object made = Napi::Object::New(info.Env());
  made["openSessions"] = counted.open_sessions;
  made["lost"] = static_cast<double>(counted.lost);
  made["restored"] = static_cast<double>(counted.restored);
  made["signatures"] = static_cast<double>(counted.signatures);
  made["failedSignatures"] = static_cast<double>(counted.failed_signatures);
  return made;
}

Napi::Value last_error(const Napi::CallbackInfo& info) {
  const problem last(hsmtls_identity_last_error(identity_of(info[0])));
  if (!last) return info.Env().Null();
  return failure(info.Env(), hsmtls_error_code_of(last.get()), last.get());
}

void close(const Napi::CallbackInfo& info) {
  hsmtls_identity_close(identity_of(info[0]));
}

Napi::Value write_files(const Napi::CallbackInfo& info) {
  std::string directory = text(info[1]);
  hsmtls_identity_retain(identity_of(info[0]));
  return promise<file_writing>(info.Env(), identity(identity_of(info[0])), std::move(directory));
}

}  // namespace hsmtls::node
