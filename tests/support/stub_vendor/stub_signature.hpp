// What the stub vendor's C_Sign returns: a hash of (public key, mechanism, data), so that a test
// can tell which key signed what without any cryptography.
#pragma once

#include <pkcs11.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hsmtls::stub {

inline constexpr std::uint64_t fnv_offset = 0xcbf29ce484222325ULL;
inline constexpr std::uint64_t fnv_prime = 0x100000001b3ULL;

inline std::uint64_t fnv1a(const void* data, std::size_t len, std::uint64_t hash = fnv_offset) {
  const auto* byte = static_cast<const std::uint8_t*>(data);
  for (std::size_t i = 0; i < len; ++i) hash = (hash ^ byte[i]) * fnv_prime;
  return hash;
}

// `expand` writes `len` bytes that depend on nothing but `seed` (splitmix64).
inline void expand(std::uint64_t seed, std::uint8_t* out, std::size_t len) {
  for (std::size_t at = 0; at < len; at += 8, seed += 0x9e3779b97f4a7c15ULL) {
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    std::memcpy(out + at, &z, len - at < 8 ? len - at : 8);
  }
}

// `key_mark` identifies a key pair by its public half: the bytes of CKA_EC_POINT as read from the
// public key object, or of CKA_MODULUS.
inline std::uint64_t key_mark(const void* public_value, std::size_t len) {
  return fnv1a(public_value, len);
}

// `signature_seed` starts a signature; feed the data with `fnv1a(data, len, seed)`, in one part or
// in several, and `expand` the result.
inline std::uint64_t signature_seed(std::uint64_t mark, CK_MECHANISM_TYPE mechanism) {
  return (fnv_offset ^ mark) * fnv_prime ^ static_cast<std::uint64_t>(mechanism);
}

// `signature` returns what C_Sign gives for `data`: 64 bytes for EC and Edwards keys, as many as
// the modulus has for RSA keys.
inline std::vector<std::uint8_t> signature(std::uint64_t mark,
                                           CK_MECHANISM_TYPE mechanism,
                                           const void* data,
                                           std::size_t data_len,
                                           std::size_t signature_len = 64) {
  std::vector<std::uint8_t> out(signature_len);
  expand(fnv1a(data, data_len, signature_seed(mark, mechanism)), out.data(), out.size());
  return out;
}

}  // namespace hsmtls::stub
