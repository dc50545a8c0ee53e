#include "core/pkcs11/runtime/view.hpp"

namespace hsmtls::pkcs11 {
namespace {

thread_local CK_SLOT_ID entered_slot = 0;

}  // namespace

void view::enter(CK_SLOT_ID slot) {
  entered_slot = slot;
}

CK_SLOT_ID view::entered() {
  return entered_slot;
}

}  // namespace hsmtls::pkcs11
