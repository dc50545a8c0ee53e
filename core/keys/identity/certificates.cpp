#include "core/keys/identity/certificates.hpp"

#include <algorithm>
#include <utility>

#include "core/keys/failure.hpp"
#include "core/keys/token/log.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;
using pkcs11::quoted_name;

bool is_self_signed(X509* certificate) {
  return crypto().X509_check_issued(certificate, certificate) == X509_V_OK;
}

// Which of two certificates for one key is presented. A placeholder that a key signed for itself is no
// peer's choice, however long it is good.
bool is_better(const host::x509& one, const host::x509& other) {
  const auto rank = [](X509* certificate) {
    return std::pair(!is_self_signed(certificate), date_warning(certificate).empty());
  };
  const auto first = rank(one.get());
  const auto second = rank(other.get());
  if (first != second) return first > second;
  return crypto().ASN1_TIME_compare(crypto().X509_get0_notAfter(one.get()),
                                    crypto().X509_get0_notAfter(other.get())) > 0;
}

bool is_named_as_issuer(const X509* candidate, const X509* of) {
  return crypto().X509_NAME_cmp(crypto().X509_get_subject_name(candidate),
                                crypto().X509_get_issuer_name(of)) == 0;
}

bool has_signed(X509* candidate, X509* certificate) {
  EVP_PKEY* const key = crypto().X509_get0_pubkey(candidate);
  return key != nullptr && crypto().X509_verify(certificate, key) == 1;
}

[[noreturn]] void refuse_mismatch(const std::vector<host::x509>& candidates,
                                  const std::string& from) {
  std::vector<std::string> names;
  names.reserve(candidates.size());
  for (const host::x509& one : candidates) names.push_back(name_of(one.get()));
  throw failure(HSMTLS_CERTIFICATE_MISMATCH,
                from +
                    (names.size() == 1 ? " holds the certificate of another key: "
                                       : " holds certificates of other keys only: ") +
                    pkcs11::listed(names) +
                    ". Have a certificate made for this key (hsmtls csr), or name the key that "
                    "belongs to it");
}

// Takes the issuer of `certificate` out of `candidates`, if it is there.
host::x509 take_issuer(X509* certificate,
                       std::vector<host::x509>& candidates,
                       const std::string& from) {
  std::string near_miss;
  for (auto one = candidates.begin(); one != candidates.end(); ++one) {
    if (!is_named_as_issuer(one->get(), certificate)) continue;
    if (has_signed(one->get(), certificate)) {
      host::x509 found = std::move(*one);
      candidates.erase(one);
      return found;
    }
    if (is_self_signed(one->get())) {
      // A root would not be sent: one that is not the right one is in nobody's way.
      log_warning("unneeded_root", {"subject", name_of(one->get()), "from", from});
    } else {
      near_miss = name_of(one->get());
    }
  }
  if (!near_miss.empty()) {
    throw failure(
        HSMTLS_CHAIN_BROKEN,
        "in " + from + " the certificate " + near_miss + " has the name of the issuer of " +
            name_of(certificate) +
            " but another key: it was renewed, or is another authority of that name. Replace it by "
            "the one that signed");
  }
  return nullptr;
}

}  // namespace

std::vector<host::x509> certificates_in_pem(std::string_view pem, const std::string& from) {
  const host::error_mark mark;
  const host::bio in = host::bio_over(pem);
  // An encrypted block is none that can be read: nobody is asked for its passphrase.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  std::vector<host::x509> found;
  while (in) {
    if (host::x509 one{crypto().PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr)}) {
      found.push_back(std::move(one));
      continue;
    }
    const unsigned long why = crypto().ERR_peek_last_error();
    // No further block is how every text ends; anything else is a block that cannot be read.
    if (ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE) break;
    throw failure(HSMTLS_CERTIFICATE_MALFORMED,
                  "the certificate number " + std::to_string(found.size() + 1) + " in " + from +
                      " cannot be read as PEM")
        .because(
            why,
            crypto().ERR_reason_error_string(why) ? crypto().ERR_reason_error_string(why) : "");
  }
  return found;
}

std::vector<host::x509> read_certificates(std::string_view given, const std::string& from) {
  std::vector<host::x509> found = certificates_in_pem(given, from);
  if (!found.empty()) return found;
  const certificate_der der(given.begin(), given.end());
  return certificates_in_der({der});
}

bool certifies(const X509* certificate, const EVP_PKEY* public_half) {
  const host::error_mark mark;
  const EVP_PKEY* const its_key = crypto().X509_get0_pubkey(certificate);
  return public_half != nullptr && its_key != nullptr &&
         crypto().EVP_PKEY_eq(its_key, public_half) == 1;
}

std::vector<host::x509> chain_for(const EVP_PKEY* public_half,
                                  std::vector<host::x509> candidates,
                                  const std::string& from) {
  const host::error_mark mark;
  if (candidates.empty()) {
    throw failure(HSMTLS_CERTIFICATE_NOT_FOUND,
                  from +
                      " holds no certificate. Import the key's certificate into the token (hsmtls "
                      "import), or "
                      "give it as a file or as PEM text");
  }
  const auto end_of_own =
      std::stable_partition(candidates.begin(), candidates.end(), [&](const host::x509& one) {
        return certifies(one.get(), public_half);
      });
  if (end_of_own == candidates.begin()) refuse_mismatch(candidates, from);
  std::stable_sort(candidates.begin(), end_of_own, is_better);
  std::vector<host::x509> chain;
  chain.push_back(std::move(candidates.front()));
  candidates.erase(candidates.begin(), end_of_own);
  while (!is_self_signed(chain.back().get())) {
    host::x509 issuer = take_issuer(chain.back().get(), candidates, from);
    // A peer that trusts the root has it; one that does not is not persuaded by being sent it.
    if (!issuer || is_self_signed(issuer.get())) break;
    chain.push_back(std::move(issuer));
  }
  return chain;
}

std::string name_of(const X509* certificate) {
  return name_of(crypto().X509_get_subject_name(certificate));
}

std::string name_of(const X509_NAME* name) {
  const host::bio out(crypto().BIO_new(crypto().BIO_s_mem()));
  if (!out) return "?";
  crypto().X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return quoted_name(host::text_in(out));
}

std::string pem_of(const std::vector<host::x509>& chain) {
  const host::bio out(crypto().BIO_new(crypto().BIO_s_mem()));
  for (const host::x509& one : chain) {
    if (!out || crypto().PEM_write_bio_X509(out.get(), one.get()) != 1) {
      throw failure(HSMTLS_NO_MEMORY, "no memory for a PEM");
    }
  }
  return out ? host::text_in(out) : "";
}

std::string date_warning(const X509* certificate) {
  if (crypto().X509_cmp_current_time(crypto().X509_get0_notBefore(certificate)) > 0) {
    return "is not valid yet: is the clock right?";
  }
  if (crypto().X509_cmp_current_time(crypto().X509_get0_notAfter(certificate)) < 0) {
    return "has expired";
  }
  return "";
}

}  // namespace hsmtls::keys
