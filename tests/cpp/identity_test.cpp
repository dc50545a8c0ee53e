// Identities in C++, without any type of OpenSSL.
#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <optional>
#include <sstream>

#include "hsmtls/hsmtls.hpp"
#include "tests/support/device.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CppIdentity : public testing::Test {
 protected:
  void SetUp() override {
    if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
    made.emplace();
    options.key = device::uri("ec");
    options.certificate = made->file("ec.pem");
    options.module = softhsm_module();
    options.login.pin_source = made->pin_source();
  }
  [[nodiscard]] access with_pin() const {
    access how;
    how.module = softhsm_module();
    how.login.pin = made->token().user_pin();
    return how;
  }
  static std::string text_of(const std::filesystem::path& file) {
    std::ostringstream all;
    all << std::ifstream(file).rdbuf();
    return all.str();
  }

  std::optional<device> made;
  identity_options options;
};

TEST_F(CppIdentity, IsOpenedAndSaysWhatItIs) {
  const identity one = identity::open(options);
  ASSERT_TRUE(one);
  const identity_info info = one.info();
  EXPECT_EQ(key_type::ec, info.key_type);
  EXPECT_EQ(256U, info.key_bits);
  EXPECT_EQ("EC P-256", info.key_name);
  EXPECT_EQ(1U, info.num_certificates);
  EXPECT_TRUE(info.properties.local);
  EXPECT_FALSE(info.properties.always_authenticate);
  EXPECT_THAT(info.key_uri, HasSubstr("object=ec"));
  EXPECT_EQ(text_of(made->file("ec.pem")), one.certificate_pem());
  EXPECT_EQ(info.key_uri, read_reference_pem(one.key_pem()));
  EXPECT_EQ(0U, one.counters().lost);
  EXPECT_FALSE(one.last_error());
}

TEST_F(CppIdentity, WritesItsFiles) {
  const identity one = identity::open(options);
  one.write_files(made->token().folder());
  EXPECT_EQ(one.key_pem(), text_of(made->file("key.pem")));
  EXPECT_EQ(one.certificate_pem(), text_of(made->file("certificate.pem")));
  diagnostics problem;
  one.write_files("/nonexistent", problem);
  EXPECT_EQ(errc::file_unreadable, problem.code());
}

TEST_F(CppIdentity, StaysOpenAsLongAsACopyIsThere) {
  identity one = identity::open(options);
  identity copy = one;
  one = identity();
  EXPECT_LT(0U, copy.counters().open_sessions);
  copy.close();
  diagnostics problem;
  EXPECT_EQ(0U, copy.counters(problem).open_sessions);
  EXPECT_EQ(errc::identity_closed, problem.code());
  EXPECT_EQ("EC P-256", copy.info().key_name) << "what it was stays known";
}

TEST_F(CppIdentity, AsksForThePinAndWithWhichLabel) {
  std::string asked;
  options.login = {};
  options.login.pin_callback = [&](const std::string& label) -> std::optional<std::string> {
    asked = label;
    return made->token().user_pin();
  };
  EXPECT_TRUE(identity::open(options));
  EXPECT_EQ("edge", asked);
}

TEST_F(CppIdentity, IsNotOpenedWhenThePinIsNotGiven) {
  options.login = {};
  options.login.pin_callback = [](const std::string&) { return std::nullopt; };
  diagnostics problem;
  EXPECT_FALSE(identity::open(options, problem));
  EXPECT_EQ(errc::pin_required, problem.code());
}

TEST_F(CppIdentity, LetsOutWhatThePinCallbackThrows) {
  options.login = {};
  options.login.pin_callback = [](const std::string&) -> std::optional<std::string> {
    throw std::runtime_error("the user went away");
  };
  EXPECT_THROW(identity::open(options), std::runtime_error);
  diagnostics problem;
  EXPECT_THROW(identity::open(options, problem), std::runtime_error);
}

TEST_F(CppIdentity, SaysThatThePinIsWrongAndWhatTheTokenSaid) {
  options.login = {};
  options.login.pin = "9999";
  try {
    identity::open(options);
    FAIL() << "opened";
  } catch (const error& problem) {
    EXPECT_EQ(errc::pin_incorrect, problem.code());
    EXPECT_EQ(error_class::token, problem.category());
    EXPECT_STREQ("CKR_PIN_INCORRECT", problem.ckr_name());
    EXPECT_EQ(0xa0U, problem.ckr());
    EXPECT_THAT(problem.what(), testing::Not(HasSubstr("9999")));
  }
}

TEST_F(CppIdentity, IsNotOpenedWhereTheKeyLacksWhatIsRequired) {
  options.require.always_authenticate = true;
  diagnostics problem;
  EXPECT_FALSE(identity::open(options, problem));
  EXPECT_EQ(errc::key_policy, problem.code());
}

TEST_F(CppIdentity, ForgetsItsSubscriberWhenItIsClosed) {
  const auto counted = std::make_shared<std::atomic<int>>(0);
  options.on_event = [counted](const event&) { ++*counted; };
  identity one = identity::open(options);
  options.on_event = nullptr;
  EXPECT_LT(1, counted.use_count());
  one.close();
  EXPECT_EQ(1, counted.use_count());
}

TEST_F(CppIdentity, ForgetsItsSubscriberWhenItIsNotOpened) {
  const auto counted = std::make_shared<std::atomic<int>>(0);
  options.on_event = [counted](const event&) { ++*counted; };
  options.key = "pkcs11:token=edge;object=nobody";
  diagnostics problem;
  identity::open(options, problem);
  EXPECT_EQ(errc::key_not_found, problem.code());
  options.on_event = nullptr;
  EXPECT_EQ(1, counted.use_count());
}

TEST_F(CppIdentity, NeedsNoCertificateForACertificateRequest) {
  options.certificate.clear();
  diagnostics problem;
  EXPECT_FALSE(identity::open(options, problem));
  EXPECT_EQ(errc::certificate_not_found, problem.code());
  options.without_certificate = true;
  EXPECT_EQ("", identity::open(options).certificate_pem());
}

TEST_F(CppIdentity, OfTheProviderInThisProcessIsInstalledOnce) {
  install_provider();
  diagnostics problem;
  install_provider(problem);
  EXPECT_FALSE(problem) << problem.message();
}

TEST_F(CppIdentity, HasATokenThatIsListed) {
  const std::vector<token_info> all = list_tokens(softhsm_module());
  const auto found = std::find_if(
      all.begin(), all.end(), [](const token_info& one) { return one.label == "edge"; });
  ASSERT_NE(all.end(), found);
  EXPECT_EQ("SoftHSM project", found->manufacturer);
  EXPECT_EQ(softhsm_module(), found->module);
  EXPECT_THAT(found->uri, StartsWith("pkcs11:"));
}

TEST_F(CppIdentity, HasATokenInWhichObjectsAreMadeFoundAndRemoved) {
  const access how = with_pin();
  const std::string key = generate_key("pkcs11:token=edge;object=new", generate_kind::p384, 0, how);
  std::vector<object_info> found = list_objects(key, how);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(object_class::private_key, found[0].object_class);
  EXPECT_TRUE(found[0].properties.never_extractable);
  EXPECT_EQ(20U, found[0].id.size());
  EXPECT_EQ(static_cast<uint32_t>(key_type::ec), found[0].key_type);

  const std::string certificate =
      import_certificate(device::uri("ec"), text_of(made->file("ec.pem")), how);
  found = list_objects(certificate, how);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(object_class::certificate, found[0].object_class);
  EXPECT_FALSE(found[0].value.empty());

  remove_object(certificate, how);
  EXPECT_TRUE(list_objects(certificate, how).empty());
  diagnostics problem;
  remove_object(certificate, how, problem);
  EXPECT_EQ(errc::key_not_found, problem.code());
}

TEST_F(CppIdentity, HasATokenWhosePinIsChanged) {
  change_pin("pkcs11:token=edge", "1234", "5678", softhsm_module());
  access how = with_pin();
  diagnostics problem;
  generate_key("pkcs11:token=edge;object=new", generate_kind::p256, 0, how, problem);
  EXPECT_EQ(errc::pin_incorrect, problem.code());
  how.login.pin = "5678";
  generate_key("pkcs11:token=edge;object=new", generate_kind::p256, 0, how);
}

TEST_F(CppIdentity, HasATokenThatIsNotErasedWhileItIsOpen) {
  const identity one = identity::open(options);
  diagnostics problem;
  init_token("pkcs11:token=edge", "other", "so-1234", "1234", softhsm_module(), problem);
  EXPECT_EQ(errc::in_use, problem.code());
}

}  // namespace
}  // namespace hsmtls::test
