// The mechanisms that the stub vendor has.
#pragma once

#include <pkcs11.h>

namespace hsmtls::stub {

struct mechanism_entry {
  CK_MECHANISM_TYPE type;
  CK_KEY_TYPE key_type;  // CKK_VENDOR_DEFINED: any, or none
  CK_FLAGS flags;
  CK_ULONG min_key;
  CK_ULONG max_key;
  CK_ULONG digest_len;  // bytes; 0 if it is no digest
};

inline constexpr CK_FLAGS signing = CKF_HW | CKF_SIGN | CKF_VERIFY;
inline constexpr CK_FLAGS ciphering = CKF_HW | CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP;
inline constexpr CK_KEY_TYPE any_key = CKK_VENDOR_DEFINED;

inline constexpr mechanism_entry mechanisms[] = {
    // The usual ones first: the table is searched from the front.
    {CKM_ECDSA, CKK_EC, signing, 256, 256, 0},
    {CKM_RSA_PKCS_PSS, CKK_RSA, signing, 512, 16384, 0},
    {CKM_RSA_PKCS,
     CKK_RSA,
     signing | ciphering | CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER,
     512,
     16384,
     0},
    {CKM_EDDSA, CKK_EC_EDWARDS, signing, 256, 256, 0},
    {CKM_ECDSA_SHA256, CKK_EC, signing, 256, 256, 0},
    {CKM_ECDSA_SHA384, CKK_EC, signing, 256, 256, 0},
    {CKM_ECDSA_SHA512, CKK_EC, signing, 256, 256, 0},
    {CKM_SHA256_RSA_PKCS, CKK_RSA, signing, 512, 16384, 0},
    {CKM_SHA384_RSA_PKCS, CKK_RSA, signing, 512, 16384, 0},
    {CKM_SHA512_RSA_PKCS, CKK_RSA, signing, 512, 16384, 0},
    {CKM_SHA256_RSA_PKCS_PSS, CKK_RSA, signing, 512, 16384, 0},
    {CKM_SHA384_RSA_PKCS_PSS, CKK_RSA, signing, 512, 16384, 0},
    {CKM_SHA512_RSA_PKCS_PSS, CKK_RSA, signing, 512, 16384, 0},
    {CKM_SHA256_HMAC, any_key, signing, 8, 512, 0},
    {CKM_SHA_1, any_key, CKF_DIGEST, 0, 0, 20},
    {CKM_SHA256, any_key, CKF_DIGEST, 0, 0, 32},
    {CKM_SHA384, any_key, CKF_DIGEST, 0, 0, 48},
    {CKM_SHA512, any_key, CKF_DIGEST, 0, 0, 64},
    {CKM_AES_ECB, CKK_AES, ciphering, 16, 32, 0},
    {CKM_AES_CBC, CKK_AES, ciphering, 16, 32, 0},
    {CKM_AES_CBC_PAD, CKK_AES, ciphering, 16, 32, 0},
    {CKM_AES_GCM, CKK_AES, ciphering, 16, 32, 0},
    {CKM_AES_KEY_GEN, CKK_AES, CKF_HW | CKF_GENERATE, 16, 32, 0},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, CKF_HW | CKF_GENERATE, 8, 512, 0},
    {CKM_EC_KEY_PAIR_GEN, CKK_EC, CKF_HW | CKF_GENERATE_KEY_PAIR, 256, 256, 0},
    {CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, CKF_HW | CKF_GENERATE_KEY_PAIR, 512, 16384, 0},
    {CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS, CKF_HW | CKF_GENERATE_KEY_PAIR, 256, 256, 0},
    {CKM_ECDH1_DERIVE, CKK_EC, CKF_HW | CKF_DERIVE, 256, 256, 0},
};

inline const mechanism_entry* find_mechanism(CK_MECHANISM_TYPE type) {
  for (const mechanism_entry& each : mechanisms) {
    if (each.type == type) return &each;
  }
  return nullptr;
}

}  // namespace hsmtls::stub
