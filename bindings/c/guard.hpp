// The border of the C face: nothing thrown crosses it, and arguments are looked at before they are used.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <string>

#include "core/keys/failure.hpp"
#include "hsmtls/hsmtls.h"

namespace hsmtls::c {

// `fail` writes an error of the caller's, if wanted, and returns its code.
int32_t fail(const failure& problem, hsmtls_error** out_error) noexcept;

// `guard` runs a function that returns nothing and turns what it throws into an error.
template <class Function>
int32_t guard(hsmtls_error** out_error, Function&& function) noexcept {
  try {
    function();
    return HSMTLS_OK;
  } catch (const std::exception&) {
    return caught([&](const failure& problem) { return fail(problem, out_error); });
  }
}

// `needed` returns what a pointer points to. Throws failure (BAD_ARGUMENT) for null.
template <class Type>
Type& needed(Type* pointer, const char* name) {
  if (pointer == nullptr)
    throw failure(HSMTLS_BAD_ARGUMENT, std::string("`") + name + "` must not be null");
  return *pointer;
}

// `bytes` returns what a pointer and a length say. Throws failure (BAD_ARGUMENT) for null with a length.
inline std::span<const uint8_t> bytes(const uint8_t* data, uint32_t length, const char* name) {
  if (length != 0) needed(data, name);
  return {data, length};
}

inline std::string text(const char* value) {
  return value != nullptr ? value : "";
}

// `known_part` copies what we know of a caller's struct, which may be older or newer than ours; what
// it lacks is zero.
template <class Struct>
Struct known_part(const Struct& from) noexcept {
  Struct copy{};
  std::memcpy(&copy, &from, std::min<size_t>(from.struct_size, sizeof(Struct)));
  return copy;
}

// `known` does that where it is all there is: what we do not know must be zero. Throws failure
// (BAD_ARGUMENT).
template <class Struct>
Struct known(const Struct& from, const char* name) {
  const uint32_t size = from.struct_size;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(&from);
  if (size < sizeof from.struct_size) {
    throw failure(HSMTLS_BAD_ARGUMENT,
                  std::string(name) + ".struct_size is not set: write sizeof there");
  }
  for (uint32_t i = sizeof(Struct); i < size; ++i) {
    if (bytes[i] != 0) {
      throw failure(HSMTLS_BAD_ARGUMENT,
                    std::string(name) + " has a field that this version of hsmtls does not know");
    }
  }
  return known_part(from);
}

// `fill` writes as much of `from` as the caller's struct has room for. Throws failure (BAD_ARGUMENT).
template <class Struct>
void fill(Struct* to, Struct from, const char* name) {
  const uint32_t size = needed(to, name).struct_size;
  if (size < sizeof from.struct_size) {
    throw failure(HSMTLS_BAD_ARGUMENT,
                  std::string(name) + "->struct_size is not set: write sizeof there");
  }
  from.struct_size = std::min<uint32_t>(size, sizeof(Struct));
  std::memcpy(to, &from, from.struct_size);
}

}  // namespace hsmtls::c
