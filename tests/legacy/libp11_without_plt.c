/* What looks like a libp11 whose calls go through the global offset table alone (-fno-plt), as some
 * distributions build theirs. It makes no key: that it was found to fit is seen by what fails then. */
#include <openssl/crypto.h>
#include <stddef.h>

void* PKCS11_CTX_new(void);
int PKCS11_CTX_load(void* context, const char* module);
void PKCS11_CTX_free(void* context);
int PKCS11_enumerate_slots(void* context, void* slots, unsigned int* count);
int PKCS11_enumerate_keys(void* token, void* keys, unsigned int* count);
void* PKCS11_get_private_key(void* key);

void* PKCS11_CTX_new(void) {
  return CRYPTO_malloc(1, "", 0);
}
int PKCS11_CTX_load(void* context, const char* module) {
  (void)context;
  (void)module;
  return -1;
}
void PKCS11_CTX_free(void* context) {
  CRYPTO_free(context, "", 0);
}
int PKCS11_enumerate_slots(void* context, void* slots, unsigned int* count) {
  (void)context;
  (void)slots;
  *count = 0;
  return -1;
}
int PKCS11_enumerate_keys(void* token, void* keys, unsigned int* count) {
  (void)token;
  (void)keys;
  *count = 0;
  return -1;
}
void* PKCS11_get_private_key(void* key) {
  (void)key;
  return NULL;
}
