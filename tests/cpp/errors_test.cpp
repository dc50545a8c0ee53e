// Errors in C++: as codes, as exceptions, and with what is beneath them.
#include <gmock/gmock.h>

#include <stdexcept>

#include "hsmtls/hsmtls.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

identity_options nowhere() {
  identity_options options;
  options.key = "pkcs11:token=edge";
  options.module = "/nonexistent/vendor.so";
  return options;
}

TEST(CppErrors, AreThrownWithCodeCategoryAndMessage) {
  try {
    identity::open(nowhere());
    FAIL() << "opened";
  } catch (const error& problem) {
    EXPECT_EQ(errc::module_unusable, problem.code());
    EXPECT_STREQ("hsmtls", problem.code().category().name());
    EXPECT_EQ("The PKCS#11 module is missing, or cannot be loaded or initialised.",
              problem.code().message());
    EXPECT_EQ(error_class::config, problem.category());
    EXPECT_THAT(problem.what(), HasSubstr("/nonexistent/vendor.so"));
  }
}

TEST(CppErrors, AreSystemErrors) {
  EXPECT_THROW(identity::open(nowhere()), std::system_error);
  EXPECT_THROW(list_tokens("/nonexistent/vendor.so"), std::exception);
}

TEST(CppErrors, ComeAsDiagnosticsWhereNothingIsToBeThrown) {
  diagnostics problem;
  const identity none = identity::open(nowhere(), problem);
  EXPECT_FALSE(none);
  EXPECT_TRUE(problem);
  EXPECT_EQ(errc::module_unusable, problem.code());
  EXPECT_STREQ("MODULE_UNUSABLE", problem.name());
  EXPECT_THAT(problem.message(), HasSubstr("/nonexistent/vendor.so"));
  EXPECT_EQ("pkcs11:object=a",
            read_reference_pem(write_reference_pem("pkcs11:object=a", problem), problem));
  EXPECT_FALSE(problem) << "a call that works clears it";
  EXPECT_EQ(std::error_code(), problem.code());
  EXPECT_STREQ("", problem.message());
  EXPECT_STREQ("OK", problem.name());
}

TEST(CppErrors, OutliveTheExceptionThatBroughtThem) {
  diagnostics kept;
  try {
    identity::open(nowhere());
  } catch (const error& problem) {
    kept = problem.details();
  }
  EXPECT_THAT(kept.message(), HasSubstr("/nonexistent/vendor.so"));
}

TEST(CppErrors, WithoutMemoryForAMessageSayTheSentenceOfTheirCode) {
  const error problem(diagnostics(HSMTLS_NO_MEMORY, nullptr));
  EXPECT_STREQ("There is no memory left.", problem.what());
  EXPECT_EQ(error_class::internal, problem.category());
}

TEST(CppErrors, OfALaterVersionHaveASentence) {
  EXPECT_EQ("An error that this version of the headers does not know.",
            error_category().message(99999));
}

TEST(CppErrors, OfAnIdentityThatIsNoneAreNamed) {
  identity none;
  diagnostics problem;
  EXPECT_EQ(0U, none.info(problem).key_bits);
  EXPECT_EQ(errc::bad_argument, problem.code());
  EXPECT_EQ(0U, none.counters(problem).open_sessions);
  EXPECT_EQ(errc::bad_argument, problem.code());
  EXPECT_THROW(none.write_files("/"), error);
  EXPECT_EQ("", none.key_pem());
  EXPECT_EQ("", none.certificate_pem());
  EXPECT_FALSE(none.last_error());
  none.close();
}

}  // namespace
}  // namespace hsmtls::test
