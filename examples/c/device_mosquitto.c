/* libmosquitto, in C: a device that sends telemetry and receives a message.
 *
 *   device_mosquitto_c KEY-URI CA-FILE HOST PORT */
#include <hsmtls/hsmtls_openssl.h>
#include <mosquitto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static void on_connect(struct mosquitto* client, void* user, int result) {
  (void)user;
  if (result == 0) mosquitto_subscribe(client, NULL, "devices/commands", 1);
}

static void on_subscribe(
    struct mosquitto* client, void* user, int id, int count, const int* granted) {
  static const char telemetry[] = "{\"temperature\": 21.5}";
  (void)user, (void)id, (void)count, (void)granted;
  mosquitto_publish(client, NULL, "devices/telemetry", sizeof telemetry - 1, telemetry, 1, false);
}

static void on_message(struct mosquitto* client,
                       void* user,
                       const struct mosquitto_message* message) {
  (void)user;
  printf("%s: %.*s\n", message->topic, message->payloadlen, (const char*)message->payload);
  mosquitto_disconnect(client); /* ends the loop */
}

/* The device's SSL_CTX: its key and chain, the peer and its name verified. */
static SSL_CTX* context_of(const char* key, const char* ca_file, const char* host) {
  hsmtls_identity_options options = {.struct_size = sizeof options, .key = key};
  hsmtls_trust trust = {.struct_size = sizeof trust, .file = ca_file};
  hsmtls_tls_options tls = {.struct_size = sizeof tls, .server_name = host, .trust = &trust};
  hsmtls_identity* device = NULL;
  hsmtls_error* error = NULL;
  SSL_CTX* context = NULL;
  if (hsmtls_openssl_bind(TLS_method(), EVP_sha256(), &error) != HSMTLS_OK ||
      hsmtls_identity_open(&options, &device, &error) != HSMTLS_OK ||
      hsmtls_identity_make_ssl_ctx(device, &tls, &context, &error) != HSMTLS_OK) {
    fprintf(stderr, "device_mosquitto: %s\n", hsmtls_error_message(error));
    exit(1);
  }
  return context; /* and the identity stays open as long as the process runs */
}

int main(int argc, char** argv) {
  SSL_CTX* context;
  struct mosquitto* client;
  int result;
  if (argc != 5) return 2;
  context = context_of(argv[1], argv[2], argv[3]);
  mosquitto_lib_init();
  client = mosquitto_new("device-0001", true, NULL);
  /* The context is complete: libmosquitto must not set it up once more, which in 2.0 refuses every peer. */
  mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, context);
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_message_callback_set(client, on_message);
  mosquitto_connect(client, argv[3], atoi(argv[4]), 60);
  result = mosquitto_loop_forever(client, -1, 1);
  mosquitto_destroy(client);
  mosquitto_lib_cleanup();
  SSL_CTX_free(context);
  return result == MOSQ_ERR_SUCCESS ? 0 : 1;
}
