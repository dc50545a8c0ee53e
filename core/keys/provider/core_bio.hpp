// Reading from the BIO that libcrypto hands to a provider (provider-base(7), "BIO functions").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/keys/provider/provider_context.hpp"

namespace hsmtls::keys {

// `read_reference_der` returns what is in the BIO if it begins like the DER of a reference and is no
// longer than one may be.
std::optional<std::vector<uint8_t>> read_reference_der(const provider_context& provider,
                                                       OSSL_CORE_BIO* in);

// `read_reference_block` reads up to the end of the first PEM block and returns it, if it has the
// label of a reference and is no longer than one may be.
std::optional<std::string> read_reference_block(const provider_context& provider,
                                                OSSL_CORE_BIO* in);

}  // namespace hsmtls::keys
