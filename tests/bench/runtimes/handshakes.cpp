// Handshakes of a C++ client with a key in a token, and with a software key of the same kind (EC P-256), by
// turns; run by hsmtls_with_device. Prints one line of JSON: the medians of the rounds.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <hsmtls/openssl.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int rounds = 7;
constexpr int per_round = 200;

std::string file(const char* name) {
  return std::string(std::getenv("HSMTLS_TEST_FOLDER")) + "/" + name;
}

void check(long result, const char* what) {
  if (result <= 0) throw std::runtime_error(std::string(what) + " failed");
}

// A peer with a software key, who trusts the device's authority.
hsmtls::ssl_ctx_ptr peer(const SSL_METHOD* method) {
  hsmtls::ssl_ctx_ptr made(SSL_CTX_new(method));
  check(SSL_CTX_use_certificate_chain_file(made.get(), file("server.pem").c_str()), "certificate");
  check(SSL_CTX_use_PrivateKey_file(made.get(), file("server.key").c_str(), SSL_FILETYPE_PEM),
        "key");
  check(SSL_CTX_load_verify_locations(made.get(), file("ca.pem").c_str(), nullptr), "trust");
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return made;
}

// Listens on a free port, and answers everybody with a byte.
class server {
 public:
  server() : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    check(bind(listening_, reinterpret_cast<sockaddr*>(&at), length) + 1, "bind");
    check(listen(listening_, 16) + 1, "listen");
    check(getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &length) + 1, "getsockname");
    place_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~server() {
    shutdown(listening_, SHUT_RDWR);
    thread_.join();
    close(listening_);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  void serve() const {
    const hsmtls::ssl_ctx_ptr context = peer(TLS_server_method());
    for (int taken = 0; (taken = accept(listening_, nullptr, nullptr)) >= 0; close(taken)) {
      SSL* const one = SSL_new(context.get());
      SSL_set_fd(one, taken);
      if (SSL_accept(one) == 1) SSL_write(one, ".", 1);
      SSL_free(one);
    }
  }

  int listening_;
  std::string place_;
  std::thread thread_;
};

void connect(SSL_CTX* context, const std::string& place) {
  BIO* const connection = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(connection, place.c_str());
  char answer = 0;
  const int got = BIO_read(connection, &answer, 1);
  BIO_free_all(connection);
  check(got, "connecting");
}

double ms_to_connect(SSL_CTX* context, const std::string& place) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < per_round; ++i) connect(context, place);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
             .count() /
         per_round;
}

std::string figures(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const double median = ms[ms.size() / 2];
  return fmt::format(
      R"({{"handshakes_per_second": {:.0f}, "connect_ms": {:.3f}}})", 1000 / median, median);
}

}  // namespace

int main() try {
  const server other;
  const auto device = hsmtls::identity::open({"pkcs11:token=edge;object=ec"});
  hsmtls::tls_options tls;
  tls.server_name = "localhost";
  tls.trust.file = file("ca.pem");
  tls.no_resumption = true;
  const hsmtls::ssl_ctx_ptr contexts[] = {device.make_ssl_ctx(tls), peer(TLS_client_method())};
  std::vector<double> took[2];
  for (const auto& one : contexts) ms_to_connect(one.get(), other.place());
  for (int i = 0; i < rounds; ++i) {
    for (int which : {0, 1})
      took[which].push_back(ms_to_connect(contexts[which].get(), other.place()));
  }
  fmt::print(R"({{"runtime": "C++", "hsmtls": {}, "software": {}}})"
             "\n",
             figures(took[0]),
             figures(took[1]));
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "%s\n", why.what());
  return 1;
}
