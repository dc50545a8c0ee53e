#include "tests/support/tls.hpp"

#include <openssl/err.h>

#include <stdexcept>

namespace hsmtls::test {
namespace {

void check(const answer& one) {
  if (!one.fine()) throw std::runtime_error(one.name() + ": " + one.message);
}
void check(int result, const char* what) {
  if (result != 1) throw std::runtime_error(std::string(what) + " failed");
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

answer try_context(hsmtls_identity* identity, const context_options& options, ssl_ctx& out) {
  hsmtls_trust trust{};
  trust.struct_size = sizeof trust;
  trust.system = options.trust_system ? 1 : 0;
  trust.text = or_null(options.trust);
  trust.file = or_null(options.trust_file);
  trust.folder = or_null(options.trust_folder);
  hsmtls_tls_options given{};
  given.struct_size = sizeof given;
  given.role = options.role;
  given.server_name = or_null(options.server_name);
  given.trust = &trust;
  given.alpn = or_null(options.alpn);
  given.min_version = options.min_version;
  given.max_version = options.max_version;
  given.flags = options.flags;
  return called([&](hsmtls_error** error) {
    SSL_CTX* made = nullptr;
    const int32_t code = hsmtls_identity_make_ssl_ctx(identity, &given, &made, error);
    out.reset(made);
    return code;
  });
}

ssl_ctx context_of(hsmtls_identity* identity, const context_options& options) {
  ssl_ctx made;
  check(try_context(identity, options, made));
  return made;
}

ssl_ctx plain_context(hsmtls_role role,
                      EVP_PKEY* key,
                      const std::vector<X509*>& chain,
                      const std::vector<X509*>& trusted) {
  ssl_ctx made(SSL_CTX_new(role == HSMTLS_SERVER ? TLS_server_method() : TLS_client_method()));
  for (X509* const one : chain) {
    if (one == chain.front()) {
      check(SSL_CTX_use_certificate(made.get(), one), "SSL_CTX_use_certificate");
    } else {
      check(static_cast<int>(SSL_CTX_add1_chain_cert(made.get(), one)), "SSL_CTX_add1_chain_cert");
    }
  }
  if (key != nullptr) check(SSL_CTX_use_PrivateKey(made.get(), key), "SSL_CTX_use_PrivateKey");
  for (X509* const one : trusted) {
    check(X509_STORE_add_cert(SSL_CTX_get_cert_store(made.get()), one), "X509_STORE_add_cert");
    if (role == HSMTLS_SERVER) check(SSL_CTX_add_client_CA(made.get(), one), "add_client_CA");
  }
  if (!trusted.empty()) {
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    static constexpr unsigned char sessions[] = "test";
    SSL_CTX_set_session_id_context(made.get(), sessions, sizeof sessions);
  }
  return made;
}

connection::connection(SSL_CTX* client, SSL_CTX* server)
    : client_{.ssl = ssl(SSL_new(client))}, server_{.ssl = ssl(SSL_new(server))} {
  BIO* of_client = nullptr;
  BIO* of_server = nullptr;
  check(BIO_new_bio_pair(&of_client, 0, &of_server, 0), "BIO_new_bio_pair");
  SSL_set_bio(client_.ssl.get(), of_client, of_client);
  SSL_set_bio(server_.ssl.get(), of_server, of_server);
  SSL_set_connect_state(client_.ssl.get());
  SSL_set_accept_state(server_.ssl.get());
}

bool connection::step(side& one) {
  if (one.done || one.failed) return false;
  static constexpr char message[] = "hello";
  SSL* const connection = one.ssl.get();
  const bool is_server = SSL_is_server(connection) == 1;
  char received[sizeof message];
  ERR_clear_error();
  int result = 0;
  bool* advanced = nullptr;
  if (!one.shaken) {
    result = SSL_do_handshake(connection);
    advanced = &one.shaken;
  } else if (!one.sent && !is_server) {
    result = SSL_write(connection, message, sizeof message);
    advanced = &one.sent;
  } else if (is_server && one.sent) {
    result = SSL_write(connection, message, sizeof message);
    advanced = &one.done;
  } else {
    result = SSL_read(connection, received, sizeof received);
    advanced = is_server ? &one.sent : &one.done;
  }
  if (result > 0) {
    *advanced = true;
    return true;
  }
  const int why = SSL_get_error(connection, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  one.failed = true;
  one.said =
      called([&](hsmtls_error** error) { return hsmtls_ssl_explain(connection, result, error); });
  BIO_shutdown_wr(SSL_get_wbio(connection));
  return true;
}

void connection::run() {
  // Neither side waits in vain: what one has to say is in the other's reach when it is asked again.
  for (int idle = 0; idle < 2;) {
    const size_t before =
        BIO_number_written(SSL_get_wbio(client())) + BIO_number_written(SSL_get_wbio(server()));
    const bool client_moved = step(client_);
    const bool server_moved = step(server_);
    const size_t after =
        BIO_number_written(SSL_get_wbio(client())) + BIO_number_written(SSL_get_wbio(server()));
    idle = client_moved || server_moved || after != before ? 0 : idle + 1;
  }
}

void connection::send_to_client(const std::string& bytes) {
  BIO* const wire = SSL_get_wbio(server());
  BIO_write(wire, bytes.data(), static_cast<int>(bytes.size()));
  BIO_shutdown_wr(wire);
  server_.failed = true;
}

std::string connection::client_seen_as() const {
  const x509 seen(SSL_get1_peer_certificate(server()));
  if (!seen) return "";
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(seen.get()), NID_commonName, name, sizeof name);
  return name;
}

}  // namespace hsmtls::test
