#include "core/keys/token/ec_point.hpp"

namespace hsmtls::keys {
namespace {

using view = std::span<const uint8_t>;

constexpr size_t ed25519_point = 32;
constexpr uint8_t octet_string = 0x04;
constexpr uint8_t long_form = 0x81;  // one byte of length follows (X.690 section 8.1.3.5)

// SEC 1 section 2.3.3: 04 and both coordinates, or 02 or 03 and one.
bool is_point(view bytes, size_t coordinate) {
  if (coordinate == 0) return bytes.size() == ed25519_point;
  if (bytes.empty()) return false;
  return bytes[0] == 0x04
             ? bytes.size() == 1 + 2 * coordinate
             : (bytes[0] == 0x02 || bytes[0] == 0x03) && bytes.size() == 1 + coordinate;
}

// What is in an OCTET STRING that takes up all of `bytes`; else nothing.
view unwrapped(view bytes) {
  if (bytes.size() < 2 || bytes[0] != octet_string) return {};
  const size_t head = bytes[1] == long_form ? 3 : 2;
  if (bytes.size() < head || bytes[head - 1] != bytes.size() - head) return {};
  return bytes.subspan(head);
}

}  // namespace

// A bare point may look like an OCTET STRING, and of one key in 256 on P-256 does: 04 3f and what
// follows. What tells them apart is how long a point of the curve is.
view ec_point(view attribute, size_t coordinate) {
  const view inside = unwrapped(attribute);
  return is_point(inside, coordinate) ? inside : attribute;
}

}  // namespace hsmtls::keys
