// The edge: handles and return codes on the outside, C++ and exceptions inside.
#include <cstring>
#include <memory>
#include <new>

#include "core/legacy/hsmtls_legacy.h"
#include "core/legacy/method_key.hpp"
#include "core/legacy/refusal.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

using hsmtls::legacy::method_key;
using hsmtls::legacy::refusal;

struct hsmtls_legacy_key {
  method_key behind;
};

namespace {

int32_t describe(hsmtls_p11_code code, std::string message, hsmtls_p11_error* out) {
  if (out == nullptr) return code;
  out->code = code;
  out->ckr = 0;
  constexpr size_t room = sizeof out->message - sizeof "...";
  if (message.size() > room) hsmtls::pkcs11::cut_to(message, room);
  std::memcpy(out->message, message.c_str(), message.size() + 1);
  return code;
}

int32_t make_method_key(hsmtls_p11_key* key,
                        const hsmtls_p11_functions* face,
                        const void* in_libcrypto,
                        void** out_evp_pkey,
                        hsmtls_legacy_key** out,
                        hsmtls_p11_error* error) {
  try {
    if (key == nullptr || face == nullptr || in_libcrypto == nullptr || out_evp_pkey == nullptr ||
        out == nullptr)
      throw refusal(HSMTLS_P11_BAD_ARGUMENT,
                    "the key, its functions, an address in libcrypto or a place is missing");
    std::unique_ptr<hsmtls_legacy_key> made(new hsmtls_legacy_key{{key, face, in_libcrypto}});
    *out_evp_pkey = made->behind.evp_pkey();
    *out = made.release();
    return HSMTLS_P11_OK;
  } catch (const refusal& why) {
    return describe(why.code(), why.what(), error);
  } catch (const std::bad_alloc&) {
    return describe(HSMTLS_P11_NO_MEMORY, "out of memory", error);
  } catch (const std::exception& why) {
    return describe(HSMTLS_P11_INTERNAL, why.what(), error);
  }
}

void release(hsmtls_legacy_key* key) {
  delete key;
}

constexpr hsmtls_legacy_functions table{
    HSMTLS_LEGACY_ABI, sizeof(hsmtls_legacy_functions), make_method_key, release};

}  // namespace

const hsmtls_legacy_functions* hsmtls_legacy_table(void) {
  return &table;
}
