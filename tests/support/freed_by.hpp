// The deleter of what a function of OpenSSL frees.
#pragma once

namespace hsmtls::test {

template <auto Free>
struct freed_by {
  template <class Type>
  void operator()(Type* one) const {
    Free(one);
  }
};

}  // namespace hsmtls::test
