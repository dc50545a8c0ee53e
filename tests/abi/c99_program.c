/* hsmtls in plain C99. c99_program KEY-URI CERTIFICATE FOLDER MODULE: opens the identity, says what it
 * is, writes its files, makes a key and a certificate object of its own and removes them, and tells
 * of every error that it asked for. Exit status 0: all was as expected. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsmtls/hsmtls.h"
#include "hsmtls/hsmtls_openssl.h"

static void expect(int32_t expected, int32_t code, hsmtls_error** error, const char* what) {
  if (code != expected || hsmtls_error_code_of(*error) != code) {
    fprintf(stderr,
            "%s: %s, not %s: %s\n",
            what,
            hsmtls_code_name(code),
            hsmtls_code_name(expected),
            hsmtls_error_message(*error));
    exit(1);
  }
  hsmtls_error_free(*error);
  *error = NULL;
}

static void expect_that(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "not so: %s\n", what);
  exit(1);
}
#define EXPECT_THAT(what) expect_that((what), #what)

static int32_t type_in_pin(void* user, const char* token_label, uint8_t* out, uint32_t capacity) {
  EXPECT_THAT(strcmp(token_label, "edge") == 0 && capacity >= 4);
  ++*(int*)user;
  memcpy(out, "1234", 4);
  return 4;
}

static void count_event(void* user, const hsmtls_event* event) {
  if (event->type == HSMTLS_EVENT_SIGNED) ++*(int*)user;
}
static void count_release(void* user) {
  *(int*)user += 100;
}

static int32_t count_token(void* user, const hsmtls_token_info* token) {
  if (strcmp(token->label, "edge") == 0) ++*(int*)user;
  return 0;
}
static int32_t stop_at_certificate(void* user, const hsmtls_object_info* object) {
  if (object->object_class != HSMTLS_OBJECT_CERTIFICATE) return 0;
  EXPECT_THAT(object->value_len > 0 && object->value != NULL);
  ++*(int*)user;
  return 1;
}

static void read_pem(const char* path, char* out, size_t capacity) {
  FILE* file = fopen(path, "r");
  size_t length;
  EXPECT_THAT(file != NULL);
  length = fread(out, 1, capacity - 1, file);
  out[length] = '\0';
  fclose(file);
}

static hsmtls_identity* open_identity(char** arguments, const hsmtls_login* login, int* events) {
  hsmtls_error* error = NULL;
  hsmtls_identity* identity = NULL;
  hsmtls_identity_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.key = "pkcs11:token=edge;object=nobody";
  options.module = arguments[4];
  options.login = login;
  expect(HSMTLS_KEY_NOT_FOUND,
         hsmtls_identity_open(&options, &identity, &error),
         &error,
         "a key that is not there");
  options.key = arguments[1];
  expect(HSMTLS_CERTIFICATE_NOT_FOUND,
         hsmtls_identity_open(&options, &identity, &error),
         &error,
         "a token without certificate");
  options.certificate = arguments[2];
  options.on_event = count_event;
  options.event_user = events;
  options.event_release = count_release;
  EXPECT_THAT(identity == NULL);
  expect(HSMTLS_OK, hsmtls_identity_open(&options, &identity, &error), &error, "open");
  return identity;
}

static void look_at(hsmtls_identity* identity, const char* folder) {
  hsmtls_error* error = NULL;
  hsmtls_identity_info info;
  hsmtls_identity_counters counters;
  hsmtls_text* text = NULL;
  memset(&info, 0, sizeof info);
  memset(&counters, 0, sizeof counters);
  info.struct_size = (uint32_t)sizeof info;
  counters.struct_size = (uint32_t)sizeof counters;
  expect(HSMTLS_OK, hsmtls_identity_get_info(identity, &info, &error), &error, "get_info");
  EXPECT_THAT(info.key_type == HSMTLS_KEY_EC && info.key_bits == 256);
  EXPECT_THAT(info.num_certificates == 1 && strcmp(info.key_name, "EC P-256") == 0);
  expect(HSMTLS_OK, hsmtls_identity_get_counters(identity, &counters, &error), &error, "counters");
  EXPECT_THAT(counters.lost == 0 && counters.open_sessions > 0);
  EXPECT_THAT(strncmp(hsmtls_identity_certificate_pem(identity), "-----BEGIN CERT", 15) == 0);
  EXPECT_THAT(hsmtls_identity_last_error(identity) == NULL);
  expect(HSMTLS_OK, hsmtls_identity_write_files(identity, folder, &error), &error, "write_files");
  expect(HSMTLS_FILE_UNREADABLE,
         hsmtls_identity_write_files(identity, "/nonexistent", &error),
         &error,
         "write_files where there is no folder");

  expect(HSMTLS_OK,
         hsmtls_reference_pem_read(hsmtls_identity_key_pem(identity), &text, &error),
         &error,
         "reference_pem_read");
  EXPECT_THAT(strcmp(hsmtls_text_data(text), info.key_uri) == 0);
  EXPECT_THAT(hsmtls_text_len(text) == strlen(info.key_uri));
  hsmtls_text_free(text);
  expect(HSMTLS_MALFORMED_URI,
         hsmtls_reference_pem_write("pkcs11:object=x?pin-value=1", &text, &error),
         &error,
         "reference_pem_write with a PIN");
}

static void administer(char** arguments, const hsmtls_login* login) {
  static char pem[8192];
  hsmtls_error* error = NULL;
  hsmtls_text* made = NULL;
  int found = 0;
  const char* module = arguments[4];
  expect(HSMTLS_OK, hsmtls_tokens_list(module, count_token, &found, &error), &error, "tokens_list");
  EXPECT_THAT(found == 1);
  expect(HSMTLS_OK,
         hsmtls_key_generate(
             "pkcs11:token=edge;object=new", module, login, HSMTLS_GENERATE_P256, 0, &made, &error),
         &error,
         "key_generate");
  expect(HSMTLS_OK,
         hsmtls_object_remove(hsmtls_text_data(made), module, login, &error),
         &error,
         "object_remove");
  hsmtls_text_free(made);
  read_pem(arguments[2], pem, sizeof pem);
  expect(
      HSMTLS_OK,
      hsmtls_certificate_import(
          arguments[1], module, login, (const uint8_t*)pem, (uint32_t)strlen(pem), &made, &error),
      &error,
      "certificate_import");
  found = 0;
  expect(
      HSMTLS_OK,
      hsmtls_objects_list("pkcs11:token=edge", module, login, stop_at_certificate, &found, &error),
      &error,
      "objects_list");
  EXPECT_THAT(found == 1);
  expect(HSMTLS_OK,
         hsmtls_object_remove(hsmtls_text_data(made), module, login, &error),
         &error,
         "object_remove");
  hsmtls_text_free(made);
  expect(HSMTLS_IN_USE,
         hsmtls_token_init("pkcs11:token=edge",
                           module,
                           "other",
                           (const uint8_t*)"so-1234",
                           7,
                           (const uint8_t*)"5678",
                           4,
                           &error),
         &error,
         "token_init of a token in use");
  expect(HSMTLS_OK,
         hsmtls_token_change_pin("pkcs11:token=edge",
                                 module,
                                 (const uint8_t*)"1234",
                                 4,
                                 (const uint8_t*)"5678",
                                 4,
                                 &error),
         &error,
         "token_change_pin");
}

int main(int argc, char** argv) {
  hsmtls_error* error = NULL;
  hsmtls_identity* identity;
  static struct evp_pkey_st* key =
      NULL; /* freed by nobody: this program has no OpenSSL to do it with */
  hsmtls_login login;
  int asked = 0;
  int events = 0;
  if (argc != 5) return 2;
  EXPECT_THAT(hsmtls_abi_version() == (HSMTLS_ABI_MAJOR << 16 | HSMTLS_ABI_MINOR));
  EXPECT_THAT(hsmtls_version()[0] != '\0' && hsmtls_openssl_where()[0] == '\0');
  EXPECT_THAT(hsmtls_code_category(HSMTLS_PIN_LOCKED) == HSMTLS_CATEGORY_TOKEN);
  EXPECT_THAT(strcmp(hsmtls_code_name(-1), "UNKNOWN") == 0 && hsmtls_code_category(-1) == 0);
  memset(&login, 0, sizeof login);
  login.struct_size = (uint32_t)sizeof login;
  login.pin_fn = type_in_pin;
  login.pin_user = &asked;

  identity = open_identity(argv, &login, &events);
  EXPECT_THAT(asked > 0);
  printf("%s\n", hsmtls_openssl_where());
  look_at(identity, argv[3]);
  expect(HSMTLS_OK, hsmtls_provider_install(&error), &error, "provider_install");
  expect(HSMTLS_OK,
         hsmtls_identity_evp_pkey(identity, HSMTLS_KEY_PROVIDER, &key, &error),
         &error,
         "evp_pkey");
  EXPECT_THAT(key != NULL);
  administer(argv, &login);

  hsmtls_identity_retain(identity);
  hsmtls_identity_release(identity);
  EXPECT_THAT(events < 100);
  hsmtls_identity_close(identity);
  EXPECT_THAT(events >= 100 && events < 200);
  hsmtls_identity_close(identity);
  hsmtls_identity_release(identity);
  EXPECT_THAT(events < 200);
  return 0;
}
