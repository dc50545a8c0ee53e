// Fetches an https page with Boost.Asio's own ssl::stream as the identity in a token. The handshake
// signs on the thread that runs it.
//
//   get_with_asio KEY-URI CERTIFICATE-FILE CA-FILE HOST PORT PATH
//
// HSMTLS_MODULE names the vendor's PKCS#11 module, HSMTLS_PIN_SOURCE says where the PIN is.
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <hsmtls/openssl.hpp>
#include <iostream>
#include <string>

namespace asio = boost::asio;

int main(int argc, char** argv) try {
  if (argc != 7) {
    std::cerr << "usage: get_with_asio KEY-URI CERTIFICATE-FILE CA-FILE HOST PORT PATH\n";
    return 2;
  }
  const std::string host = argv[4];
  hsmtls::identity_options options;
  options.key = argv[1];
  options.certificate = argv[2];
  const auto device = hsmtls::identity::open(options);

  asio::ssl::context context(asio::ssl::context::tls_client);
  context.load_verify_file(argv[3]);
  context.set_verify_mode(asio::ssl::verify_peer);
  device.apply(context.native_handle());

  asio::io_context io;
  asio::ssl::stream<asio::ip::tcp::socket> stream(io, context);
  stream.set_verify_callback(asio::ssl::host_name_verification(host));
  SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  asio::connect(stream.next_layer(), asio::ip::tcp::resolver(io).resolve(host, argv[5]));
  boost::system::error_code failed;
  stream.handshake(asio::ssl::stream_base::client, failed);
  if (failed) {
    std::cerr << "get_with_asio: " << failed.message() << '\n';
    if (const auto problem = device.last_error()) std::cerr << problem.message() << '\n';
    return 1;
  }

  asio::write(
      stream,
      asio::buffer("GET " + std::string(argv[6]) + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n"));
  std::string page;
  asio::read(stream, asio::dynamic_buffer(page), failed);  // until the server closes
  std::cout << page;
  return 0;
} catch (const std::exception& problem) {
  std::cerr << "get_with_asio: " << problem.what() << '\n';
  return 1;
}
