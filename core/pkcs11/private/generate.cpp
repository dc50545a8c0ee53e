// Key pairs made in the token. Templates hold what a signing key needs and nothing more:
// tpm2-pkcs11 1.9.0 refuses some attributes that others only ignore (CKA_DECRYPT=false gives
// CKR_GENERAL_ERROR).
#include <sys/random.h>

#include "core/pkcs11/private/objects.hpp"
#include "core/pkcs11/private/token_use.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct curve {
  uint32_t kind;
  CK_MECHANISM_TYPE mechanism;
  bytes params;  // DER
};

const curve* curve_of(uint32_t kind) {
  // RFC 5480 section 2.1.1.1: OBJECT IDENTIFIERs of the named curves. Ed25519: PKCS#11 v3.1 section
  // 6.3.5, PrintableString "edwards25519".
  static const curve& p256 =
      *new curve{HSMTLS_P11_GENERATE_P256,
                 CKM_EC_KEY_PAIR_GEN,
                 {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}};
  static const curve& p384 = *new curve{
      HSMTLS_P11_GENERATE_P384, CKM_EC_KEY_PAIR_GEN, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}};
  static const curve& p521 = *new curve{
      HSMTLS_P11_GENERATE_P521, CKM_EC_KEY_PAIR_GEN, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}};
  static const curve& ed25519 =
      *new curve{HSMTLS_P11_GENERATE_ED25519,
                 CKM_EC_EDWARDS_KEY_PAIR_GEN,
                 {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'}};
  for (const curve* one : {&p256, &p384, &p521, &ed25519}) {
    if (one->kind == kind) return one;
  }
  return nullptr;
}

bytes random_id() {
  bytes id(20);
  if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
    throw failure(HSMTLS_P11_INTERNAL, "no random bytes for a CKA_ID");
  return id;
}

// Two keys of one name would make every URI for them ambiguous.
void refuse_namesake(const opened_token& in, time_point until) {
  const auto refuse = [&](const uri& same, const char* what) {
    if (search(in.where, same, CKO_PRIVATE_KEY, 1, until).empty()) return;
    throw failure(HSMTLS_P11_EXISTS,
                  "token " + in.where.quoted_label() + " already has a private key with this " +
                      what + "; choose another, or remove that key first");
  };
  if (in.wanted.id) {
    uri same;
    same.id = in.wanted.id;
    refuse(same, "id");
  }
  if (in.wanted.object) {
    uri same;
    same.object = in.wanted.object;
    refuse(same, "label");
  }
}

}  // namespace

std::shared_ptr<key> generate(const char* uri_text,
                              uint32_t kind,
                              uint32_t bits,
                              const hsmtls_p11_login* login,
                              time_point until) {
  const curve* on = curve_of(kind);
  if (on == nullptr && kind != HSMTLS_P11_GENERATE_RSA)
    throw failure(HSMTLS_P11_BAD_ARGUMENT, "unknown kind of key");
  if (on == nullptr && (bits < 2048 || bits > 4096 || bits % 8 != 0)) {
    throw failure(HSMTLS_P11_BAD_ARGUMENT, "an RSA key has 2048 to 4096 bits, a multiple of 8");
  }
  opened_token in(uri_text, login, opened_token::login::required, until);
  const uri& wanted = in.wanted;
  if (wanted.type && *wanted.type != object_type::private_key) {
    throw failure(HSMTLS_P11_BAD_ARGUMENT,
                  "the URI of a key to be made has type=private, or no type");
  }
  refuse_namesake(in, until);

  object_recipe recipe;
  recipe.object_class = CKO_PRIVATE_KEY;
  recipe.id = wanted.id ? *wanted.id : random_id();
  const std::string name = wanted.object.value_or("");
  recipe.label.assign(name.begin(), name.end());

  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG modulus_bits = bits;
  bytes exponent{0x01, 0x00, 0x01};
  bytes params = on != nullptr ? on->params : bytes{};
  std::vector<CK_ATTRIBUTE> public_half{
      attribute(CKA_TOKEN, yes), attribute(CKA_VERIFY, yes), attribute(CKA_ID, recipe.id)};
  std::vector<CK_ATTRIBUTE> private_half{attribute(CKA_TOKEN, yes),
                                         attribute(CKA_PRIVATE, yes),
                                         attribute(CKA_SENSITIVE, yes),
                                         attribute(CKA_SIGN, yes),
                                         attribute(CKA_EXTRACTABLE, no),
                                         attribute(CKA_ID, recipe.id)};
  if (!recipe.label.empty()) {
    public_half.push_back(attribute(CKA_LABEL, recipe.label));
    private_half.push_back(attribute(CKA_LABEL, recipe.label));
  }
  if (on != nullptr) {
    public_half.push_back(attribute(CKA_EC_PARAMS, params));
  } else {
    public_half.push_back(attribute(CKA_MODULUS_BITS, modulus_bits));
    public_half.push_back(attribute(CKA_PUBLIC_EXPONENT, exponent));
  }
  CK_MECHANISM mechanism{on != nullptr ? on->mechanism : CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  const auto make = [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
    CK_OBJECT_HANDLE made[2];
    return invoke(vendor.C_GenerateKeyPair,
                  session,
                  &mechanism,
                  public_half.data(),
                  static_cast<CK_ULONG>(public_half.size()),
                  private_half.data(),
                  static_cast<CK_ULONG>(private_half.size()),
                  &made[0],
                  &made[1]);
  };
  check(change_token(in.behind(), until, make),
        "generate a key in token " + in.where.quoted_label());
  // While the login lasts: the user is asked for the PIN once.
  return key::open(parse_or_throw(uri_for(in.where, recipe).c_str()),
                   only_module_of(login),
                   std::move(in.pins),
                   until);
}

}  // namespace hsmtls::pkcs11
