// Which token is meant, whatever slot it sits in: what PKCS#11 v3.1 CK_TOKEN_INFO says of it. All
// four fields are compared: every software TPM has the serial 0000000000000000.
#pragma once

#include <string>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11 {

struct token_identity {
  std::string label, manufacturer, model, serial;

  static token_identity of(const CK_TOKEN_INFO& info) {
    return {unpadded(info.label),
            unpadded(info.manufacturerID),
            unpadded(info.model),
            unpadded(info.serialNumber)};
  }

  // One string for use as a key. '\n' stands in no field of a token that prints its label.
  [[nodiscard]] std::string key() const {
    return label + '\n' + manufacturer + '\n' + model + '\n' + serial;
  }

  // Whether the token said all of it. SoftHSM 2.6.1, measured: while another process logs in,
  // C_GetTokenInfo returns CKR_OK with a serial or a label of blanks, one time in two thousand.
  [[nodiscard]] bool complete() const { return !label.empty() && !serial.empty(); }
  [[nodiscard]] bool known() const { return !label.empty() || !serial.empty(); }
  friend bool operator==(const token_identity&, const token_identity&) = default;
};

// `read_token_info` is C_GetTokenInfo for who compares what a token is called: what may be half read
// (see token_identity::complete) is read again, for a few milliseconds. A vendor call.
CK_RV read_token_info(const CK_FUNCTION_LIST& vendor, CK_SLOT_ID slot, CK_TOKEN_INFO& info);

}  // namespace hsmtls::pkcs11
