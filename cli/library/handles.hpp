// The C face's handles, owned.
#pragma once

#include <memory>
#include <string>

#include "hsmtls/hsmtls.h"

namespace hsmtls::cli {

struct identity_released {
  void operator()(hsmtls_identity* identity) const { hsmtls_identity_release(identity); }
};
using identity_handle = std::unique_ptr<hsmtls_identity, identity_released>;

// `take` returns the text and gives it back.
inline std::string take(hsmtls_text* text) {
  std::string taken(hsmtls_text_data(text), hsmtls_text_len(text));
  hsmtls_text_free(text);
  return taken;
}

}  // namespace hsmtls::cli
