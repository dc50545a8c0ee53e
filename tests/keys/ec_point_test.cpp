// CKA_EC_POINT as tokens give it: in an OCTET STRING, or bare.
#include "core/keys/token/ec_point.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hsmtls::test {
namespace {

using bytes = std::vector<uint8_t>;

bytes point_in(const bytes& attribute, size_t coordinate) {
  const auto found = keys::ec_point(attribute, coordinate);
  return {found.begin(), found.end()};
}

bytes wrapped(const bytes& point) {
  bytes out{0x04};
  if (point.size() > 127) out.push_back(0x81);
  out.push_back(static_cast<uint8_t>(point.size()));
  out.insert(out.end(), point.begin(), point.end());
  return out;
}

// A point whose first coordinate begins with that byte.
bytes uncompressed(size_t coordinate, uint8_t first) {
  bytes out(1 + 2 * coordinate, 0x55);
  out[0] = 0x04;
  out[1] = first;
  return out;
}

TEST(EcPoint, IsTakenOutOfItsOctetString) {
  for (const size_t coordinate : {32, 48, 66}) {
    const bytes point = uncompressed(coordinate, 0x01);
    EXPECT_EQ(point, point_in(wrapped(point), coordinate));
    bytes compressed(1 + coordinate, 0x55);
    compressed[0] = 0x03;
    EXPECT_EQ(compressed, point_in(wrapped(compressed), coordinate));
  }
}

TEST(EcPoint, IsTakenBareWhateverItLooksLike) {
  for (const size_t coordinate : {32, 48, 66}) {
    // Of one key in 256 the bare point is an OCTET STRING by its looks: 04, and the length of the rest.
    for (int first = 0; first < 256; ++first) {
      const bytes point = uncompressed(coordinate, static_cast<uint8_t>(first));
      EXPECT_EQ(point, point_in(point, coordinate)) << coordinate << ", " << first;
    }
  }
}

TEST(EcPoint, OfEd25519Has32Bytes) {
  for (const uint8_t first : {0x04, 0x55}) {
    bytes point(32, 0x55);
    point[0] = first;
    point[1] = 30;
    EXPECT_EQ(point, point_in(point, 0));
    EXPECT_EQ(point, point_in(wrapped(point), 0));
  }
}

TEST(EcPoint, ThatIsNoneIsLeftAsItIs) {
  for (const bytes& none :
       {bytes{}, bytes{0x04}, bytes{0x04, 0x81}, bytes{0x04, 0x02, 0x04, 0x04}}) {
    EXPECT_EQ(none, point_in(none, 32));
  }
}

}  // namespace
}  // namespace hsmtls::test
