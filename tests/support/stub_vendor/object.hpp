// An object of the stub vendor: a set of attributes, and what the signing path needs precomputed.
#pragma once

#include <pkcs11.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace hsmtls::stub {

using bytes = std::vector<std::uint8_t>;

bytes bytes_of(CK_ULONG value);
bytes bytes_of(bool value);
bytes bytes_of(std::string_view text);

class object {
 public:
  CK_SLOT_ID slot = 0;
  CK_SESSION_HANDLE owner = 0;  // the session that a session object dies with; 0 for token objects

  // What C_SignInit and the like look at; `refresh` keeps it in step with the attributes.
  CK_OBJECT_CLASS object_class = 0;
  CK_KEY_TYPE key_type = 0;
  std::uint64_t mark = 0;
  CK_ULONG signature_len = 0;
  bool is_private = false;
  bool always_authenticate = false;

  void set(CK_ATTRIBUTE_TYPE type, bytes value) { attributes_[type] = std::move(value); }
  void set_default(CK_ATTRIBUTE_TYPE type, const bytes& value) {
    attributes_.try_emplace(type, value);
  }
  void set(const CK_ATTRIBUTE& attribute);
  void refresh();

  const bytes* find(CK_ATTRIBUTE_TYPE type) const;
  bool flag(CK_ATTRIBUTE_TYPE type, bool otherwise = false) const;
  std::optional<CK_ULONG> number(CK_ATTRIBUTE_TYPE type) const;
  bool matches(const CK_ATTRIBUTE* wanted, CK_ULONG count) const;
  bool hides(CK_ATTRIBUTE_TYPE type) const;  // sensitive or not extractable
  CK_RV read(CK_ATTRIBUTE* wanted, CK_ULONG count) const;
  CK_ULONG size() const;

 private:
  std::map<CK_ATTRIBUTE_TYPE, bytes> attributes_;
};

// `add_defaults` completes an object the way PKCS#11 v3.0 section 4 wants it;
// CKR_TEMPLATE_INCOMPLETE without a class or, for keys, a key type.
CK_RV add_defaults(object& created);

// `make_key_pair` fills in the public value that `seed` leads to; CKR_KEY_TYPE_INCONSISTENT for a
// key type that the stub has no keys of.
CK_RV make_key_pair(object& public_key, object& private_key, std::uint64_t seed);

}  // namespace hsmtls::stub
