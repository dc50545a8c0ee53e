// Fetches an https page with libcurl as the identity in a token: libcurl asks for its SSL_CTX to be
// completed before each connection (CURLOPT_SSL_CTX_FUNCTION).
//
//   get_with_curl KEY-URI CERTIFICATE-FILE CA-FILE URL
//
// HSMTLS_MODULE names the vendor's PKCS#11 module, HSMTLS_PIN_SOURCE says where the PIN is.
#include <curl/curl.h>

#include <hsmtls/openssl.hpp>
#include <iostream>
#include <memory>

namespace {

// libcurl is C: nothing may be thrown through it.
CURLcode present(CURL* /*easy*/, void* ssl_ctx, void* device) {
  hsmtls::diagnostics problem;
  static_cast<const hsmtls::identity*>(device)->apply(static_cast<SSL_CTX*>(ssl_ctx), problem);
  if (!problem) return CURLE_OK;
  std::cerr << "get_with_curl: " << problem.message() << '\n';
  return CURLE_ABORTED_BY_CALLBACK;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::cerr << "usage: get_with_curl KEY-URI CERTIFICATE-FILE CA-FILE URL\n";
    return 2;
  }
  hsmtls::identity_options options;
  options.key = argv[1];
  options.certificate = argv[2];
  const auto device = hsmtls::identity::open(options);

  curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> easy(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(easy.get(), CURLOPT_URL, argv[4]);
  curl_easy_setopt(easy.get(), CURLOPT_CAINFO, argv[3]);
  curl_easy_setopt(easy.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_SSL_CTX_FUNCTION, present);
  curl_easy_setopt(easy.get(), CURLOPT_SSL_CTX_DATA, &device);
  const CURLcode result = curl_easy_perform(easy.get());
  if (result == CURLE_OK) return 0;
  std::cerr << "get_with_curl: " << curl_easy_strerror(result) << '\n';
  if (const auto problem = device.last_error()) std::cerr << problem.message() << '\n';
  return 1;
} catch (const hsmtls::error& problem) {
  std::cerr << "get_with_curl: " << problem.what() << '\n';
  return 1;
}
