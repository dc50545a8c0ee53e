#include "core/keys/token/signing.hpp"

#include <openssl/core_names.h>

#include <algorithm>

namespace hsmtls::keys {
namespace {

using host::crypto;

std::vector<uint8_t> sign_with(token_key& key, uint32_t mechanism, std::span<const uint8_t> data) {
  const hsmtls_p11_signature_spec spec{mechanism, 0, 0};
  return key.sign(spec, data);
}

[[noreturn]] void refuse(const std::string& why) {
  throw failure(HSMTLS_UNSUPPORTED, why);
}

size_t digest_size(const EVP_MD* digest) {
  return digest != nullptr ? static_cast<size_t>(crypto().EVP_MD_get_size(digest)) : 0;
}

// RFC 8017 section 9.2, step 2: the digest and its algorithm's name, in DER.
std::vector<uint8_t> digest_info(const EVP_MD* digest, std::span<const uint8_t> value) {
  // TLS 1.1 (RFC 4346 section 7.4.8) signs MD5 and SHA-1 side by side, bare.
  if (digest == nullptr || crypto().EVP_MD_get_type(digest) == NID_md5_sha1)
    return {value.begin(), value.end()};
  ASN1_OBJECT* const name = crypto().OBJ_nid2obj(crypto().EVP_MD_get_type(digest));
  if (crypto().OBJ_length(name) == 0) {
    refuse(std::string("an RSA signature by PKCS#1 v1.5 names its digest, and ") +
           crypto().EVP_MD_get0_name(digest) +
           " has no object identifier to be named by: take another digest, or RSA-PSS");
  }
  const host::x509_sig info(crypto().X509_SIG_new());
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* octets = nullptr;
  crypto().X509_SIG_getm(info.get(), &algorithm, &octets);
  uint8_t* der = nullptr;
  const int length = crypto().X509_ALGOR_set0(algorithm, name, V_ASN1_NULL, nullptr) == 1 &&
                             crypto().ASN1_OCTET_STRING_set(
                                 octets, value.data(), static_cast<int>(value.size())) == 1
                         ? crypto().i2d_X509_SIG(info.get(), &der)
                         : -1;
  const host::openssl_memory<uint8_t> owner(der);
  if (length <= 0) throw failure(HSMTLS_NO_MEMORY, "no memory for a signature");
  return {der, der + length};
}

// The SHA-1 and SHA-2 that PKCS#11's RSA-PSS knows; 0: none of them.
uint32_t pss_hash_bits(const EVP_MD* digest) {
  switch (crypto().EVP_MD_get_type(digest)) {
    case NID_sha1:
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
      return static_cast<uint32_t>(digest_size(digest)) * 8;
    default:
      return 0;
  }
}

// A legacy RSA of the public half: OpenSSL's padding functions ask it for nothing but its size.
RSA* sizes_of(const token_key& key) {
  return const_cast<RSA*>(crypto().EVP_PKEY_get0_RSA(key.public_half()));
}

// RFC 8017 section 5.2.1, step 1. In its own padding a token sees to that; given another block, one
// answers as if it were broken, and SoftHSM ends the process.
void check_block(const token_key& key, std::span<const uint8_t> block) {
  if (block.size() != key.signature_size()) {
    refuse("without padding an RSA key signs a block as long as its modulus: " +
           std::to_string(key.signature_size()) + " bytes, not " + std::to_string(block.size()));
  }
  BIGNUM* n = nullptr;
  (void)crypto().EVP_PKEY_get_bn_param(key.public_half(), OSSL_PKEY_PARAM_RSA_N, &n);
  const host::bignum modulus(n);
  const host::bignum number(
      crypto().BN_bin2bn(block.data(), static_cast<int>(block.size()), nullptr));
  if (!modulus || !number) throw std::bad_alloc();
  if (crypto().BN_cmp(number.get(), modulus.get()) >= 0) {
    refuse("without padding an RSA key signs a number below its modulus, and this one is not");
  }
}

std::vector<uint8_t> sign_raw(token_key& key, std::span<const uint8_t> block) {
  check_block(key, block);
  return sign_with(key, HSMTLS_P11_SIGN_RSA_RAW, block);
}

std::vector<uint8_t> sign_pss_raw(token_key& key,
                                  const signature_scheme& scheme,
                                  std::span<const uint8_t> digest) {
  std::vector<uint8_t> block(key.signature_size());
  const host::error_mark mark;
  if (crypto().RSA_padding_add_PKCS1_PSS_mgf1(sizes_of(key),
                                              block.data(),
                                              digest.data(),
                                              scheme.digest,
                                              scheme.mgf1_digest,
                                              salt_bytes(key, scheme)) != 1) {
    refuse("OpenSSL could not make the RSA-PSS padding");
  }
  return sign_raw(key, block);
}

std::vector<uint8_t> sign_pss(token_key& key,
                              const signature_scheme& scheme,
                              std::span<const uint8_t> digest) {
  if (scheme.digest == nullptr) refuse("RSA-PSS needs a digest with a name");
  const bool one_digest =
      scheme.mgf1_digest == nullptr ||
      crypto().EVP_MD_get_type(scheme.mgf1_digest) == crypto().EVP_MD_get_type(scheme.digest);
  const uint32_t hash_bits = pss_hash_bits(scheme.digest);
  const auto salt = static_cast<uint32_t>(salt_bytes(key, scheme));
  if (one_digest && hash_bits != 0 && !key.lacks(HSMTLS_P11_SIGN_RSA_PSS)) {
    const hsmtls_p11_signature_spec spec{HSMTLS_P11_SIGN_RSA_PSS, hash_bits, salt};
    try {
      return key.sign(spec, digest);
    } catch (const failure& problem) {
      if (problem.code() != HSMTLS_UNSUPPORTED) throw;
    }
    std::vector<uint8_t> signature = sign_pss_raw(key, scheme, digest);
    key.note_lack(HSMTLS_P11_SIGN_RSA_PSS);
    return signature;
  }
  return sign_pss_raw(key, scheme, digest);
}

std::vector<uint8_t> sign_pkcs1(token_key& key, std::span<const uint8_t> info) {
  // RFC 8017 section 9.2: 00 01 FF… 00 and the DigestInfo, with eight bytes of FF at least.
  constexpr size_t least_padding = 11;
  const size_t size = key.signature_size();
  if (size < least_padding || info.size() > size - least_padding)
    refuse("the digest is too long for this RSA key");
  if (!key.lacks(HSMTLS_P11_SIGN_RSA_PKCS1)) {
    try {
      return sign_with(key, HSMTLS_P11_SIGN_RSA_PKCS1, info);
    } catch (const failure& problem) {
      if (problem.code() != HSMTLS_UNSUPPORTED) throw;
    }
  }
  std::vector<uint8_t> block(size - info.size(), 0xff);
  block[0] = 0;
  block[1] = 1;
  block.back() = 0;
  block.insert(block.end(), info.begin(), info.end());
  std::vector<uint8_t> signature = sign_raw(key, block);
  key.note_lack(HSMTLS_P11_SIGN_RSA_PKCS1);
  return signature;
}

// r and s side by side, each as long as the curve's order.
std::vector<uint8_t> ecdsa_numbers(token_key& key, std::span<const uint8_t> digest) {
  // FIPS 186-5 section 6.4: the leftmost bits count. Some tokens leave that to the caller.
  const size_t order = (static_cast<size_t>(crypto().EVP_PKEY_get_bits(key.public_half())) + 7) / 8;
  std::vector<uint8_t> both =
      sign_with(key, HSMTLS_P11_SIGN_ECDSA, digest.first(std::min(digest.size(), order)));
  if (both.empty() || both.size() % 2 != 0) {
    throw failure(HSMTLS_TOKEN_ERROR, "the token's ECDSA signature is not two numbers");
  }
  return both;
}

void append_integer(std::vector<uint8_t>& to, std::span<const uint8_t> number) {
  while (number.size() > 1 && number.front() == 0) number = number.subspan(1);
  const bool looks_negative = (number.front() & 0x80) != 0;
  to.push_back(V_ASN1_INTEGER);
  to.push_back(static_cast<uint8_t>(number.size() + (looks_negative ? 1 : 0)));
  if (looks_negative) to.push_back(0);
  to.insert(to.end(), number.begin(), number.end());
}

// ECDSA-Sig-Value (RFC 3279 section 2.2.3). Numbers and writers of OpenSSL's would be a fifth of what
// a signature costs on this side of the token.
std::vector<uint8_t> in_der(std::span<const uint8_t> both) {
  std::vector<uint8_t> numbers;
  numbers.reserve(both.size() + 6);
  append_integer(numbers, both.first(both.size() / 2));
  append_integer(numbers, both.last(both.size() / 2));
  std::vector<uint8_t> out;
  out.reserve(numbers.size() + 3);
  out.push_back(V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED);
  if (numbers.size() > 127) out.push_back(0x81);  // P-521
  out.push_back(static_cast<uint8_t>(numbers.size()));
  out.insert(out.end(), numbers.begin(), numbers.end());
  return out;
}

std::vector<uint8_t> sign_digest_once(token_key& key,
                                      const signature_scheme& scheme,
                                      std::span<const uint8_t> digest) {
  if (key.type() == key_type::ed25519) return sign_with(key, HSMTLS_P11_SIGN_EDDSA, digest);
  if (scheme.digest != nullptr && digest.size() != digest_size(scheme.digest)) {
    refuse("the digest to be signed is not as long as its algorithm says");
  }
  if (key.type() == key_type::ec) return in_der(ecdsa_numbers(key, digest));
  switch (scheme.padding) {
    case rsa_padding::pss:
      return sign_pss(key, scheme, digest);
    case rsa_padding::pkcs1:
      return sign_pkcs1(key, digest_info(scheme.digest, digest));
    case rsa_padding::none:
      return sign_raw(key, digest);
  }
  refuse("this RSA padding is not supported");
}

// What goes wrong is the key's last error, once no other way is left, until a signature is made.
template <class Sign>
auto noted(token_key& key, Sign&& sign) {
  try {
    auto made = sign();
    key.note_outcome({});
    return made;
  } catch (const failure& problem) {
    key.note_outcome(problem);
    throw;
  }
}

}  // namespace

int salt_bytes(const token_key& key, const signature_scheme& scheme) {
  const size_t digest = digest_size(scheme.digest);
  // RFC 8017 section 9.1.1: emLen - hLen - 2, and emBits is one less than the modulus has.
  const size_t room = (static_cast<size_t>(crypto().EVP_PKEY_get_bits(key.public_half())) + 6) / 8;
  if (room < digest + 2) refuse("the digest is too long for RSA-PSS with this key");
  const size_t most = room - digest - 2;
  int wanted = scheme.salt_len;
  switch (scheme.salt_len) {
    case RSA_PSS_SALTLEN_DIGEST:
      wanted = static_cast<int>(digest);
      break;
    case RSA_PSS_SALTLEN_AUTO:
    case RSA_PSS_SALTLEN_MAX:
      return static_cast<int>(most);
    case salt_auto_digest_max:
      return static_cast<int>(std::min(digest, most));
    default:
      break;
  }
  if (wanted < 0 || static_cast<size_t>(wanted) > most) {
    refuse("an RSA-PSS salt of " + std::to_string(wanted) +
           " bytes does not fit this key: " + std::to_string(most) + " do");
  }
  return wanted;
}

std::vector<uint8_t> sign_digest(token_key& key,
                                 const signature_scheme& scheme,
                                 std::span<const uint8_t> digest) {
  return noted(key, [&] { return sign_digest_once(key, scheme, digest); });
}

std::vector<uint8_t> sign_block(token_key& key,
                                rsa_padding padding,
                                std::span<const uint8_t> block) {
  return noted(key, [&] {
    return padding == rsa_padding::none ? sign_raw(key, block) : sign_pkcs1(key, block);
  });
}

host::ecdsa_sig sign_ecdsa(token_key& key, std::span<const uint8_t> digest) {
  const std::vector<uint8_t> both = noted(key, [&] { return ecdsa_numbers(key, digest); });
  const int half = static_cast<int>(both.size() / 2);
  host::ecdsa_sig made(crypto().ECDSA_SIG_new());
  host::bignum r(crypto().BN_bin2bn(both.data(), half, nullptr));
  host::bignum s(crypto().BN_bin2bn(both.data() + half, half, nullptr));
  if (!made || !r || !s || crypto().ECDSA_SIG_set0(made.get(), r.get(), s.get()) != 1) {
    throw failure(HSMTLS_NO_MEMORY, "no memory for a signature");
  }
  (void)r.release();  // set0: they are the signature's now
  (void)s.release();
  return made;
}

}  // namespace hsmtls::keys
