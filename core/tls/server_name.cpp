#include "core/tls/server_name.hpp"

#include <algorithm>

#include "core/keys/failure.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::tls {
namespace {

[[noreturn]] void refuse(const std::string& name, const char* what_to_do) {
  throw failure(
      HSMTLS_BAD_ARGUMENT,
      "options.server_name " + pkcs11::quoted_name(name) + " is no host name: " + what_to_do);
}

}  // namespace

void demand_server_name(X509_VERIFY_PARAM* parameters, std::string name) {
  const host::crypto_functions& crypto = host::crypto();
  const std::string given = name;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);  // an IPv6 address as a URL has it
  }
  const host::error_mark mark;
  if (crypto.X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1) return;
  if (name.find_first_of("/:@ \t\r\n[]") != std::string::npos) {
    refuse(given, "give the name or the address alone, without scheme, port or path");
  }
  if (std::any_of(name.begin(), name.end(), [](char c) { return (c & 0x80) != 0; })) {
    refuse(given, "write it in its ASCII form (xn--…), as certificates do");
  }
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  // To OpenSSL a leading dot means every name below.
  if (name.front() == '.') refuse(given, "it begins with a dot");
  crypto.X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (crypto.X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) != 1) {
    refuse(given, "OpenSSL does not take it");
  }
}

}  // namespace hsmtls::tls
