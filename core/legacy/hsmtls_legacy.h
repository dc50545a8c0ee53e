/* libhsmtls-legacy.so: method keys from libp11, for hosts that take no provider key. Loaded only when
 * asked for; the one part of hsmtls that uses libp11, which it loads itself.
 *
 * A key that libhsmtls-pkcs11.so has open is shown to libp11 as the only key of a token without a
 * login (a view, see hsmtls_pkcs11.h). So libp11 sees no PIN and no other key, and its signatures go
 * through the recovery of libhsmtls-pkcs11.so.
 *
 * Rules: any thread; C; functions are only added, at the end of the table, so compare `size`.
 * HSMTLS_LIBP11 names the file of libp11 to use (not in set-uid programs).
 */
#ifndef HSMTLS_LEGACY_H
#define HSMTLS_LEGACY_H

#include "core/pkcs11/private/hsmtls_pkcs11.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HSMTLS_LEGACY_ABI 1

/* What keeps a method key working. */
typedef struct hsmtls_legacy_key hsmtls_legacy_key;

typedef struct hsmtls_legacy_functions {
  uint32_t abi;
  uint32_t size; /* sizeof this struct in the library */

  /* `method_key` makes an EVP_PKEY of an open RSA or EC key. `face` is the table that opened it.
   * `in_libcrypto` is any address inside the caller's libcrypto, best that of an object (what
   * EVP_sha256() returns): if libp11 is bound to another copy, the EVP_PKEY would be none of the
   * caller's, and the answer is UNSUPPORTED, with both files. UNSUPPORTED, too, if libp11 is not
   * installed, and for Ed25519.
   *
   * `*out_evp_pkey` (EVP_PKEY*) is one reference, the caller's. It signs until `*out` is released,
   * also in forked children, and fails afterwards; `key` may be released before. */
  int32_t (*method_key)(hsmtls_p11_key* key,
                        const hsmtls_p11_functions* face,
                        const void* in_libcrypto,
                        void** out_evp_pkey,
                        hsmtls_legacy_key** out,
                        hsmtls_p11_error* error);
  /* `key_release` (null: nothing) closes the key's sessions and lets go of its login. What libp11
   * itself has of the key, some kilobytes, stays: it frees more than it should (0.4.12). */
  void (*key_release)(hsmtls_legacy_key* key);
} hsmtls_legacy_functions;

/* `hsmtls_legacy_table` returns this library's table. */
__attribute__((visibility("default"))) const hsmtls_legacy_functions* hsmtls_legacy_table(void);

#ifdef __cplusplus
}
#endif

#endif
