#include "tests/uri/support.hpp"

#include <random>

namespace hsmtls::pkcs11 {
namespace {

TEST(UriBuild, WritesAttributesInOneOrder) {
  const std::string text =
      "pkcs11:token=t;serial=s;manufacturer=m;model=o;slot-id=3;slot-description=sd;"
      "slot-manufacturer=sm;library-description=ld;library-manufacturer=lm;library-version=2.40;"
      "object=k;id=%00%61;type=private;x-a=1;x-b=2"
      "?pin-source=file:/run/pin&module-name=n&module-path=/p&x-c=3";
  EXPECT_EQ(build_uri(parsed(text)), text);
  EXPECT_EQ(
      build_uri(parsed("pkcs11:x-b=2;type=private;x-a=1;id=%00a;object=k;library-version=2.40;"
                       "library-manufacturer=lm;library-description=ld;slot-manufacturer=sm;"
                       "slot-description=sd;slot-id=03;model=o;manufacturer=m;serial=s;token=t"
                       "?x-c=3&module-path=/p&module-name=n&pin-source=/run/pin")),
      text);
}

// "the whole value of the "id" attribute SHOULD be percent-encoded"
TEST(UriBuild, EncodesEveryByteOfAnId) {
  uri u;
  u.id = bytes{'a', ';', 0, 0xFF};
  EXPECT_EQ(build_uri(u), "pkcs11:id=%61%3B%00%FF");
}

// "only those octets that do not correspond to characters in the unreserved set or to permitted
// characters from the reserved set SHOULD be percent-encoded"
TEST(UriBuild, EncodesOnlyWhatHasToBeEncodedInText) {
  uri u;
  u.object = "aZ09-._~:[]@!$'()*+,=& ;/?#%|\"\xC3\xA1";
  EXPECT_EQ(build_uri(u), "pkcs11:object=aZ09-._~:[]@!$'()*+,=&%20%3B%2F%3F%23%25%7C%22%C3%A1");
  uri q;
  q.module_path = "/aZ09-._~:[]@!$'()*+,=& ;/?#%|\"";
  EXPECT_EQ(build_uri(q), "pkcs11:?module-path=/aZ09-._~:[]@!$'()*+,=%26%20%3B/?%23%25|%22");
}

TEST(UriBuild, EncodesADelimiterThatWouldLookMistaken) {
  uri u;
  u.object = "key&pin-value=1";
  EXPECT_EQ(build_uri(u), "pkcs11:object=key%26pin-value=1");
  EXPECT_EQ(parsed(build_uri(u)), u);
  uri q;
  q.module_path = "/a?pin-value=1?b";
  EXPECT_EQ(build_uri(q), "pkcs11:?module-path=/a%3Fpin-value=1?b");
  EXPECT_EQ(parsed(build_uri(q)), q);
}

TEST(UriBuild, WritesThePin) {
  const uri u = parsed("pkcs11:token=a?pin-value=1%262");
  EXPECT_EQ(build_uri(u), "pkcs11:token=a?pin-value=1%262");
}

TEST(UriBuild, KeepsEmptyAttributes) {
  EXPECT_EQ(build_uri(parsed("pkcs11:serial=;token=;id=;object=?pin-value=")),
            "pkcs11:token=;serial=;object=;id=?pin-value=");
}

TEST(UriBuild, WritesOneFormOfAFilesPinSource) {
  for (const std::string_view source :
       {"/run/pin", "file:/run/pin", "file:///run/pin", "FILE://localhost/run/pin"}) {
    EXPECT_EQ(build_uri(parsed("pkcs11:?pin-source=" + std::string(source))),
              "pkcs11:?pin-source=file:/run/pin");
  }
}

TEST(UriBuild, IsReadBackAsAnEqualUri) {
  std::mt19937 random(7512);  // NOLINT(cert-msc51-cpp): the same URIs in each run
  const auto below = [&random](std::size_t n) { return random() % n; };
  const auto text = [&](std::size_t max) {
    static const std::vector<std::string> characters = {"a",
                                                        "Z",
                                                        "0",
                                                        "-",
                                                        "%",
                                                        ";",
                                                        "&",
                                                        "/",
                                                        "?",
                                                        "#",
                                                        " ",
                                                        "=",
                                                        "|",
                                                        "\n",
                                                        "\xC3\xA1",
                                                        "\xE2\x82\xAC",
                                                        "&pin-value=",
                                                        "?module-"};
    std::string value;
    while (value.size() < max && below(5) != 0) {
      const std::string& next = characters[below(characters.size())];
      if (value.size() + next.size() <= max) value += next;
    }
    return value;
  };
  for (int i = 0; i < 20000; ++i) {
    uri u;
    if (below(2)) u.token = text(32);
    if (below(2)) u.serial = std::string(below(17), "09;/%&= "[below(8)]);
    if (below(2)) u.manufacturer = text(32);
    if (below(2)) u.model = text(16);
    if (below(2)) u.slot_id = random();
    if (below(2)) u.slot_description = text(64);
    if (below(2)) u.slot_manufacturer = text(32);
    if (below(2)) u.library_description = text(32);
    if (below(2)) u.library_manufacturer = text(32);
    if (below(2))
      u.library_version =
          version_number{static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random())};
    if (below(2)) u.object = text(100);
    if (below(2)) u.id.emplace(below(40), static_cast<std::uint8_t>(random()));
    if (below(2)) u.type = static_cast<object_type>(below(5));
    if (below(4) == 0) u.vendor = {{"x-a", text(20)}, {"x-b", text(20)}};
    if (below(4) == 0) u.pin_value = secret_text(text(20));
    if (below(4) == 0 && !u.pin_value) {
      u.pin_source = pin_location{pin_location::kind::file, "/" + text(20)};
    }
    if (u.pin_source && u.pin_source->name.starts_with("//")) u.pin_source.reset();
    if (below(4) == 0) u.module_path = "/" + text(20);
    if (below(4) == 0) u.module_name = "softhsm2";
    if (below(4) == 0) u.vendor_query = {{"x-a", text(20)}, {"x-a", text(20)}};
    const uri_result again = parse_uri(build_uri(u));
    ASSERT_TRUE(again) << build_uri(u) << "\n" << again.problem.message;
    ASSERT_EQ(*again.value, u) << build_uri(u);
  }
}

TEST(ObjectTypes, MapToPkcs11sClassesAndBack) {
  EXPECT_EQ(class_of(object_type::certificate), CK_OBJECT_CLASS{CKO_CERTIFICATE});
  EXPECT_EQ(class_of(object_type::data), CK_OBJECT_CLASS{CKO_DATA});
  EXPECT_EQ(class_of(object_type::private_key), CK_OBJECT_CLASS{CKO_PRIVATE_KEY});
  EXPECT_EQ(class_of(object_type::public_key), CK_OBJECT_CLASS{CKO_PUBLIC_KEY});
  EXPECT_EQ(class_of(object_type::secret_key), CK_OBJECT_CLASS{CKO_SECRET_KEY});
  EXPECT_EQ(type_of(CKO_PRIVATE_KEY), object_type::private_key);
  EXPECT_EQ(type_of(CKO_DOMAIN_PARAMETERS), std::nullopt);
  EXPECT_EQ(type_name(object_type::secret_key), "secret-key");
}

}  // namespace
}  // namespace hsmtls::pkcs11
