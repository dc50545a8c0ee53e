#include "tests/bench/common/application.hpp"

#include <array>
#include <stdexcept>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::bench {
namespace {

void check(CK_RV rv, const char* what) {
  if (rv != CKR_OK) {
    throw std::runtime_error(std::string(what) + " returned " + pkcs11::rv_name(rv));
  }
}

constexpr std::size_t digest_size = 32;

// RFC 8017 section 9.2, note 1: a DigestInfo of SHA-256 begins like this.
constexpr std::array<CK_BYTE, 19> sha256_info = {0x30,
                                                 0x31,
                                                 0x30,
                                                 0x0d,
                                                 0x06,
                                                 0x09,
                                                 0x60,
                                                 0x86,
                                                 0x48,
                                                 0x01,
                                                 0x65,
                                                 0x03,
                                                 0x04,
                                                 0x02,
                                                 0x01,
                                                 0x05,
                                                 0x00,
                                                 0x04,
                                                 0x20};

}  // namespace

token_place token_place::from(const json& setup) {
  return {setup.at("module"), setup.at("token"), setup.at("pin")};
}

json token_place::as_json() const {
  return {{"module", module}, {"token", token}, {"pin", pin}};
}

scheme scheme_named(const std::string& name) {
  if (name == "ecdsa") return scheme::ecdsa;
  if (name == "pkcs1") return scheme::pkcs1;
  if (name == "pss") return scheme::pss;
  throw std::invalid_argument("unknown scheme: " + name);
}

application::application(const token_place& where, int sessions) : module_(where.module) {
  CK_C_INITIALIZE_ARGS threads{};
  threads.flags = CKF_OS_LOCKING_OK;
  check(module_->C_Initialize(&threads), "C_Initialize");
  slot_ = slot_of(where.token);
  for (int i = 0; i < sessions; ++i) sessions_.push_back(open(CKF_SERIAL_SESSION));
  std::string pin = where.pin;
  check(module_->C_Login(
            sessions_.front(), CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size()),
        "C_Login");
}

CK_SLOT_ID application::slot_of(const std::string& label) const {
  CK_ULONG count = 0;
  check(module_->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  check(module_->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slots.resize(count);
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    const bool readable = module_->C_GetTokenInfo(slot, &info) == CKR_OK;
    if (readable && pkcs11::unpadded(info.label) == label) return slot;
  }
  throw std::runtime_error("no token '" + label + "'");
}

CK_SESSION_HANDLE application::open(CK_FLAGS flags) const {
  CK_SESSION_HANDLE opened = 0;
  check(module_->C_OpenSession(slot_, flags, nullptr, nullptr, &opened), "C_OpenSession");
  return opened;
}

void application::use_key(CK_BYTE id) {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, &id, 1}};
  CK_ULONG count = 0;
  const CK_SESSION_HANDLE in = sessions_.front();
  check(module_->C_FindObjectsInit(in, pattern, 2), "C_FindObjectsInit");
  check(module_->C_FindObjects(in, &key_, 1, &count), "C_FindObjects");
  check(module_->C_FindObjectsFinal(in), "C_FindObjectsFinal");
  if (count != 1) throw std::runtime_error("no private key with that CKA_ID");
}

CK_RV application::try_sign(std::size_t session, scheme by) {
  CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, digest_size};
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  if (by == scheme::pkcs1) mechanism.mechanism = CKM_RSA_PKCS;
  if (by == scheme::pss) mechanism = {CKM_RSA_PKCS_PSS, &pss, sizeof pss};
  std::array<CK_BYTE, sha256_info.size() + digest_size> info{};
  std::copy(sha256_info.begin(), sha256_info.end(), info.begin());
  info.back() = 1;
  const bool whole = by == scheme::pkcs1;
  CK_BYTE* const data = whole ? info.data() : info.data() + sha256_info.size();
  std::array<CK_BYTE, 512> signature{};
  CK_ULONG length = signature.size();
  const CK_SESSION_HANDLE in = sessions_.at(session);
  if (const CK_RV rv = module_->C_SignInit(in, &mechanism, key_); rv != CKR_OK) return rv;
  return module_->C_Sign(in, data, whole ? info.size() : digest_size, signature.data(), &length);
}

void application::sign(std::size_t session, scheme by) {
  check(try_sign(session, by), "a signature");
}

std::size_t application::list_keys() {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class}};
  const CK_SESSION_HANDLE in = sessions_.front();
  std::vector<CK_OBJECT_HANDLE> found;
  check(module_->C_FindObjectsInit(in, pattern, 1), "C_FindObjectsInit");
  for (CK_ULONG count = 1; count > 0;) {
    CK_OBJECT_HANDLE one = 0;
    check(module_->C_FindObjects(in, &one, 1, &count), "C_FindObjects");
    if (count > 0) found.push_back(one);
  }
  check(module_->C_FindObjectsFinal(in), "C_FindObjectsFinal");
  for (const CK_OBJECT_HANDLE one : found) {
    for (const CK_ATTRIBUTE_TYPE type : {CKA_LABEL, CKA_ID}) {
      std::array<CK_BYTE, 256> value{};
      CK_ATTRIBUTE read{type, nullptr, 0};
      check(module_->C_GetAttributeValue(in, one, &read, 1), "C_GetAttributeValue");
      read.pValue = value.data();
      check(module_->C_GetAttributeValue(in, one, &read, 1), "C_GetAttributeValue");
    }
  }
  return found.size();
}

void application::make_keys(std::size_t count) {
  const CK_SESSION_HANDLE in = open(CKF_SERIAL_SESSION | CKF_RW_SESSION);
  CK_BBOOL yes = CK_TRUE;
  CK_BYTE p256[] = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  for (std::size_t i = 1; i <= count; ++i) {
    std::string label = "filler-" + std::to_string(i);
    CK_BYTE id[] = {0xf1, static_cast<CK_BYTE>(i >> 8), static_cast<CK_BYTE>(i)};
    CK_ATTRIBUTE public_half[] = {{CKA_TOKEN, &yes, sizeof yes},
                                  {CKA_LABEL, label.data(), label.size()},
                                  {CKA_ID, id, sizeof id},
                                  {CKA_EC_PARAMS, p256, sizeof p256}};
    CK_ATTRIBUTE private_half[] = {{CKA_TOKEN, &yes, sizeof yes},
                                   {CKA_PRIVATE, &yes, sizeof yes},
                                   {CKA_LABEL, label.data(), label.size()},
                                   {CKA_ID, id, sizeof id},
                                   {CKA_SIGN, &yes, sizeof yes}};
    CK_OBJECT_HANDLE made[2];
    check(module_->C_GenerateKeyPair(
              in, &mechanism, public_half, 4, private_half, 5, &made[0], &made[1]),
          "C_GenerateKeyPair");
  }
}

void application::leave() {
  check(module_->C_Finalize(nullptr), "C_Finalize");
}

}  // namespace hsmtls::bench
