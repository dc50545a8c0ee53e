#include "replace_key.hpp"

#include <cstring>
#include <optional>
#include <stdexcept>

#include "names.hpp"

namespace hsmtls::chaos {
namespace {

using value = std::vector<CK_BYTE>;

void check(CK_RV rv, const char* what) {
  if (rv != CKR_OK) throw std::runtime_error(std::string(what) + " returned " + rv_name(rv));
}

// A session of our own, logged in; leaves the application's login as it was.
class administration {
 public:
  administration(const vendor_module& vendor, CK_SLOT_ID slot, std::string& pin)
      : call_(vendor.functions) {
    check(
        call_.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_),
        "C_OpenSession");
    const CK_RV rv =
        call_.C_Login(session_, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
    logged_in_ = rv == CKR_OK;
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return;
    call_.C_CloseSession(session_);
    check(rv, "C_Login");
  }
  ~administration() {
    if (logged_in_) call_.C_Logout(session_);
    call_.C_CloseSession(session_);
  }
  administration(const administration&) = delete;
  administration& operator=(const administration&) = delete;

  std::vector<CK_OBJECT_HANDLE> find(CK_OBJECT_CLASS kind, value& id) const {
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &kind, sizeof kind}, {CKA_ID, id.data(), id.size()}};
    check(call_.C_FindObjectsInit(session_, wanted, std::size(wanted)), "C_FindObjectsInit");
    std::vector<CK_OBJECT_HANDLE> found(64);
    CK_ULONG count = 0;
    const CK_RV rv = call_.C_FindObjects(session_, found.data(), found.size(), &count);
    call_.C_FindObjectsFinal(session_);
    check(rv, "C_FindObjects");
    found.resize(count);
    return found;
  }

  std::optional<value> read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    CK_ATTRIBUTE asked = {type, nullptr, 0};
    if (call_.C_GetAttributeValue(session_, object, &asked, 1) != CKR_OK) return std::nullopt;
    value out(asked.ulValueLen);
    asked.pValue = out.data();
    if (call_.C_GetAttributeValue(session_, object, &asked, 1) != CKR_OK) return std::nullopt;
    return out;
  }

  void destroy(CK_OBJECT_HANDLE object) const {
    check(call_.C_DestroyObject(session_, object), "C_DestroyObject");
  }

  void generate(CK_MECHANISM_TYPE how,
                std::vector<CK_ATTRIBUTE>& public_key,
                std::vector<CK_ATTRIBUTE>& private_key) const {
    CK_MECHANISM mechanism = {how, nullptr, 0};
    CK_OBJECT_HANDLE made[2];
    check(call_.C_GenerateKeyPair(session_,
                                  &mechanism,
                                  public_key.data(),
                                  public_key.size(),
                                  private_key.data(),
                                  private_key.size(),
                                  &made[0],
                                  &made[1]),
          "C_GenerateKeyPair");
  }

 private:
  const CK_FUNCTION_LIST_3_0& call_;
  CK_SESSION_HANDLE session_ = 0;
  bool logged_in_ = false;
};

// What a new object takes over from the old one.
class inheritance {
 public:
  void take(const administration& from, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    if (auto read = from.read(object, type)) kept_.emplace_back(type, std::move(*read));
  }
  std::vector<CK_ATTRIBUTE> attributes() {
    std::vector<CK_ATTRIBUTE> all;
    for (auto& [type, bytes] : kept_) all.push_back({type, bytes.data(), bytes.size()});
    return all;
  }

 private:
  std::vector<std::pair<CK_ATTRIBUTE_TYPE, value>> kept_;
};

CK_ULONG to_ulong(const std::optional<value>& bytes) {
  CK_ULONG number = CK_UNAVAILABLE_INFORMATION;
  if (bytes && bytes->size() == sizeof number) std::memcpy(&number, bytes->data(), sizeof number);
  return number;
}

CK_MECHANISM_TYPE generator_of(CK_KEY_TYPE type) {
  switch (type) {
    case CKK_RSA:
      return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case CKK_EC:
      return CKM_EC_KEY_PAIR_GEN;
    case CKK_EC_EDWARDS:
      return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    default:
      throw std::runtime_error("cannot generate keys of this type");
  }
}

bool replace_in(const vendor_module& vendor, CK_SLOT_ID slot, value& id, std::string& pin) {
  const administration admin(vendor, slot, pin);
  const auto private_keys = admin.find(CKO_PRIVATE_KEY, id);
  const auto public_keys = admin.find(CKO_PUBLIC_KEY, id);
  if (private_keys.empty()) return false;
  if (private_keys.size() > 1) throw std::runtime_error("several private keys have this CKA_ID");
  if (public_keys.empty()) throw std::runtime_error("the key has no public half on the token");

  const CK_OBJECT_HANDLE old = private_keys.front();
  const CK_MECHANISM_TYPE generator = generator_of(to_ulong(admin.read(old, CKA_KEY_TYPE)));
  inheritance private_half;
  for (const auto type : {CKA_TOKEN,
                          CKA_PRIVATE,
                          CKA_LABEL,
                          CKA_ID,
                          CKA_SIGN,
                          CKA_DECRYPT,
                          CKA_DERIVE,
                          CKA_SENSITIVE,
                          CKA_EXTRACTABLE,
                          CKA_ALWAYS_AUTHENTICATE}) {
    private_half.take(admin, old, type);
  }
  inheritance public_half;
  for (const auto type : {CKA_TOKEN, CKA_PRIVATE, CKA_LABEL, CKA_ID, CKA_VERIFY, CKA_ENCRYPT}) {
    public_half.take(admin, public_keys.front(), type);
  }
  if (generator == CKM_RSA_PKCS_KEY_PAIR_GEN) {
    public_half.take(admin, public_keys.front(), CKA_MODULUS_BITS);
    public_half.take(admin, public_keys.front(), CKA_PUBLIC_EXPONENT);
  } else {
    public_half.take(admin, public_keys.front(), CKA_EC_PARAMS);
  }
  // The new pair first: if the token refuses it, the old one is still there.
  auto public_attributes = public_half.attributes();
  auto private_attributes = private_half.attributes();
  admin.generate(generator, public_attributes, private_attributes);
  admin.destroy(old);
  for (const CK_OBJECT_HANDLE each : public_keys) admin.destroy(each);
  return true;
}

}  // namespace

std::string replace_key(const vendor_module& vendor,
                        const std::vector<CK_SLOT_ID>& slots,
                        std::vector<CK_BYTE> id,
                        std::string pin) {
  bool replaced = false;
  try {
    if (slots.empty()) return "replace-key: the vendor's module is not initialised or has no slots";
    for (const CK_SLOT_ID slot : slots) {
      CK_TOKEN_INFO info;
      const bool usable = vendor.functions.C_GetTokenInfo(slot, &info) == CKR_OK &&
                          (info.flags & CKF_USER_PIN_INITIALIZED) != 0;
      if (usable) replaced = replace_in(vendor, slot, id, pin) || replaced;
    }
  } catch (const std::exception& error) {
    return std::string("replace-key: ") + error.what();
  }
  return replaced ? std::string() : "replace-key: no private key has this CKA_ID";
}

}  // namespace hsmtls::chaos
