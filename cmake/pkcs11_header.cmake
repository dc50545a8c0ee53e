# The PKCS#11 v3.0 declarations. Debian's libnss3-dev carries OASIS's own three headers; they are used at
# build time only, nothing of NSS is linked.
find_path(HSMTLS_PKCS11_INCLUDE_DIR pkcs11.h PATH_SUFFIXES nss nss3 REQUIRED)
find_path(HSMTLS_NSPR_INCLUDE_DIR prtypes.h PATH_SUFFIXES nspr nspr4 REQUIRED)
add_library(hsmtls_pkcs11_header INTERFACE)
target_include_directories(hsmtls_pkcs11_header SYSTEM INTERFACE
  ${HSMTLS_PKCS11_INCLUDE_DIR} ${HSMTLS_NSPR_INCLUDE_DIR})
