// Method keys as the layer above asks for them, over the chaos module and SoftHSM.
#pragma once

#include <openssl/evp.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "core/legacy/hsmtls_legacy.h"
#include "tests/pkcs11/private/face.hpp"
#include "tests/support/openssl.hpp"

namespace hsmtls::test {

using evp_digest_context = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;

// `signature_by` signs with SHA-256; empty if that fails. `pss`: RSA's other padding.
inline bytes signature_by(EVP_PKEY* key, const bytes& message, bool pss = false) {
  const evp_digest_context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  if (EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr, key) != 1) return {};
  if (pss) EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
  size_t length = 1024;
  bytes out(length);
  if (EVP_DigestSign(context.get(), out.data(), &length, message.data(), message.size()) != 1)
    return {};
  out.resize(length);
  return out;
}
inline bool verifies(EVP_PKEY* key,
                     const bytes& message,
                     const bytes& signature,
                     bool pss = false) {
  const evp_digest_context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  EXPECT_EQ(1, EVP_DigestVerifyInit(context.get(), &options, EVP_sha256(), nullptr, key));
  if (pss) EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
  return EVP_DigestVerify(
             context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
         1;
}

// A method key and what keeps it; released in this order.
struct method_key {
  const hsmtls_legacy_functions* functions = nullptr;
  hsmtls_legacy_key* kept = nullptr;
  evp_key key;

  method_key() = default;
  method_key(method_key&& other) noexcept
      : functions(other.functions),
        kept(std::exchange(other.kept, nullptr)),
        key(std::move(other.key)) {}
  method_key& operator=(method_key&&) = delete;
  ~method_key() { release(); }
  void release() {
    if (functions != nullptr) functions->key_release(std::exchange(kept, nullptr));
  }
  [[nodiscard]] EVP_PKEY* get() const { return key.get(); }
  [[nodiscard]] bool signs(bool pss = false) const {
    const bytes message = "message"_b;
    const bytes signature = signature_by(get(), message, pss);
    if (signature.empty()) return false;
    EXPECT_TRUE(verifies(public_half_of(get()).get(), message, signature, pss));
    return true;
  }
};

class legacy_library {
 public:
  explicit legacy_library(const private_face& face) : face_(face.get()) {
    void* handle = dlopen(HSMTLS_TEST_LEGACY, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(dlerror());
    const auto table =
        reinterpret_cast<decltype(&hsmtls_legacy_table)>(dlsym(handle, "hsmtls_legacy_table"));
    if (table == nullptr) throw std::runtime_error(dlerror());
    functions_ = table();
  }
  const hsmtls_legacy_functions* operator->() const { return functions_; }

  answer make(const private_key& from,
              method_key& out,
              const void* in_libcrypto = EVP_sha256()) const {
    hsmtls_p11_error error{};
    void* made = nullptr;
    const int32_t code =
        functions_->method_key(from.get(), face_, in_libcrypto, &made, &out.kept, &error);
    out.functions = functions_;
    out.key.reset(static_cast<EVP_PKEY*>(made));
    EXPECT_EQ(code == HSMTLS_P11_OK, made != nullptr);
    EXPECT_EQ(code == HSMTLS_P11_OK, out.kept != nullptr);
    return answer_of(code, error);
  }
  method_key of(const private_key& from) const {
    method_key out;
    EXPECT_EQ(make(from, out), HSMTLS_P11_OK);
    return out;
  }

 private:
  const hsmtls_p11_functions* face_;
  const hsmtls_legacy_functions* functions_;
};

// An EC, an RSA and an Ed25519 key in one SoftHSM token, behind chaos.
class over_three_keys : public over_softhsm {
 protected:
  explicit over_three_keys(std::chrono::milliseconds deadline = std::chrono::seconds(10))
      : over_softhsm(deadline), face(front), legacy(face) {
    secrets().push_back(token.user_pin());
    trouble.run("quiet-drops on");  // SoftHSM crashes when a session is closed under a call
    token.generate_rsa_2048("rsa", "02");
    make_edwards();
    ec = open("device");
    rsa = open("rsa");
  }
  void make_edwards() {
#ifdef __SANITIZE_ADDRESS__
    // SoftHSM 2.6.1 leaks the name of the curve, in libcrypto's memory, each time it reads it.
    const __lsan::ScopedDisabler not_ours;
#endif
    private_key edwards;
    // Whether there is one is up to how SoftHSM was built.
    face.generate("pkcs11:token=edge;object=edwards;id=%03",
                  HSMTLS_P11_GENERATE_ED25519,
                  0,
                  edwards,
                  with_pin(token.user_pin()));
    has_edwards = static_cast<bool>(edwards);
  }
  [[nodiscard]] private_key open(const std::string& label) const {
    private_key key;
    EXPECT_EQ(face.open("pkcs11:token=edge;object=" + label, key, with_pin(token.user_pin())),
              HSMTLS_P11_OK);
    return key;
  }

  private_face face;
  legacy_library legacy;
  bool has_edwards = false;
  private_key ec, rsa;
};

}  // namespace hsmtls::test
