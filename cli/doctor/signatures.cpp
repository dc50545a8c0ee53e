#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <array>

#include "cli/doctor/steps.hpp"
#include "cli/openssl/token_key.hpp"
#include "cli/tls/signature_scheme.hpp"

namespace hsmtls::cli {
namespace {

bool prepare(EVP_PKEY_CTX* how, const signature_scheme& by) {
  if (by.padding == 0) return true;
  return EVP_PKEY_CTX_set_rsa_padding(how, by.padding) == 1 &&
         (by.padding != RSA_PKCS1_PSS_PADDING ||
          EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1);
}

constexpr std::array<unsigned char, 32> message{'h', 's', 'm', 't', 'l', 's'};

// Empty: it failed.
std::vector<unsigned char> sign(EVP_PKEY* key, const signature_scheme& by) {
  const md_context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* how = nullptr;
  auto length = static_cast<size_t>(EVP_PKEY_get_size(key));
  std::vector<unsigned char> signature(length);
  if (EVP_DigestSignInit_ex(context.get(), &how, by.digest, nullptr, nullptr, key, nullptr) != 1 ||
      !prepare(how, by) ||
      EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) !=
          1) {
    return {};
  }
  signature.resize(length);
  return signature;
}

// A public key of OpenSSL's own, as a peer has it.
pkey public_half_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  const unsigned char* at = der;
  pkey made(length > 0 ? d2i_PUBKEY(nullptr, &at, length) : nullptr);
  OPENSSL_free(der);
  return made;
}

bool verifies(EVP_PKEY* key,
              const signature_scheme& by,
              const std::vector<unsigned char>& signature) {
  const md_context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* how = nullptr;
  return EVP_DigestVerifyInit_ex(context.get(), &how, by.digest, nullptr, nullptr, key, nullptr) ==
             1 &&
         prepare(how, by) &&
         EVP_DigestVerify(
             context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
             1;
}

std::string by_the_token(const std::vector<signature_event>& signatures) {
  if (signatures.empty()) return "";
  const signature_event& last = signatures.back();
  return fmt::format(", by {} in {:.1f} ms",
                     mechanism_name(last.mechanism),
                     static_cast<double>(last.microseconds) / 1000);
}

std::string reason_of_failure(const identity& key) {
  const std::string openssl = openssl_reason();
  try {
    throw_last_error(key);
  } catch (const problem& why) {
    return fmt::format("{} ({})", why.what(), why.name());
  }
  return openssl;
}

}  // namespace

void check_signatures(checklist& list, const identity& key) {
  try {
    const pkey private_half = token_key(key);
    const pkey public_half = public_half_of(private_half.get());
    for (const signature_scheme& by : schemes_for(key.info())) {
      const std::string name = fmt::format("{} ({})", by.name, by.versions);
      (void)key.take_signatures();
      const std::vector<unsigned char> signature = sign(private_half.get(), by);
      if (signature.empty()) {
        list.fails("signature", name + ": " + reason_of_failure(key));
      } else if (!verifies(public_half.get(), by, signature)) {
        ERR_clear_error();
        list.fails("signature",
                   name + ": the token signed, and the signature is wrong",
                   "the two halves of the key do not belong together: generate a new one");
      } else {
        list.holds("signature", name + by_the_token(key.take_signatures()));
      }
    }
  } catch (const problem& why) {
    list.fails("signature", why);
  }
}

}  // namespace hsmtls::cli
