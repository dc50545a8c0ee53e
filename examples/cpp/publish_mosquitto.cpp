// Publishes over mutual TLS with libmosquitto as the identity in a token. Each line on stdin connects
// anew (full handshake, new signature) and publishes once more: the token may be reset in between.
//
//   publish_mosquitto KEY-URI CA-FILE PORT CLIENT-ID TOPIC [HOST]
//
// The certificate is in the token, beside the key. HSMTLS_MODULE names the vendor's PKCS#11 module,
// HSMTLS_PIN_SOURCE says where the PIN is.
#include <mosquitto.h>

#include <chrono>
#include <hsmtls/openssl.hpp>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>

namespace {

using clock_type = std::chrono::steady_clock;

struct attempt {
  std::string topic;
  clock_type::time_point started = clock_type::now();
  double connect_ms = 0;
  bool published = false;
};

double ms_since(clock_type::time_point start) {
  return std::chrono::duration<double, std::milli>(clock_type::now() - start).count();
}

void on_connect(mosquitto* client, void* data, int result) {
  auto& now = *static_cast<attempt*>(data);
  now.connect_ms = ms_since(now.started);
  if (result == 0) mosquitto_publish(client, nullptr, now.topic.c_str(), 5, "hello", 1, false);
}

void on_publish(mosquitto* client, void* data, int /*message*/) {
  static_cast<attempt*>(data)->published = true;
  mosquitto_disconnect(client);  // ends the loop
}

attempt publish(SSL_CTX* context,
                const std::string& host,
                int port,
                const std::string& client_id,
                const std::string& topic) {
  attempt now{topic};
  const std::unique_ptr<mosquitto, void (*)(mosquitto*)> client(
      mosquitto_new(client_id.c_str(), true, &now), mosquitto_destroy);
  // The context is complete: libmosquitto must not set it up once more, which in 2.0 refuses every peer.
  mosquitto_int_option(client.get(), MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  mosquitto_void_option(client.get(), MOSQ_OPT_SSL_CTX, context);
  mosquitto_connect_callback_set(client.get(), on_connect);
  mosquitto_publish_callback_set(client.get(), on_publish);
  int result = mosquitto_connect(client.get(), host.c_str(), port, 30);
  while (result == MOSQ_ERR_SUCCESS && ms_since(now.started) < 15000) {
    result = mosquitto_loop(client.get(), 100, 1);
  }
  return now;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 6 && argc != 7) {
    std::cerr << "usage: publish_mosquitto KEY-URI CA-FILE PORT CLIENT-ID TOPIC [HOST]\n";
    return 2;
  }
  hsmtls::identity_options options;
  options.key = argv[1];
  const auto device = hsmtls::identity::open(options);

  hsmtls::tls_options tls;
  tls.server_name = argc == 7 ? argv[6] : "localhost";
  tls.trust.file = argv[2];
  const auto context = device.make_ssl_ctx(tls);

  mosquitto_lib_init();
  std::string line;
  do {
    const attempt now =
        publish(context.get(), tls.server_name, std::stoi(argv[3]), argv[4], argv[5]);
    const auto problem = device.last_error();
    std::cout << R"({"client": "libmosquitto", "event": ")"
              << (now.published ? "published" : "failed") << R"(", "error": ")"
              << (now.published || !problem ? "" : problem.message()) << R"(", "connect_ms": )"
              << now.connect_ms << "}" << std::endl;
  } while (std::getline(std::cin, line));
  mosquitto_lib_cleanup();
  return 0;
} catch (const hsmtls::error& problem) {
  std::cerr << "publish_mosquitto: " << problem.what() << '\n';
  return 1;
}
