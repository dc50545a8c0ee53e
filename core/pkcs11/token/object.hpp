// An object of a token, remembered by what finds it again.
#pragma once

#include <mutex>
#include <optional>

#include "core/pkcs11/token/attributes.hpp"
#include "core/pkcs11/token/token.hpp"

namespace hsmtls::pkcs11 {

// What an object is called: enough to search for it in another life of the token.
struct object_recipe {
  CK_OBJECT_CLASS object_class = CK_UNAVAILABLE_INFORMATION;
  CK_KEY_TYPE key_type = CK_UNAVAILABLE_INFORMATION;
  bool on_token = true;     // false: a session object, gone with its session
  bool is_private = false;  // visible only to who is logged in
  bytes id;                 // CKA_ID, may be empty or shared
  bytes label;              // CKA_LABEL, may be empty or shared

  friend bool operator==(const object_recipe&, const object_recipe&) = default;
  friend auto operator<=>(const object_recipe&, const object_recipe&) = default;
};

// `read_recipe` reads what an object is called, by one C_GetAttributeValue in the usual case.
CK_RV read_recipe(
    token& of, const lease& in, CK_OBJECT_HANDLE handle, time_point until, object_recipe& out);

// The part of a key that must be the same after every loss, and where it was read from.
struct public_half {
  enum class source { none, own_attribute, public_key, certificate };
  source from = source::none;
  bytes value;
};

// `read_public_half` reads it from the key itself (CKA_MODULUS, CKA_EC_POINT, CKA_PUBLIC_KEY_INFO),
// from the public key with its CKA_ID, or from the certificate with its CKA_ID; with `only`, from
// that source alone.
CK_RV read_public_half(token& of,
                       const lease& in,
                       CK_OBJECT_HANDLE handle,
                       const object_recipe& recipe,
                       std::optional<public_half::source> only,
                       time_point until,
                       public_half& out);

class object {
 public:
  object(token& of, object_recipe recipe, CK_OBJECT_HANDLE handle, uint64_t life)
      : token_(of),
        class_(recipe.object_class),
        is_private_(recipe.is_private),
        on_token_(recipe.on_token),
        recipe_(std::move(recipe)),
        handle_(handle),
        life_(life),
        login_epoch_(of.login_epoch()) {}

  [[nodiscard]] token& owner() const { return token_; }
  [[nodiscard]] object_recipe recipe() const {
    std::lock_guard held(mutex_);
    return recipe_;
  }
  [[nodiscard]] CK_OBJECT_CLASS object_class() const { return class_; }
  [[nodiscard]] bool is_private() const { return is_private_; }
  [[nodiscard]] bool on_token() const { return on_token_; }

  // `resolve` gives the handle for the life of `in`, searching for the object if that is a new one.
  // verdict::object_missing: not there, or not back yet; CKR_OBJECT_HANDLE_INVALID: several fit;
  // verdict::key_replaced: only others of the same name are there; verdict::object_gone: a session
  // object of an earlier life. `in` must have no search in progress.
  CK_RV resolve(const lease& in, time_point until, CK_OBJECT_HANDLE& out);

  // `learn_public_half` remembers the public half, once; what cannot be read is not asked for
  // again.
  CK_RV learn_public_half(const lease& in, time_point until);

  // What `learn_public_half` has read; `expect` says beforehand what it must be.
  [[nodiscard]] std::optional<public_half> known_public_half() const;
  void expect(const public_half& half);

  // `current_in` tells the handle without a search: nothing if the object was not seen in `life`.
  [[nodiscard]] std::optional<CK_OBJECT_HANDLE> current_in(uint64_t life) const;

  // `is_settled_in` tells whether `resolve` needs no call in `life`.
  [[nodiscard]] bool is_settled_in(uint64_t life) const;

  // `seen` says that a search in `life` returned this object as `handle`.
  void seen(CK_OBJECT_HANDLE handle, uint64_t life);

  // `distrust` says that the vendor did not know the handle: it is searched for before its next use.
  void distrust();

  // `renamed` says that the application gave it another id or label.
  void renamed(object_recipe recipe);

 private:
  CK_RV search(const lease& in, time_point until, CK_OBJECT_HANDLE& out);
  // With the lock held.
  [[nodiscard]] bool known_in(uint64_t life) const {
    return life_ == life && (!is_private_ || login_epoch_ == token_.login_epoch());
  }
  void learn(CK_OBJECT_HANDLE handle, uint64_t life) {
    handle_ = handle;
    life_ = life;
    login_epoch_ = token_.login_epoch();
  }

  token& token_;
  const CK_OBJECT_CLASS class_;
  const bool is_private_;
  const bool on_token_;
  mutable std::mutex mutex_;
  object_recipe recipe_;
  CK_OBJECT_HANDLE handle_;
  uint64_t life_;
  uint64_t login_epoch_;     // in which handle_ was learnt: a private object's ends with it
  bool must_match_ = false;  // found by name in a later life: compare before use
  std::optional<public_half> public_half_;
};

}  // namespace hsmtls::pkcs11
