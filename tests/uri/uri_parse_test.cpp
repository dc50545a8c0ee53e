#include "tests/uri/support.hpp"

#include <limits>

#include "core/pkcs11/uri/decimal.hpp"

namespace hsmtls::pkcs11 {
namespace {

using testing::HasSubstr;

TEST(UriParse, ReadsEveryAttribute) {
  const uri u = parsed(
      "pkcs11:token=t;manufacturer=m;serial=s;model=o;library-manufacturer=lm;library-version=2.40;"
      "library-description=ld;object=k;type=secret-key;id=%00%3B%25;slot-manufacturer=sm;"
      "slot-description=sd;slot-id=18446"
      "?pin-value=1234&module-name=n&module-path=/p");
  EXPECT_EQ(u.token, "t");
  EXPECT_EQ(u.manufacturer, "m");
  EXPECT_EQ(u.serial, "s");
  EXPECT_EQ(u.model, "o");
  EXPECT_EQ(u.library_manufacturer, "lm");
  EXPECT_EQ(u.library_version, (version_number{2, 40}));
  EXPECT_EQ(u.library_description, "ld");
  EXPECT_EQ(u.object, "k");
  EXPECT_EQ(u.type, object_type::secret_key);
  EXPECT_EQ(u.id, (bytes{0, ';', '%'}));
  EXPECT_EQ(u.slot_manufacturer, "sm");
  EXPECT_EQ(u.slot_description, "sd");
  EXPECT_EQ(u.slot_id, 18446U);
  EXPECT_EQ(u.pin_value, secret_text("1234"));
  EXPECT_EQ(u.module_name, "n");
  EXPECT_EQ(u.module_path, "/p");
}

TEST(UriParse, ReadsEveryType) {
  EXPECT_EQ(parsed("pkcs11:type=cert").type, object_type::certificate);
  EXPECT_EQ(parsed("pkcs11:type=data").type, object_type::data);
  EXPECT_EQ(parsed("pkcs11:type=private").type, object_type::private_key);
  EXPECT_EQ(parsed("pkcs11:type=public").type, object_type::public_key);
  EXPECT_EQ(parsed("pkcs11:type=secret-key").type, object_type::secret_key);
}

TEST(UriParse, ReadsTheSchemeInEitherCase) {
  EXPECT_EQ(parsed("PKCS11:token=a"), parsed("pkcs11:token=a"));
  EXPECT_EQ(parsed("Pkcs11:"), uri{});
}

TEST(UriParse, RefusesAnotherScheme) {
  for (const std::string_view text :
       {"", "pkcs11", "pkcs11;token=a", "pkcs12:token=a", " pkcs11:", "file:/x", "token=a"}) {
    const uri_problem problem = refused(text, uri_errc::not_a_pkcs11_uri);
    EXPECT_EQ(problem.offset, 0U);
    EXPECT_EQ(problem.message, "URI, offset 0: a PKCS #11 URI begins with 'pkcs11:'");
  }
}

TEST(UriParse, LetsPathAndQueryBeEmpty) {
  EXPECT_EQ(parsed("pkcs11:?"), uri{});
  EXPECT_EQ(parsed("pkcs11:token=a?").token, "a");
  EXPECT_EQ(parsed("pkcs11:?module-name=m").module_name, "m");
}

TEST(UriParse, TellsAnEmptyAttributeFromAnAbsentOne) {
  const uri u = parsed("pkcs11:token=;object=;id=");
  EXPECT_EQ(u.token, "");
  EXPECT_EQ(u.object, "");
  EXPECT_EQ(u.id, bytes{});
  EXPECT_FALSE(u.serial);
}

TEST(UriParse, RefusesAnEmptyValueWhereTheGrammarWantsOne) {
  refused("pkcs11:type=", uri_errc::bad_value);
  refused("pkcs11:slot-id=", uri_errc::bad_value);
  refused("pkcs11:library-version=", uri_errc::bad_value);
  refused("pkcs11:?module-name=", uri_errc::bad_value);
  refused("pkcs11:?module-path=", uri_errc::bad_value);
  refused("pkcs11:?pin-source=", uri_errc::bad_pin_source);
  EXPECT_EQ(parsed("pkcs11:?pin-value=").pin_value, secret_text(""));
}

TEST(UriParse, RefusesWhatIsNoAttribute) {
  EXPECT_EQ(refused("pkcs11:token", uri_errc::malformed_attribute).offset, 7U);
  EXPECT_EQ(refused("pkcs11:=a", uri_errc::malformed_attribute).offset, 7U);
  EXPECT_EQ(refused("pkcs11:token=a;", uri_errc::malformed_attribute).offset, 15U);
  EXPECT_EQ(refused("pkcs11:;token=a", uri_errc::malformed_attribute).offset, 7U);
  EXPECT_EQ(refused("pkcs11:token=a;;model=b", uri_errc::malformed_attribute).offset, 15U);
  EXPECT_EQ(refused("pkcs11:?&", uri_errc::malformed_attribute).offset, 8U);
  EXPECT_EQ(refused("pkcs11:?module-name=a&", uri_errc::malformed_attribute).offset, 22U);
  EXPECT_EQ(refused("pkcs11:to ken=a", uri_errc::malformed_attribute).offset, 7U);
}

// "unreserved / pk11-path-res-avail / pct-encoded", with the delimiter '&' of the other component
TEST(UriParse, AllowsTheReservedCharactersOfThePath) {
  EXPECT_EQ(parsed("pkcs11:object=:[]@!$'()*+,=&aZ09-._~").object, ":[]@!$'()*+,=&aZ09-._~");
}

// ""/" and "?" in the query component MAY be unencoded"
TEST(UriParse, AllowsTheReservedCharactersOfTheQuery) {
  EXPECT_EQ(parsed("pkcs11:?pin-value=:[]@!$'()*+,=/?|aZ09-._~").pin_value,
            secret_text(":[]@!$'()*+,=/?|aZ09-._~"));
}

// "The general '/' delimiter MUST be percent-encoded in the path component"; "The delimiter '#'
// MUST be always percent-encoded"; "a space must be percent-encoded"
TEST(UriParse, RefusesCharactersThatHaveToBeEncoded) {
  for (int c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    const bool in_path = std::isalnum(c) != 0 ? c < 128
                                              : std::string_view("-._~:[]@!$'()*+,=&").find(byte) !=
                                                    std::string_view::npos;
    if (c != '%' && c != ';' && c != '?') {
      const std::string text = std::string("pkcs11:id=ab") + byte + "c";
      EXPECT_EQ(static_cast<bool>(parse_uri(text)), in_path) << c;
      if (!in_path) {
        EXPECT_EQ(refused(text, uri_errc::character_not_allowed).offset, 12U);
      }
    }
    const bool in_query = (in_path && byte != '&') || byte == '/' || byte == '?' || byte == '|';
    if (c != '%' && c != '&') {
      const std::string text = std::string("pkcs11:?x-v=ab") + byte + "c";
      EXPECT_EQ(static_cast<bool>(parse_uri(text)), in_query) << c;
    }
  }
  EXPECT_EQ(refused("pkcs11:object=a/b", uri_errc::character_not_allowed).message,
            "URI, offset 15, attribute 'object': the character '/' has to be written %2F");
  EXPECT_EQ(refused("pkcs11:token=my token", uri_errc::character_not_allowed).message,
            "URI, offset 15, attribute 'token': the character ' ' has to be written %20");
}

TEST(UriParse, RefusesBrokenEscapes) {
  EXPECT_EQ(refused("pkcs11:object=a%", uri_errc::broken_escape).offset, 15U);
  EXPECT_EQ(refused("pkcs11:object=a%4", uri_errc::broken_escape).offset, 15U);
  EXPECT_EQ(refused("pkcs11:object=a%4;id=%01", uri_errc::broken_escape).offset, 15U);
  EXPECT_EQ(refused("pkcs11:id=%G0", uri_errc::broken_escape).offset, 10U);
  EXPECT_EQ(refused("pkcs11:id=%0G", uri_errc::broken_escape).offset, 10U);
  EXPECT_EQ(parsed("pkcs11:object=%25").object, "%");
}

// "A PKCS #11 URI MUST NOT contain duplicate attributes of the same name in the URI path
// component."
TEST(UriParse, RefusesDuplicatesInThePath) {
  EXPECT_EQ(refused("pkcs11:token=a;token=b", uri_errc::duplicate_attribute).message,
            "URI, offset 15, attribute 'token': it is there twice; leave one of them out");
  EXPECT_EQ(refused("pkcs11:token=a;object=b;token=a", uri_errc::duplicate_attribute).offset, 24U);
  refused("pkcs11:id=;id=", uri_errc::duplicate_attribute);
  refused("pkcs11:x-a=1;x-a=2", uri_errc::duplicate_attribute);
}

// "A URI MUST NOT contain multiple module attributes of the same name."
TEST(UriParse, RefusesDuplicatesOfTheQuerysOwnAttributes) {
  refused("pkcs11:?module-name=a&module-name=a", uri_errc::duplicate_attribute);
  refused("pkcs11:?module-path=/a&module-path=/b", uri_errc::duplicate_attribute);
  refused("pkcs11:?pin-value=a&pin-value=b", uri_errc::duplicate_attribute);
  refused("pkcs11:?pin-source=/a&pin-source=/b", uri_errc::duplicate_attribute);
}

// "Aside from the query attributes defined in this document, duplicate (vendor) attributes MAY be
// present in the URI query component"
TEST(UriParse, KeepsDuplicatesOfVendorsInTheQueryInTheirOrder) {
  const uri u = parsed("pkcs11:?x-b=2&x-a=1&x-b=1");
  EXPECT_EQ(build_uri(u), "pkcs11:?x-a=1&x-b=2&x-b=1");
}

// "If a URI contains both "pin-source" and "pin-value" query attributes, the URI SHOULD be refused
// as invalid."
TEST(UriParse, RefusesPinValueTogetherWithPinSource) {
  EXPECT_EQ(
      refused("pkcs11:?pin-source=/run/pin&pin-value=1234", uri_errc::conflicting_pins).offset,
      28U);
  EXPECT_EQ(
      refused("pkcs11:?pin-value=1234&pin-source=/run/pin", uri_errc::conflicting_pins).attribute,
      "pin-source");
}

// "For security reasons, a URI with a relative path in this attribute SHOULD be rejected."
TEST(UriParse, RefusesARelativeModulePath) {
  refused("pkcs11:?module-path=libp11.so", uri_errc::bad_value);
  refused("pkcs11:?module-path=../lib/libp11.so", uri_errc::bad_value);
}

// "The attribute "module-name" SHOULD contain a case-insensitive PKCS #11 module name (not path nor
// filename)"
TEST(UriParse, RefusesAPathAsModuleName) {
  refused("pkcs11:?module-name=../../tmp/evil", uri_errc::bad_value);
  refused("pkcs11:?module-name=a%2Fb", uri_errc::bad_value);
}

TEST(UriParse, SuggestsTheAttributeThatWasMeant) {
  const auto suggests = [](std::string_view text, const std::string& name) {
    EXPECT_THAT(refused(text, uri_errc::unknown_attribute).message,
                testing::EndsWith("did you mean '" + name + "'?"))
        << text;
  };
  suggests("pkcs11:objct=a", "object");
  suggests("pkcs11:tokne=a", "token");
  suggests("pkcs11:Token=a", "token");
  suggests("pkcs11:ID=a", "id");
  suggests("pkcs11:label=a", "object");
  suggests("pkcs11:slot=1", "slot-id");
  suggests("pkcs11:slot_id=1", "slot-id");
  suggests("pkcs11:slot-label=1", "slot-id");
  suggests("pkcs11:token-label=1", "token");
  suggests("pkcs11:library-verison=1", "library-version");
  suggests("pkcs11:serial-number=1", "serial");
  suggests("pkcs11:manufacture=1", "manufacturer");
  suggests("pkcs11:?pin-sorce=/p", "pin-source");
  suggests("pkcs11:?pinvalue=1", "pin-value");
  suggests("pkcs11:?module_path=/p", "module-path");
  EXPECT_EQ(refused("pkcs11:token=a;objct=b", uri_errc::unknown_attribute).message,
            "URI, offset 15: the attribute 'objct' is unknown; did you mean 'object'?");
}

TEST(UriParse, RefusesAnUnknownNameWithoutAVendorsPrefix) {
  EXPECT_EQ(
      refused("pkcs11:frobnicate=a", uri_errc::unknown_attribute).message,
      "URI, offset 7: the attribute 'frobnicate' is unknown; a vendor's own needs a prefix, as "
      "in 'x-foo'");
  refused("pkcs11:?frobnicate=a", uri_errc::unknown_attribute);
  refused("pkcs11:-a=b", uri_errc::unknown_attribute);
  refused("pkcs11:a-=b", uri_errc::unknown_attribute);
}

// "Both path and query components MAY contain vendor-specific attributes."
TEST(UriParse, KeepsVendorAttributes) {
  EXPECT_EQ(parsed("pkcs11:x-token=a").vendor.at("x-token"), "a");
  EXPECT_EQ(parsed("pkcs11:acme-hint=a%20b").vendor.at("acme-hint"), "a b");
  EXPECT_EQ(parsed("pkcs11:acme_hint=").vendor.at("acme_hint"), "");
  EXPECT_EQ(parsed("pkcs11:?x-a=b/c").vendor_query.find("x-a")->second, "b/c");
}

TEST(UriParse, SaysWhereAMisplacedAttributeBelongs) {
  EXPECT_EQ(refused("pkcs11:token=a;pin-source=/p", uri_errc::misplaced_attribute).message,
            "URI, offset 15, attribute 'pin-source': it belongs to the query, after '?'");
  EXPECT_EQ(refused("pkcs11:?object=a", uri_errc::misplaced_attribute).message,
            "URI, offset 8, attribute 'object': it belongs to the path, before '?'");
}

TEST(UriParse, NoticesAForgottenQuestionMark) {
  const uri_problem problem =
      refused("pkcs11:object=key&pin-value=1234", uri_errc::misplaced_attribute);
  EXPECT_EQ(problem.offset, 17U);
  EXPECT_THAT(problem.message, HasSubstr("the query begins with '?', not '&'"));
  refused("pkcs11:object=a&b&PIN-source=/p", uri_errc::misplaced_attribute);
  refused("pkcs11:type=private&module-path=/p", uri_errc::misplaced_attribute);
  refused("pkcs11:x-a=b&pin=1", uri_errc::misplaced_attribute);
  EXPECT_EQ(parsed("pkcs11:object=key%26pin-value=1").object, "key&pin-value=1");
  EXPECT_EQ(parsed("pkcs11:object=salt&pepper").object, "salt&pepper");
}

TEST(UriParse, NoticesASecondQuestionMark) {
  EXPECT_EQ(refused("pkcs11:?module-path=/p?pin-value=1234", uri_errc::misplaced_attribute).offset,
            22U);
  EXPECT_EQ(parsed("pkcs11:?module-path=/p%3Fpin-value=1").module_path, "/p?pin-value=1");
  EXPECT_EQ(parsed("pkcs11:?module-path=/p?x").module_path, "/p?x");
}

TEST(UriParse, RefusesAnotherType) {
  EXPECT_EQ(
      refused("pkcs11:type=privat", uri_errc::bad_value).message,
      "URI, offset 12, attribute 'type': it is none of cert, data, private, public, secret-key; "
      "did you mean 'private'?");
  refused("pkcs11:type=PRIVATE", uri_errc::bad_value);
  refused("pkcs11:type=cert%20", uri_errc::bad_value);
}

// "Both numbers are one byte in size"; "Both "M" and "N" MUST be decimal numbers."
TEST(UriParse, RefusesOtherVersions) {
  EXPECT_EQ(parsed("pkcs11:library-version=255.255").library_version, (version_number{255, 255}));
  for (const std::string_view version :
       {"256", "1.256", "1.", ".1", "1.2.3", "a", "1.a", "-1", "+1", "0x1", "1,2", "%31"}) {
    refused("pkcs11:library-version=" + std::string(version), uri_errc::bad_value);
  }
}

TEST(UriParse, RefusesASlotNumberThatDoesNotFit) {
  const auto most = std::numeric_limits<CK_SLOT_ID>::max();
  EXPECT_EQ(parsed("pkcs11:slot-id=" + std::to_string(most)).slot_id, most);
  const uri_problem problem =
      refused("pkcs11:slot-id=" + std::to_string(most) + "0", uri_errc::bad_value);
  EXPECT_THAT(problem.message, HasSubstr("does not fit"));
  for (const std::string_view number : {"-1", "+1", "0x1", "1.0", "a", "%31"}) {
    refused("pkcs11:slot-id=" + std::string(number), uri_errc::bad_value);
  }
}

TEST(UriParse, HoldsASlotNumberToFourBytesWhereTheyAre) {
  EXPECT_EQ(parse_decimal("4294967295", 0xFFFFFFFFU).value, 4294967295U);
  EXPECT_FALSE(parse_decimal("4294967296", 0xFFFFFFFFU).value);
  EXPECT_TRUE(parse_decimal("4294967296", 0xFFFFFFFFU).overflow);
  const auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(parse_decimal("18446744073709551615", most).value, most);
  EXPECT_TRUE(parse_decimal("18446744073709551616", most).overflow);
  EXPECT_EQ(parse_decimal(std::string(100, '0') + "7", most).value, 7U);
  EXPECT_FALSE(parse_decimal("99999999999999999999x", most).overflow);
}

// "if the consumer of a PKCS #11 URI encounters values that would not be accepted by the PKCS #11
// specification, it MUST refuse the URI as invalid"
TEST(UriParse, RefusesTextThatIsLongerThanItsField) {
  const auto limit = [](const std::string& name, std::size_t max_bytes) {
    const std::string uri_of = "pkcs11:" + name + "=";
    EXPECT_TRUE(parse_uri(uri_of + std::string(max_bytes, 'a'))) << name;
    const uri_problem problem =
        refused(uri_of + std::string(max_bytes + 1, 'a'), uri_errc::too_long);
    EXPECT_EQ(problem.attribute, name);
    EXPECT_THAT(problem.message,
                HasSubstr(std::to_string(max_bytes + 1) + " bytes long, but PKCS #11 allows " +
                          std::to_string(max_bytes)));
  };
  limit("token", 32);
  limit("manufacturer", 32);
  limit("model", 16);
  limit("serial", 16);
  limit("slot-description", 64);
  limit("slot-manufacturer", 32);
  limit("library-description", 32);
  limit("library-manufacturer", 32);
  EXPECT_TRUE(parse_uri("pkcs11:object=" + std::string(5000, 'a')));
  EXPECT_TRUE(parse_uri("pkcs11:id=" + std::string(5000, 'a')));
}

TEST(UriParse, CountsDecodedBytesNotCharacters) {
  std::string sixteen;
  for (int i = 0; i < 16; ++i) sixteen += "%C3%A1";
  EXPECT_TRUE(parse_uri("pkcs11:token=" + sixteen));
  refused("pkcs11:token=" + sixteen + "a", uri_errc::too_long);
}

TEST(UriParse, RefusesASerialOutsidePkcs11sCharacterSet) {
  EXPECT_EQ(parsed("pkcs11:serial=aZ%209%21%23%2F%3B%5C%7E").serial, "aZ 9!#/;\\~");
  EXPECT_EQ(refused("pkcs11:serial=a%C3%A1", uri_errc::bad_value).offset, 15U);
  refused("pkcs11:serial=a%09", uri_errc::bad_value);
  refused("pkcs11:serial=a@b", uri_errc::bad_value);
}

TEST(UriParse, RefusesNulInText) {
  EXPECT_EQ(refused("pkcs11:token=ab%00", uri_errc::not_text).offset, 15U);
  refused("pkcs11:object=%00", uri_errc::not_text);
  refused("pkcs11:x-a=%00", uri_errc::not_text);
  refused("pkcs11:?pin-value=1%00", uri_errc::not_text);
  refused("pkcs11:?pin-source=file:/a%00b", uri_errc::not_text);
  refused("pkcs11:?module-path=/a%00b", uri_errc::not_text);
}

TEST(UriParse, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(refused("pkcs11:object=%41b%FFc", uri_errc::not_text).message,
            "URI, offset 18, attribute 'object': its value has to be UTF-8 without NUL bytes; only "
            "'id' holds raw bytes");
  for (const std::string_view raw : {"%80",
                                     "%C3",
                                     "%C3a",
                                     "%C0%AF",
                                     "%E0%80%AF",
                                     "%ED%A0%80",
                                     "%F0%80%80%80",
                                     "%F4%90%80%80",
                                     "%F5%80%80%80",
                                     "%E2%82",
                                     "%E2%82a"}) {
    refused("pkcs11:object=" + std::string(raw), uri_errc::not_text);
  }
  EXPECT_TRUE(parse_uri("pkcs11:object=%E2%82%AC%F0%9F%94%91%F4%8F%BF%BF"));
}

TEST(UriParse, TakesAnyBytesAsId) {
  std::string text = "pkcs11:id=";
  bytes all;
  for (int c = 0; c < 256; ++c) {
    constexpr std::string_view digits = "0123456789abcdef";
    text +=
        {'%', digits[static_cast<std::size_t>(c) / 16], digits[static_cast<std::size_t>(c) % 16]};
    all.push_back(static_cast<std::uint8_t>(c));
  }
  EXPECT_EQ(parsed(text).id, all);
}

TEST(UriParse, StaysQuickOnALongText) {
  std::string text = "pkcs11:x-0=0";
  for (int i = 1; i < 100000; ++i) text += ";x-" + std::to_string(i) + "=" + std::to_string(i);
  EXPECT_EQ(parsed(text).vendor.size(), 100000U);
  EXPECT_FALSE(parse_uri("pkcs11:pin-" + std::string(1000000, 'x') + "=1"));
}

}  // namespace
}  // namespace hsmtls::pkcs11
