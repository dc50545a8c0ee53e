// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012, section 2): a keyed
// 64-bit fingerprint from which the input cannot be had back without the key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hsmtls::pkcs11 {

class siphash {
 public:
  using key = std::array<uint64_t, 2>;

  explicit siphash(const key& k)
      : v0_(k[0] ^ 0x736f6d6570736575),
        v1_(k[1] ^ 0x646f72616e646f6d),
        v2_(k[0] ^ 0x6c7967656e657261),
        v3_(k[1] ^ 0x7465646279746573) {}

  siphash& update(std::span<const uint8_t> bytes) {
    for (const uint8_t byte : bytes) {
      word_ |= uint64_t{byte} << (8 * (length_ & 7));
      if ((++length_ & 7) == 0) absorb();
    }
    return *this;
  }

  uint64_t finish() {
    word_ |= uint64_t{length_ & 0xff} << 56;
    absorb();
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  static constexpr uint64_t rotate(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
  }

  void round() {
    v0_ += v1_, v1_ = rotate(v1_, 13), v1_ ^= v0_, v0_ = rotate(v0_, 32);
    v2_ += v3_, v3_ = rotate(v3_, 16), v3_ ^= v2_;
    v0_ += v3_, v3_ = rotate(v3_, 21), v3_ ^= v0_;
    v2_ += v1_, v1_ = rotate(v1_, 17), v1_ ^= v2_, v2_ = rotate(v2_, 32);
  }

  void absorb() {
    v3_ ^= word_;
    round();
    round();
    v0_ ^= word_;
    word_ = 0;
  }

  uint64_t v0_, v1_, v2_, v3_;
  uint64_t word_ = 0;
  size_t length_ = 0;
};

}  // namespace hsmtls::pkcs11
