#include "core/pkcs11/uri/secret_text.hpp"

#include <cstring>
#include <stdexcept>
#include <utility>

namespace hsmtls::pkcs11 {

secret_text::secret_text(std::string_view text) : secret_text(with_capacity(text.size())) {
  for (const char byte : text) push_back(byte);
}

secret_text::secret_text(const secret_text& other) : secret_text(other.view()) {}

secret_text::secret_text(secret_text&& other) noexcept
    : block_(std::move(other.block_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

secret_text& secret_text::operator=(const secret_text& other) {
  if (this != &other) *this = secret_text(other);
  return *this;
}

secret_text& secret_text::operator=(secret_text&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  block_ = std::move(other.block_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

secret_text::~secret_text() {
  wipe();
}

secret_text secret_text::with_capacity(std::size_t capacity_bytes) {
  secret_text text;
  text.block_ = std::make_unique<char[]>(capacity_bytes);
  text.capacity_ = capacity_bytes;
  return text;
}

void secret_text::push_back(char byte) {
  if (size_ == capacity_) throw std::length_error("secret_text: capacity used up");
  block_[size_++] = byte;
}

void secret_text::wipe() noexcept {
  // Not memset: the compiler may drop a write to memory that is about to be freed.
  if (block_) explicit_bzero(block_.get(), capacity_);
  size_ = 0;
}

}  // namespace hsmtls::pkcs11
