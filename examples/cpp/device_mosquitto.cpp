// libmosquitto: a device that sends telemetry and receives a message.
//
//   device_mosquitto KEY-URI CA-FILE HOST PORT
#include <mosquitto.h>

#include <cstdio>
#include <cstdlib>
#include <hsmtls/openssl.hpp>

static void on_connect(mosquitto* client, void* /*user*/, int result) {
  if (result == 0) mosquitto_subscribe(client, nullptr, "devices/commands", 1);
}

static void on_subscribe(mosquitto* client, void*, int /*id*/, int /*count*/, const int* /*qos*/) {
  static constexpr char telemetry[] = R"({"temperature": 21.5})";
  mosquitto_publish(
      client, nullptr, "devices/telemetry", sizeof telemetry - 1, telemetry, 1, false);
}

static void on_message(mosquitto* client, void* /*user*/, const mosquitto_message* message) {
  std::printf(
      "%s: %.*s\n", message->topic, message->payloadlen, static_cast<char*>(message->payload));
  mosquitto_disconnect(client);  // ends the loop
}

int main(int argc, char** argv) try {
  if (argc != 5) return 2;
  hsmtls::identity_options options;
  options.key = argv[1];
  const auto device = hsmtls::identity::open(options);
  hsmtls::tls_options tls;
  tls.server_name = argv[3];
  tls.trust.file = argv[2];
  const auto context = device.make_ssl_ctx(tls);

  mosquitto_lib_init();
  mosquitto* const client = mosquitto_new("device-0001", true, nullptr);
  // The context is complete: libmosquitto must not set it up once more, which in 2.0 refuses every peer.
  mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, context.get());
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_message_callback_set(client, on_message);
  mosquitto_connect(client, argv[3], std::atoi(argv[4]), 60);
  const int result = mosquitto_loop_forever(client, -1, 1);
  mosquitto_destroy(client);
  mosquitto_lib_cleanup();
  return result == MOSQ_ERR_SUCCESS ? 0 : 1;
} catch (const hsmtls::error& problem) {
  std::fprintf(stderr, "device_mosquitto: %s\n", problem.what());
  return 1;
}
