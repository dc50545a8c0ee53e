// A key, opened, with what it told while it signed.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cli/library/access.hpp"
#include "cli/library/handles.hpp"

namespace hsmtls::cli {

struct signature_event {
  uint32_t mechanism = 0;  // hsmtls_mechanism
  uint64_t microseconds = 0;
};

class identity {
 public:
  enum class certificates { wanted, left_out };

  // Throws problem. `certificate_from` as `certificate` in hsmtls_identity_options; empty: from the token.
  static identity open(access& in,
                       const std::string& uri,
                       certificates with,
                       const std::string& certificate_from = {});

  [[nodiscard]] hsmtls_identity* get() const { return handle_.get(); }
  [[nodiscard]] hsmtls_identity_info info() const;
  [[nodiscard]] hsmtls_identity_counters counters() const;
  [[nodiscard]] std::string certificate_pem() const;

  // `take_signatures` returns what was signed since it was asked last.
  [[nodiscard]] std::vector<signature_event> take_signatures() const;

 private:
  struct events;
  std::shared_ptr<events> events_;  // outlives the handle
  identity_handle handle_;
};

// "CKM_ECDSA" for an hsmtls_mechanism.
const char* mechanism_name(uint32_t mechanism);

}  // namespace hsmtls::cli
