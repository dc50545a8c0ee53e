#include <fmt/format.h>

#include "cli/doctor/steps.hpp"
#include "cli/terminal/spinner.hpp"

namespace hsmtls::cli {

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
    if (made.own_signature.empty()) {
      list.warns("client-certificate",
                 "the server did not ask for one",
                 "it lets anybody in: make it require a certificate");
    } else {
      list.holds(
          "client-certificate",
          fmt::format("the server asked, we signed ({}), and it let us in", made.own_signature));
    }
  } catch (const problem& why) {
    list.fails("handshake", why);
  }
}

}  // namespace hsmtls::cli
