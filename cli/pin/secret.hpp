// A PIN in memory: kept out of core dumps and of swap, and wiped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hsmtls::cli {

class secret {
 public:
  static constexpr size_t longest = 1024;
  // With a file's newline, and one byte more that shows that it is too long.
  static constexpr size_t capacity = longest + 2;

  secret();
  ~secret();
  secret(secret&& from) noexcept;
  secret& operator=(secret&& from) noexcept;
  secret(const secret&) = delete;
  secret& operator=(const secret&) = delete;

  // Its whole room, to write into; then `resize`.
  [[nodiscard]] std::span<uint8_t> room() { return {bytes_, capacity}; }
  void resize(size_t size) { size_ = size; }
  // False where there is no room left.
  bool append(uint8_t byte);

  [[nodiscard]] const uint8_t* data() const { return bytes_; }
  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(size_); }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  bool operator==(const secret& other) const;

 private:
  uint8_t* bytes_;  // pages of their own
  size_t size_ = 0;
};

}  // namespace hsmtls::cli
