/* Publishes over mutual TLS with libmosquitto; the private key comes from a PKCS#11 token through the stock libp11
 * engine. Knows nothing of hsmtls: PKCS11_MODULE_PATH names the module, the vendor's or the one in front of it.
 * The key is loaded once. Each line on stdin connects anew (full handshake, new signature) and publishes once more. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <mosquitto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
static void on_connect(struct mosquitto* m, void* state, int rc) {
  (void)m;
  *(int*)state = rc == 0 ? 1 : -1;
}
static char last_error
    [256]; /* libmosquitto empties OpenSSL's error queue into its log: the first line is the cause */
static void on_log(struct mosquitto* m, void* state, int level, const char* text) {
  (void)m, (void)state;
  if (level == MOSQ_LOG_ERR && last_error[0] == 0)
    snprintf(last_error, sizeof last_error, "%s", text);
}
static void on_publish(struct mosquitto* m, void* state, int mid) {
  (void)m, (void)mid;
  *(int*)state = 2;
}

static void need(int ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, ERR_error_string(ERR_peek_error(), NULL));
  exit(1);
}

/* Runs the network loop until `state` reaches `wanted`; 0 when that did not happen. */
static int reach(struct mosquitto* m, const int* state, int wanted) {
  double deadline = now_ms() + 15000;
  while (*state >= 0 && *state < wanted && now_ms() < deadline)
    if (mosquitto_loop(m, 100, 1) != MOSQ_ERR_SUCCESS) break;
  return *state == wanted;
}

int main(int argc, char** argv) {
  if (argc != 7)
    return fprintf(stderr, "usage: %s KEY-URI CERT CA PORT CLIENT-ID TOPIC\n", argv[0]), 2;
  ENGINE* engine = (ENGINE_load_dynamic(), ENGINE_by_id("pkcs11"));
  need(engine && ENGINE_init(engine), "engine pkcs11");
  EVP_PKEY* key = ENGINE_load_private_key(engine, argv[1], NULL, NULL);
  need(key != NULL, "key");

  SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  need(SSL_CTX_load_verify_locations(ctx, argv[3], NULL), "CA");
  need(X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), "localhost", 0), "host name");
  SSL_CTX_set_session_cache_mode(ctx,
                                 SSL_SESS_CACHE_OFF); /* every connection is a full handshake */
  need(SSL_CTX_use_certificate_chain_file(ctx, argv[2]) && SSL_CTX_use_PrivateKey(ctx, key),
       "certificate and key");

  mosquitto_lib_init();
  int state = 0, attempt = 0;
  char line[64];
  do {
    struct mosquitto* m = mosquitto_new(argv[5], true, &state);
    mosquitto_int_option(m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(m, MOSQ_OPT_SSL_CTX, ctx);
    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_publish_callback_set(m, on_publish);
    mosquitto_log_callback_set(m, on_log);
    last_error[0] = 0, state = 0;
    double started = now_ms();
    int rc = mosquitto_connect(m, "localhost", atoi(argv[4]), 30),
        connected = rc == 0 && reach(m, &state, 1);
    double connect_ms = now_ms() - started;
    int published = connected && !mosquitto_publish(m, NULL, argv[6], 5, "hello", 1, false) &&
                    reach(m, &state, 2);
    printf("{\"client\": \"libmosquitto\", \"attempt\": %d, ", ++attempt);
    if (published)
      printf("\"event\": \"published\", \"connect_ms\": %.1f}\n", connect_ms);
    else
      printf("\"event\": \"failed\", \"error\": \"%s\"}\n",
             last_error[0] ? last_error : mosquitto_strerror(rc));
    fflush(stdout);
    mosquitto_disconnect(m);
    mosquitto_destroy(m);
  } while (fgets(line, sizeof line, stdin));
  mosquitto_lib_cleanup();
  SSL_CTX_free(ctx);
  EVP_PKEY_free(key);
  ENGINE_finish(engine);
  return ENGINE_free(engine), 0;
}
