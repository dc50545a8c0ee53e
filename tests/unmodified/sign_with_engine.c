/* A long-lived OpenSSL program: loads a key through the stock libp11 engine once, then signs and verifies for each
 * line on stdin, and says "signed" or "failed: reason". A signature that leaves an error in OpenSSL's queue counts as
 * failed: SSL_get_error() would take it for the handshake's. Knows nothing of hsmtls. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>

static int sign_and_verify(EVP_PKEY* key) {
  unsigned char data[32], signature[512];
  size_t len = sizeof signature;
  int ok = 0;
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  if (RAND_bytes(data, sizeof data) == 1 &&
      EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
      EVP_DigestSign(md, signature, &len, data, sizeof data) == 1) {
    EVP_MD_CTX_reset(md);
    ok = EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
         EVP_DigestVerify(md, signature, len, data, sizeof data) == 1;
  }
  EVP_MD_CTX_free(md);
  return ok;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char line[64], reason[256];
  ENGINE_load_dynamic();
  ENGINE* engine = ENGINE_by_id("pkcs11");
  EVP_PKEY* key =
      engine && ENGINE_init(engine) ? ENGINE_load_private_key(engine, argv[1], NULL, NULL) : NULL;
  if (!key) {
    ERR_print_errors_fp(stderr);
    return 1;
  }
  do {
    ERR_clear_error();
    int ok = sign_and_verify(key);
    unsigned long error = ERR_peek_error();
    ERR_error_string_n(error, reason, sizeof reason);
    if (ok && error == 0)
      puts("signed");
    else
      printf("%s: %s\n", ok ? "signed, but left an error" : "failed", reason);
    fflush(stdout);
  } while (fgets(line, sizeof line, stdin));
  EVP_PKEY_free(key);
  ENGINE_finish(engine);
  ENGINE_free(engine);
  return 0;
}
