#include "core/pkcs11/base/refused_pins.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>

#include "core/pkcs11/base/siphash.hpp"

namespace hsmtls::pkcs11::refused_pins {
namespace {

struct entry {
  std::atomic<uint64_t> account;      // fingerprint of the token's identity and the user; 0: free
  std::atomic<uint64_t> fingerprint;  // of account and PIN together
};
static_assert(std::atomic<uint64_t>::is_always_lock_free, "the page is shared between processes");

constexpr size_t capacity = 4096 / sizeof(entry);
// Two PINs that share a place wait for each other; nothing worse.
constexpr size_t places = 64;
constexpr milliseconds poll_for_turn{2};

struct layout {
  entry entries[capacity];
  std::atomic<uint64_t> used;
  std::atomic<int32_t> senders[places];  // process ids; 0: nobody
};

struct memory {
  siphash::key key{};
  layout* page = nullptr;

  memory() {
    if (getrandom(key.data(), sizeof key, 0) != sizeof key) throw std::bad_alloc();
    void* mapped =
        mmap(nullptr, sizeof(layout), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    madvise(mapped, sizeof(layout), MADV_DONTDUMP);
    page =
        static_cast<layout*>(mapped);  // zero-filled by mmap, which is what empty entries look like
  }
};

memory& shared() {
  static memory& once = *new memory();
  return once;
}

// At load: a page made by a child would be the child's alone.
[[gnu::constructor]] void map_at_load() {
  shared();
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::span<const uint8_t> bytes_of(const uint64_t& number) {
  return {reinterpret_cast<const uint8_t*>(&number), sizeof number};
}

// The user's PIN and the security officer's have nothing to do with each other.
uint64_t fingerprint_of_account(std::string_view token_identity, uint64_t user) {
  return siphash(shared().key).update(bytes_of(user)).update(bytes_of(token_identity)).finish() | 1;
}

uint64_t fingerprint_of_pin(uint64_t account, std::span<const uint8_t> pin) {
  return siphash(shared().key).update(bytes_of(account)).update(pin).finish();
}

// Whether a process can still take its turn: one that was killed and not waited for cannot.
bool lives(int32_t process) {
  if (kill(process, 0) != 0) return errno != ESRCH;
  // proc(5), /proc/PID/stat: the state comes after the name, which stands in parentheses.
  char text[512];
  std::snprintf(text, sizeof text, "/proc/%d/stat", process);
  const int file = open(text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return true;
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  text[std::max<ssize_t>(length, 0)] = '\0';
  const char* const name_ends = std::strrchr(text, ')');
  if (name_ends == nullptr) return true;
  char state = 0;
  long threads = 0;
  const int read_both = std::sscanf(name_ends + 1,
                                    " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                                    "%*s %*s %ld",
                                    &state,
                                    &threads);
  // One whose first thread has ended shows Z, too, while others run.
  return read_both != 2 || state != 'Z' || threads > 1;
}

}  // namespace

void remember(std::string_view token_identity, uint64_t user, std::span<const uint8_t> pin) {
  if (contains(token_identity, user, pin)) return;
  const uint64_t account = fingerprint_of_account(token_identity, user);
  // A process that has collected hundreds of refused PINs overwrites the oldest.
  entry& slot = shared().page->entries[shared().page->used.fetch_add(1) % capacity];
  slot.account.store(0);
  slot.fingerprint.store(fingerprint_of_pin(account, pin));
  slot.account.store(account);
}

bool contains(std::string_view token_identity, uint64_t user, std::span<const uint8_t> pin) {
  const uint64_t account = fingerprint_of_account(token_identity, user);
  const uint64_t wanted = fingerprint_of_pin(account, pin);
  for (size_t i = 0; i < capacity; ++i) {
    const entry& slot = shared().page->entries[i];
    if (slot.account.load() == account && slot.fingerprint.load() == wanted) return true;
  }
  return false;
}

turn::turn(std::string_view token_identity,
           uint64_t user,
           std::span<const uint8_t> pin,
           time_point until) {
  place_ = fingerprint_of_pin(fingerprint_of_account(token_identity, user), pin) % places;
  std::atomic<int32_t>& sender = shared().page->senders[place_];
  const auto me = static_cast<int32_t>(getpid());
  for (;;) {
    int32_t whose = 0;
    if (sender.compare_exchange_strong(whose, me)) break;
    // A process that died while it had the turn does not keep it.
    const bool dead = whose != me && !lives(whose);
    if (dead && sender.compare_exchange_strong(whose, me)) break;
    if (passed(until)) return;
    std::this_thread::sleep_for(
        poll_for_turn);  // across processes there is nothing to wait on that a dead one wakes
  }
  mine_ = true;
}

turn::~turn() {
  if (mine_) shared().page->senders[place_].store(0);
}

void forget_all_of(std::string_view token_identity, uint64_t user) {
  const uint64_t account = fingerprint_of_account(token_identity, user);
  for (size_t i = 0; i < capacity; ++i) {
    uint64_t expected = account;
    shared().page->entries[i].account.compare_exchange_strong(expected, 0);
  }
}

}  // namespace hsmtls::pkcs11::refused_pins
