#include <openssl/rsa.h>

#include <array>
#include <stdexcept>

#include "tests/bench/common/timed.hpp"
#include "tests/bench/core/jobs.hpp"
#include "tests/bench/core/key.hpp"

namespace hsmtls::bench {
namespace {

class bare_signer : public job {
 public:
  explicit bare_signer(const json& setup)
      : by_(scheme_named(setup.at("scheme"))), app_(token_place::from(setup)) {
    app_.use_key(setup.at("id"));
  }
  json answer(const json& request) override {
    return timed_work(request, [&](std::size_t thread) { app_.sign(thread, by_); });
  }
  void leave() override { app_.leave(); }

 private:
  scheme by_;
  application app_;
};

class evp_signer : public job {
 public:
  explicit evp_signer(const json& setup)
      : by_(scheme_named(setup.at("scheme"))),
        key_(key_of(setup.at("kind"), key_place::from(setup))) {}

  json answer(const json& request) override {
    return timed_work(request, [&](std::size_t) { sign(); });
  }

 private:
  // As libssl does it: a context for each signature, and the digest by name.
  void sign() const {
    using md_ctx = std::unique_ptr<EVP_MD_CTX, test::freed_by<EVP_MD_CTX_free>>;
    // As long as what a TLS 1.3 peer signs (RFC 8446 section 4.4.3).
    static constexpr std::array<unsigned char, 130> message{};
    std::array<unsigned char, 512> signature{};
    std::size_t length = signature.size();
    const md_ctx context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    if (EVP_DigestSignInit_ex(
            context.get(), &settings, "SHA256", nullptr, nullptr, key_.key.get(), nullptr) != 1 ||
        (by_ == scheme::pss &&
         (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) <= 0 ||
          EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) <= 0)) ||
        EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) !=
            1) {
      throw std::runtime_error("EVP_DigestSign failed");
    }
  }

  scheme by_;
  key_in_use key_;
};

}  // namespace

std::unique_ptr<job> make_sign_job(const json& setup) {
  if (setup.at("kind") == "bare") return std::make_unique<bare_signer>(setup);
  return std::make_unique<evp_signer>(setup);
}

}  // namespace hsmtls::bench
