#include "core/keys/token/token_key.hpp"

#include "core/keys/token/face.hpp"
#include "core/keys/token/public_half.hpp"
#include "core/keys/token/uri_text.hpp"

namespace hsmtls::keys {
namespace {

hsmtls_p11_key_info info_of(const hsmtls_p11_key* key) {
  hsmtls_p11_key_info info{};
  info.struct_size = sizeof info;
  face().key_info(key, &info);
  return info;
}

key_type type_of(uint32_t type) {
  switch (static_cast<hsmtls_p11_key_type>(type)) {
    case HSMTLS_P11_RSA:
      return key_type::rsa;
    case HSMTLS_P11_EC:
      return key_type::ec;
    case HSMTLS_P11_ED25519:
      return key_type::ed25519;
  }
  throw failure(HSMTLS_UNSUPPORTED, "the key is neither RSA, EC nor Ed25519");
}

}  // namespace

void token_key::released::operator()(hsmtls_p11_key* key) const {
  face().key_release(key);
}

std::shared_ptr<token_key> token_key::open(const pkcs11::uri& uri,
                                           const hsmtls_p11_login* login,
                                           uint32_t deadline_ms) {
  const uri_text text(uri);
  hsmtls_p11_key* opened = nullptr;
  checked(face().key_open, text.c_str(), login, deadline_ms, &opened);
  return std::shared_ptr<token_key>(new token_key(reference(opened), deadline_ms));
}

token_key::token_key(reference key, uint32_t deadline_ms)
    : deadline_ms_(deadline_ms), key_(std::move(key)) {
  const hsmtls_p11_key_info info = info_of(key_.get());
  type_ = type_of(info.type);
  flags_ = info.flags;
  uri_ = info.uri;
  public_ = keys::public_half(info);
}

token_key::~token_key() = default;

token_key::reference token_key::refer() const {
  const std::lock_guard lock(mutex_);
  if (!key_) {
    throw failure(
        HSMTLS_IDENTITY_CLOSED,
        "the identity with the key " + uri_ +
            " was closed; keep it open as long as anything that was made of it is in use");
  }
  face().key_retain(key_.get());
  return reference(key_.get());
}

uint32_t token_key::bits() const {
  return static_cast<uint32_t>(host::crypto().EVP_PKEY_get_bits(public_.get()));
}

size_t token_key::signature_size() const {
  return static_cast<size_t>(host::crypto().EVP_PKEY_get_size(public_.get()));
}

std::vector<uint8_t> token_key::sign(const hsmtls_p11_signature_spec& spec,
                                     std::span<const uint8_t> data) {
  try {
    return with_token([&](hsmtls_p11_key* key) {
      // As long as the modulus, or twice the order: no longer than what OpenSSL makes of it.
      std::vector<uint8_t> out(signature_size());
      auto length = static_cast<uint32_t>(out.size());
      checked(face().key_sign,
              key,
              &spec,
              data.data(),
              static_cast<uint32_t>(data.size()),
              out.data(),
              &length,
              deadline_ms_);
      out.resize(length);
      return out;
    });
  } catch (const failure& problem) {
    const std::lock_guard lock(mutex_);
    last_error_ = problem;
    throw;
  }
}

void token_key::close() {
  reference last;  // let go after the lock: a callback of the key may be waited for
  const std::lock_guard lock(mutex_);
  last.swap(key_);
}

bool token_key::is_closed() const {
  const std::lock_guard lock(mutex_);
  return !key_;
}

std::optional<failure> token_key::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

}  // namespace hsmtls::keys
