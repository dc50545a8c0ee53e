/* The private face of libhsmtls-pkcs11.so: what the layers above it use. C, versioned, no PKCS#11
 * type.
 *
 * Rules for all of it:
 * - Every function may be called from any thread.
 * - A function that returns int32_t returns HSMTLS_P11_OK or another hsmtls_p11_code and then fills
 *   `error` (null: not wanted). Outputs are written on success only.
 * - Text ends with a NUL. What a token calls itself or its objects is handed on byte for byte:
 *   usually UTF-8, and cut at a NUL. What a caller passes is copied before the call returns.
 * - `deadline_ms` counts from the call, in milliseconds; 0 means the configured default
 *   (HSMTLS_DEADLINE_MS, 2000). Calls without one have the default for each step that may wait.
 * - Structs that begin with `struct_size` may grow: the caller writes sizeof there, and what its
 *   version does not know is neither read nor written. The others never change.
 * - Functions are only added, at the end of the table: before one that is newer than the caller's
 *   oldest library, compare `size`.
 * - Callbacks must not call back into this library and must not throw or unwind.
 * - After fork() a key goes on in the child: it is opened again there, with its PIN, by its first
 *   use. Signatures that were pending at the fork end in the parent only.
 */
#ifndef HSMTLS_PKCS11_H
#define HSMTLS_PKCS11_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HSMTLS_P11_ABI 1

typedef enum hsmtls_p11_code {
  HSMTLS_P11_OK = 0,
  HSMTLS_P11_BAD_ARGUMENT = 1,
  HSMTLS_P11_MALFORMED_URI = 2,
  HSMTLS_P11_MODULE = 3, /* no module at hand, or it cannot be loaded or initialised */
  HSMTLS_P11_TOKEN_NOT_FOUND = 4,
  HSMTLS_P11_OBJECT_NOT_FOUND = 5, /* no such key or certificate; the message has the near miss */
  HSMTLS_P11_AMBIGUOUS = 6,        /* several fit; the message lists them */
  HSMTLS_P11_PIN_REQUIRED = 7,
  HSMTLS_P11_PIN_INCORRECT = 8,  /* now, or refused before and therefore not sent */
  HSMTLS_P11_PIN_LOCKED = 9,     /* or on its last try */
  HSMTLS_P11_PIN_SOURCE = 10,    /* the file, variable or credential cannot be read */
  HSMTLS_P11_NOT_LOGGED_IN = 11, /* the login is gone and cannot be had again without the user */
  HSMTLS_P11_TOKEN_LOST = 12,    /* not back within the deadline */
  HSMTLS_P11_TOKEN_REPLACED = 13,
  HSMTLS_P11_KEY_REPLACED = 14,
  HSMTLS_P11_MODULE_STUCK = 15, /* a call inside the vendor's module never returned */
  HSMTLS_P11_DEADLINE = 16,
  HSMTLS_P11_CANCELLED = 17,
  HSMTLS_P11_UNSUPPORTED = 18, /* the token has no such mechanism or key type */
  HSMTLS_P11_EXISTS = 19,      /* an object of that name is already there */
  HSMTLS_P11_IN_USE = 20,      /* somebody in this process has the token in use */
  HSMTLS_P11_EXITING = 21,     /* the process exits */
  HSMTLS_P11_TOKEN_ERROR = 22, /* anything else that the vendor's module said: see `ckr` */
  HSMTLS_P11_NO_MEMORY = 23,
  HSMTLS_P11_INTERNAL = 24
} hsmtls_p11_code;

typedef struct hsmtls_p11_error {
  int32_t code;       /* hsmtls_p11_code */
  uint64_t ckr;       /* the CK_RV beneath; 0: none */
  char message[4000]; /* one English sentence that says what to do; never holds a PIN */
} hsmtls_p11_error;

/* ---- keys ------------------------------------------------------------------------------------ */

typedef struct hsmtls_p11_key hsmtls_p11_key; /* reference counted */

/* Gives the PIN of the token: writes at most `capacity` bytes and returns how many, or -1 for none.
 * Called inside the call that it was given to, only. */
typedef int32_t (*hsmtls_p11_pin_fn)(void* user,
                                     const char* token_label,
                                     uint8_t* out_pin,
                                     uint32_t capacity);

/* Where the PIN comes from; the first that is set counts: pin-value or pin-source in the URI,
 * `pin`, `pin_callback`, `pin_source`, HSMTLS_PIN_SOURCE. None: a key that the token shows without
 * login is opened without. */
typedef struct hsmtls_p11_login {
  uint32_t struct_size;
  uint32_t pin_len; /* bytes */
  const uint8_t* pin;
  hsmtls_p11_pin_fn pin_callback;
  void* pin_user;
  const char* pin_source; /* "file:/run/pin", "env:NAME", "credential:NAME"; a file and a credential
                             are read again at each login */
  int32_t forget_pin;     /* 1: a PIN given by value is not kept for a later login */
  int32_t insist;         /* 1: log in although the token says that it is the last try */
  const char* module; /* look in the vendor's module of this file only, added as by `module_add`;
                             null: in all */
} hsmtls_p11_login;

typedef enum hsmtls_p11_key_type {
  HSMTLS_P11_RSA = 1,
  HSMTLS_P11_EC = 2,
  HSMTLS_P11_ED25519 = 3
} hsmtls_p11_key_type;

#define HSMTLS_P11_LOCAL 1u /* generated in the token */
#define HSMTLS_P11_ALWAYS_SENSITIVE 2u
#define HSMTLS_P11_NEVER_EXTRACTABLE 4u
#define HSMTLS_P11_ALWAYS_AUTHENTICATE 8u

/* What is known of a key. Pointers live as long as the key. */
typedef struct hsmtls_p11_key_info {
  uint32_t struct_size;
  uint32_t type;  /* hsmtls_p11_key_type */
  uint32_t flags; /* HSMTLS_P11_LOCAL … */
  uint32_t id_len;
  const char* uri; /* fits this key alone; no query */
  const char* label;
  const uint8_t* id;      /* CKA_ID */
  const uint8_t* modulus; /* RSA: big endian; 0 bytes, as of the exponent: not in the token */
  uint32_t modulus_len;
  uint32_t exponent_len;
  const uint8_t* exponent;  /* RSA */
  const uint8_t* ec_params; /* EC, Ed25519: DER, as CKA_EC_PARAMS */
  uint32_t ec_params_len;
  uint32_t ec_point_len;
  const uint8_t* ec_point; /* EC, Ed25519: DER OCTET STRING, as CKA_EC_POINT; 0 bytes: not in the
                              token */
} hsmtls_p11_key_info;

typedef enum hsmtls_p11_mechanism {
  HSMTLS_P11_SIGN_RSA_PKCS1 = 1, /* data: the DigestInfo (RFC 8017 section 9.2) */
  HSMTLS_P11_SIGN_RSA_PSS = 2,   /* data: the digest */
  HSMTLS_P11_SIGN_RSA_RAW = 3,   /* data: a block as long as the modulus */
  HSMTLS_P11_SIGN_ECDSA = 4, /* data: the digest; signature: r and s, each as long as the order */
  HSMTLS_P11_SIGN_EDDSA = 5  /* data: the message */
} hsmtls_p11_mechanism;

typedef struct hsmtls_p11_signature_spec {
  uint32_t mechanism; /* hsmtls_p11_mechanism */
  uint32_t hash_bits; /* PSS: 160, 224, 256, 384 or 512 (SHA-1, SHA-2) */
  uint32_t salt_len;  /* PSS: bytes */
} hsmtls_p11_signature_spec;

typedef struct hsmtls_p11_operation hsmtls_p11_operation; /* an asynchronous signature */

/* Called exactly once in the process that started the operation, on a thread of this library, never
 * inside the call that started it; but perhaps before that has returned. `error` is null on
 * success; all pointers are valid during the call only. */
typedef void (*hsmtls_p11_signed_fn)(void* user,
                                     int32_t code,
                                     const uint8_t* signature,
                                     uint32_t signature_len,
                                     const hsmtls_p11_error* error);

/* A view of a key: a slot of its own in the PKCS#11 functions of this very library, for what can only
 * enumerate slots and objects (libp11). C_GetSlotList shows it to one thread at a time that asks. */
typedef struct hsmtls_p11_view hsmtls_p11_view;

/* ---- certificates and listing ---------------------------------------------------------------- */

typedef struct hsmtls_p11_certificate { /* all DER (PKCS#11 v3.1 section 4.6.3) */
  const uint8_t* value;
  uint32_t value_len;
  const uint8_t* subject;
  uint32_t subject_len;
  const uint8_t* issuer; /* may be null */
  uint32_t issuer_len;
  const uint8_t* serial_number; /* may be null */
  uint32_t serial_number_len;
} hsmtls_p11_certificate;

typedef struct hsmtls_p11_object_info {
  const char* uri;       /* names this object by its token, label, id and type; no query */
  uint64_t object_class; /* CKO_… */
  uint64_t key_type;     /* CKK_…; UINT64_MAX: none */
  uint32_t flags;        /* HSMTLS_P11_LOCAL …, private keys only */
  const char* label;
  const uint8_t* id;
  uint32_t id_len;
  const uint8_t* value; /* certificates only: DER */
  uint32_t value_len;
} hsmtls_p11_object_info;
typedef void (*hsmtls_p11_object_fn)(void* user, const hsmtls_p11_object_info* object);

typedef struct hsmtls_p11_token_info {
  const char* uri;
  const char* label;
  const char* serial;
  const char* model;
  const char* manufacturer;
  const char* module; /* the vendor's file */
  uint64_t slot_id;
  uint64_t flags; /* CKF_… of CK_TOKEN_INFO */
} hsmtls_p11_token_info;
typedef void (*hsmtls_p11_token_fn)(void* user, const hsmtls_p11_token_info* token);

/* ---- events and counters --------------------------------------------------------------------- */

typedef enum hsmtls_p11_event_type {
  HSMTLS_P11_EVENT_LOST = 1,
  HSMTLS_P11_EVENT_RESTORED = 2, /* microseconds: since it was found lost */
  HSMTLS_P11_EVENT_SIGNED = 3    /* microseconds: the whole signature, recovery included */
} hsmtls_p11_event_type;

typedef struct hsmtls_p11_event {
  uint32_t type;      /* hsmtls_p11_event_type */
  uint32_t mechanism; /* SIGNED: hsmtls_p11_mechanism */
  uint64_t microseconds;
} hsmtls_p11_event;
/* On the thread on which it happens: return quickly. */
typedef void (*hsmtls_p11_event_fn)(void* user, const hsmtls_p11_event* event);

typedef struct hsmtls_p11_counters { /* of the key's token, since the process began */
  uint32_t struct_size;
  uint32_t open_sessions; /* real ones, now */
  uint64_t lost;
  uint64_t restored;
  uint64_t rebuild_attempts;
  uint64_t signatures; /* by the private face */
  uint64_t failed_signatures;
} hsmtls_p11_counters;

typedef enum hsmtls_p11_generate_kind {
  HSMTLS_P11_GENERATE_P256 = 1,
  HSMTLS_P11_GENERATE_P384 = 2,
  HSMTLS_P11_GENERATE_P521 = 3,
  HSMTLS_P11_GENERATE_RSA = 4, /* `bits`: 2048 to 4096, a multiple of 8 */
  HSMTLS_P11_GENERATE_ED25519 = 5
} hsmtls_p11_generate_kind;

typedef struct hsmtls_p11_functions {
  uint32_t abi;
  uint32_t size; /* sizeof this struct in the library */

  /* `key_open` finds the one private key that `uri` (RFC 7512) fits and logs in as far as needed.
   * It reads its public half, which must be the same after every loss. `login` may be null. PKCS#11
   * calls: constant in the number of keys. `*out` is the caller's reference. */
  int32_t (*key_open)(const char* uri,
                      const hsmtls_p11_login* login,
                      uint32_t deadline_ms,
                      hsmtls_p11_key** out,
                      hsmtls_p11_error* error);
  /* `key_retain` makes one more reference, `key_release` gives one back (null: nothing). With the
   * last one the key's subscriber is told nothing any more: it waits for a callback that runs, so
   * the caller must not hold a lock that the callback takes. Pending signatures go on. */
  void (*key_retain)(hsmtls_p11_key* key);
  void (*key_release)(hsmtls_p11_key* key);
  /* `key_info` fills `out`, whose struct_size the caller has set. No PKCS#11 call. */
  void (*key_info)(const hsmtls_p11_key* key, hsmtls_p11_key_info* out);

  /* `key_certificates` shows the certificates in the key's token: those with the key's CKA_ID
   * first. */
  int32_t (*key_certificates)(hsmtls_p11_key* key,
                              hsmtls_p11_object_fn each,
                              void* user,
                              hsmtls_p11_error* error);

  /* `key_sign` signs on the caller's thread. `*signature_len`: in capacity, out length, bytes; with
   * too little room BAD_ARGUMENT, and the message has the length (a signature is at most as long as
   * the modulus, or twice the order). A token that drops its sessions is brought back and the
   * signature repeated until the deadline. */
  int32_t (*key_sign)(hsmtls_p11_key* key,
                      const hsmtls_p11_signature_spec* spec,
                      const uint8_t* data,
                      uint32_t data_len,
                      uint8_t* signature,
                      uint32_t* signature_len,
                      uint32_t deadline_ms,
                      hsmtls_p11_error* error);

  /* `key_sign_async` signs on a worker of the key's token. At the deadline, or when it is
   * cancelled, `done` is called even if C_Sign has not returned; what it returns later is dropped.
   * `*out` (null: not wanted) is written before `done` may be called, and is the caller's until
   * `operation_release`. An error that is returned is the only answer: `done` is not called. */
  int32_t (*key_sign_async)(hsmtls_p11_key* key,
                            const hsmtls_p11_signature_spec* spec,
                            const uint8_t* data,
                            uint32_t data_len,
                            uint32_t deadline_ms,
                            hsmtls_p11_signed_fn done,
                            void* user,
                            hsmtls_p11_operation** out,
                            hsmtls_p11_error* error);
  /* `operation_cancel` has `done` called with CANCELLED soon, on a thread of this library; nothing
   * if it was called already. */
  void (*operation_cancel)(hsmtls_p11_operation* operation);
  /* `operation_release` does not cancel (null: nothing). Not while another thread cancels. */
  void (*operation_release)(hsmtls_p11_operation* operation);

  /* `key_subscribe` sends the events of the key's token, and of signatures by this key, until the
   * key is released for the last time. One subscriber: the last one counts; null ends it, and none
   * runs any more when the call returns (so: no lock that the callback takes). */
  void (*key_subscribe)(hsmtls_p11_key* key, hsmtls_p11_event_fn on_event, void* user);
  /* `key_counters` fills `out`, whose struct_size the caller has set. No PKCS#11 call: in a forked
   * child that has not used the key yet all are 0. */
  void (*key_counters)(const hsmtls_p11_key* key, hsmtls_p11_counters* out);

  /* `list_tokens` shows every slot with a token, initialised or not. */
  int32_t (*list_tokens)(hsmtls_p11_token_fn each, void* user, hsmtls_p11_error* error);
  /* `list_objects` shows what `uri` fits in the one token that it fits; private objects only if a
   * PIN is there. */
  int32_t (*list_objects)(const char* uri,
                          const hsmtls_p11_login* login,
                          hsmtls_p11_object_fn each,
                          void* user,
                          hsmtls_p11_error* error);

  /* `key_generate` makes a key pair in the one token that `uri` fits, with the URI's object and id
   * (none: 20 random bytes): sensitive, never extractable, for signing. Opens it; if only that
   * fails, the key is in the token all the same. */
  int32_t (*key_generate)(const char* uri,
                          uint32_t kind,
                          uint32_t bits,
                          const hsmtls_p11_login* login,
                          hsmtls_p11_key** out,
                          hsmtls_p11_error* error);
  /* `certificate_import` stores a certificate in the one token that `uri` fits, with the URI's
   * object and id. The same one again under the same names is a success, and no second object. */
  int32_t (*certificate_import)(const char* uri,
                                const hsmtls_p11_certificate* certificate,
                                const hsmtls_p11_login* login,
                                hsmtls_p11_error* error);
  /* `object_remove` destroys the one object that `uri` fits; `type` must be in the URI. */
  int32_t (*object_remove)(const char* uri, const hsmtls_p11_login* login, hsmtls_p11_error* error);

  /* `token_initialise` erases the token that `uri` fits (an uninitialised one: by slot-id) and sets
   * its label (1 to 32 bytes) and both PINs. IN_USE while anybody in this process has a session or
   * a key open there. */
  int32_t (*token_initialise)(const char* uri,
                              const char* label,
                              const uint8_t* so_pin,
                              uint32_t so_pin_len,
                              const uint8_t* user_pin,
                              uint32_t user_pin_len,
                              hsmtls_p11_error* error);
  /* `token_change_pin` changes the user PIN. Keys that are open go on, also through later losses;
   * a PIN source of theirs must be changed by its owner. IN_USE while an application is logged in
   * as security officer. */
  int32_t (*token_change_pin)(const char* uri,
                              const uint8_t* old_pin,
                              uint32_t old_pin_len,
                              const uint8_t* new_pin,
                              uint32_t new_pin_len,
                              hsmtls_p11_error* error);

  /* `log` writes one line to where HSMTLS_LOG points; nowhere, if nowhere. `level`: 0 info, 1
   * warning, 2 error. `strings`: keys and values in turn, `num` of both together. Never a PIN. */
  void (*log)(uint32_t level, const char* event, const char* const* strings, uint32_t num);
  /* `complain` says a sentence about the set-up that whoever runs the program must see, on stderr
   * too: each once in the life of the process. */
  void (*complain)(const char* sentence);

  /* `modules_configured` tells how many files HSMTLS_MODULE names; 0 also where it is not to be
   * trusted (set-uid programs). No PKCS#11 call. */
  uint32_t (*modules_configured)(void);
  /* `module_add` makes one more vendor's module usable, for this face only: the applications of the
   * PKCS#11 functions go on with those that HSMTLS_MODULE names. At any time, and for the life of
   * the process and of its forked children. The same file again, by whatever name, is a success and
   * no second instance. It is initialised when it is used. */
  int32_t (*module_add)(const char* path, hsmtls_p11_error* error);

  /* `view_open` makes a view of a key, which lives on until `view_close`. Its slot shows the private
   * key, and the public keys of its type and the certificates that have its CKA_ID; of a key
   * without one those that have none either, and its label. Its token says that no login is
   * required: its sessions have the key's login, and lose it with no C_Logout; they write nothing
   * (CKR_TOKEN_WRITE_PROTECTED). What an application does on the token's own slot does not change
   * them, nor do they change anything there. */
  int32_t (*view_open)(hsmtls_p11_key* key, hsmtls_p11_view** out, hsmtls_p11_error* error);
  /* `view_enter` makes C_GetSlotList show this slot alone to the calling thread, until `view_leave`
   * of the same thread; the last one entered counts. The slot's number, and sessions on it, are good
   * in every thread, and afterwards. */
  void (*view_enter)(hsmtls_p11_view* view);
  void (*view_leave)(void);
  /* `view_close` ends a view (null: nothing), and closes what sessions there are on it. */
  void (*view_close)(hsmtls_p11_view* view);
} hsmtls_p11_functions;

/* `hsmtls_pkcs11_functions` returns the table of the copy of this library that owns the process's
 * state, or null where that is of another ABI version (a sentence on stderr names both files). */
__attribute__((visibility("default"))) const hsmtls_p11_functions* hsmtls_pkcs11_functions(void);

#ifdef __cplusplus
}
#endif

#endif
