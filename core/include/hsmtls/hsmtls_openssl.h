/* hsmtls where it meets OpenSSL: what takes or gives OpenSSL's own objects. The rules at the head of
 * hsmtls.h hold here, too.
 *
 * libhsmtls.so is linked with no OpenSSL. It uses the copy that its host uses, and finds it by
 * identity, never by search order: the first of hsmtls_openssl_bind…, the provider's own start, or a
 * search (only where exactly one object in the process defines SSL_CTX_new, or none does and
 * libssl.so.3 can be loaded). The first is for life; another copy is refused with OPENSSL_FOREIGN. No
 * object of one copy ever reaches another.
 */
#ifndef HSMTLS_OPENSSL_H
#define HSMTLS_OPENSSL_H

#include "hsmtls/hsmtls.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ssl_ctx_st;
struct ssl_st;
struct evp_pkey_st;

/* hsmtls_openssl_bind says which copy is meant, by two objects that only that copy can give out:
 * `method` is what TLS_method() returned, or null where there is no libssl yet; `digest` what
 * EVP_sha256() returned, or null: the libcrypto that libssl uses. Pointers to data, because a
 * function's address may be one of the main program's own. Again with the same copy: a success. */
HSMTLS_API int32_t hsmtls_openssl_bind(const void* method,
                                       const void* digest,
                                       hsmtls_error** out_error);
/* hsmtls_openssl_bind_main means the copy that the main program has in itself, or that was loaded
 * with it at start-up: official Node.js builds. */
HSMTLS_API int32_t hsmtls_openssl_bind_main(hsmtls_error** out_error);
/* hsmtls_openssl_bind_ssl_ctx means the copy that made an SSL_CTX, for who has one and cannot call what
 * made it: a binding to CPython's ssl module. Calls nothing with it, and reads it carefully: where it
 * is none, OPENSSL_FOREIGN or BAD_ARGUMENT. Where that copy hides its functions: OPENSSL_UNUSABLE. */
HSMTLS_API int32_t hsmtls_openssl_bind_ssl_ctx(const struct ssl_ctx_st* ssl_ctx,
                                               hsmtls_error** out_error);
/* hsmtls_openssl_where returns which copy is in use: "OpenSSL 3.0.15 (/usr/lib/…/libcrypto.so.3,
 * /usr/lib/…/libssl.so.3)"; "" as long as none is. Static. */
HSMTLS_API const char* hsmtls_openssl_where(void);

/* hsmtls_same_openssl checks that an SSL_CTX was made by the copy in use, without calling anything
 * with it: OPENSSL_FOREIGN otherwise. */
HSMTLS_API int32_t hsmtls_same_openssl(const struct ssl_ctx_st* ssl_ctx, hsmtls_error** out_error);

typedef enum hsmtls_key_kind {
  HSMTLS_KEY_PROVIDER = 1, /* ours, in a library context of its own: for nearly all */
  HSMTLS_KEY_HYBRID = 2,   /* that, with a legacy half for who asks EVP_PKEY_get0_RSA and the like:
                              .NET, azure-iot-sdk-c. Checks itself when made; where OpenSSL cannot do
                              it, a METHOD key comes instead */
  HSMTLS_KEY_METHOD = 3    /* by libp11, which must be installed: a legacy key */
} hsmtls_key_kind;

/* hsmtls_identity_evp_pkey gives an EVP_PKEY, one reference (EVP_PKEY_free), that signs in the
 * token. Its private half cannot be exported. */
HSMTLS_API int32_t hsmtls_identity_evp_pkey(hsmtls_identity* identity,
                                            uint32_t kind, /* hsmtls_key_kind */
                                            struct evp_pkey_st** out_key,
                                            hsmtls_error** out_error);

/* hsmtls_identity_apply makes an SSL_CTX present this identity: key, leaf, chain. Nothing else in it
 * changes. OPENSSL_FOREIGN where the context is another copy's; BAD_ARGUMENT where it has a
 * certificate of another kind of key, which OpenSSL would go on presenting to some peers. */
HSMTLS_API int32_t hsmtls_identity_apply(hsmtls_identity* identity,
                                         struct ssl_ctx_st* ssl_ctx,
                                         hsmtls_error** out_error);

/* Where trusted certificates come from; all that is set counts together, so an old and a new root
 * may be trusted side by side. None set: the system's. */
typedef struct hsmtls_trust {
  uint32_t struct_size;
  uint32_t system;    /* 1: the system's, too (SSL_CTX_set_default_verify_paths(3)) */
  const char* file;   /* PEM */
  const char* text;   /* PEM */
  const char* folder; /* of PEM files, each named *.pem or *.crt */
} hsmtls_trust;

typedef enum hsmtls_role { HSMTLS_CLIENT = 1, HSMTLS_SERVER = 2 } hsmtls_role;

typedef struct hsmtls_tls_options {
  uint32_t struct_size;
  uint32_t role;             /* hsmtls_role; 0: client */
  const char* server_name;   /* client: the host name or address that the peer's certificate must be
                              for. Sending it (SNI) is the connection's business:
                              SSL_set_tlsext_host_name(3). */
  const hsmtls_trust* trust; /* null: the system's */
  const char* alpn;          /* names separated by ',', most wanted first; null: none */
  uint32_t min_version;      /* 0x0303: TLS 1.2, 0x0304: TLS 1.3; 0: TLS 1.2. Nothing older. */
  uint32_t max_version;      /* 0: the newest */
  uint32_t flags;            /* HSMTLS_TLS_… */
  uint32_t reserved;
} hsmtls_tls_options;

#define HSMTLS_TLS_HOST_CHECKED_BY_CALLER 1u  /* client without server_name: the caller checks it */
#define HSMTLS_TLS_NO_RESUMPTION 2u           /* every handshake is a full one, and signs */
#define HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS 4u /* server: a peer without certificate is let in */

/* hsmtls_identity_make_ssl_ctx makes an SSL_CTX (one reference: SSL_CTX_free) ready for use: this
 * identity, the peer and its name verified, TLS 1.2 or newer, resumption only ever as this identity
 * to the same name with the same trust and ALPN. `identity` may be null: a context without one. Its
 * ex_data 0 and its password callback's data stay empty (Boost.Asio and others own them). */
HSMTLS_API int32_t hsmtls_identity_make_ssl_ctx(hsmtls_identity* identity,
                                                const hsmtls_tls_options* options,
                                                struct ssl_ctx_st** out_ssl_ctx,
                                                hsmtls_error** out_error);
/* hsmtls_ssl_ctx_reload_trust reads the trust of a context that make_ssl_ctx made again from where
 * it came, while others may connect with it. Handshakes that begin afterwards go by it, and sessions
 * made by the old one are not resumed any more; where it cannot be read, the old one stays and
 * TRUST_UNUSABLE is returned. What was added by hand (SSL_CTX_load_verify_locations) counts until the
 * first reload. */
HSMTLS_API int32_t hsmtls_ssl_ctx_reload_trust(struct ssl_ctx_st* ssl_ctx,
                                               hsmtls_error** out_error);
/* hsmtls_ssl_resume offers the peer of an SSL that has not begun its handshake the session that was
 * had last with a context like its own (same identity, server name, trust, ALPN; with the system's
 * trust: with the same context). For clients of contexts that make_ssl_ctx made; without one to offer
 * it does nothing, nor where the application verifies peers in a way of its own (a store, a callback).
 * One that replaces the callback of SSL_CTX_set_cert_verify_callback, which is ours, makes its
 * contexts with HSMTLS_TLS_NO_RESUMPTION. */
HSMTLS_API int32_t hsmtls_ssl_resume(struct ssl_st* ssl, hsmtls_error** out_error);
/* hsmtls_ssl_explain makes of a handshake, read or write that failed an error that says why: call it
 * at once, on the same thread, with what SSL_connect and the like returned. It empties the thread's
 * OpenSSL error queue. Returns the code; HSMTLS_OK, and no error, where the call has only to be
 * repeated (SSL_ERROR_WANT_READ and the like). */
HSMTLS_API int32_t hsmtls_ssl_explain(struct ssl_st* ssl, int32_t result, hsmtls_error** out_error);

#ifdef __cplusplus
}
#endif

#endif
