#include "core/pkcs11/uri/pin_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hsmtls::pkcs11 {
namespace {

using kind = pin_location::kind;
using testing::HasSubstr;

void expect_reads(std::string_view text, const pin_location& location) {
  const pin_location_result result = parse_pin_source(text);
  ASSERT_TRUE(result.value) << text << ": " << result.problem;
  EXPECT_EQ(*result.value, location) << text;
  EXPECT_EQ(parse_pin_source(pin_source_text(location)).value, location) << text;
}

std::string problem_of(std::string_view text) {
  const pin_location_result result = parse_pin_source(text);
  EXPECT_FALSE(result.value) << text;
  EXPECT_THAT(result.problem, HasSubstr("write file:/absolute/path"));
  return result.problem;
}

TEST(PinSource, ReadsAFileInEveryForm) {
  for (const std::string_view text : {"/run/pin",
                                      "file:/run/pin",
                                      "file:///run/pin",
                                      "file://localhost/run/pin",
                                      "FILE:/run/pin"}) {
    expect_reads(text, {kind::file, "/run/pin"});
  }
}

TEST(PinSource, ReadsAVariableAndACredential) {
  expect_reads("env:TOKEN_PIN", {kind::environment, "TOKEN_PIN"});
  expect_reads("credential:token-pin", {kind::credential, "token-pin"});
}

TEST(PinSource, RefusesACommandByName) {
  EXPECT_THAT(problem_of("|/usr/lib/getpin"), HasSubstr("|command form is not supported"));
}

TEST(PinSource, RefusesARelativeFile) {
  EXPECT_THAT(problem_of("file:pin.txt"), HasSubstr("not absolute"));
  problem_of("file:");
  problem_of("pin.txt");
  problem_of("");
}

TEST(PinSource, RefusesAPathThatWouldReadAsAHost) {
  problem_of("//run/pin");
  problem_of("file:////run/pin");
}

TEST(PinSource, RefusesAnotherHost) {
  problem_of("file://example.com/pin");
  problem_of("file://localhost");
}

TEST(PinSource, RefusesOtherSchemesByName) {
  EXPECT_THAT(problem_of("https://example.com/pin"), HasSubstr("https: is not supported"));
  EXPECT_THAT(problem_of("pkcs11:object=pin"), HasSubstr("pkcs11: is not supported"));
}

TEST(PinSource, RefusesWhatIsNoName) {
  problem_of("env:");
  problem_of("env:1A");
  problem_of("env:A=B");
  problem_of("credential:");
  problem_of("credential:..");
  problem_of("credential:../shadow");
}

TEST(PinSource, NeverRepeatsTheText) {
  EXPECT_THAT(problem_of("123456"), testing::Not(HasSubstr("123456")));
  EXPECT_THAT(problem_of("12:3456"), testing::Not(HasSubstr("12")));
}

}  // namespace
}  // namespace hsmtls::pkcs11
