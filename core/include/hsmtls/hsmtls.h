/* hsmtls: mutual TLS with a private key that stays in an HSM or TPM.
 *
 * This is the C face of libhsmtls.so; hsmtls.hpp is the C++ face on top of it, hsmtls_openssl.h
 * what deals in OpenSSL's types.
 *
 * Said once, true of all of it:
 * - Every function may be called from any thread, and from several at once.
 * - A function that can fail returns an int32_t: HSMTLS_OK or one of errors.h. It then writes to
 *   `out_error` (null: not wanted) an error that the caller gives back with hsmtls_error_free.
 * - Outputs are written on success only. What is written to `out_…` belongs to the caller, who
 *   gives it back with the `_free` or `_release` of its type; each accepts null.
 * - Text is UTF-8 and ends with a NUL. What a caller passes is copied before the call returns. A
 *   `const char*` that is returned lives as long as the handle that it was asked of.
 * - `_ms` is milliseconds and counts from the call; 0: the configured default (HSMTLS_DEADLINE_MS,
 *   2000). `_len` is bytes.
 * - Structs begin with `struct_size`: write sizeof there and zero the rest. Fields are only added,
 *   at the end; what the library does not know must be zero, or the call fails.
 * - Callbacks must not throw, unwind, or call back into hsmtls, except where it says so. A callback
 *   comes with a `user` pointer; where it outlives the call, with a release function that is called
 *   once, when it will not be called any more.
 * - No text of ours ever holds a PIN.
 */
#ifndef HSMTLS_H
#define HSMTLS_H

#include <stdint.h>

#include "hsmtls/errors.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HSMTLS_API __attribute__((visibility("default")))
#else
#define HSMTLS_API
#endif

/* Which functions and fields there are. A library with another first number is another library. */
#define HSMTLS_ABI_MAJOR 1u
#define HSMTLS_ABI_MINOR 0u

/* hsmtls_abi_version returns major << 16 | minor of the loaded library. */
HSMTLS_API uint32_t hsmtls_abi_version(void);
/* hsmtls_version returns "0.1.0" and the like. Static. */
HSMTLS_API const char* hsmtls_version(void);

/* ---- errors ---------------------------------------------------------------------------------- */

typedef struct hsmtls_error hsmtls_error;

/* hsmtls_error_code_of returns its hsmtls_error_code; HSMTLS_OK for null. */
HSMTLS_API int32_t hsmtls_error_code_of(const hsmtls_error* error);
/* hsmtls_error_message returns one or two sentences: what was wrong, and what to do. */
HSMTLS_API const char* hsmtls_error_message(const hsmtls_error* error);
/* hsmtls_error_ckr returns the CK_RV beneath (PKCS#11 v3.1 section 5.1); 0: none. */
HSMTLS_API uint64_t hsmtls_error_ckr(const hsmtls_error* error);
/* hsmtls_error_ckr_name returns "CKR_PIN_LOCKED" and the like; "" where there is none. */
HSMTLS_API const char* hsmtls_error_ckr_name(const hsmtls_error* error);
/* hsmtls_error_openssl returns OpenSSL's packed code beneath (ERR_get_error(3)); 0: none. */
HSMTLS_API uint64_t hsmtls_error_openssl(const hsmtls_error* error);
/* hsmtls_error_openssl_reason returns OpenSSL's reason string; "" where there is none. */
HSMTLS_API const char* hsmtls_error_openssl_reason(const hsmtls_error* error);
HSMTLS_API void hsmtls_error_free(hsmtls_error* error);

/* hsmtls_code_name returns "PIN_LOCKED" for HSMTLS_PIN_LOCKED; "UNKNOWN" for what is none. Static.
 */
HSMTLS_API const char* hsmtls_code_name(int32_t code);
/* hsmtls_code_category returns the hsmtls_category of a code; 0 for what is none. */
HSMTLS_API int32_t hsmtls_code_category(int32_t code);

/* ---- text ------------------------------------------------------------------------------------ */

typedef struct hsmtls_text hsmtls_text; /* text that the caller owns */

HSMTLS_API const char* hsmtls_text_data(const hsmtls_text* text); /* NUL-terminated */
HSMTLS_API uint32_t hsmtls_text_len(const hsmtls_text* text);     /* without the NUL */
HSMTLS_API void hsmtls_text_free(hsmtls_text* text);

/* ---- logging in ------------------------------------------------------------------------------ */

/* Writes the PIN of the token to `out_pin` (at most `capacity` bytes) and returns how many bytes, or
 * -1 for none. Called on the thread of the call that it was given to, inside that call only. */
typedef int32_t (*hsmtls_pin_fn)(void* user,
                                 const char* token_label,
                                 uint8_t* out_pin,
                                 uint32_t capacity);

/* Where the PIN comes from. The first that is set counts: pin-value or pin-source in the URI
 * (RFC 7512 section 2.4), `pin`, `pin_fn`, `pin_source`, HSMTLS_PIN_SOURCE. None: what the token
 * shows without login is all there is. */
typedef struct hsmtls_login {
  uint32_t struct_size;
  uint32_t pin_len;
  const uint8_t* pin; /* bytes, no NUL needed; kept in locked memory while the key is open */
  hsmtls_pin_fn pin_fn;
  void* pin_user;
  const char* pin_source; /* "file:/run/pin", "env:NAME", "credential:NAME"; a file and a credential
                             are read again at each login and not kept */
  int32_t forget_pin; /* 1: a PIN by value is not kept: after a loss there is no login by itself */
  int32_t insist;     /* 1: log in although the token says that it is the last try */
} hsmtls_login;

/* ---- the identity ---------------------------------------------------------------------------- */

/* A private key in a token, its certificate chain, and what unlocks it. Reference counted. */
typedef struct hsmtls_identity hsmtls_identity;

/* What is true of a key, or required of it (CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
 * CKA_ALWAYS_AUTHENTICATE: PKCS#11 v3.1 section 4.9). */
#define HSMTLS_KEY_LOCAL 1u
#define HSMTLS_KEY_ALWAYS_SENSITIVE 2u
#define HSMTLS_KEY_NEVER_EXTRACTABLE 4u
#define HSMTLS_KEY_ALWAYS_AUTHENTICATE 8u

typedef enum hsmtls_event_type {
  HSMTLS_EVENT_LOST = 1,     /* the token went away, or dropped its sessions */
  HSMTLS_EVENT_RESTORED = 2, /* it is back, and the key is the same; microseconds since the loss */
  HSMTLS_EVENT_SIGNED = 3    /* microseconds: the whole signature, recovery included */
} hsmtls_event_type;

/* How the token was asked to sign (PKCS#11 v3.1 sections 6.1 and 6.3). */
typedef enum hsmtls_mechanism {
  HSMTLS_MECHANISM_RSA_PKCS1 = 1, /* CKM_RSA_PKCS */
  HSMTLS_MECHANISM_RSA_PSS = 2,   /* CKM_RSA_PKCS_PSS */
  HSMTLS_MECHANISM_RSA_RAW = 3,   /* CKM_RSA_X_509: for a padding that the token does not know */
  HSMTLS_MECHANISM_ECDSA = 4,     /* CKM_ECDSA */
  HSMTLS_MECHANISM_EDDSA = 5      /* CKM_EDDSA */
} hsmtls_mechanism;

typedef struct hsmtls_event {
  uint32_t type;      /* hsmtls_event_type */
  uint32_t mechanism; /* SIGNED: hsmtls_mechanism; else 0 */
  uint64_t microseconds;
} hsmtls_event;

/* On the thread on which it happens, which may be any: return quickly. */
typedef void (*hsmtls_event_fn)(void* user, const hsmtls_event* event);
typedef void (*hsmtls_release_fn)(void* user);

typedef struct hsmtls_identity_options {
  uint32_t struct_size;
  uint32_t deadline_ms; /* of opening, and of each signature */
  const char* key; /* RFC 7512: "pkcs11:token=edge;object=device-key". Whatever fits exactly one
                               private key is enough. */
  const char*
      certificate; /* a PEM file, PEM text (it begins with "-----BEGIN"), or a "pkcs11:" URI; the
                               leaf and any intermediates, in any order; or a file with the leaf in
                               DER. Null: from the token, by the key's CKA_ID, intermediates by their
                               names */
  const char*
      module; /* the vendor's PKCS#11 file; only this one is asked. Null: HSMTLS_MODULE, else
                               what p11-kit has registered */
  const hsmtls_login* login; /* null: as HSMTLS_PIN_SOURCE and the URI say */
  uint32_t require; /* HSMTLS_KEY_…: opening fails with KEY_POLICY where one is not true */
  uint32_t flags;   /* HSMTLS_OPEN_… */
  hsmtls_event_fn on_event; /* null: not wanted */
  void* event_user;
  hsmtls_release_fn event_release; /* may be null. Called when the identity is closed, or when
                                      opening fails: in any case once */
} hsmtls_identity_options;

#define HSMTLS_OPEN_WITHOUT_CERTIFICATE 1u /* the key alone: for a certificate request */

/* hsmtls_identity_open checks all that can be checked before a handshake: the module loads, the
 * token is there, the PIN is right, exactly one key fits, the certificate is for that key (where the
 * token does not have the key's public half, one signature shows that), the chain is in order. Dates are only warned about (HSMTLS_LOG): a board without a clock wakes up in
 * 1970. Blocks: it talks to the token.
 *
 * It needs the host's OpenSSL to read certificates: see hsmtls_openssl.h about which copy. */
HSMTLS_API int32_t hsmtls_identity_open(const hsmtls_identity_options* options,
                                        hsmtls_identity** out_identity,
                                        hsmtls_error** out_error);

/* hsmtls_identity_retain makes one more reference; hsmtls_identity_release gives one back. The last
 * one closes the identity. */
HSMTLS_API void hsmtls_identity_retain(hsmtls_identity* identity);
HSMTLS_API void hsmtls_identity_release(hsmtls_identity* identity);
/* hsmtls_identity_close ends it now, whoever still has it: signatures by what was handed out of it
 * fail with IDENTITY_CLOSED, its PEM resolves no more. Twice: nothing. */
HSMTLS_API void hsmtls_identity_close(hsmtls_identity* identity);

typedef enum hsmtls_key_type {
  HSMTLS_KEY_RSA = 1,
  HSMTLS_KEY_EC = 2,
  HSMTLS_KEY_ED25519 = 3
} hsmtls_key_type;

typedef struct hsmtls_identity_info {
  uint32_t struct_size;
  uint32_t key_type;         /* hsmtls_key_type */
  uint32_t key_bits;         /* RSA: of the modulus; else of the curve */
  uint32_t key_flags;        /* HSMTLS_KEY_LOCAL … */
  const char* key_uri;       /* fits this key alone; no query, no PIN */
  const char* key_name;      /* "EC P-256", "RSA 2048", "Ed25519" */
  uint32_t num_certificates; /* leaf included */
  uint32_t reserved;
} hsmtls_identity_info;

/* hsmtls_identity_get_info fills `out_info`, whose struct_size the caller has set. No PKCS#11 call. */
HSMTLS_API int32_t hsmtls_identity_get_info(const hsmtls_identity* identity,
                                            hsmtls_identity_info* out_info,
                                            hsmtls_error** out_error);
/* hsmtls_identity_certificate_pem returns the chain as PEM, leaf first; "" where there is none. */
HSMTLS_API const char* hsmtls_identity_certificate_pem(const hsmtls_identity* identity);
/* hsmtls_identity_key_pem returns the reference PEM of the key: it names the key and holds no key
 * material. Good as a key wherever OpenSSL reads PEM in this process, after
 * hsmtls_provider_install; and in others that have hsmtls as a configured provider. */
HSMTLS_API const char* hsmtls_identity_key_pem(const hsmtls_identity* identity);
/* hsmtls_identity_write_files writes certificate.pem and key.pem into the folder `directory`, which
 * exists, for SDKs that take files only. Each appears complete or not at all. */
HSMTLS_API int32_t hsmtls_identity_write_files(const hsmtls_identity* identity,
                                               const char* directory,
                                               hsmtls_error** out_error);
/* hsmtls_identity_last_error returns why the latest signature by this identity failed, which TLS
 * stacks hide; null: it did not, or there was none. The caller's to free. */
HSMTLS_API hsmtls_error* hsmtls_identity_last_error(const hsmtls_identity* identity);

typedef struct hsmtls_identity_counters { /* of the identity's token, since the process began */
  uint32_t struct_size;
  uint32_t open_sessions; /* now */
  uint64_t lost;
  uint64_t restored;
  uint64_t signatures;
  uint64_t failed_signatures;
} hsmtls_identity_counters;
HSMTLS_API int32_t hsmtls_identity_get_counters(const hsmtls_identity* identity,
                                                hsmtls_identity_counters* out_counters,
                                                hsmtls_error** out_error);

/* ---- reference PEM --------------------------------------------------------------------------- */

/* hsmtls_provider_install adds the provider "hsmtls-inproc" to the default library context of the
 * host's OpenSSL, behind those that are there: from then on the reference PEM of an identity that is
 * open in this process is a key for whoever reads PEM through OpenSSL. Any other reference costs
 * nothing and falls through. Once is enough; it stays for the life of the process. Fails with
 * OPENSSL_UNUSABLE where the configuration would make OpenSSL overlook it (mandatory
 * default_properties). */
HSMTLS_API int32_t hsmtls_provider_install(hsmtls_error** out_error);

/* hsmtls_reference_pem_write makes a reference PEM of a URI (format "PKCS#11 Provider URI v1.0", as
 * pkcs11-provider reads and writes it). What selects no object (pin-*, module-*) is refused with
 * MALFORMED_URI. No PKCS#11 call. */
HSMTLS_API int32_t hsmtls_reference_pem_write(const char* uri,
                                              hsmtls_text** out_pem,
                                              hsmtls_error** out_error);
/* hsmtls_reference_pem_read returns the URI in the first reference PEM of `pem`. */
HSMTLS_API int32_t hsmtls_reference_pem_read(const char* pem,
                                             hsmtls_text** out_uri,
                                             hsmtls_error** out_error);

/* ---- tokens and what is in them -------------------------------------------------------------- */

/* All of these talk to the token and block. `module`: the vendor's PKCS#11 file, only this one is
 * asked; null: HSMTLS_MODULE, else what p11-kit has registered. `login` may be null. */

typedef struct hsmtls_token_info {
  uint32_t struct_size; /* what the library wrote */
  uint32_t reserved;
  const char* uri; /* fits this token; no query */
  const char* label;
  const char* serial;
  const char* model;
  const char* manufacturer;
  const char* module; /* the vendor's file */
  uint64_t slot_id;
  uint64_t flags; /* CKF_… of CK_TOKEN_INFO (PKCS#11 v3.1 section 3.2) */
} hsmtls_token_info;
/* `token` is valid during the call only. Returns 0 to go on, else to stop. */
typedef int32_t (*hsmtls_token_fn)(void* user, const hsmtls_token_info* token);
/* hsmtls_tokens_list shows every slot that has a token, initialised or not. */
HSMTLS_API int32_t hsmtls_tokens_list(const char* module,
                                      hsmtls_token_fn each,
                                      void* user,
                                      hsmtls_error** out_error);

typedef enum hsmtls_object_class {
  HSMTLS_OBJECT_OTHER = 0,
  HSMTLS_OBJECT_CERTIFICATE = 1,
  HSMTLS_OBJECT_PRIVATE_KEY = 2,
  HSMTLS_OBJECT_PUBLIC_KEY = 3,
  HSMTLS_OBJECT_SECRET_KEY = 4,
  HSMTLS_OBJECT_DATA = 5
} hsmtls_object_class;

typedef struct hsmtls_object_info {
  uint32_t struct_size;  /* what the library wrote */
  uint32_t object_class; /* hsmtls_object_class */
  uint32_t key_type;     /* hsmtls_key_type; 0: none, or another */
  uint32_t key_flags;    /* HSMTLS_KEY_LOCAL …; private keys only */
  const char* uri;       /* names this object by its token, label, id and type; no query */
  const char* label;
  const uint8_t* id; /* CKA_ID */
  uint32_t id_len;
  uint32_t value_len;
  const uint8_t* value; /* certificates only: DER */
} hsmtls_object_info;
typedef int32_t (*hsmtls_object_fn)(void* user, const hsmtls_object_info* object);
/* hsmtls_objects_list shows what `uri` fits in the one token that it fits; private objects only with
 * a PIN. */
HSMTLS_API int32_t hsmtls_objects_list(const char* uri,
                                       const char* module,
                                       const hsmtls_login* login,
                                       hsmtls_object_fn each,
                                       void* user,
                                       hsmtls_error** out_error);

typedef enum hsmtls_generate_kind {
  HSMTLS_GENERATE_P256 = 1,
  HSMTLS_GENERATE_P384 = 2,
  HSMTLS_GENERATE_P521 = 3,
  HSMTLS_GENERATE_RSA = 4, /* `bits`: 2048 to 4096, a multiple of 8 */
  HSMTLS_GENERATE_ED25519 = 5
} hsmtls_generate_kind;
/* hsmtls_key_generate makes a key pair in the one token that `uri` fits, with the URI's object and
 * id (none: 20 random bytes): sensitive, never extractable, for signing. `out_uri` fits the new key
 * alone. */
HSMTLS_API int32_t hsmtls_key_generate(const char* uri,
                                       const char* module,
                                       const hsmtls_login* login,
                                       uint32_t kind,
                                       uint32_t bits,
                                       hsmtls_text** out_uri,
                                       hsmtls_error** out_error);
/* hsmtls_certificate_import stores a certificate (PEM text, or DER) in the one token that `uri`
 * fits, with the URI's object and id. A URI that fits exactly one private key there whose public
 * half is the certificate's lends it its object and id. The same one again is a success. `out_uri`
 * (may be null) names the certificate. */
HSMTLS_API int32_t hsmtls_certificate_import(const char* uri,
                                             const char* module,
                                             const hsmtls_login* login,
                                             const uint8_t* certificate,
                                             uint32_t certificate_len,
                                             hsmtls_text** out_uri,
                                             hsmtls_error** out_error);
/* hsmtls_object_remove destroys the one object that `uri` fits; `type` must be in the URI. */
HSMTLS_API int32_t hsmtls_object_remove(const char* uri,
                                        const char* module,
                                        const hsmtls_login* login,
                                        hsmtls_error** out_error);
/* hsmtls_token_init erases the token that `uri` fits (one that is not initialised: by slot-id) and
 * sets its label (1 to 32 bytes) and both PINs. IN_USE while anybody in this process has it open. */
HSMTLS_API int32_t hsmtls_token_init(const char* uri,
                                     const char* module,
                                     const char* label,
                                     const uint8_t* so_pin,
                                     uint32_t so_pin_len,
                                     const uint8_t* user_pin,
                                     uint32_t user_pin_len,
                                     hsmtls_error** out_error);
/* hsmtls_token_change_pin changes the user PIN. Identities that are open go on. */
HSMTLS_API int32_t hsmtls_token_change_pin(const char* uri,
                                           const char* module,
                                           const uint8_t* old_pin,
                                           uint32_t old_pin_len,
                                           const uint8_t* new_pin,
                                           uint32_t new_pin_len,
                                           hsmtls_error** out_error);

#ifdef __cplusplus
}
#endif

#endif
