// The functions of OpenSSL that this library uses, as pointers into the host's copy. Their types come
// from the headers that we are built with (3.0 or newer; nothing newer than 3.0 is asked for).
//
// A call reads `crypto().EVP_PKEY_free(key)`. One that forgets the table does not link: the library
// has no OpenSSL to link with.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// clang-format off
#define HSMTLS_CRYPTO_FUNCTIONS(X) \
  X(OpenSSL_version_num) X(OpenSSL_version) \
  X(CRYPTO_free) \
  X(OPENSSL_sk_num) X(OPENSSL_sk_value) X(OPENSSL_sk_new_null) X(OPENSSL_sk_push) X(OPENSSL_sk_free) \
  X(OPENSSL_sk_pop_free) \
  /* errors */ \
  X(ERR_set_mark) X(ERR_pop_to_mark) \
  X(ERR_peek_last_error) X(ERR_get_error_all) \
  X(ERR_reason_error_string) X(ERR_lib_error_string) \
  X(ERR_new) X(ERR_set_error) X(ERR_get_next_error_library) X(ERR_load_strings) \
  /* contexts and providers */ \
  X(OSSL_LIB_CTX_new) X(OSSL_LIB_CTX_free) \
  X(OSSL_PROVIDER_add_builtin) X(OSSL_PROVIDER_load) X(OSSL_PROVIDER_try_load) \
  X(OSSL_PROVIDER_unload) X(OSSL_PROVIDER_do_all) X(OSSL_PROVIDER_get0_name) \
  X(EVP_KEYMGMT_fetch) X(EVP_KEYMGMT_free) \
  /* parameters */ \
  X(OSSL_PARAM_locate) X(OSSL_PARAM_locate_const) X(OSSL_PARAM_get_int) X(OSSL_PARAM_get_uint64) \
  X(OSSL_PARAM_get_utf8_string_ptr) X(OSSL_PARAM_set_int) \
  X(OSSL_PARAM_construct_int) X(OSSL_PARAM_construct_uint64) X(OSSL_PARAM_construct_utf8_string) \
  X(OSSL_PARAM_construct_utf8_ptr) X(OSSL_PARAM_construct_octet_string) X(OSSL_PARAM_construct_BN) X(OSSL_PARAM_construct_end) \
  /* keys */ \
  X(EVP_PKEY_new) X(EVP_PKEY_free) X(EVP_PKEY_up_ref) X(EVP_PKEY_eq) X(EVP_PKEY_parameters_eq) X(EVP_PKEY_get_size) X(EVP_PKEY_get_bits) \
  X(EVP_PKEY_get_params) X(EVP_PKEY_get_bn_param) X(EVP_PKEY_get_group_name) X(EVP_PKEY_export) X(EVP_PKEY_is_a) X(EVP_PKEY_get0_provider) \
  X(EVP_PKEY_CTX_new_from_name) X(EVP_PKEY_CTX_new_from_pkey) X(EVP_PKEY_CTX_free) X(EVP_PKEY_CTX_dup) \
  X(EVP_PKEY_fromdata_init) X(EVP_PKEY_fromdata) \
  X(EVP_PKEY_verify_init) X(EVP_PKEY_verify) X(EVP_PKEY_CTX_set_params) X(EVP_PKEY_CTX_get_params) \
  X(EVP_PKEY_get0_RSA) X(EVP_PKEY_get0_EC_KEY) X(EVP_PKEY_set1_RSA) X(EVP_PKEY_set1_EC_KEY) \
  /* digests */ \
  X(EVP_MD_fetch) X(EVP_MD_free) X(EVP_MD_get_size) X(EVP_MD_get_type) X(EVP_MD_get0_name) \
  X(EVP_MD_CTX_new) X(EVP_MD_CTX_free) X(EVP_MD_CTX_copy_ex) \
  X(EVP_DigestInit_ex) X(EVP_DigestUpdate) X(EVP_DigestFinal_ex) X(EVP_Digest) X(EVP_sha256) \
  X(EVP_DigestSignInit_ex) X(EVP_DigestSign) X(EVP_DigestVerifyInit_ex) X(EVP_DigestVerify) X(EVP_DigestVerifyUpdate) X(EVP_DigestVerifyFinal) \
  /* numbers and signatures */ \
  X(BN_bin2bn) X(BN_cmp) X(BN_free) \
  X(ECDSA_SIG_new) X(ECDSA_SIG_free) X(ECDSA_SIG_set0) X(i2d_ECDSA_SIG) \
  X(RSA_padding_add_PKCS1_PSS_mgf1) \
  /* legacy halves */ \
  X(RSA_PKCS1_OpenSSL) X(RSA_meth_dup) X(RSA_meth_set1_name) X(RSA_meth_set_priv_enc) X(RSA_meth_set_priv_dec) \
  X(RSA_meth_set_flags) X(RSA_set_method) X(RSA_get_method) X(RSA_set_ex_data) X(RSA_get_ex_data) \
  X(EC_KEY_OpenSSL) X(EC_KEY_METHOD_new) X(EC_KEY_METHOD_set_sign) X(EC_KEY_set_method) X(EC_KEY_get_method) \
  X(EC_KEY_set_ex_data) X(EC_KEY_get_ex_data) X(CRYPTO_get_ex_new_index) \
  /* ASN.1 */ \
  X(OBJ_obj2nid) X(OBJ_nid2sn) X(OBJ_nid2obj) X(OBJ_length) X(d2i_ASN1_OBJECT) X(ASN1_OBJECT_free) \
  X(ASN1_OCTET_STRING_set) X(ASN1_STRING_get0_data) X(ASN1_STRING_length) \
  X(d2i_ASN1_SEQUENCE_ANY) X(i2d_ASN1_SEQUENCE_ANY) X(ASN1_TYPE_new) X(ASN1_TYPE_free) X(ASN1_TYPE_get) X(ASN1_TYPE_set) \
  X(ASN1_STRING_type_new) X(ASN1_STRING_set) \
  X(X509_SIG_new) X(X509_SIG_free) X(X509_SIG_getm) X(X509_ALGOR_set0) X(i2d_X509_SIG) \
  X(i2d_PUBKEY) \
  /* PEM and BIO */ \
  X(BIO_new_mem_buf) X(BIO_new) X(BIO_s_mem) X(BIO_free) X(BIO_ctrl) \
  X(PEM_read_bio) X(PEM_read_bio_X509) X(PEM_write_bio_X509) X(PEM_write_bio) \
  /* certificates */ \
  X(X509_free) X(X509_get_pubkey) X(X509_get0_pubkey) X(X509_get_subject_name) X(X509_get_issuer_name) \
  X(X509_get0_serialNumber) X(X509_check_issued) X(X509_NAME_print_ex) X(X509_NAME_cmp) X(X509_get0_notBefore) X(X509_get0_notAfter) \
  X(X509_cmp_current_time) X(ASN1_TIME_compare) X(X509_digest) X(X509_get_extension_flags) X(X509_verify) X(d2i_X509) X(i2d_X509) X(i2d_X509_NAME) X(i2d_ASN1_INTEGER) \
  X(X509_STORE_new) X(X509_STORE_free) X(X509_STORE_up_ref) X(X509_STORE_add_cert) \
  X(X509_STORE_set_default_paths) X(X509_STORE_get0_param) X(X509_STORE_get_verify_cb) \
  X(X509_STORE_CTX_new) X(X509_STORE_CTX_free) X(X509_STORE_CTX_init) X(X509_STORE_CTX_get0_cert) X(X509_STORE_CTX_get0_untrusted) \
  X(X509_STORE_CTX_get0_param) X(X509_STORE_CTX_set_ex_data) X(X509_STORE_CTX_get_ex_data) X(X509_STORE_CTX_get_error) \
  X(X509_STORE_CTX_set_error) X(X509_STORE_CTX_get_error_depth) X(X509_STORE_CTX_set_error_depth) X(X509_STORE_CTX_get_current_cert) \
  X(X509_STORE_CTX_set_current_cert) X(X509_STORE_CTX_get0_chain) X(X509_STORE_CTX_get1_chain) X(X509_STORE_CTX_set0_verified_chain) X(X509_STORE_CTX_get_verify_cb) \
  X(X509_STORE_CTX_set_verify_cb) X(X509_STORE_CTX_set0_dane) X(X509_verify_cert) X(X509_verify_cert_error_string) \
  X(X509_VERIFY_PARAM_set1_host) X(X509_VERIFY_PARAM_set1_ip_asc) X(X509_VERIFY_PARAM_set_hostflags) X(X509_VERIFY_PARAM_set1) \
  X(X509_VERIFY_PARAM_get0_host) X(X509_VERIFY_PARAM_get1_ip_asc) X(X509_VERIFY_PARAM_get_flags) X(X509_VERIFY_PARAM_get_hostflags) \
  X(X509_VERIFY_PARAM_get_depth) X(X509_VERIFY_PARAM_get_auth_level) X(X509_VERIFY_PARAM_move_peername) X(X509_NAME_dup) X(X509_NAME_free) \
  X(X509_STORE_CTX_get0_store) X(X509_get_default_cert_file) X(X509_get_default_cert_file_env) \
  X(X509_get_default_cert_dir) X(X509_get_default_cert_dir_env) X(X509_get_ext_d2i) X(GENERAL_NAMES_free) X(ASN1_TIME_to_tm)

#define HSMTLS_SSL_FUNCTIONS(X) \
  /* contexts */ \
  X(TLS_client_method) X(TLS_server_method) X(SSL_CTX_new) X(SSL_CTX_free) X(SSL_CTX_ctrl) \
  X(SSL_CTX_use_cert_and_key) X(SSL_CTX_set_verify) X(SSL_CTX_get0_param) X(SSL_CTX_set_cert_verify_callback) \
  X(SSL_CTX_set_alpn_protos) X(SSL_CTX_set_alpn_select_cb) X(SSL_CTX_set_session_id_context) \
  X(SSL_CTX_sess_set_new_cb) X(SSL_CTX_set_options) X(SSL_CTX_set_ex_data) X(SSL_CTX_get_ex_data) \
  X(SSL_CTX_set_cert_store) X(SSL_CTX_get_cert_store) X(SSL_CTX_get0_certificate) X(SSL_CTX_get_security_level) X(SSL_CTX_set_cert_cb) \
  X(SSL_CTX_set_num_tickets) X(SSL_CTX_set_session_ticket_cb) \
  /* connections */ \
  X(SSL_get_SSL_CTX) X(SSL_get_error) X(SSL_get_verify_result) X(SSL_set_session) X(SSL_is_server) \
  X(SSL_select_next_proto) X(SSL_get_servername) X(SSL_get_ex_data_X509_STORE_CTX_idx) X(SSL_ctrl) \
  X(SSL_get0_dane) X(SSL_get0_param) X(SSL_get_certificate) X(SSL_get_session) X(SSL_get_verify_mode) X(SSL_get_verify_callback) \
  X(SSL_set_ex_data) X(SSL_get_ex_data) X(SSL_set_client_CA_list) X(SSL_get0_verified_chain) \
  X(SSL_client_version) X(SSL_is_init_finished) X(SSL_get_sigalgs) X(SSL_get0_peer_certificate) X(SSL_client_hello_get0_ext) \
  /* sessions */ \
  X(SSL_session_reused) X(SSL_SESSION_dup) X(SSL_SESSION_free) X(SSL_SESSION_set1_ticket_appdata) X(SSL_SESSION_get0_ticket_appdata) \
  X(SSL_SESSION_get_protocol_version)
// clang-format on

namespace hsmtls::host {

#define HSMTLS_DECLARE(name) decltype(&::name) name = nullptr;
struct crypto_functions {
  HSMTLS_CRYPTO_FUNCTIONS(HSMTLS_DECLARE)
};
struct ssl_functions {
  HSMTLS_SSL_FUNCTIONS(HSMTLS_DECLARE)
};
#undef HSMTLS_DECLARE

}  // namespace hsmtls::host
