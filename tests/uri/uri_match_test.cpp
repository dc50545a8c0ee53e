#include "core/pkcs11/uri/uri_match.hpp"

#include <algorithm>

#include "tests/uri/support.hpp"

namespace hsmtls::pkcs11 {
namespace {

template <std::size_t Size>
void fill(CK_UTF8CHAR (&field)[Size], std::string_view text, char padding = ' ') {
  std::fill_n(field, Size, static_cast<CK_UTF8CHAR>(padding));
  std::copy(text.begin(), text.end(), field);
}

CK_TOKEN_INFO token_info(std::string_view label, char padding = ' ') {
  CK_TOKEN_INFO info{};
  fill(info.label, label, padding);
  fill(info.serialNumber, "1234", padding);
  fill(info.manufacturerID, "Snake Oil, Inc.", padding);
  fill(info.model, "SoftHSM v2", padding);
  return info;
}

TEST(UriMatch, TrimsThePaddingOfFields) {
  const CK_TOKEN_INFO info = token_info("edge gateway");
  EXPECT_EQ(describe(info),
            (token_description{"edge gateway", "1234", "SoftHSM v2", "Snake Oil, Inc.", {}}));
  EXPECT_TRUE(matches_token(
      parsed("pkcs11:token=edge%20gateway;serial=1234;manufacturer=Snake%20Oil,%20Inc.;"
             "model=SoftHSM%20v2"),
      info));
}

TEST(UriMatch, ReadsAFieldThatIsFull) {
  const std::string label(32, 'x');
  EXPECT_TRUE(matches_token(parsed("pkcs11:token=" + label), token_info(label)));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=" + label.substr(1)), token_info(label)));
}

TEST(UriMatch, TrimsTheNulsOfModulesThatPadWithThem) {
  EXPECT_TRUE(matches_token(parsed("pkcs11:token=edge"), token_info("edge", '\0')));
  EXPECT_FALSE(
      matches_token(parsed("pkcs11:token=edge"), token_info(std::string_view("edge\0x", 6))));
}

TEST(UriMatch, ComparesWholeValues) {
  const CK_TOKEN_INFO info = token_info("edge");
  EXPECT_TRUE(matches_token(parsed("pkcs11:token=edge"), info));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=edg"), info));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=edge2"), info));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=Edge"), info));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=%20edge"), info));
}

TEST(UriMatch, TakesBlanksAtTheEndOfAValueForPadding) {
  EXPECT_TRUE(matches_token(parsed("pkcs11:token=edge%20%20"), token_info("edge")));
  EXPECT_TRUE(matches_token(parsed("pkcs11:token=%20"), token_info("")));
}

// "An attribute not present in the URI path component but known to a consumer matches everything.
// Each additional attribute present in the URI path component further restricts the selection."
TEST(UriMatch, LetsAnAbsentAttributeMatchEverything) {
  EXPECT_TRUE(matches_token(uri{}, token_info("edge")));
  EXPECT_TRUE(matches_token(parsed("pkcs11:object=a"), token_info("edge")));
  EXPECT_TRUE(matches_token(parsed("pkcs11:token=edge"), token_info("edge")));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=edge;serial=1"), token_info("edge")));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=edge;model=x"), token_info("edge")));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token=edge;manufacturer=x"), token_info("edge")));
}

// "An empty PKCS #11 URI path component attribute that does allow for an empty value matches a
// corresponding structure member or an object attribute with an empty value."
TEST(UriMatch, LetsAnEmptyAttributeMatchOnlyBlank) {
  EXPECT_TRUE(matches_token(parsed("pkcs11:token="), token_info("")));
  EXPECT_FALSE(matches_token(parsed("pkcs11:token="), token_info("edge")));
  EXPECT_TRUE(matches_object(parsed("pkcs11:object=;id="), {CKO_DATA, {}, ""}));
  EXPECT_FALSE(matches_object(parsed("pkcs11:object="), {CKO_DATA, {}, " "}));
  EXPECT_FALSE(matches_object(parsed("pkcs11:id="), {CKO_DATA, {0}, ""}));
}

// "An unrecognized attribute in the URI path component, including a vendor-specific attribute,
// SHOULD result in an empty set of matched resources."
TEST(UriMatch, LetsAVendorAttributeInThePathMatchNothing) {
  const uri u = parsed("pkcs11:x-a=b");
  EXPECT_FALSE(matches_token(u, token_info("edge")));
  EXPECT_FALSE(matches_slot(u, 0, CK_SLOT_INFO{}));
  EXPECT_FALSE(matches_library(u, CK_INFO{}));
  EXPECT_FALSE(matches_object(u, {}));
}

// "An unrecognized attribute in the URI query SHOULD be ignored."
TEST(UriMatch, IgnoresAVendorAttributeInTheQuery) {
  EXPECT_TRUE(matches_token(parsed("pkcs11:token=edge?x-a=b"), token_info("edge")));
}

TEST(UriMatch, ComparesSlots) {
  CK_SLOT_INFO info{};
  fill(info.slotDescription, "Sun Metaslot");
  fill(info.manufacturerID, "Sun");
  EXPECT_TRUE(matches_slot(
      parsed("pkcs11:slot-id=7;slot-description=Sun%20Metaslot;slot-manufacturer=Sun"), 7, info));
  EXPECT_TRUE(matches_slot(uri{}, 7, info));
  EXPECT_FALSE(matches_slot(parsed("pkcs11:slot-id=8"), 7, info));
  EXPECT_FALSE(matches_slot(parsed("pkcs11:slot-description=Sun"), 7, info));
  EXPECT_FALSE(matches_slot(parsed("pkcs11:slot-manufacturer=Su"), 7, info));
}

TEST(UriMatch, ComparesATokensSlotWhereItIsKnown) {
  const uri wanted = parsed("pkcs11:slot-id=7");
  EXPECT_TRUE(matches_token(wanted, describe(token_info("edge"))));
  EXPECT_TRUE(matches_token(wanted, describe(token_info("edge"), 7)));
  EXPECT_FALSE(matches_token(wanted, describe(token_info("edge"), 8)));
}

TEST(UriMatch, ComparesLibraries) {
  CK_INFO info{};
  fill(info.libraryDescription, "Soft Token Library");
  fill(info.manufacturerID, "Snake Oil, Inc.");
  info.libraryVersion = {3, 0};
  EXPECT_TRUE(matches_library(parsed("pkcs11:library-description=Soft%20Token%20Library;"
                                     "library-manufacturer=Snake%20Oil,%20Inc.;library-version=3"),
                              info));
  EXPECT_FALSE(matches_library(parsed("pkcs11:library-version=3.1"), info));
  EXPECT_FALSE(matches_library(parsed("pkcs11:library-version=2"), info));
  EXPECT_FALSE(matches_library(parsed("pkcs11:library-description=Soft"), info));
  EXPECT_FALSE(matches_library(parsed("pkcs11:library-manufacturer=Snake"), info));
}

TEST(UriMatch, ComparesObjects) {
  const object_attributes key{CKO_PRIVATE_KEY, {1, 2}, "device"};
  EXPECT_TRUE(matches_object(uri{}, key));
  EXPECT_TRUE(matches_object(parsed("pkcs11:object=device;id=%01%02;type=private"), key));
  EXPECT_FALSE(matches_object(parsed("pkcs11:object=devic"), key));
  EXPECT_FALSE(matches_object(parsed("pkcs11:object=device-key"), key));
  EXPECT_FALSE(matches_object(parsed("pkcs11:object=device%20"), key));
  EXPECT_FALSE(matches_object(parsed("pkcs11:id=%01"), key));
  EXPECT_FALSE(matches_object(parsed("pkcs11:id=%01%02%00"), key));
  EXPECT_FALSE(matches_object(parsed("pkcs11:type=public"), key));
}

}  // namespace
}  // namespace hsmtls::pkcs11
