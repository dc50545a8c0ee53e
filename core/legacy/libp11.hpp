// libp11, found and loaded when it is first asked for, and never unloaded.
#pragma once

#include <string>

namespace hsmtls::legacy {

// libp11's PKCS11_SLOT, the same in all of libp11.so.2 and .so.3 (a test compares it). Its libp11.h is
// not included: it would need OpenSSL's headers.
struct p11_slot {
  char* manufacturer;
  char* description;
  unsigned char removable;
  void* token;  // PKCS11_TOKEN*; null: none is there
  void* data;
};

struct libp11 {
  // `bound_to` returns libp11 if it works with the copy of libcrypto that `address` is in; throws
  // UNSUPPORTED otherwise, or if there is no libp11. One thread at a time.
  static const libp11& bound_to(const void* address);

  // PKCS11_CTX*, PKCS11_KEY* and EVP_PKEY* are void* here: nothing of them is looked into.
  std::string file;
  void* (*new_context)();
  int (*load)(void* context, const char* module);
  void (*free_context)(void* context);
  int (*enumerate_slots)(void* context, p11_slot** slots, unsigned int* count);
  int (*enumerate_keys)(void* token, void** keys, unsigned int* count);
  void* (*private_key)(void* key);  // one reference
};

}  // namespace hsmtls::legacy
