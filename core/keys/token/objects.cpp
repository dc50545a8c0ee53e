#include "core/keys/token/objects.hpp"

#include "core/keys/token/face.hpp"
#include "core/keys/token/uri_text.hpp"

namespace hsmtls::keys {
namespace {

void collect(void* user, const hsmtls_p11_object_info* object) {
  if (object->value == nullptr) return;
  static_cast<std::vector<certificate_der>*>(user)->emplace_back(object->value,
                                                                 object->value + object->value_len);
}

}  // namespace

std::vector<certificate_der> certificates_fitting(pkcs11::uri uri, const hsmtls_p11_login* login) {
  uri.type = pkcs11::object_type::certificate;
  const uri_text text(uri);
  std::vector<certificate_der> found;
  checked(face().list_objects, text.c_str(), login, collect, static_cast<void*>(&found));
  return found;
}

std::vector<certificate_der> certificates_beside(hsmtls_p11_key* key) {
  std::vector<certificate_der> found;
  checked(face().key_certificates, key, collect, static_cast<void*>(&found));
  return found;
}

std::vector<host::x509> certificates_in_der(const std::vector<certificate_der>& all) {
  const host::error_mark mark;
  std::vector<host::x509> found;
  for (const certificate_der& one : all) {
    const uint8_t* at = one.data();
    if (host::x509 made{host::crypto().d2i_X509(nullptr, &at, static_cast<long>(one.size()))}) {
      found.push_back(std::move(made));
    }
  }
  return found;
}

}  // namespace hsmtls::keys
