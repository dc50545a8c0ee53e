#include "core/keys/provider/core_bio.hpp"

#include <array>

#include "core/keys/pem/reference_pem.hpp"

namespace hsmtls::keys {
namespace {

// Appends up to `wanted` bytes; fewer: that is all.
void read_some(const provider_context& provider,
               OSSL_CORE_BIO* in,
               size_t wanted,
               std::vector<uint8_t>& to) {
  const size_t before = to.size();
  to.resize(before + wanted);
  size_t have = before;
  size_t got = 0;
  while (have < to.size() &&
         provider.bio_read_ex(in, to.data() + have, to.size() - have, &got) == 1 && got > 0) {
    have += got;
  }
  to.resize(have);
}

}  // namespace

std::optional<std::vector<uint8_t>> read_reference_der(const provider_context& provider,
                                                       OSSL_CORE_BIO* in) {
  std::vector<uint8_t> der;
  read_some(provider, in, reference_head, der);
  if (!could_be_reference(der)) return std::nullopt;
  if (der.size() == reference_head) {
    read_some(provider, in, longest_reference + 1 - reference_head, der);
  }
  if (der.size() > longest_reference) return std::nullopt;
  return der;
}

std::optional<std::string> read_reference_block(const provider_context& provider,
                                                OSSL_CORE_BIO* in) {
  constexpr std::string_view begin = "-----BEGIN ";
  const std::string ours = std::string(begin) + std::string(reference_label) + "-----";
  std::string block;
  std::array<char, 256> piece{};
  bool at_line_start = true;
  for (;;) {
    const int got = provider.bio_gets(in, piece.data(), static_cast<int>(piece.size()));
    if (got <= 0) return std::nullopt;
    const std::string_view line(piece.data(), static_cast<size_t>(got));
    if (block.empty()) {
      // A line that begins a block of another kind belongs to another decoder.
      if (at_line_start && line.starts_with(begin) && !line.starts_with(ours)) return std::nullopt;
      if (at_line_start && line.starts_with(ours)) block = line;
    } else {
      block += line;
      if (block.size() > 2 * longest_reference) return std::nullopt;
      if (at_line_start && line.starts_with("-----END ")) return block;
    }
    at_line_start = line.back() == '\n';
  }
}

}  // namespace hsmtls::keys
