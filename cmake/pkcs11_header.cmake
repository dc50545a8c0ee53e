# The PKCS#11 v3.0 declarations. Debian's libnss3-dev carries OASIS's own three headers; they are used at
# build time only, nothing of NSS is linked.
find_path(HSMTLS_PKCS11_INCLUDE_DIR pkcs11.h PATH_SUFFIXES nss nss3)
find_path(HSMTLS_NSPR_INCLUDE_DIR prtypes.h PATH_SUFFIXES nspr nspr4)
if(NOT HSMTLS_PKCS11_INCLUDE_DIR OR NOT HSMTLS_NSPR_INCLUDE_DIR)
  message(FATAL_ERROR
    "The PKCS#11 v3.0 headers are missing: pkcs11.h (Debian: libnss3-dev) and prtypes.h, which it includes "
    "(Debian: libnspr4-dev). They are needed to build, not to run: nothing of NSS is linked. Install them "
    "(apt-get install libnss3-dev libnspr4-dev), or set HSMTLS_PKCS11_INCLUDE_DIR and HSMTLS_NSPR_INCLUDE_DIR.")
endif()
add_library(hsmtls_pkcs11_header INTERFACE)
target_include_directories(hsmtls_pkcs11_header SYSTEM INTERFACE
  ${HSMTLS_PKCS11_INCLUDE_DIR} ${HSMTLS_NSPR_INCLUDE_DIR})
