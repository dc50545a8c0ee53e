#include "core/pkcs11/base/secret.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <new>
#include <utility>

namespace hsmtls::pkcs11 {
namespace {

// A forked child inherits the pages, but not that they are locked. Which ones there are is kept
// without a lock, which another thread might hold at the moment of the fork; a secret beyond the
// last place is as well kept in the parent, and may be swapped in its children.
struct locked_page {
  std::atomic<void*> start{nullptr};
  std::atomic<size_t> size{0};
};
locked_page locked[64];

void lock(void* start, size_t size) {
  // Best effort: a container without RLIMIT_MEMLOCK still has to connect.
  mlock(start, size);
  for (locked_page& one : locked) {
    void* nothing = nullptr;
    if (!one.start.compare_exchange_strong(nothing, start)) continue;
    one.size = size;
    return;
  }
}

void forget_lock(const void* start) {
  for (locked_page& one : locked) {
    if (one.start != start) continue;
    one.size = 0;
    one.start = nullptr;
    return;
  }
}

void lock_again_in_child() {
  for (const locked_page& one : locked) {
    if (one.start != nullptr && one.size > 0) mlock(one.start, one.size);
  }
}

[[gnu::constructor]] void watch_forks_at_load() {
  pthread_atfork(nullptr, nullptr, lock_again_in_child);
}

}  // namespace

secret::secret(std::span<const uint8_t> bytes) : size_(bytes.size()) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  mapped_ = (bytes.size() / page + 1) * page;
  void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  lock(memory, mapped_);
  madvise(memory, mapped_, MADV_DONTDUMP);
  memory_ = static_cast<uint8_t*>(memory);
  if (!bytes.empty()) std::memcpy(memory_, bytes.data(), bytes.size());
}

secret::secret(secret&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

secret& secret::operator=(secret&& other) noexcept {
  if (this != &other) {
    release();
    memory_ = std::exchange(other.memory_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

secret::~secret() {
  release();
}

bool secret::equals(std::span<const uint8_t> other) const {
  if (memory_ == nullptr || other.size() != size_) return false;
  uint8_t difference = 0;  // all bytes are looked at: no timing hint about the first wrong one
  for (size_t i = 0; i < size_; ++i) difference |= static_cast<uint8_t>(memory_[i] ^ other[i]);
  return difference == 0;
}

void secret::release() noexcept {
  if (memory_ == nullptr) return;
  explicit_bzero(memory_, mapped_);
  forget_lock(memory_);
  munmap(memory_, mapped_);
  memory_ = nullptr;
}

}  // namespace hsmtls::pkcs11
