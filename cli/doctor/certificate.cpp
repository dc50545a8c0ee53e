#include <fmt/format.h>

#include "cli/doctor/steps.hpp"
#include "cli/openssl/certificates.hpp"

namespace hsmtls::cli {
namespace {

void check_dates(checklist& list, const std::vector<certificate>& chain) {
  bool all_good = true;
  for (const certificate& one : chain) {
    const std::string name = subject_of(one.get());
    const ASN1_TIME* const from = X509_get0_notBefore(one.get());
    const ASN1_TIME* const to = X509_get0_notAfter(one.get());
    if (X509_cmp_current_time(from) > 0) {
      list.fails("certificate-dates",
                 fmt::format("{} is not valid before {}", name, time_text(from)),
                 "check this machine's clock");
      all_good = false;
    } else if (X509_cmp_current_time(to) < 0) {
      list.fails("certificate-dates",
                 fmt::format("{} expired at {}", name, time_text(to)),
                 "have a new one made for the same key (hsmtls csr), and import it");
      all_good = false;
    }
  }
  if (all_good) {
    list.holds("certificate-dates",
               fmt::format("valid until {}", time_text(X509_get0_notAfter(chain.front().get()))));
  }
}

void check_purpose(checklist& list, X509* leaf) {
  if ((X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) == 0) {
    list.holds("certificate-purpose", "is not limited (no extendedKeyUsage)");
  } else if ((X509_get_extended_key_usage(leaf) & (XKU_SSL_CLIENT | XKU_ANYEKU)) != 0) {
    list.holds("certificate-purpose", "a TLS client (extendedKeyUsage clientAuth)");
  } else {
    list.fails("certificate-purpose",
               "is not for a TLS client: extendedKeyUsage lacks clientAuth",
               "have one made with clientAuth (hsmtls csr asks for it)");
  }
}

void check_usage(checklist& list, X509* leaf) {
  if ((X509_get_extension_flags(leaf) & EXFLAG_KUSAGE) == 0) {
    list.holds("certificate-usage", "is not limited (no keyUsage)");
  } else if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) != 0) {
    list.holds("certificate-usage", "may sign (keyUsage digitalSignature)");
  } else {
    list.fails("certificate-usage",
               "may not sign a handshake: keyUsage lacks digitalSignature",
               "have one made with digitalSignature (hsmtls csr asks for it)");
  }
}

}  // namespace

std::optional<identity> check_certificate(checklist& list, const patient& of) {
  try {
    identity with = identity::open(of.in, of.uri, identity::certificates::wanted, of.certificate);
    const std::vector<certificate> chain =
        certificates_in(with.certificate_pem(), "the identity's chain");
    X509* const leaf = chain.front().get();
    list.holds("certificate", fmt::format("{}, for this key", subject_of(leaf)));
    list.holds("certificate-chain",
               fmt::format("certificates that are sent: {}; the last one was issued by {}",
                           chain.size(),
                           issuer_of(chain.back().get())));
    check_dates(list, chain);
    check_purpose(list, leaf);
    check_usage(list, leaf);
    return with;
  } catch (const problem& why) {
    list.fails(why.code() == HSMTLS_CHAIN_BROKEN ? "certificate-chain" : "certificate", why);
    return std::nullopt;
  }
}

}  // namespace hsmtls::cli
