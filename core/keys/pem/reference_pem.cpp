#include "core/keys/pem/reference_pem.hpp"

#include <openssl/asn1.h>

#include <algorithm>
#include <memory>

#include "core/keys/failure.hpp"
#include "core/keys/host/handles.hpp"
#include "core/keys/uris.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

constexpr std::string_view description = "PKCS#11 Provider URI v1.0";

struct sequence_freed {
  void operator()(ASN1_SEQUENCE_ANY* sequence) const {
    crypto().OPENSSL_sk_pop_free(reinterpret_cast<OPENSSL_STACK*>(sequence), [](void* one) {
      crypto().ASN1_TYPE_free(static_cast<ASN1_TYPE*>(one));
    });
  }
};
using sequence = std::unique_ptr<ASN1_SEQUENCE_ANY, sequence_freed>;

// The text of one element, if it has that type.
std::optional<std::string_view> text_at(const sequence& from, int at, int type) {
  const auto* const one = static_cast<const ASN1_TYPE*>(
      crypto().OPENSSL_sk_value(reinterpret_cast<const OPENSSL_STACK*>(from.get()), at));
  if (one == nullptr || crypto().ASN1_TYPE_get(one) != type) return std::nullopt;
  const ASN1_STRING* const text = one->value.asn1_string;
  return std::string_view(reinterpret_cast<const char*>(crypto().ASN1_STRING_get0_data(text)),
                          static_cast<size_t>(crypto().ASN1_STRING_length(text)));
}

void append_text(const sequence& to, int type, std::string_view text) {
  ASN1_TYPE* const one = crypto().ASN1_TYPE_new();
  ASN1_STRING* const value = crypto().ASN1_STRING_type_new(type);
  if (one == nullptr || value == nullptr ||
      crypto().ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    throw failure(HSMTLS_NO_MEMORY, "no memory for a PEM");
  }
  crypto().ASN1_TYPE_set(one, type, value);
  crypto().OPENSSL_sk_push(reinterpret_cast<OPENSSL_STACK*>(to.get()), one);
}

}  // namespace

bool could_be_reference(std::span<const uint8_t> der) {
  const auto head = der.first(std::min(der.size(), reference_head));
  return !head.empty() && head[0] == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED) &&
         std::search(head.begin(), head.end(), description.begin(), description.end()) !=
             head.end();
}

std::optional<std::string> uri_in_reference(std::span<const uint8_t> der) {
  if (der.size() > longest_reference || !could_be_reference(der)) return std::nullopt;
  const host::error_mark mark;
  const uint8_t* at = der.data();
  const sequence read(crypto().d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(der.size())));
  if (!read || at != der.data() + der.size() ||
      crypto().OPENSSL_sk_num(reinterpret_cast<const OPENSSL_STACK*>(read.get())) != 2 ||
      text_at(read, 0, V_ASN1_VISIBLESTRING) != description) {
    return std::nullopt;
  }
  const std::optional<std::string_view> uri = text_at(read, 1, V_ASN1_UTF8STRING);
  if (!uri) return std::nullopt;
  return std::string(*uri);
}

pkcs11::uri selecting_uri(const std::string& text) {
  pkcs11::uri uri = parsed(text);
  if (uri.pin_source || uri.pin_value) {
    throw failure(
        HSMTLS_MALFORMED_URI,
        "a reference PEM must not say where the PIN is (pin-source, pin-value): anybody could "
        "have written it. Configure the PIN where the key is opened");
  }
  if (uri.module_name || uri.module_path) {
    throw failure(
        HSMTLS_MALFORMED_URI,
        "a reference PEM must not name a module (module-name, module-path): anybody could have "
        "written it. Configure the module with HSMTLS_MODULE or in openssl.cnf");
  }
  if (uri.type && *uri.type != pkcs11::object_type::private_key) {
    throw failure(HSMTLS_MALFORMED_URI,
                  "a reference PEM names a private key, and this URI has type=" +
                      std::string(pkcs11::type_name(*uri.type)) + ": write type=private");
  }
  return uri;
}

std::string write_reference_pem(const std::string& uri) {
  (void)selecting_uri(uri);
  const host::error_mark mark;
  const sequence made(reinterpret_cast<ASN1_SEQUENCE_ANY*>(crypto().OPENSSL_sk_new_null()));
  append_text(made, V_ASN1_VISIBLESTRING, description);
  append_text(made, V_ASN1_UTF8STRING, uri);
  uint8_t* der = nullptr;
  const int length = crypto().i2d_ASN1_SEQUENCE_ANY(made.get(), &der);
  const host::openssl_memory<uint8_t> owner(der);
  if (length <= 0) throw failure(HSMTLS_NO_MEMORY, "no memory for a PEM");
  if (static_cast<size_t>(length) > longest_reference) {
    throw failure(HSMTLS_MALFORMED_URI,
                  "the URI is too long for a reference PEM: name fewer attributes");
  }
  const host::bio out(crypto().BIO_new(crypto().BIO_s_mem()));
  if (!out || crypto().PEM_write_bio(out.get(), reference_label.data(), "", der, length) <= 0) {
    throw failure(HSMTLS_NO_MEMORY, "no memory for a PEM");
  }
  return host::text_in(out);
}

std::optional<std::vector<uint8_t>> der_of_reference_block(std::string_view pem) {
  const host::error_mark mark;
  const host::bio in = host::bio_over(pem);
  char* name = nullptr;
  char* header = nullptr;
  uint8_t* data = nullptr;
  long length = 0;
  while (in && crypto().PEM_read_bio(in.get(), &name, &header, &data, &length) == 1) {
    const host::openssl_memory<char> name_owner(name);
    const host::openssl_memory<char> header_owner(header);
    const host::openssl_memory<uint8_t> data_owner(data);
    if (name == reference_label) return std::vector<uint8_t>(data, data + length);
  }
  return std::nullopt;
}

std::string read_reference_pem(std::string_view pem) {
  const std::optional<std::vector<uint8_t>> der = der_of_reference_block(pem);
  std::optional<std::string> uri;
  if (der) uri = uri_in_reference(*der);
  if (!uri) {
    throw failure(HSMTLS_MALFORMED_PEM,
                  "there is no reference PEM in this text: it has to hold a block \"-----BEGIN " +
                      std::string(reference_label) + "-----\" of version 1.0");
  }
  return *std::move(uri);
}

}  // namespace hsmtls::keys
