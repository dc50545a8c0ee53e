// A mechanism kept for a replay. Parameters are plain memory only for some mechanisms; where they
// hold pointers, the operation is not replayed.
#pragma once

#include "core/pkcs11/token/attributes.hpp"

namespace hsmtls::pkcs11 {

class kept_mechanism {
 public:
  kept_mechanism() = default;
  explicit kept_mechanism(const CK_MECHANISM& original);

  // `borrowed` refers to the caller's parameter, for the length of the caller's call.
  static kept_mechanism borrowed(const CK_MECHANISM& original);

  // `replayable` tells whether everything that the mechanism says is kept.
  [[nodiscard]] bool replayable() const { return replayable_; }
  [[nodiscard]] CK_MECHANISM_TYPE type() const { return type_; }
  // `get` returns it for a call; valid while this object lives.
  [[nodiscard]] CK_MECHANISM get();

 private:
  CK_MECHANISM_TYPE type_ = 0;
  bytes parameter_;
  void* borrowed_ = nullptr;
  CK_ULONG borrowed_length_ = 0;
  bool replayable_ = false;
};

}  // namespace hsmtls::pkcs11
