#include "core/keys/token/token_key.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>

#include "core/keys/host/fork_locks.hpp"
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
  if (type_ == key_type::ec) curve_ = curve_of(info);
  public_ = keys::public_half(info);
}

token_key::~token_key() = default;

token_key::reference token_key::refer() const {
  const std::lock_guard lock(host::instant_lock());
  if (!key_) {
    throw failure(
        HSMTLS_IDENTITY_CLOSED,
        "the identity with the key " + uri_ +
            " was closed; keep it open as long as anything that was made of it is in use");
  }
  face().key_retain(key_.get());
  return reference(key_.get());
}

bool token_key::could_be_of(EVP_PKEY* half) const {
  switch (type_) {
    case key_type::rsa:
      return host::crypto().EVP_PKEY_is_a(half, "RSA") == 1;
    case key_type::ed25519:
      return host::crypto().EVP_PKEY_is_a(half, "ED25519") == 1;
    case key_type::ec:
      break;
  }
  std::array<char, 64> curve{};
  return host::crypto().EVP_PKEY_is_a(half, "EC") == 1 &&
         host::crypto().EVP_PKEY_get_group_name(half, curve.data(), curve.size(), nullptr) == 1 &&
         curve_ == curve.data();
}

uint32_t token_key::bits() const {
  return static_cast<uint32_t>(host::crypto().EVP_PKEY_get_bits(public_.get()));
}

size_t token_key::signature_size() const {
  return static_cast<size_t>(host::crypto().EVP_PKEY_get_size(public_.get()));
}

std::vector<uint8_t> token_key::sign(const hsmtls_p11_signature_spec& spec,
                                     std::span<const uint8_t> data) {
  if (data.size() > std::numeric_limits<uint32_t>::max()) {
    throw failure(HSMTLS_UNSUPPORTED,
                  "what a token signs in one piece has to be shorter than 4 GiB");
  }
  return with_token([&](hsmtls_p11_key* key) {
    // As long as the modulus, or twice the order: no longer than what OpenSSL makes of it. While the
    // public half is being learned, that may be another key's.
    constexpr size_t usual = 1024;
    std::vector<uint8_t> out(std::max(signature_size(), usual));
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
}

void token_key::close() {
  reference last;  // let go after the lock: a callback of the key may be waited for
  const std::lock_guard lock(host::instant_lock());
  last.swap(key_);
}

bool token_key::is_closed() const {
  const std::lock_guard lock(host::instant_lock());
  return !key_;
}

void token_key::note_outcome(std::optional<failure> problem) {
  const std::lock_guard lock(host::instant_lock());
  last_error_.swap(problem);
}

std::optional<failure> token_key::last_error() const {
  const std::lock_guard lock(host::instant_lock());
  return last_error_;
}

}  // namespace hsmtls::keys
