/* Publishes over mutual TLS with libmosquitto; the private key comes from a PKCS#11 token through the stock libp11
 * engine. Knows nothing of hsmtls: PKCS11_MODULE_PATH names the module, the vendor's or the one in front of it.
 * The key is loaded once. Each line on stdin connects anew (full handshake, new signature) and publishes once more.
 * KEY-URI ends in "?pin-source=file:PATH". libp11 0.4.12 takes that file as it is: no newline behind the PIN. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <mosquitto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct attempt {
  const char* topic;
  double started, connect_ms;
  int published;
  char error[256];
};
static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
static void on_connect(struct mosquitto* m, void* data, int rc) {
  struct attempt* a = data;
  a->connect_ms = now_ms() - a->started;
  if (rc == 0) mosquitto_publish(m, NULL, a->topic, 5, "hello", 1, false);
}
static void on_publish(struct mosquitto* m, void* data, int message) {
  ((struct attempt*)data)->published = message;
  mosquitto_disconnect(m); /* ends the loop */
}
/* libmosquitto empties OpenSSL's error queue into its log: the first line is the cause. */
static void on_log(struct mosquitto* m, void* data, int level, const char* text) {
  struct attempt* a = data;
  (void)m;
  if (level == MOSQ_LOG_ERR && !a->error[0]) snprintf(a->error, sizeof a->error, "%s", text);
}

int main(int argc, char** argv) {
  if (argc != 7 && argc != 8)
    return fprintf(stderr, "usage: %s KEY-URI CERT CA PORT CLIENT-ID TOPIC [HOST]\n", argv[0]), 2;
  const char* host = argc == 8 ? argv[7] : "localhost";
  ENGINE_load_dynamic();
  ENGINE* engine = ENGINE_by_id("pkcs11");
  EVP_PKEY* key =
      engine && ENGINE_init(engine) ? ENGINE_load_private_key(engine, argv[1], NULL, NULL) : NULL;
  SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
  if (!key || SSL_CTX_use_certificate_chain_file(ctx, argv[2]) != 1 ||
      SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
      SSL_CTX_load_verify_locations(ctx, argv[3], NULL) != 1 ||
      X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), host, 0) != 1)
    return ERR_print_errors_fp(stderr), 1;
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);

  mosquitto_lib_init();
  char line[64];
  do {
    struct attempt a = {.topic = argv[6], .started = now_ms()};
    struct mosquitto* m = mosquitto_new(argv[5], true, &a);
    mosquitto_int_option(m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(m, MOSQ_OPT_SSL_CTX, ctx);
    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_publish_callback_set(m, on_publish);
    mosquitto_log_callback_set(m, on_log);
    int rc = mosquitto_connect(m, host, atoi(argv[4]), 30);
    while (!rc && now_ms() - a.started < 15000) rc = mosquitto_loop(m, 100, 1);
    if (!a.published) on_log(m, &a, MOSQ_LOG_ERR, mosquitto_strerror(rc));
    const char* event = a.published ? "published" : "failed";
    printf("{\"client\": \"libmosquitto\", \"event\": \"%s\", ", event);
    printf("\"error\": \"%s\", \"connect_ms\": %.1f}\n", a.error, a.connect_ms);
    fflush(stdout);
    mosquitto_destroy(m);
  } while (fgets(line, sizeof line, stdin));
  mosquitto_lib_cleanup();
  SSL_CTX_free(ctx);
  EVP_PKEY_free(key);
  ENGINE_finish(engine);
  return ENGINE_free(engine), 0;
}
