// What the opaque handles of the C face hold.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/keys/failure.hpp"
#include "core/keys/identity/identity.hpp"

struct hsmtls_error {
  hsmtls::failure problem;
  std::string ckr_name;
};

struct hsmtls_text {
  std::string value;
};

struct hsmtls_identity {
  std::shared_ptr<hsmtls::keys::identity> open;
  std::atomic<uint32_t> references{1};
};
