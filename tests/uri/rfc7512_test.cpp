// RFC 7512 section 3: every example of the RFC, without the line breaks it was printed with, and
// the sentences of the RFC that say what has to be.
#include "tests/uri/support.hpp"

#include "core/pkcs11/uri/uri_match.hpp"

namespace hsmtls::pkcs11 {
namespace {

TEST(Rfc7512Examples, EmptyUriSelectsEverything) {
  EXPECT_EQ(parsed("pkcs11:"), uri{});
  EXPECT_EQ(build_uri(uri{}), "pkcs11:");
}

TEST(Rfc7512Examples, PublicKeyByItsLabel) {
  const uri u = parsed("pkcs11:object=my-pubkey;type=public");
  EXPECT_EQ(u.object, "my-pubkey");
  EXPECT_EQ(u.type, object_type::public_key);
  EXPECT_FALSE(u.token);
}

TEST(Rfc7512Examples, PrivateKeyWithPinSource) {
  const uri u = parsed("pkcs11:object=my-key;type=private?pin-source=file:/etc/token");
  EXPECT_EQ(u.object, "my-key");
  EXPECT_EQ(u.type, object_type::private_key);
  EXPECT_EQ(u.pin_source, (pin_location{pin_location::kind::file, "/etc/token"}));
}

// "Note the use of an empty value for the attribute "serial", which matches only empty
// "serialNumber" member of the "CK_TOKEN_INFO" structure."
TEST(Rfc7512Examples, CertificateInTheSoftwareToken) {
  const uri u = parsed(
      "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;"
      "model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial="
      "?pin-source=file:/etc/token_pin");
  EXPECT_EQ(u.token, "The Software PKCS#11 Softtoken");
  EXPECT_EQ(u.manufacturer, "Snake Oil, Inc.");
  EXPECT_EQ(u.model, "1.0");
  EXPECT_EQ(u.object, "my-certificate");
  EXPECT_EQ(u.type, object_type::certificate);
  EXPECT_EQ(u.id, (bytes{0x69, 0x95, 0x3E, 0x5C, 0xF4, 0xBD, 0xEC, 0x91}));
  EXPECT_EQ(u.serial, "");
  const token_description token{"The Software PKCS#11 Softtoken", "", "1.0", "Snake Oil, Inc.", {}};
  EXPECT_TRUE(matches_token(u, token));
  token_description with_serial = token;
  with_serial.serial = "1";
  EXPECT_FALSE(matches_token(u, with_serial));
}

TEST(Rfc7512Examples, ModuleName) {
  const uri u = parsed("pkcs11:object=my-sign-key;type=private?module-name=mypkcs11");
  EXPECT_EQ(u.module_name, "mypkcs11");
}

TEST(Rfc7512Examples, ModulePath) {
  const uri u = parsed("pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1");
  EXPECT_EQ(u.module_path, "/mnt/libmypkcs11.so.1");
}

TEST(Rfc7512Examples, PinValue) {
  const uri u = parsed(
      "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc."
      "?pin-value=the-pin");
  ASSERT_TRUE(u.pin_value);
  EXPECT_EQ(u.pin_value->view(), "the-pin");
}

TEST(Rfc7512Examples, SlotDescription) {
  EXPECT_EQ(parsed("pkcs11:slot-description=Sun%20Metaslot").slot_description, "Sun Metaslot");
}

TEST(Rfc7512Examples, Library) {
  const uri u = parsed(
      "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;"
      "library-version=1.23");
  EXPECT_EQ(u.library_manufacturer, "Snake Oil, Inc.");
  EXPECT_EQ(u.library_description, "Soft Token Library");
  EXPECT_EQ(u.library_version, (version_number{1, 23}));
}

// "Lowercase letters MAY be used in percent-encoding"; "library version "3" MUST be interpreted as
// "3" for the major and "0" for the minor version of the library."
TEST(Rfc7512Examples, LowerCaseEscapesAndVersionWithoutMinor) {
  const uri u = parsed(
      "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;"
      "id=%01%02%03%Ba%dd%Ca%fe%04%05%06");
  EXPECT_EQ(u.token, "My token% created by Joe");
  EXPECT_EQ(u.library_version, (version_number{3, 0}));
  EXPECT_EQ(u.id, (bytes{1, 2, 3, 0xBA, 0xDD, 0xCA, 0xFE, 4, 5, 6}));
}

// "If there is any need to include a literal "%;" substring, for example, both characters MUST be
// escaped. The token value MUST be read as "A name with a substring %;"."
TEST(Rfc7512Examples, PercentAndSemicolonInAName) {
  const uri u = parsed(
      "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert");
  EXPECT_EQ(u.token, "A name with a substring %;");
}

// "It MUST be encoded in octets according to the UTF-8 character encoding and then
// percent-encoded."
TEST(Rfc7512Examples, LetterOutsideAscii) {
  const uri u =
      parsed("pkcs11:token=A%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert");
  EXPECT_EQ(u.token, "A small A with acute: \xC3\xA1");
  EXPECT_EQ(build_uri(u),
            "pkcs11:token=A%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert");
}

// The RFC's own example breaks the RFC's own rule: the label is 34 bytes long, and CK_TOKEN_INFO
// has 32. "if the consumer of a PKCS #11 URI encounters values that would not be accepted by the
// PKCS #11 specification, it MUST refuse the URI as invalid"
TEST(Rfc7512Examples, LetterOutsideAsciiInALabelThatIsTooLong) {
  refused(
      "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;"
      "type=cert",
      uri_errc::too_long);
}

// "Both the path and query components MAY contain vendor-specific attributes. Attributes in the
// query component MUST be delimited by '&'."
TEST(Rfc7512Examples, VendorAttributes) {
  const uri u = parsed(
      "pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a"
      "?pin-source=file:/etc/token_pin&vendor-bbb=value-b");
  EXPECT_EQ(u.vendor, (std::map<std::string, std::string>{{"vendor-aaa", "value-a"}}));
  EXPECT_EQ(u.vendor_query, (std::multimap<std::string, std::string>{{"vendor-bbb", "value-b"}}));
  EXPECT_EQ(u.pin_source, (pin_location{pin_location::kind::file, "/etc/token_pin"}));
}

TEST(Rfc7512Comparison, IgnoresTheOrderOfAttributes) {
  EXPECT_EQ(parsed("pkcs11:object=a;token=b;x-2=c;x-1=d?module-name=m&pin-value=p"),
            parsed("pkcs11:x-1=d;token=b;x-2=c;object=a?pin-value=p&module-name=m"));
}

// "The value of the attribute "id" MUST be compared using the simple string comparison after all
// bytes are percent-encoded using uppercase letters for digits A-F."
TEST(Rfc7512Comparison, ReadsIdsInAnyEncoding) {
  EXPECT_EQ(parsed("pkcs11:id=abc"), parsed("pkcs11:id=%61%62%63"));
  EXPECT_EQ(parsed("pkcs11:id=%ba"), parsed("pkcs11:id=%BA"));
  EXPECT_NE(parsed("pkcs11:id=%BA"), parsed("pkcs11:id=%BA%00"));
}

// "resulting minor and major version numbers MUST be separately compared numerically"
TEST(Rfc7512Comparison, ComparesVersionsAsNumbers) {
  EXPECT_EQ(parsed("pkcs11:library-version=3"), parsed("pkcs11:library-version=3.0"));
  EXPECT_EQ(parsed("pkcs11:library-version=3.1"), parsed("pkcs11:library-version=03.001"));
  EXPECT_NE(parsed("pkcs11:library-version=3.1"), parsed("pkcs11:library-version=3.10"));
}

// "The value of the attribute "slot-id" MUST be ... compared numerically."
TEST(Rfc7512Comparison, ComparesSlotsAsNumbers) {
  EXPECT_EQ(parsed("pkcs11:slot-id=7"), parsed("pkcs11:slot-id=007"));
}

// "The value of the attribute "module-path" MUST be compared using the simple string comparison
// after the full syntax-based normalization"
TEST(Rfc7512Comparison, ResolvesDotSegmentsOfPaths) {
  const uri a = parsed("pkcs11:?module-path=/usr/lib/../lib/./p11.so&pin-source=file:/a/./pin");
  const uri b = parsed("pkcs11:?module-path=/usr/lib/p11.so&pin-source=/x/../a/pin");
  EXPECT_NE(a, b);
  EXPECT_TRUE(equivalent(a, b));
  EXPECT_FALSE(equivalent(a, parsed("pkcs11:?module-path=/usr/lib/p11.so")));
  EXPECT_TRUE(equivalent(parsed("pkcs11:?module-path=/a/b/.."), parsed("pkcs11:?module-path=/a/")));
  EXPECT_TRUE(equivalent(parsed("pkcs11:?module-path=/../a"), parsed("pkcs11:?module-path=/a")));
  EXPECT_FALSE(equivalent(parsed("pkcs11:?module-path=/a/"), parsed("pkcs11:?module-path=/a")));
}

TEST(Rfc7512Comparison, KeepsTheCaseOfNames) {
  EXPECT_NE(parsed("pkcs11:token=edge"), parsed("pkcs11:token=Edge"));
}

}  // namespace
}  // namespace hsmtls::pkcs11
