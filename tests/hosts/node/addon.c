/* Node.js as the host: the least that an addon does. It is linked with no OpenSSL and not with hsmtls.
 *
 * open(libhsmtls, key, certificate) binds hsmtls to the OpenSSL of node, opens the identity, installs
 * the provider and returns { key, cert, where }; the identity stays open. bring(file, global) loads a
 * library as another addon would. */
#include <dlfcn.h>
#include <node_api.h>
#include <stdio.h>
#include <string.h>

#include "hsmtls/hsmtls_openssl.h"

#define HSMTLS(name) ((__typeof__(&name))dlsym(library, #name))

static void* library;

static int text_argument(napi_env env, napi_value value, char* out, size_t capacity) {
  size_t length;
  return napi_get_value_string_utf8(env, value, out, capacity, &length) == napi_ok;
}

static napi_value thrown(napi_env env, const char* message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

static napi_value failed(napi_env env, int32_t code, const hsmtls_error* error) {
  char text[1024];
  snprintf(text,
           sizeof text,
           "%s: %s",
           HSMTLS(hsmtls_code_name)(code),
           HSMTLS(hsmtls_error_message)(error));
  return thrown(env, text);
}

static void set_text(napi_env env, napi_value object, const char* name, const char* text) {
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, object, name, value);
}

static napi_value open_identity(napi_env env, napi_callback_info info) {
  char file[1024];
  char key[1024];
  char certificate[1024];
  napi_value arguments[3];
  napi_value result;
  size_t count = 3;
  hsmtls_identity_options options;
  hsmtls_identity* identity = NULL;
  hsmtls_error* error = NULL;
  int32_t code;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (!text_argument(env, arguments[0], file, sizeof file) ||
      !text_argument(env, arguments[1], key, sizeof key) ||
      !text_argument(env, arguments[2], certificate, sizeof certificate)) {
    return thrown(env, "three strings");
  }
  library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return thrown(env, dlerror());
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key = key;
  options.certificate = certificate;
  if ((code = HSMTLS(hsmtls_openssl_bind_main)(&error)) != HSMTLS_OK ||
      (code = HSMTLS(hsmtls_identity_open)(&options, &identity, &error)) != HSMTLS_OK ||
      (code = HSMTLS(hsmtls_provider_install)(&error)) != HSMTLS_OK) {
    return failed(env, code, error);
  }
  napi_create_object(env, &result);
  set_text(env, result, "key", HSMTLS(hsmtls_identity_key_pem)(identity));
  set_text(env, result, "cert", HSMTLS(hsmtls_identity_certificate_pem)(identity));
  set_text(env, result, "where", HSMTLS(hsmtls_openssl_where)());
  return result;
}

static napi_value bring(napi_env env, napi_callback_info info) {
  char file[1024];
  napi_value arguments[2];
  size_t count = 2;
  bool global = false;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_bool(env, arguments[1], &global);
  if (!text_argument(env, arguments[0], file, sizeof file)) return thrown(env, "a file");
  if (dlopen(file, RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL)) == NULL)
    return thrown(env, dlerror());
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"open", NULL, open_identity, NULL, NULL, NULL, napi_enumerable, NULL},
      {"bring", NULL, bring, NULL, NULL, NULL, napi_enumerable, NULL}};
  napi_define_properties(env, exports, 2, functions);
  return exports;
}
