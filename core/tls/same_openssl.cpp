#include "core/tls/same_openssl.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "core/keys/failure.hpp"
#include "core/keys/host/openssl.hpp"
#include "core/keys/host/shared_object.hpp"
#include "core/pkcs11/base/quoted_name.hpp"
#include "core/tls/careful_read.hpp"

namespace hsmtls::tls {
namespace {

// The method table is among the first fields of an SSL_CTX and of an SSL in every OpenSSL 3.
using first_words = std::array<const void*, 4>;

first_words read_first_words(const void* object, const char* type) {
  if (object == nullptr) {
    throw failure(HSMTLS_BAD_ARGUMENT, std::string("the ") + type + " must not be null");
  }
  first_words words{};
  if (reinterpret_cast<uintptr_t>(object) % alignof(void*) != 0 ||
      !read_carefully(object, words.data(), sizeof words)) {
    throw failure(
        HSMTLS_BAD_ARGUMENT,
        std::string("the pointer does not point to an ") + type + ": there is nothing in memory");
  }
  return words;
}

// The first word that points into a library is the method table: the others point to the heap.
const void* method_in(const first_words& words) {
  const auto* const found = std::find_if(words.begin(), words.end(), [](const void* word) {
    return host::shared_object::of(word).has_value();
  });
  return found != words.end() ? *found : nullptr;
}

constexpr const char* made_by_nobody = "not made by any library of this process that can be found";

[[noreturn]] void refuse_foreign(const first_words& words, const char* type) {
  std::string made_by = made_by_nobody;
  if (const auto other = host::shared_object::of(method_in(words))) {
    made_by = "made by the code in " +
              (other->is_main() ? other->name() : pkcs11::quoted_path(other->name()));
  }
  throw failure(HSMTLS_OPENSSL_FOREIGN,
                std::string("this ") + type + " is " + made_by + ", and hsmtls uses " +
                    host::where() +
                    ": an object of one copy crashes the other. Make it with that copy, or tell "
                    "hsmtls first which one is meant (hsmtls_openssl_bind)");
}

}  // namespace

void bind_to_maker_of(const SSL_CTX* ssl_ctx) {
  const void* const method = method_in(read_first_words(ssl_ctx, "SSL_CTX"));
  if (method == nullptr) {
    throw failure(HSMTLS_OPENSSL_FOREIGN, std::string("this SSL_CTX is ") + made_by_nobody);
  }
  host::bind(method, nullptr);
}

void check_same_openssl(const SSL_CTX* ssl_ctx) {
  const first_words words = read_first_words(ssl_ctx, "SSL_CTX");
  host::need_ssl();
  const auto methods = host::ssl_methods();
  const bool ours = std::any_of(words.begin(), words.end(), [&](const void* word) {
    return std::find(methods.begin(), methods.end(), word) != methods.end();
  });
  if (!ours) refuse_foreign(words, "SSL_CTX");
}

void check_same_openssl(const SSL* ssl) {
  const first_words words = read_first_words(ssl, "SSL");
  host::need_ssl();
  // Once a version is negotiated the table is one that no function returns.
  if (!std::any_of(words.begin(), words.end(), host::is_in_ssl)) refuse_foreign(words, "SSL");
}

}  // namespace hsmtls::tls
