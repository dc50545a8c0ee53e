#include "core/keys/provider/reasons.hpp"

#include "hsmtls/errors.h"

namespace hsmtls::keys {

const OSSL_ITEM* reason_strings() {
  // OSSL_ITEM has no const; nobody writes to it.
  static const OSSL_ITEM rows[] = {
#define ERROR(value, name, category, sentence) {value, const_cast<char*>(sentence)},
#include "core/error_codes.def"
#undef ERROR
      {0, nullptr}};
  return rows;
}

}  // namespace hsmtls::keys
