// Reference PEM: a PEM that names a key by its pkcs11: URI and holds no key material. The format is
// pkcs11-provider's, "PKCS#11 Provider URI v1.0":
//
//   -----BEGIN PKCS#11 PROVIDER URI-----
//   SEQUENCE { VisibleString "PKCS#11 Provider URI v1.0", UTF8String "pkcs11:…" }
//
// Whatever is read here may come from a stranger: nothing in these functions looks beyond the text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::keys {

inline constexpr std::string_view reference_label = "PKCS#11 PROVIDER URI";

// The longest DER that is looked at, and the first bytes of it that tell whether it is one of these.
inline constexpr size_t longest_reference = 8192;
inline constexpr size_t reference_head = 40;

// `could_be_reference` judges by the first bytes (at least `reference_head`, or all there are).
bool could_be_reference(std::span<const uint8_t> der);

// `der_of_reference_block` returns what is in the first block of a PEM text that has our label;
// nothing: there is none, or it is not base64.
std::optional<std::vector<uint8_t>> der_of_reference_block(std::string_view pem);

// `uri_in_reference` returns the text of the URI; nothing if it is not of this format.
std::optional<std::string> uri_in_reference(std::span<const uint8_t> der);

// `selecting_uri` parses the URI of a reference. Throws failure (MALFORMED_URI) for a URI that is
// malformed, that names anything but a private key, or that says where a PIN or a module is: a PEM
// must not decide what is loaded or read.
pkcs11::uri selecting_uri(const std::string& text);

// `write_reference_pem` makes the PEM of a URI, which `selecting_uri` must accept. Throws failure.
std::string write_reference_pem(const std::string& uri);

// `read_reference_pem` returns the URI in the first reference of a PEM text. Throws failure
// (MALFORMED_PEM) where there is none.
std::string read_reference_pem(std::string_view pem);

}  // namespace hsmtls::keys
