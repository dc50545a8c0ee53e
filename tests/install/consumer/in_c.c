#include <hsmtls/hsmtls.h>
#include <stdio.h>

int main(void) {
  hsmtls_text* pem = NULL;
  hsmtls_error* error = NULL;
  if (hsmtls_reference_pem_write("pkcs11:object=device", &pem, &error) != HSMTLS_OK) {
    printf("%s\n", hsmtls_error_message(error));
    return 1;
  }
  printf("hsmtls %s\n%s", hsmtls_version(), hsmtls_text_data(pem));
  hsmtls_text_free(pem);
  return 0;
}
