// hsmtls.node: the C face of libhsmtls.so for JavaScript. It has no state, so that several environments
// (Workers) can load it, and is linked with no OpenSSL: node's own is used.
#include "bindings/node/functions.hpp"

using namespace hsmtls::node;

// Another copy of the package may have brought its libhsmtls.so into this process before.
static void check_version(Napi::Env env) {
  constexpr uint32_t built_for = HSMTLS_ABI_MAJOR << 16 | HSMTLS_ABI_MINOR;
  const uint32_t loaded = hsmtls_abi_version();
  if (loaded >> 16 == HSMTLS_ABI_MAJOR && loaded >= built_for) return;
  throw Napi::Error::New(env, "hsmtls: another version of libhsmtls.so is in this process already");
}

static Napi::Object start(Napi::Env env, Napi::Object exports) {
  check_version(env);
  exports["open"] = Napi::Function::New<open>(env);
  exports["counters"] = Napi::Function::New<counters>(env);
  exports["lastError"] = Napi::Function::New<last_error>(env);
  exports["close"] = Napi::Function::New<close>(env);
  exports["writeFiles"] = Napi::Function::New<write_files>(env);
  exports["tokens"] = Napi::Function::New<tokens>(env);
  return exports;
}
NODE_API_MODULE(hsmtls, start)
