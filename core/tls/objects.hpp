// OpenSSL's stacks and digests, as this part uses them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/keys/host/handles.hpp"

namespace hsmtls::tls {

// The stack alone: what is in it belongs to others.
template <class Stack>
struct stack_freed {
  void operator()(Stack* stack) const {
    host::crypto().OPENSSL_sk_free(reinterpret_cast<OPENSSL_STACK*>(stack));
  }
};
using borrowed_certificates = std::unique_ptr<STACK_OF(X509), stack_freed<STACK_OF(X509)>>;

template <class Stack>
int count(const Stack* stack) {
  return host::crypto().OPENSSL_sk_num(reinterpret_cast<const OPENSSL_STACK*>(stack));
}
template <class Item, class Stack>
Item* item(const Stack* stack, int index) {
  return static_cast<Item*>(
      host::crypto().OPENSSL_sk_value(reinterpret_cast<const OPENSSL_STACK*>(stack), index));
}
template <class Stack>
bool push(Stack* stack, const void* item) {
  return host::crypto().OPENSSL_sk_push(reinterpret_cast<OPENSSL_STACK*>(stack), item) > 0;
}

// SHA-256.
using digest = std::array<uint8_t, 32>;
digest digest_of(std::span<const uint8_t> data);
digest digest_of(const std::string& text);
// That of a certificate's DER; zeros for null.
digest digest_of(const X509* certificate);

}  // namespace hsmtls::tls
