// hsmtls_softhsm_admin init|ec|rsa MODULE SOFTHSM2_CONF TOKEN-LABEL SO-PIN USER-PIN KEY-LABEL
// KEY-ID-HEX
//
// Initialises a SoftHSM token or makes a key pair in it, then leaves without any clean-up.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/module.hpp"

namespace {

using hsmtls::test::module_under_test;

void check(CK_RV rv, const char* what) {
  if (rv == CKR_OK) return;
  char text[80];
  std::snprintf(text, sizeof text, "%s returned 0x%lx", what, static_cast<unsigned long>(rv));
  throw std::runtime_error(text);
}

CK_UTF8CHAR* utf8(std::string& text) {
  return reinterpret_cast<CK_UTF8CHAR*>(text.data());
}

std::vector<CK_SLOT_ID> slots(const module_under_test& module) {
  CK_ULONG count = 0;
  check(module->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> found(count);
  check(module->C_GetSlotList(CK_TRUE, found.data(), &count), "C_GetSlotList");
  found.resize(count);
  return found;
}

std::string padded(std::string label) {
  label.resize(32, ' ');
  return label;
}

CK_SLOT_ID slot_of(const module_under_test& module, const std::string& label) {
  for (const CK_SLOT_ID slot : slots(module)) {
    CK_TOKEN_INFO info;
    if (module->C_GetTokenInfo(slot, &info) == CKR_OK &&
        std::memcmp(info.label, padded(label).data(), sizeof info.label) == 0) {
      return slot;
    }
  }
  throw std::runtime_error("no token '" + label + "'");
}

CK_SESSION_HANDLE session(const module_under_test& module,
                          CK_SLOT_ID slot,
                          CK_USER_TYPE user,
                          std::string pin) {
  CK_SESSION_HANDLE opened = 0;
  check(module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &opened),
        "C_OpenSession");
  check(module->C_Login(opened, user, utf8(pin), pin.size()), "C_Login");
  return opened;
}

void initialise(const module_under_test& module,
                std::string label,
                std::string so_pin,
                std::string pin) {
  std::string name = padded(label);
  // SoftHSM always shows one slot more than it has tokens, as the last.
  check(module->C_InitToken(slots(module).back(), utf8(so_pin), so_pin.size(), utf8(name)),
        "C_InitToken");
  const CK_SESSION_HANDLE in = session(module, slot_of(module, label), CKU_SO, so_pin);
  check(module->C_InitPIN(in, utf8(pin), pin.size()), "C_InitPIN");
}

std::vector<CK_BYTE> from_hex(const std::string& digits) {
  std::vector<CK_BYTE> out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<CK_BYTE>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

void generate(const module_under_test& module,
              CK_SESSION_HANDLE in,
              bool rsa,
              std::string label,
              const std::string& id_digits) {
  std::vector<CK_BYTE> id = from_hex(id_digits);
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG bits = 2048;
  CK_BYTE exponent[] = {1, 0, 1};
  CK_BYTE p256[] = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
  std::vector<CK_ATTRIBUTE> public_key = {{CKA_TOKEN, &yes, sizeof yes},
                                          {CKA_PRIVATE, &no, sizeof no},
                                          {CKA_LABEL, label.data(), label.size()},
                                          {CKA_ID, id.data(), id.size()},
                                          {CKA_VERIFY, &yes, sizeof yes}};
  if (rsa) {
    public_key.push_back({CKA_MODULUS_BITS, &bits, sizeof bits});
    public_key.push_back({CKA_PUBLIC_EXPONENT, exponent, sizeof exponent});
  } else {
    public_key.push_back({CKA_EC_PARAMS, p256, sizeof p256});
  }
  std::vector<CK_ATTRIBUTE> private_key = {{CKA_TOKEN, &yes, sizeof yes},
                                           {CKA_PRIVATE, &yes, sizeof yes},
                                           {CKA_SENSITIVE, &yes, sizeof yes},
                                           {CKA_LABEL, label.data(), label.size()},
                                           {CKA_ID, id.data(), id.size()},
                                           {CKA_SIGN, &yes, sizeof yes}};
  CK_MECHANISM mechanism = {rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE made[2];
  check(module->C_GenerateKeyPair(in,
                                  &mechanism,
                                  public_key.data(),
                                  public_key.size(),
                                  private_key.data(),
                                  private_key.size(),
                                  &made[0],
                                  &made[1]),
        "C_GenerateKeyPair");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return 2;
  const std::string what = argv[1];
  try {
    setenv("SOFTHSM2_CONF", argv[3], 1);
    const module_under_test module(argv[2]);
    check(module->C_Initialize(nullptr), "C_Initialize");
    if (what == "init") {
      initialise(module, argv[4], argv[5], argv[6]);
    } else {
      const CK_SESSION_HANDLE in = session(module, slot_of(module, argv[4]), CKU_USER, argv[6]);
      generate(module, in, what == "rsa", argv[7], argv[8]);
    }
    check(module->C_Finalize(nullptr), "C_Finalize");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "softhsm admin: %s: %s\n", argv[1], error.what());
    _exit(1);
  }
  // Not through exit(): SoftHSM's destructors and OpenSSL's do not always agree on the order.
  _exit(0);
}
