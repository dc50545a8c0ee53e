#include "object.hpp"

#include <algorithm>
#include <cstring>

#include "stub_signature.hpp"

namespace hsmtls::stub {

bytes bytes_of(CK_ULONG value) {
  bytes out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

bytes bytes_of(bool value) {
  return {value ? CK_BYTE{CK_TRUE} : CK_BYTE{CK_FALSE}};
}

bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

void object::set(const CK_ATTRIBUTE& attribute) {
  const auto* data = static_cast<const std::uint8_t*>(attribute.pValue);
  set(attribute.type, data == nullptr ? bytes{} : bytes(data, data + attribute.ulValueLen));
}

const bytes* object::find(CK_ATTRIBUTE_TYPE type) const {
  const auto found = attributes_.find(type);
  return found == attributes_.end() ? nullptr : &found->second;
}

bool object::flag(CK_ATTRIBUTE_TYPE type, bool otherwise) const {
  const bytes* value = find(type);
  return value == nullptr || value->size() != 1 ? otherwise : value->front() != CK_FALSE;
}

std::optional<CK_ULONG> object::number(CK_ATTRIBUTE_TYPE type) const {
  const bytes* value = find(type);
  if (value == nullptr || value->size() != sizeof(CK_ULONG)) return std::nullopt;
  CK_ULONG out = 0;
  std::memcpy(&out, value->data(), sizeof out);
  return out;
}

bool object::matches(const CK_ATTRIBUTE* wanted, CK_ULONG count) const {
  return std::all_of(wanted, wanted + count, [this](const CK_ATTRIBUTE& attribute) {
    const bytes* value = find(attribute.type);
    return value != nullptr && !hides(attribute.type) && value->size() == attribute.ulValueLen &&
           (value->empty() || std::memcmp(value->data(), attribute.pValue, value->size()) == 0);
  });
}

bool object::hides(CK_ATTRIBUTE_TYPE type) const {
  if (object_class != CKO_PRIVATE_KEY && object_class != CKO_SECRET_KEY) return false;
  switch (type) {
    case CKA_VALUE:
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
    case CKA_PRIME_2:
    case CKA_EXPONENT_1:
    case CKA_EXPONENT_2:
    case CKA_COEFFICIENT:
      return flag(CKA_SENSITIVE) || !flag(CKA_EXTRACTABLE);
    default:
      return false;
  }
}

CK_RV object::read(CK_ATTRIBUTE* wanted, CK_ULONG count) const {
  // PKCS#11 v3.0 section 5.7.5: every attribute is processed, whatever happened to the one before.
  CK_RV result = CKR_OK;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_ATTRIBUTE& attribute = wanted[i];
    const bytes* value = find(attribute.type);
    if (hides(attribute.type)) {
      attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      result = CKR_ATTRIBUTE_SENSITIVE;
    } else if (value == nullptr) {
      attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      result = CKR_ATTRIBUTE_TYPE_INVALID;
    } else if (attribute.pValue == nullptr) {
      attribute.ulValueLen = value->size();
    } else if (attribute.ulValueLen < value->size()) {
      attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      result = CKR_BUFFER_TOO_SMALL;
    } else {
      if (!value->empty()) std::memcpy(attribute.pValue, value->data(), value->size());
      attribute.ulValueLen = value->size();
    }
  }
  return result;
}

CK_ULONG object::size() const {
  CK_ULONG total = 0;
  for (const auto& [type, value] : attributes_) total += sizeof type + value.size();
  return total;
}

void object::refresh() {
  object_class = number(CKA_CLASS).value_or(CKO_VENDOR_DEFINED);
  key_type = number(CKA_KEY_TYPE).value_or(CKK_VENDOR_DEFINED);
  is_private = flag(CKA_PRIVATE);
  always_authenticate = flag(CKA_ALWAYS_AUTHENTICATE);

  const bytes* modulus = find(CKA_MODULUS);
  signature_len = key_type == CKK_RSA && modulus != nullptr          ? modulus->size()
                  : key_type == CKK_EC || key_type == CKK_EC_EDWARDS ? 64
                                                                     : 32;
  // A private key that was generated here got its mark from its public half, which it does not
  // carry.
  if (const bytes* identity = modulus != nullptr ? modulus : find(CKA_EC_POINT)) {
    mark = key_mark(identity->data(), identity->size());
  } else if (mark == 0 && find(CKA_VALUE) != nullptr) {
    mark = key_mark(find(CKA_VALUE)->data(), find(CKA_VALUE)->size());
  }
}

CK_RV add_defaults(object& created) {
  if (!created.number(CKA_CLASS)) return CKR_TEMPLATE_INCOMPLETE;
  const CK_OBJECT_CLASS kind = *created.number(CKA_CLASS);
  const bool key = kind == CKO_PRIVATE_KEY || kind == CKO_PUBLIC_KEY || kind == CKO_SECRET_KEY;
  if (key && !created.number(CKA_KEY_TYPE)) return CKR_TEMPLATE_INCOMPLETE;

  const bool guarded = kind == CKO_PRIVATE_KEY || kind == CKO_SECRET_KEY;
  created.set_default(CKA_TOKEN, bytes_of(false));
  created.set_default(CKA_PRIVATE, bytes_of(guarded));
  created.set_default(CKA_MODIFIABLE, bytes_of(true));
  created.set_default(CKA_COPYABLE, bytes_of(true));
  created.set_default(CKA_DESTROYABLE, bytes_of(true));
  created.set_default(CKA_LABEL, {});
  if (key) {
    created.set_default(CKA_ID, {});
    created.set_default(CKA_LOCAL, bytes_of(false));
    created.set_default(CKA_DERIVE, bytes_of(false));
  }
  if (kind == CKO_PUBLIC_KEY || kind == CKO_SECRET_KEY) {
    for (const auto usage : {CKA_ENCRYPT, CKA_VERIFY, CKA_WRAP, CKA_VERIFY_RECOVER}) {
      created.set_default(usage, bytes_of(true));
    }
  }
  if (guarded) {
    for (const auto usage : {CKA_DECRYPT, CKA_SIGN, CKA_UNWRAP, CKA_SIGN_RECOVER}) {
      created.set_default(usage, bytes_of(true));
    }
    created.set_default(CKA_SENSITIVE, bytes_of(kind == CKO_PRIVATE_KEY));
    created.set_default(CKA_EXTRACTABLE, bytes_of(false));
    created.set_default(CKA_ALWAYS_SENSITIVE, bytes_of(created.flag(CKA_SENSITIVE)));
    created.set_default(CKA_NEVER_EXTRACTABLE, bytes_of(!created.flag(CKA_EXTRACTABLE)));
  }
  if (kind == CKO_PRIVATE_KEY) created.set_default(CKA_ALWAYS_AUTHENTICATE, bytes_of(false));
  created.refresh();
  return CKR_OK;
}

CK_RV make_key_pair(object& public_key, object& private_key, std::uint64_t seed) {
  switch (public_key.number(CKA_KEY_TYPE).value_or(CKK_VENDOR_DEFINED)) {
    case CKK_RSA: {
      bytes modulus(public_key.number(CKA_MODULUS_BITS).value_or(2048) / 8);
      if (modulus.size() < 64 || modulus.size() > 2048) return CKR_KEY_SIZE_RANGE;
      expand(seed, modulus.data(), modulus.size());
      modulus.front() |= 0x80;
      modulus.back() |= 1;
      public_key.set_default(CKA_MODULUS_BITS, bytes_of(CK_ULONG{modulus.size() * 8}));
      for (object* half : {&public_key, &private_key}) {
        half->set(CKA_MODULUS, modulus);
        half->set_default(CKA_PUBLIC_EXPONENT, {1, 0, 1});
      }
      private_key.set(CKA_PRIVATE_EXPONENT, bytes(modulus.size(), 0x5a));
      break;
    }
    case CKK_EC:
    case CKK_EC_EDWARDS: {
      // DER: an OCTET STRING round 04||X||Y, or round the 32 bytes of an Edwards point.
      const bool edwards = public_key.number(CKA_KEY_TYPE) == CK_ULONG{CKK_EC_EDWARDS};
      bytes point = edwards ? bytes{0x04, 32} : bytes{0x04, 65, 0x04};
      const std::size_t header = point.size();
      point.resize(header + (edwards ? 32 : 64));
      expand(seed, point.data() + header, point.size() - header);
      public_key.set(CKA_EC_POINT, point);
      if (const bytes* curve = public_key.find(CKA_EC_PARAMS))
        private_key.set(CKA_EC_PARAMS, *curve);
      private_key.set(CKA_VALUE, bytes(32, 0x5a));
      break;
    }
    default:
      return CKR_KEY_TYPE_INCONSISTENT;
  }
  for (object* half : {&public_key, &private_key}) {
    half->set(CKA_LOCAL, bytes_of(true));
    half->refresh();
  }
  private_key.mark = public_key.mark;
  return CKR_OK;
}

}  // namespace hsmtls::stub
