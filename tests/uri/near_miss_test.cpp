#include "core/pkcs11/uri/near_miss.hpp"

#include "tests/uri/support.hpp"

namespace hsmtls::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::Not;

const token_description edge{"edge", "1234", "SoftHSM v2", "SoftHSM project", {}};
const token_description spare{"spare", "", "", "", {}};

object_attributes key(std::string label, bytes id = {1}) {
  return {CKO_PRIVATE_KEY, std::move(id), std::move(label)};
}

std::string tokens(std::string_view text, const std::vector<token_description>& present) {
  return token_near_miss(parsed(text), present);
}

std::string objects(std::string_view text, const std::vector<object_attributes>& present) {
  return object_near_miss(parsed(text), edge, present);
}

TEST(TokenNearMiss, SuggestsTheTokenThatWasMeant) {
  EXPECT_EQ(tokens("pkcs11:token=egde", {edge, spare}),
            "no token is labelled 'egde'; tokens here: 'edge' (serial 1234), 'spare'; did you mean "
            "'edge'?");
}

TEST(TokenNearMiss, SuggestsNothingWhereNothingIsClose) {
  EXPECT_EQ(tokens("pkcs11:token=gateway", {edge, spare}),
            "no token is labelled 'gateway'; tokens here: 'edge' (serial 1234), 'spare'");
}

TEST(TokenNearMiss, SaysThatThereIsNoToken) {
  EXPECT_EQ(tokens("pkcs11:token=edge", {}), "no token is present in any slot");
}

TEST(TokenNearMiss, NamesTheAttributeThatDiffers) {
  EXPECT_EQ(tokens("pkcs11:token=edge;serial=9999", {edge, spare}),
            "token 'edge' (serial 1234) found, but its serial is '1234', not '9999'");
  EXPECT_EQ(tokens("pkcs11:token=edge;serial=1234;model=TPM", {edge}),
            "token 'edge' (serial 1234) found, but its model is 'SoftHSM v2', not 'TPM'");
  token_description twin = edge;
  twin.serial = "1235";
  EXPECT_EQ(
      tokens("pkcs11:token=edge;serial=1243", {edge, twin}),
      "2 tokens like it found, but their serials are '1234', '1235', not '1243'; did you mean "
      "'1234'?");
  EXPECT_EQ(tokens("pkcs11:manufacturer=Nobody", {edge}),
            "no token has the manufacturer 'Nobody'; tokens here: 'edge' (serial 1234)");
  EXPECT_EQ(tokens("pkcs11:token=", {edge}),
            "no token is without a label; tokens here: 'edge' (serial 1234)");
}

TEST(TokenNearMiss, NamesSlotsAndLibrariesWhereTheTokenWouldFit) {
  EXPECT_EQ(tokens("pkcs11:token=edge;slot-id=7", {edge, spare}),
            "token 'edge' (serial 1234) found, but not where the URI's slot and library attributes "
            "say");
}

TEST(TokenNearMiss, SaysThatAVendorAttributeMatchesNothing) {
  EXPECT_EQ(
      tokens("pkcs11:token=edge;x-foo=1", {edge}),
      "the URI has the vendor attribute 'x-foo', which is not known here, so nothing matches it "
      "(RFC 7512 section 2.5); remove it");
}

TEST(TokenNearMiss, ListsTenAndCountsTheRest) {
  std::vector<token_description> many;
  many.reserve(1001);
  for (int i = 0; i < 1000; ++i) many.push_back({"t" + std::to_string(i), "", "", "", {}});
  EXPECT_EQ(
      tokens("pkcs11:token=gateway", many),
      "no token is labelled 'gateway'; tokens here: 't0', 't1', 't2', 't3', 't4', 't5', 't6', "
      "'t7', 't8', 't9' and 990 more");
}

TEST(ObjectNearMiss, ListsTheKeysThatAreThere) {
  EXPECT_EQ(
      objects("pkcs11:token=edge;object=device-key;type=private",
              {key("device"), key("device-old", {2})}),
      "token 'edge' found; it has keys 'device', 'device-old'; none is labelled 'device-key'");
}

TEST(ObjectNearMiss, SuggestsTheKeyThatWasMeant) {
  EXPECT_EQ(objects("pkcs11:object=devcie", {key("device")}),
            "token 'edge' found; it has the key 'device'; none is labelled 'devcie'; did you mean "
            "'device'?");
}

TEST(ObjectNearMiss, FindsTheKeyAmongAThousand) {
  std::vector<object_attributes> many;
  many.reserve(1001);
  for (int i = 0; i < 1000; ++i) many.push_back(key("key-" + std::to_string(i)));
  many.push_back(key("device"));
  const std::string sentence = objects("pkcs11:object=devise", many);
  EXPECT_THAT(sentence, HasSubstr("'key-9' and 991 more; none is labelled 'devise'"));
  EXPECT_THAT(sentence, testing::EndsWith("did you mean 'device'?"));
}

TEST(ObjectNearMiss, SaysWhatElseIsThereInsteadOfAKey) {
  EXPECT_EQ(objects("pkcs11:object=device;type=private", {{CKO_CERTIFICATE, {1}, "device"}}),
            "token 'edge' found; it has no private key but the certificate 'device'");
  EXPECT_EQ(objects("pkcs11:object=device;type=private",
                    {{CKO_CERTIFICATE, {1}, "device"}, {CKO_PUBLIC_KEY, {1}, "device"}}),
            "token 'edge' found; it has no private key but objects 'device' (certificate, id %01), "
            "'device' (public key, id %01)");
  EXPECT_EQ(objects("pkcs11:type=cert", {}), "token 'edge' found; it has no certificate");
}

TEST(ObjectNearMiss, ComparesIdsWhereTheLabelFits) {
  EXPECT_EQ(objects("pkcs11:object=device;id=%02", {key("device"), key("other", {2})}),
            "token 'edge' found; it has the key 'device' (id %01); none has the id %02");
  EXPECT_EQ(
      objects("pkcs11:id=%03%00", {key("device"), key("", {2})}),
      "token 'edge' found; it has keys 'device' (id %01), (unlabelled, id %02); none has the id "
      "%03%00");
}

TEST(ObjectNearMiss, TellsNamesakesApart) {
  EXPECT_THAT(objects("pkcs11:object=gateway", {key("device"), key("device", {2})}),
              HasSubstr("keys 'device' (id %01), 'device' (id %02); none"));
}

TEST(ObjectNearMiss, ReadsOnWhenTheTokenIsEmpty) {
  EXPECT_EQ(objects("pkcs11:object=device", {}), "token 'edge' found; it has no objects");
}

TEST(ObjectNearMiss, RemindsOfTheLoginThatShowsPrivateObjects) {
  EXPECT_EQ(
      object_near_miss(parsed("pkcs11:type=private"), edge, {}, visibility::public_objects_only),
      "token 'edge' found; it has no private key; private objects show only after login, so "
      "give a PIN");
}

TEST(ObjectNearMiss, IsSafeForATerminal) {
  const std::string sentence =
      objects("pkcs11:object=device", {key("\x1B[2J\xFF\xC2\x9B'\\\n\xE2\x82\xAC")});
  EXPECT_THAT(sentence, HasSubstr("'\\x1b[2J\\xff\\xc2\\x9b\\x27\\x5c\\x0a\xE2\x82\xAC'"));
}

// The URIs that a sentence offers, in its brackets.
std::vector<uri> offered(const std::string& sentence) {
  std::vector<uri> uris;
  for (std::size_t at = sentence.find("(pkcs11:"); at != std::string::npos;
       at = sentence.find("(pkcs11:", at + 1)) {
    const std::size_t end = std::min(sentence.find("), ", at), sentence.size() - 1);
    const std::string_view text = std::string_view(sentence).substr(at + 1, end - at - 1);
    uris.push_back(parsed(text.substr(0, text.find(") and "))));
  }
  return uris;
}

TEST(AmbiguousObjects, OffersAUriForEachThatFitsItAlone) {
  const std::vector<located_object> fitting = {{edge, key("device")},
                                               {edge, key("device-old", {2})}};
  EXPECT_EQ(ambiguous_objects(parsed("pkcs11:token=edge?pin-source=/run/pin"), fitting),
            "the URI fits 2 keys; use a URI that fits one: 'device' "
            "(pkcs11:token=edge;object=device;id=%01;type=private), 'device-old' "
            "(pkcs11:token=edge;object=device-old;id=%02;type=private)");
}

TEST(AmbiguousObjects, NamesTheSerialWhereTwoTokensHaveTheKey) {
  token_description twin = edge;
  twin.serial = "5678";
  const std::vector<located_object> fitting = {{edge, key("device")}, {twin, key("device")}};
  EXPECT_EQ(ambiguous_objects(parsed("pkcs11:object=device"), fitting),
            "the URI fits 2 keys; use a URI that fits one: 'device' "
            "(pkcs11:token=edge;serial=1234;object=device;id=%01;type=private), 'device' "
            "(pkcs11:token=edge;serial=5678;object=device;id=%01;type=private)");
}

TEST(AmbiguousObjects, FitsExactlyOneInEveryCase) {
  token_description plain = edge;
  plain.slot_id = 1;
  token_description odd = plain;
  odd.label = "caf\xC3\xA9; (\xE2\x82\xAC) 100%";
  token_description raw = plain;
  raw.label = "latin \xE9";
  raw.serial = "a@b";
  raw.slot_id = 3;
  token_description raw_twin = raw;
  raw_twin.slot_id = 4;
  std::vector<located_object> fitting;
  for (const token_description& token : {plain, odd, raw, raw_twin}) {
    for (const bytes& id : {bytes{}, bytes{0, ';'}}) {
      fitting.push_back({token, key("device", id)});
    }
  }
  const std::vector<uri> uris = offered(ambiguous_objects(parsed("pkcs11:object=device"), fitting));
  ASSERT_EQ(uris.size(), fitting.size());
  for (std::size_t i = 0; i < uris.size(); ++i) {
    for (std::size_t k = 0; k < fitting.size(); ++k) {
      const bool fits =
          matches_token(uris[i], fitting[k].token) && matches_object(uris[i], fitting[k].object);
      EXPECT_EQ(fits, i == k) << build_uri(uris[i]);
    }
  }
}

TEST(AmbiguousObjects, SaysWhereNoUriTellsThemApart) {
  const std::vector<located_object> fitting = {{edge, key("device")}, {edge, key("device")}};
  EXPECT_EQ(
      ambiguous_objects(parsed("pkcs11:token=edge"), fitting),
      "the URI fits 2 keys; use a URI that fits one: 'device' (no URI tells it from another), "
      "'device' (no URI tells it from another)");
}

TEST(AmbiguousObjects, ListsTenAndCountsTheRest) {
  std::vector<located_object> fitting;
  fitting.reserve(1001);
  for (int i = 0; i < 1000; ++i) fitting.push_back({edge, key("key-" + std::to_string(i))});
  const std::string sentence = ambiguous_objects(parsed("pkcs11:token=edge"), fitting);
  EXPECT_THAT(sentence, testing::StartsWith("the URI fits 1000 keys; "));
  EXPECT_THAT(sentence, testing::EndsWith("object=key-9;id=%01;type=private) and 990 more"));
  EXPECT_THAT(sentence, Not(HasSubstr("key-10")));
  EXPECT_EQ(offered(sentence).size(), 10U);
}

TEST(AmbiguousTokens, OffersAUriForEachThatFitsItAlone) {
  token_description twin = edge;
  twin.serial = "5678";
  EXPECT_EQ(
      ambiguous_tokens(uri{}, std::vector{edge, twin, spare}),
      "the URI fits 3 tokens; use a URI that fits one: 'edge' (serial 1234) "
      "(pkcs11:token=edge;serial=1234), 'edge' (serial 5678) (pkcs11:token=edge;serial=5678), "
      "'spare' (pkcs11:token=spare)");
}

}  // namespace
}  // namespace hsmtls::pkcs11
