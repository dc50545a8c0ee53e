#include "bindings/c/guard.hpp"
#include "bindings/c/handles.hpp"
#include "core/keys/pem/reference_pem.hpp"
#include "core/keys/provider/installed.hpp"

using namespace hsmtls;
using namespace hsmtls::c;

uint32_t hsmtls_abi_version(void) {
  return HSMTLS_ABI_MAJOR << 16U | HSMTLS_ABI_MINOR;
}
const char* hsmtls_version(void) {
  return HSMTLS_VERSION;
}

const char* hsmtls_text_data(const hsmtls_text* text) {
  return text != nullptr ? text->value.c_str() : "";
}
uint32_t hsmtls_text_len(const hsmtls_text* text) {
  return text != nullptr ? static_cast<uint32_t>(text->value.size()) : 0;
}
void hsmtls_text_free(hsmtls_text* text) {
  delete text;
}

int32_t hsmtls_provider_install(hsmtls_error** out_error) {
  return guard(out_error, [] { keys::install(); });
}

int32_t hsmtls_reference_pem_write(const char* uri,
                                   hsmtls_text** out_pem,
                                   hsmtls_error** out_error) {
  return guard(out_error, [&] {
    hsmtls_text*& out = needed(out_pem, "out_pem");
    host::need_crypto();
    out = new hsmtls_text{keys::write_reference_pem(&needed(uri, "uri"))};
  });
}

int32_t hsmtls_reference_pem_read(const char* pem,
                                  hsmtls_text** out_uri,
                                  hsmtls_error** out_error) {
  return guard(out_error, [&] {
    hsmtls_text*& out = needed(out_uri, "out_uri");
    host::need_crypto();
    out = new hsmtls_text{keys::read_reference_pem(&needed(pem, "pem"))};
  });
}
