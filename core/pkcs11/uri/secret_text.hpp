// A text that leaves no copy behind: a PIN on its way from a URI to a login.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace hsmtls::pkcs11 {

// `secret_text` holds UTF-8 text in one heap block that never grows, so that no reallocation leaves
// a copy, and wipes the block when it is destroyed, assigned to or moved from. The memory is not
// locked: keep it for as long as a parsed URI lives, no longer.
class secret_text {
 public:
  secret_text() = default;
  explicit secret_text(std::string_view text);
  secret_text(const secret_text& other);
  secret_text(secret_text&& other) noexcept;
  secret_text& operator=(const secret_text& other);
  secret_text& operator=(secret_text&& other) noexcept;
  ~secret_text();

  // `with_capacity` returns an empty text with room for `capacity_bytes` bytes.
  static secret_text with_capacity(std::size_t capacity_bytes);

  // `push_back` appends one byte. Throws std::length_error when the capacity is used up.
  void push_back(char byte);

  // `view` returns the text, valid until this object changes or goes. A copy made from it is not
  // wiped by anybody but its maker.
  std::string_view view() const { return {block_.get(), size_}; }

  friend bool operator==(const secret_text& a, const secret_text& b) {
    return a.view() == b.view();
  }

 private:
  void wipe() noexcept;

  std::unique_ptr<char[]> block_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace hsmtls::pkcs11
