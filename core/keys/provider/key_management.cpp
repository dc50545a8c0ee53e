// OSSL_OP_KEYMGMT (provider-keymgmt(7)): keys that are made of a token's, and public keys that others
// hand to us to compare them.
#include <openssl/core_names.h>

#include <algorithm>
#include <utility>

#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/downgrade.hpp"
#include "core/keys/provider/provider_key.hpp"
#include "core/keys/token/public_half.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

provider_key* as_key(void* key) {
  return static_cast<provider_key*>(key);
}
const provider_key* as_key(const void* key) {
  return static_cast<const provider_key*>(key);
}

template <key_type Type>
void* make(void* provider) {
  return new (std::nothrow)
      provider_key{static_cast<const provider_context*>(provider), Type, nullptr, nullptr};
}

void release(void* key) {
  const errno_kept kept;  // the last one closes sessions
  delete as_key(key);
}

void* load(const void* reference, size_t size) {
  if (size != sizeof(provider_key*)) return nullptr;
  // OpenSSL's convention: the pointer that the reference holds is emptied by whoever takes the key.
  auto** const slot = static_cast<provider_key**>(const_cast<void*>(reference));
  return std::exchange(*slot, nullptr);
}

int has(const void* key, int selection) {
  const provider_key* const one = as_key(key);
  if (one == nullptr) return 0;
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && !one->token) return 0;
  const int needs_public = OSSL_KEYMGMT_SELECT_PUBLIC_KEY | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS;
  return (selection & needs_public) == 0 || one->public_half() != nullptr ? 1 : 0;
}

int match(const void* a, const void* b, int selection) {
  EVP_PKEY* const one = as_key(a)->public_half();
  EVP_PKEY* const other = as_key(b)->public_half();
  if (one == nullptr || other == nullptr) return 0;
  const bool of_keys = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
  const int equal =
      of_keys ? crypto().EVP_PKEY_eq(one, other) : crypto().EVP_PKEY_parameters_eq(one, other);
  return equal == 1 ? 1 : 0;
}

int import_lent(provider_key& into, const OSSL_PARAM& parameter) {
  uint64_t number = 0;
  if (crypto().OSSL_PARAM_get_uint64(&parameter, &number) != 1) return 0;
  into.token = lease::take(number);
  return into.token && into.token->type() == into.type ? 1 : 0;
}

// A key in a file, which OpenSSL carries over to whichever provider is asked first. Refused, it goes on
// to the key's own: only that can sign with it. The private half of libp11's EC keys is a 0: they are
// compared with ours.
bool is_software_private(int selection, const OSSL_PARAM parameters[]) {
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0) return false;
  const auto has = [&](const char* name) {
    const OSSL_PARAM* const found = crypto().OSSL_PARAM_locate_const(parameters, name);
    if (found == nullptr) return false;
    const auto* const bytes = static_cast<const uint8_t*>(found->data);
    return std::any_of(bytes, bytes + found->data_size, [](uint8_t one) { return one != 0; });
  };
  return has(OSSL_PKEY_PARAM_RSA_D) || has(OSSL_PKEY_PARAM_PRIV_KEY);
}

int import_key(void* key, int selection, const OSSL_PARAM parameters[]) {
  provider_key& into = *as_key(key);
  if (into.public_half() != nullptr || is_software_private(selection, parameters)) return 0;
  return guarded(*into.provider, 0, [&] {
    if (const OSSL_PARAM* lent = crypto().OSSL_PARAM_locate_const(parameters, lent_key_parameter)) {
      return import_lent(into, *lent);
    }
    const host::pkey_ctx context(
        crypto().EVP_PKEY_CTX_new_from_name(nullptr, name_of(into.type), not_ours));
    EVP_PKEY* made = nullptr;
    if (!context || crypto().EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        crypto().EVP_PKEY_fromdata(
            context.get(), &made, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(parameters)) <= 0) {
      return 0;
    }
    into.imported.reset(made);
    return 1;
  });
}

// Whether an export of everything is answered with the public half.
bool is_for_legacy_half(const provider_key& key, OSSL_CALLBACK* callback) {
  if (priming::active) {
    priming::asked_by = callback;
    return true;
  }
  return !key.provider->configured && is_downgrade(callback);
}

// libcrypto first tries to carry a private key over to another provider, and signs with that. A token's
// key is not to be had in any form; refused, libcrypto comes back to our own signatures.
int export_key(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  EVP_PKEY* const half = as_key(key)->public_half();
  if (half == nullptr) return 0;
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 &&
      !is_for_legacy_half(*as_key(key), callback)) {
    return 0;
  }
  return crypto().EVP_PKEY_export(
      half, selection & ~OSSL_KEYMGMT_SELECT_PRIVATE_KEY, callback, argument);
}

int get_params(void* key, OSSL_PARAM parameters[]) {
  EVP_PKEY* const half = as_key(key)->public_half();
  return half != nullptr ? crypto().EVP_PKEY_get_params(half, parameters) : 0;
}

void* duplicate(const void* key, int selection) {
  const bool whole = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
  return new (std::nothrow) provider_key(whole ? as_key(key)->copy() : as_key(key)->public_copy());
}

// A superset for all types: OpenSSL uses it as a list of what may be asked.
const OSSL_PARAM* gettable(void* /*provider*/) {
  static const OSSL_PARAM all[] = {
      OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
      OSSL_PARAM_END};
  return all;
}

template <key_type Type>
const OSSL_PARAM* exchanged(int /*selection*/) {
  static const OSSL_PARAM rsa[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                   OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                   OSSL_PARAM_uint64(lent_key_parameter, nullptr),
                                   OSSL_PARAM_END};
  static const OSSL_PARAM others[] = {
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_uint64(lent_key_parameter, nullptr),
      OSSL_PARAM_END};
  return Type == key_type::rsa ? rsa : others;
}

template <key_type Type>
const char* operation_name(int operation) {
  if (Type == key_type::ec && operation == OSSL_OP_SIGNATURE) return "ECDSA";
  return name_of(Type);
}

template <key_type Type>
const OSSL_DISPATCH* table() {
  static const OSSL_DISPATCH rows[] = {
      row(OSSL_FUNC_KEYMGMT_NEW, make<Type>),
      row(OSSL_FUNC_KEYMGMT_FREE, release),
      row(OSSL_FUNC_KEYMGMT_LOAD, load),
      row(OSSL_FUNC_KEYMGMT_HAS, has),
      row(OSSL_FUNC_KEYMGMT_MATCH, match),
      row(OSSL_FUNC_KEYMGMT_IMPORT, import_key),
      row(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, exchanged<Type>),
      row(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
      row(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, exchanged<Type>),
      row(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
      row(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable),
      row(OSSL_FUNC_KEYMGMT_DUP, duplicate),
      row(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name<Type>),
      {0, nullptr}};
  return rows;
}

const OSSL_ALGORITHM all[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", ours, table<key_type::rsa>(), "RSA key in a token"},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", ours, table<key_type::ec>(), "EC key in a token"},
    {"ED25519:1.3.101.112", ours, table<key_type::ed25519>(), "Ed25519 key in a token"},
    {probe_name, ours, table<key_type::ec>(), "nothing: found where algorithms of ours are found"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace

const OSSL_ALGORITHM* key_managements() {
  return all;
}

}  // namespace hsmtls::keys
