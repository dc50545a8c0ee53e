// What CKA_EC_POINT holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hsmtls::keys {

// `ec_point` returns the point in a CKA_EC_POINT: what is inside of the OCTET STRING that PKCS#11 v3.1
// section 6.3.3 wants there, or all of it, as some tokens give the bare point. `coordinate`: bytes of a
// coordinate on the curve; 0 for Ed25519, whose point is 32 bytes and has no form in front.
std::span<const uint8_t> ec_point(std::span<const uint8_t> attribute, size_t coordinate);

}  // namespace hsmtls::keys
