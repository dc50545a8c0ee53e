// Null where something is needed is an error that names the argument, never a crash; and null where a
// handle is only looked at or let go is nothing.
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <functional>

#include "hsmtls/hsmtls_openssl.h"
#include "tests/support/answer.hpp"
#include "tests/support/device.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

constexpr uint8_t four[] = {'1', '2', '3', '4'};
constexpr const char* uri = "pkcs11:token=nobody";
// No module: it must not come so far as to look for it.
constexpr const char* module = "/nonexistent/vendor.so";

int32_t every_token(void* /*user*/, const hsmtls_token_info* /*token*/) {
  return 0;
}
int32_t every_object(void* /*user*/, const hsmtls_object_info* /*object*/) {
  return 0;
}

struct null_case {
  const char* argument;
  std::function<int32_t(hsmtls_error**)> call;
};

void expect_each_refused(const std::vector<null_case>& cases) {
  for (const null_case& one : cases) {
    SCOPED_TRACE(one.argument);
    const answer said = called(one.call);
    EXPECT_EQ(said, HSMTLS_BAD_ARGUMENT);
    EXPECT_THAT(said.message, HasSubstr(one.argument));
    EXPECT_EQ(HSMTLS_BAD_ARGUMENT, one.call(nullptr)) << "the error is not wanted";
  }
}

TEST(NullArguments, OfFunctionsThatTalkToTokensAreRefusedBeforeAnythingIsLoaded) {
  hsmtls_text* text = nullptr;
  expect_each_refused({
      {"each", [&](auto out) { return hsmtls_tokens_list(module, nullptr, nullptr, out); }},
      {"each",
       [&](auto out) { return hsmtls_objects_list(uri, module, nullptr, nullptr, nullptr, out); }},
      {"uri",
       [&](auto out) {
         return hsmtls_objects_list(nullptr, module, nullptr, every_object, nullptr, out);
       }},
      {"uri",
       [&](auto out) {
         return hsmtls_key_generate(nullptr, module, nullptr, HSMTLS_GENERATE_P256, 0, &text, out);
       }},
      {"uri",
       [&](auto out) {
         return hsmtls_certificate_import(nullptr, module, nullptr, four, sizeof four, &text, out);
       }},
      {"certificate",
       [&](auto out) {
         return hsmtls_certificate_import(uri, module, nullptr, nullptr, 4, &text, out);
       }},
      {"uri", [&](auto out) { return hsmtls_object_remove(nullptr, module, nullptr, out); }},
      {"uri",
       [&](auto out) { return hsmtls_token_init(nullptr, module, "x", four, 4, four, 4, out); }},
      {"label",
       [&](auto out) { return hsmtls_token_init(uri, module, nullptr, four, 4, four, 4, out); }},
      {"so_pin",
       [&](auto out) { return hsmtls_token_init(uri, module, "x", nullptr, 4, four, 4, out); }},
      {"user_pin",
       [&](auto out) { return hsmtls_token_init(uri, module, "x", four, 4, nullptr, 4, out); }},
      {"uri",
       [&](auto out) { return hsmtls_token_change_pin(nullptr, module, four, 4, four, 4, out); }},
      {"old_pin",
       [&](auto out) { return hsmtls_token_change_pin(uri, module, nullptr, 4, four, 4, out); }},
      {"new_pin",
       [&](auto out) { return hsmtls_token_change_pin(uri, module, four, 4, nullptr, 4, out); }},
  });
  EXPECT_EQ(nullptr, text);
}

TEST(NullArguments, OfOpenAreRefused) {
  hsmtls_identity* identity = nullptr;
  hsmtls_identity_options options{};
  options.struct_size = sizeof options;
  options.key = uri;
  options.module = module;
  hsmtls_login login{};
  login.struct_size = sizeof login;
  login.pin_len = 4;
  expect_each_refused({
      {"options", [&](auto out) { return hsmtls_identity_open(nullptr, &identity, out); }},
      {"out_identity", [&](auto out) { return hsmtls_identity_open(&options, nullptr, out); }},
      {"options.key",
       [&](auto out) {
         hsmtls_identity_options without = options;
         without.key = nullptr;
         return hsmtls_identity_open(&without, &identity, out);
       }},
      {"login.pin",
       [&](auto out) {
         hsmtls_identity_options with = options;
         with.login = &login;
         return hsmtls_identity_open(&with, &identity, out);
       }},
  });
  EXPECT_EQ(nullptr, identity);
}

TEST(NullArguments, OfFunctionsOfReferencesAreRefused) {
  hsmtls_text* text = nullptr;
  expect_each_refused({
      {"uri", [&](auto out) { return hsmtls_reference_pem_write(nullptr, &text, out); }},
      {"out_pem", [&](auto out) { return hsmtls_reference_pem_write(uri, nullptr, out); }},
      {"pem", [&](auto out) { return hsmtls_reference_pem_read(nullptr, &text, out); }},
      {"out_uri", [&](auto out) { return hsmtls_reference_pem_read("x", nullptr, out); }},
  });
  EXPECT_EQ(nullptr, text);
}

TEST(NullArguments, WhereAnIdentityIsNeededAreRefused) {
  hsmtls_identity_info info{};
  info.struct_size = sizeof info;
  hsmtls_identity_counters counters{};
  counters.struct_size = sizeof counters;
  EVP_PKEY* key = nullptr;
  expect_each_refused({
      {"identity", [&](auto out) { return hsmtls_identity_get_info(nullptr, &info, out); }},
      {"identity", [&](auto out) { return hsmtls_identity_get_counters(nullptr, &counters, out); }},
      {"identity", [&](auto out) { return hsmtls_identity_write_files(nullptr, "/", out); }},
      {"identity",
       [&](auto out) { return hsmtls_identity_evp_pkey(nullptr, HSMTLS_KEY_PROVIDER, &key, out); }},
  });
  EXPECT_EQ(nullptr, key);
}

TEST(NullArguments, OfContextsAndConnectionsAreRefused) {
  const std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>> context(SSL_CTX_new(TLS_method()));
  hsmtls_tls_options options{};
  options.struct_size = sizeof options;
  SSL_CTX* made = nullptr;
  expect_each_refused({
      {"SSL_CTX", [](auto out) { return hsmtls_same_openssl(nullptr, out); }},
      {"identity", [&](auto out) { return hsmtls_identity_apply(nullptr, context.get(), out); }},
      {"out_ssl_ctx",
       [&](auto out) { return hsmtls_identity_make_ssl_ctx(nullptr, &options, nullptr, out); }},
      {"options",
       [&](auto out) { return hsmtls_identity_make_ssl_ctx(nullptr, nullptr, &made, out); }},
      {"SSL_CTX", [](auto out) { return hsmtls_ssl_ctx_reload_trust(nullptr, out); }},
      {"SSL", [](auto out) { return hsmtls_ssl_resume(nullptr, out); }},
      {"SSL", [](auto out) { return hsmtls_ssl_explain(nullptr, 0, out); }},
  });
  EXPECT_EQ(nullptr, made);
}

TEST(NullArguments, OfAnOpenIdentityAreRefused) {
  if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
  const device one;
  const std::string key_uri = device::uri("ec");
  const std::string pin = one.pin_source();
  const std::string softhsm = softhsm_module();
  hsmtls_login login{};
  login.struct_size = sizeof login;
  login.pin_source = pin.c_str();
  hsmtls_identity_options options{};
  options.struct_size = sizeof options;
  options.key = key_uri.c_str();
  options.module = softhsm.c_str();
  options.login = &login;
  options.flags = HSMTLS_OPEN_WITHOUT_CERTIFICATE;
  hsmtls_identity* identity = nullptr;
  ASSERT_EQ(asked(hsmtls_identity_open, &options, &identity), HSMTLS_OK);
  expect_each_refused({
      {"out_info", [&](auto out) { return hsmtls_identity_get_info(identity, nullptr, out); }},
      {"out_counters",
       [&](auto out) { return hsmtls_identity_get_counters(identity, nullptr, out); }},
      {"directory", [&](auto out) { return hsmtls_identity_write_files(identity, nullptr, out); }},
      {"SSL_CTX", [&](auto out) { return hsmtls_identity_apply(identity, nullptr, out); }},
      {"out_key",
       [&](auto out) {
         return hsmtls_identity_evp_pkey(identity, HSMTLS_KEY_PROVIDER, nullptr, out);
       }},
  });
  hsmtls_identity_release(identity);
}

TEST(NullArguments, OfFunctionsThatOnlyLookOrLetGoAreNothing) {
  EXPECT_EQ(HSMTLS_OK, hsmtls_error_code_of(nullptr));
  EXPECT_STREQ("", hsmtls_error_message(nullptr));
  EXPECT_EQ(0U, hsmtls_error_ckr(nullptr));
  EXPECT_STREQ("", hsmtls_error_ckr_name(nullptr));
  EXPECT_EQ(0U, hsmtls_error_openssl(nullptr));
  EXPECT_STREQ("", hsmtls_error_openssl_reason(nullptr));
  EXPECT_STREQ("", hsmtls_text_data(nullptr));
  EXPECT_EQ(0U, hsmtls_text_len(nullptr));
  EXPECT_STREQ("", hsmtls_identity_certificate_pem(nullptr));
  EXPECT_STREQ("", hsmtls_identity_key_pem(nullptr));
  EXPECT_EQ(nullptr, hsmtls_identity_last_error(nullptr));
  hsmtls_error_free(nullptr);
  hsmtls_text_free(nullptr);
  hsmtls_identity_retain(nullptr);
  hsmtls_identity_close(nullptr);
  hsmtls_identity_release(nullptr);
}

TEST(NullArguments, OfBindSayThatSomethingIsNeeded) {
  EXPECT_EQ(asked(hsmtls_openssl_bind, nullptr, nullptr), HSMTLS_BAD_ARGUMENT);
  EXPECT_EQ(asked(hsmtls_openssl_bind_ssl_ctx, nullptr), HSMTLS_BAD_ARGUMENT);
}

TEST(WrongArguments, PointersThatPointIntoNoLibraryBindNothing) {
  int on_the_stack = 0;
  EXPECT_EQ(asked(hsmtls_openssl_bind, &on_the_stack, &on_the_stack), HSMTLS_BAD_ARGUMENT);
}

TEST(WrongArguments, WhatIsReservedMustBeZero) {
  hsmtls_tls_options options{};
  options.struct_size = sizeof options;
  options.reserved = 1;
  SSL_CTX* made = nullptr;
  EXPECT_EQ(asked(hsmtls_identity_make_ssl_ctx, nullptr, &options, &made), HSMTLS_BAD_ARGUMENT);
}

TEST(WrongArguments, ATokenListDoesNotNeedAUser) {
  EXPECT_EQ(asked(hsmtls_tokens_list, module, every_token, nullptr), HSMTLS_MODULE_UNUSABLE);
}

}  // namespace
}  // namespace hsmtls::test
