#include "cli/openssl/handles.hpp"

#include <openssl/err.h>

#include <new>

namespace hsmtls::cli {
namespace {

bio or_throw(BIO* made) {
  if (made == nullptr) throw std::bad_alloc();
  return bio(made);
}

}  // namespace

bio memory() {
  return or_throw(BIO_new(BIO_s_mem()));
}

bio memory(const std::string& text) {
  return or_throw(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_in(const bio& from) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(from.get(), &text);
  return length > 0 ? std::string(text, static_cast<size_t>(length)) : std::string();
}

std::string openssl_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "";
}

}  // namespace hsmtls::cli
