// OSSL_OP_STORE (provider-storemgmt(7)): pkcs11: URIs where programs take a key or a certificate by
// name (openssl req -key, curl --cert). Only as a configured provider. A URI was written by the user,
// so its pin-* counts; its module-* does not: what code is loaded is the configuration's to say.
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/store.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/provider_key.hpp"
#include "core/keys/uris.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

struct search {
  const provider_context* provider;
  pkcs11::uri uri;
  int expected = 0;  // OSSL_STORE_INFO_…; 0: anything
  bool begun = false;
  std::shared_ptr<token_key> key;  // to be given
  wanted_half half = wanted_half::private_half;
  std::vector<std::vector<uint8_t>> certificates;  // to be given after it, last first
};

search& as_search(void* context) {
  return *static_cast<search*>(context);
}

void* open(void* context, const char* text) {
  if (!is_uri(text)) return nullptr;
  const auto& provider = *static_cast<const provider_context*>(context);
  return guarded(provider, static_cast<void*>(nullptr), [&]() -> void* {
    auto made = std::make_unique<search>();
    made->provider = &provider;
    made->uri = parsed(text);
    made->uri.module_name.reset();
    made->uri.module_path.reset();
    return made.release();
  });
}

int set_params(void* context, const OSSL_PARAM parameters[]) {
  search& one = as_search(context);
  const OSSL_PARAM* const found =
      crypto().OSSL_PARAM_locate_const(parameters, OSSL_STORE_PARAM_EXPECT);
  return found == nullptr || crypto().OSSL_PARAM_get_int(found, &one.expected) == 1 ? 1 : 0;
}

const OSSL_PARAM* settable(void* /*provider*/) {
  static const OSSL_PARAM all[] = {OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, nullptr),
                                   OSSL_PARAM_END};
  return all;
}

bool wants(const search& one, int expected, std::initializer_list<pkcs11::object_type> types) {
  if (one.expected != 0 && one.expected != expected) return false;
  return !one.uri.type || std::find(types.begin(), types.end(), *one.uri.type) != types.end();
}

// What was asked for, by the URI's type and by what the program expects. Without either a key and its
// certificates are given, and only what is there.
void begin(search& one) {
  using pkcs11::object_type;
  one.begun = true;
  const bool key = wants(one, OSSL_STORE_INFO_PKEY, {object_type::private_key});
  const bool public_key =
      wants(one, OSSL_STORE_INFO_PUBKEY, {object_type::public_key, object_type::private_key});
  const bool certificates = wants(one, OSSL_STORE_INFO_CERT, {object_type::certificate});
  const bool both = key && certificates;
  if (!key && !public_key && !certificates && one.uri.type) {
    throw failure(HSMTLS_MALFORMED_URI,
                  "the program asks for another kind of object than the URI names with type=" +
                      std::string(pkcs11::type_name(*one.uri.type)) +
                      ": write type=private for a key, type=cert for a certificate");
  }
  if (key || public_key) {
    // A private key is not to be had where a program wants one to verify with.
    if (!key) one.half = wanted_half::public_half;
    try {
      one.key = one.provider->open_key(one.uri);
    } catch (const failure& problem) {
      if (!both || problem.code() != HSMTLS_KEY_NOT_FOUND) throw;
    }
  }
  if (certificates && (!one.key || both)) {
    one.certificates = one.provider->find_certificates(one.uri);
    if (one.certificates.empty() && !one.key) {
      throw failure(HSMTLS_CERTIFICATE_NOT_FOUND,
                    "the token has no certificate that fits " + pkcs11::redacted_uri(one.uri));
    }
  }
}

int give_key(search& one, OSSL_CALLBACK* object, void* argument) {
  return hand_over(*one.provider, std::exchange(one.key, nullptr), one.half, object, argument);
}

int give_certificate(search& one, OSSL_CALLBACK* object, void* argument) {
  std::vector<uint8_t> der = std::move(one.certificates.back());
  one.certificates.pop_back();
  int kind = OSSL_OBJECT_CERT;
  const std::array parameters{
      crypto().OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &kind),
      crypto().OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der.data(), der.size()),
      crypto().OSSL_PARAM_construct_end()};
  return object(parameters.data(), argument);
}

int load(void* context,
         OSSL_CALLBACK* object,
         void* argument,
         OSSL_PASSPHRASE_CALLBACK* /*passphrase*/,
         void* /*passphrase_argument*/) {
  search& one = as_search(context);
  return guarded(*one.provider, 0, [&] {
    if (!one.begun) begin(one);
    if (one.key) return give_key(one, object, argument);
    if (!one.certificates.empty()) return give_certificate(one, object, argument);
    return 0;
  });
}

int eof(void* context) {
  const search& one = as_search(context);
  return one.begun && !one.key && one.certificates.empty() ? 1 : 0;
}

int close(void* context) {
  delete static_cast<search*>(context);
  return 1;
}

const OSSL_DISPATCH table[] = {row(OSSL_FUNC_STORE_OPEN, open),
                               row(OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, settable),
                               row(OSSL_FUNC_STORE_SET_CTX_PARAMS, set_params),
                               row(OSSL_FUNC_STORE_LOAD, load),
                               row(OSSL_FUNC_STORE_EOF, eof),
                               row(OSSL_FUNC_STORE_CLOSE, close),
                               {0, nullptr}};
const OSSL_ALGORITHM all[] = {{"pkcs11", ours, table, "objects in a token"},
                              {nullptr, nullptr, nullptr, nullptr}};

}  // namespace

const OSSL_ALGORITHM* stores() {
  return all;
}

}  // namespace hsmtls::keys
