#include <fmt/format.h>

#include "cli/doctor/steps.hpp"
#include "cli/terminal/spinner.hpp"

namespace hsmtls::cli {
namespace {

void check_client_certificate(checklist& list,
                              const handshake& made,
                              const hsmtls_identity_info& key) {
  constexpr const char* step = "client-certificate";
  if (made.accepted_schemes.empty()) {
    list.warns(step,
               "the server did not ask for one",
               "it lets anybody in: make it require a certificate");
    return;
  }
  if (const std::string why = why_unsigned(made, key); !why.empty()) {
    list.fails(step,
               "the server asked, and got none: " + why,
               "use a key of a kind that it takes (hsmtls keygen --type), or widen what it takes");
    return;
  }
  const std::string signed_so = fmt::format("the server asked, we signed ({})", made.own_signature);
  switch (made.said) {
    case verdict::let_in:
      list.holds(step, signed_so + ", and it let us in");
      break;
    case verdict::hung_up:
      list.warns(step,
                 signed_so + ", and it hung up without a word",
                 "its log says whether that was because of the certificate");
      break;
    case verdict::silent:
      list.notes(step, signed_so + ", and it has not refused us so far: it said nothing at all");
      break;
  }
}

}  // namespace

void check_handshake(checklist& list,
                     const identity& key,
                     const address& to,
                     const client_options& how) {
  try {
    tls_client client(key, to, how);
    const handshake made = [&] {
      const spinner turning(fmt::format("connecting to {}", to.host));
      return client.connect();
    }();
    list.holds("handshake",
               fmt::format("{} port {}: {}, {}, {:.1f} ms",
                           to.host,
                           to.port,
                           made.version,
                           made.cipher,
                           made.milliseconds));
    check_client_certificate(list, made, key.info());
  } catch (const problem& why) {
    list.fails("handshake", why);
  }
}

}  // namespace hsmtls::cli
