// The certificates that peers must lead to.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/tls/objects.hpp"

namespace hsmtls::tls {

// Where they come from; all that is set counts together.
struct trust_source {
  bool system = false;
  std::string file;
  std::string text;
  std::string folder;
};

using x509_name =
    std::unique_ptr<X509_NAME, host::freed_by<&host::crypto_functions::X509_NAME_free>>;

// What was read there at one moment; never changed, so that a handshake may go by it while it is
// already replaced.
struct trust {
  host::x509_store store;
  // Names for a server's certificate request. None where the system's are trusted, too:
  // those are found one by one, and a list without them would make clients think that they are not
  // wanted.
  std::vector<x509_name> names;
  // The same for the same certificates; of what includes the system's, which are not looked at, there is
  // none that is the same.
  digest stamp{};
  bool with_system = false;
  std::set<digest> certificates;  // without the system's

  // Whether this certificate was in it from the beginning: the store may have been added to since.
  [[nodiscard]] bool holds(const X509* certificate) const {
    return with_system || certificates.contains(digest_of(certificate));
  }
};

// `read_trust` reads it. Throws failure (TRUST_UNUSABLE), which names what cannot be read.
std::shared_ptr<const trust> read_trust(const trust_source& source);

}  // namespace hsmtls::tls
