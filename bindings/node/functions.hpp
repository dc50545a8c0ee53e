// What lib/*.js calls. A promise is settled with work of the thread pool; the rest does not block, but
// that closing makes a few PKCS#11 calls.
#pragma once

#include "bindings/node/values.hpp"

namespace hsmtls::node {

// open(options, tell): a promise of { handle, cert, key, info }; or of a token's label, where
// options.askPin is true and that token wants a PIN.
Napi::Value open(const Napi::CallbackInfo& info);
// counters(handle): these, or a failure; lastError(handle): a failure or null; close(handle).
Napi::Value counters(const Napi::CallbackInfo& info);
Napi::Value last_error(const Napi::CallbackInfo& info);
void close(const Napi::CallbackInfo& info);
// writeFiles(handle, directory): a promise; tokens(module): a promise of an array.
Napi::Value write_files(const Napi::CallbackInfo& info);
Napi::Value tokens(const Napi::CallbackInfo& info);

}  // namespace hsmtls::node
