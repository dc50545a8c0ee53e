#include "bindings/c/guard.hpp"
#include "bindings/c/handles.hpp"
#include "core/keys/token/face.hpp"

namespace hsmtls::c {

int32_t fail(const failure& problem, hsmtls_error** out_error) noexcept {
  if (out_error != nullptr) {
    try {
      *out_error = new hsmtls_error{problem, keys::ckr_name(problem.ckr())};
    } catch (const std::exception&) {
      *out_error = nullptr;  // the code is all that there is memory for
    }
  }
  return problem.code();
}

namespace {

struct code_row {
  int32_t value;
  const char* name;
  int32_t category;
};
constexpr code_row codes[] = {
#define ERROR(value, name, category, sentence) {value, #name, HSMTLS_CATEGORY_##category},
#include "core/error_codes.def"
#undef ERROR
};

const code_row* row_of(int32_t code) {
  for (const code_row& one : codes) {
    if (one.value == code) return &one;
  }
  return nullptr;
}

}  // namespace
}  // namespace hsmtls::c

using namespace hsmtls::c;

int32_t hsmtls_error_code_of(const hsmtls_error* error) {
  return error != nullptr ? error->problem.code() : HSMTLS_OK;
}
const char* hsmtls_error_message(const hsmtls_error* error) {
  return error != nullptr ? error->problem.what() : "";
}
uint64_t hsmtls_error_ckr(const hsmtls_error* error) {
  return error != nullptr ? error->problem.ckr() : 0;
}
const char* hsmtls_error_ckr_name(const hsmtls_error* error) {
  return error != nullptr ? error->ckr_name.c_str() : "";
}
uint64_t hsmtls_error_openssl(const hsmtls_error* error) {
  return error != nullptr ? error->problem.openssl() : 0;
}
const char* hsmtls_error_openssl_reason(const hsmtls_error* error) {
  return error != nullptr ? error->problem.openssl_reason().c_str() : "";
}
void hsmtls_error_free(hsmtls_error* error) {
  delete error;
}

const char* hsmtls_code_name(int32_t code) {
  const code_row* const row = row_of(code);
  return code == HSMTLS_OK ? "OK" : row != nullptr ? row->name : "UNKNOWN";
}
int32_t hsmtls_code_category(int32_t code) {
  const code_row* const row = row_of(code);
  return row != nullptr ? row->category : 0;
}
