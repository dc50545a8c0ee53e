// Names: of the 92 functions, of the CKR_* values, and what somebody may have meant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::chaos {

#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) name,
enum class function_id : std::uint8_t {
#include <pkcs11f.h>
};
#undef CK_PKCS11_FUNCTION_INFO

#define CK_PKCS11_FUNCTION_INFO(name) #name,
inline constexpr std::string_view function_names[] = {
#include <pkcs11f.h>
};
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0

inline constexpr std::size_t num_functions = std::size(function_names);

// `returns_lists` holds for the three functions that an application needs before it can call any
// other.
constexpr bool returns_lists(function_id id) {
  return id == function_id::C_GetFunctionList || id == function_id::C_GetInterface ||
         id == function_id::C_GetInterfaceList;
}

constexpr std::string_view name_of(function_id id) {
  return function_names[static_cast<std::size_t>(id)];
}

std::optional<function_id> find_function(std::string_view name);

using pkcs11::rv_name;

// `parse_rv` accepts what `rv_name` returns, the digits of a number in either case.
std::optional<CK_RV> parse_rv(std::string_view text);

// `did_you_mean` returns "; did you mean X?" for the nearest of `names`, or nothing if none is
// near.
std::string did_you_mean(std::string_view typed, const std::vector<std::string_view>& names);
std::string did_you_mean_function(std::string_view typed);
std::string did_you_mean_rv(std::string_view typed);

}  // namespace hsmtls::chaos
