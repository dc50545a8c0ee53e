# The scripts start from a known environment: nothing the caller has configured for PKCS#11 may leak into a test.
# shellcheck shell=bash

unset OPENSSL_CONF PKCS11_MODULE_PATH SOFTHSM2_CONF P11_KIT_STRICT
unset HSMTLS_MODULE HSMTLS_PIN_SOURCE HSMTLS_DEADLINE_MS HSMTLS_LOG HSMTLS_FINAL_TRY "${!HSMTLS_CHAOS@}"
export LC_ALL=C.UTF-8
