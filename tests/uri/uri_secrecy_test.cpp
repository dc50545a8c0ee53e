// No PIN in any message, whatever was mistyped around it.
#include "tests/uri/support.hpp"

#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/uri/near_miss.hpp"

namespace hsmtls::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(UriSecrecy, KeepsThePinOutOfEveryRefusal) {
  for (const std::string_view text : {
           "pkcs11:?pin-value=Tr0ub4 d0r",
           "pkcs11:?pin-value=Tr0ub4#d0r",
           "pkcs11:?pin-value=Tr0ub4;d0r",
           "pkcs11:?pin-value=Tr0ub4%d0r",
           "pkcs11:?pin-value=Tr0ub4%00d0r",
           "pkcs11:?pin-value=Tr0ub4%FFd0r",
           "pkcs11:?pin-value=x&Tr0ub4d0r",
           "pkcs11:?pin-value=x&Tr0ub4d0r=",
           "pkcs11:?pin-value=x&Tr0ub4-d0r/=",
           "pkcs11:?x-pin=x&Tr0ub4d0r=",
           "pkcs11:?pin-value:Tr0ub4d0r",
           "pkcs11:?pin-vlaue=Tr0ub4d0r",
           "pkcs11:?pinvalue=Tr0ub4d0r",
           "pkcs11:?pin=Tr0ub4d0r",
           "pkcs11:?password=Tr0ub4d0r",
           "pkcs11:?pin-source=Tr0ub4d0r",
           "pkcs11:?pin-source=Tr0ub4:d0r",
           "pkcs11:?pin-source=file:Tr0ub4d0r",
           "pkcs11:?pin-source=env:Tr0ub4 d0r",
           "pkcs11:?pin-source=/p&pin-value=Tr0ub4d0r",
           "pkcs11:?pin-value=Tr0ub4d0r&pin-source=/p",
           "pkcs11:?pin-value=Tr0ub4d0r&pin-value=Tr0ub4d0r",
           "pkcs11:?module-path=Tr0ub4d0r",
           "pkcs11:?module-name=Tr0ub4/d0r",
           "pkcs11:pin-value=Tr0ub4d0r",
           "pkcs11:token=a;pin-value=Tr0ub4d0r",
           "pkcs11:object=a&pin-value=Tr0ub4d0r",
           "pkcs11:type=private&pin-value=Tr0ub4d0r",
           "pkcs11:type=private&pin-vlaue=Tr0ub4d0r",
           "pkcs11:slot-id=1&pin-value=Tr0ub4d0r",
           "pkcs11:library-version=1&pin-value=Tr0ub4d0r",
           "pkcs11:object=a&pin-value=x;Tr0ub4d0r=",
           "pkcs11:x-pin=x;Tr0ub4d0r=",
           "pkcs11:?module-path=/p?pin-value=Tr0ub4d0r",
           "pkcs11:?x-a=b?pin-value=Tr0ub4d0r",
           "pkcs11:?pin-value=Tr0ub4?pin-d0r",
           "pkcs12:?pin-value=Tr0ub4d0r",
           "pkcs11?pin-value=Tr0ub4d0r",
       }) {
    const uri_result result = parse_uri(text);
    EXPECT_FALSE(result) << text;
    EXPECT_THAT(result.problem.message, Not(HasSubstr("Tr0ub4"))) << text;
    EXPECT_THAT(result.problem.message, Not(HasSubstr("d0r"))) << text;
    EXPECT_FALSE(result.problem.message.empty());
  }
}

TEST(UriSecrecy, PointsAtTheNameOfAPinNotIntoIt) {
  EXPECT_EQ(refused("pkcs11:?pin-value=123 45", uri_errc::character_not_allowed).offset, 8U);
  EXPECT_EQ(refused("pkcs11:?pin-value=123%0045", uri_errc::not_text).offset, 8U);
}

TEST(UriSecrecy, RedactsThePin) {
  EXPECT_EQ(redacted_uri(parsed("pkcs11:token=a?pin-value=1234&module-name=m")),
            "pkcs11:token=a?pin-value=redacted&module-name=m");
  EXPECT_EQ(redacted_uri(parsed("pkcs11:token=a?pin-value=")), "pkcs11:token=a?pin-value=redacted");
  EXPECT_EQ(redacted_uri(parsed("pkcs11:token=a?pin-source=/run/pin")),
            "pkcs11:token=a?pin-source=file:/run/pin");
}

// The name that an early draft of the RFC had for it.
TEST(UriSecrecy, RedactsAVendorsPin) {
  EXPECT_EQ(redacted_uri(parsed("pkcs11:x-PIN=1234?x-pin-value=1234&x-b=c")),
            "pkcs11:x-PIN=redacted?x-b=c&x-pin-value=redacted");
}

TEST(UriSecrecy, CutsALabelThatHoldsAPin) {
  const uri wanted = parsed("pkcs11:object=key%26pin-value%3D1234");
  const std::string sentence = object_near_miss(wanted, {"edge", "", "", "", {}}, {});
  EXPECT_EQ(sentence, "token 'edge' found; it has no objects");
  const std::vector<object_attributes> present = {{CKO_PRIVATE_KEY, {1}, "other"}};
  EXPECT_THAT(object_near_miss(wanted, {"edge", "", "", "", {}}, present), Not(HasSubstr("1234")));
  EXPECT_EQ(quoted_name("key&PIN-value=1234"), "'key&...'");
}

TEST(UriSecrecy, LeavesThePinOutOfSuggestedUris) {
  const uri wanted = parsed("pkcs11:token=edge?pin-value=1234&module-path=/m.so");
  const token_description token{"edge", "", "", "", {}};
  const std::vector<located_object> fitting = {{token, {CKO_PRIVATE_KEY, {1}, "a"}},
                                               {token, {CKO_PRIVATE_KEY, {2}, "b"}}};
  const std::string sentence = ambiguous_objects(wanted, fitting);
  EXPECT_THAT(sentence, Not(HasSubstr("1234")));
  EXPECT_THAT(sentence, Not(HasSubstr("?")));
}

TEST(SecretText, IsEmptyAfterItWasMovedFrom) {
  secret_text pin("1234");
  const secret_text copy = pin;
  const secret_text moved = std::move(pin);
  EXPECT_EQ(moved.view(), "1234");
  EXPECT_EQ(copy, moved);
  EXPECT_EQ(pin.view(), "");  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
}

TEST(SecretText, NeverGrowsItsBlock) {
  secret_text pin = secret_text::with_capacity(1);
  pin.push_back('1');
  EXPECT_THROW(pin.push_back('2'), std::length_error);
  EXPECT_EQ(pin.view(), "1");
  pin = secret_text("56");
  EXPECT_EQ(pin.view(), "56");
}

}  // namespace
}  // namespace hsmtls::pkcs11
