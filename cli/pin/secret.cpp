#include "cli/pin/secret.hpp"

#include <string.h>  // explicit_bzero
#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

namespace hsmtls::cli {

secret::secret() {
  void* const pages =
      mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  // Where a limit does not allow it, it is still wiped.
  (void)mlock(pages, capacity);
  (void)madvise(pages, capacity, MADV_DONTDUMP);
  bytes_ = static_cast<uint8_t*>(pages);
}

secret::~secret() {
  if (bytes_ == nullptr) return;
  explicit_bzero(bytes_, capacity);
  munmap(bytes_, capacity);
}

secret::secret(secret&& from) noexcept
    : bytes_(std::exchange(from.bytes_, nullptr)), size_(std::exchange(from.size_, 0)) {}

secret& secret::operator=(secret&& from) noexcept {
  std::swap(bytes_, from.bytes_);
  std::swap(size_, from.size_);
  return *this;
}

bool secret::append(uint8_t byte) {
  if (size_ == longest) return false;
  bytes_[size_++] = byte;
  return true;
}

bool secret::operator==(const secret& other) const {
  return std::equal(bytes_, bytes_ + size_, other.bytes_, other.bytes_ + other.size_);
}

}  // namespace hsmtls::cli
