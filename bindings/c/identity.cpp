#include "core/keys/identity/identity.hpp"

#include "bindings/c/guard.hpp"
#include "bindings/c/handles.hpp"
#include "bindings/c/login.hpp"
#include "core/keys/token/face.hpp"

using namespace hsmtls;
using namespace hsmtls::c;

namespace {

static_assert(HSMTLS_KEY_LOCAL == HSMTLS_P11_LOCAL &&
              HSMTLS_KEY_ALWAYS_SENSITIVE == HSMTLS_P11_ALWAYS_SENSITIVE &&
              HSMTLS_KEY_NEVER_EXTRACTABLE == HSMTLS_P11_NEVER_EXTRACTABLE &&
              HSMTLS_KEY_ALWAYS_AUTHENTICATE == HSMTLS_P11_ALWAYS_AUTHENTICATE);
static_assert(HSMTLS_MECHANISM_RSA_PKCS1 == static_cast<int>(HSMTLS_P11_SIGN_RSA_PKCS1) &&
              HSMTLS_MECHANISM_RSA_PSS == static_cast<int>(HSMTLS_P11_SIGN_RSA_PSS) &&
              HSMTLS_MECHANISM_RSA_RAW == static_cast<int>(HSMTLS_P11_SIGN_RSA_RAW) &&
              HSMTLS_MECHANISM_ECDSA == static_cast<int>(HSMTLS_P11_SIGN_ECDSA) &&
              HSMTLS_MECHANISM_EDDSA == static_cast<int>(HSMTLS_P11_SIGN_EDDSA));
static_assert(HSMTLS_EVENT_LOST == static_cast<int>(HSMTLS_P11_EVENT_LOST) &&
              HSMTLS_EVENT_RESTORED == static_cast<int>(HSMTLS_P11_EVENT_RESTORED) &&
              HSMTLS_EVENT_SIGNED == static_cast<int>(HSMTLS_P11_EVENT_SIGNED));

// The caller's callback; its release function runs when the last copy goes.
class subscriber {
 public:
  explicit subscriber(const hsmtls_identity_options& from)
      : on_event_(from.on_event), user_(from.event_user), release_(from.event_release) {}
  ~subscriber() {
    if (release_ != nullptr) release_(user_);
  }
  subscriber(const subscriber&) = delete;
  subscriber& operator=(const subscriber&) = delete;
  void tell(const hsmtls_p11_event& event) const {
    const hsmtls_event told{event.type, event.mechanism, event.microseconds};
    on_event_(user_, &told);
  }

 private:
  hsmtls_event_fn on_event_;
  void* user_;
  hsmtls_release_fn release_;
};

uint32_t type_number(keys::key_type type) {
  switch (type) {
    case keys::key_type::rsa:
      return HSMTLS_KEY_RSA;
    case keys::key_type::ec:
      return HSMTLS_KEY_EC;
    case keys::key_type::ed25519:
      break;
  }
  return HSMTLS_KEY_ED25519;
}

}  // namespace

int32_t hsmtls_identity_open(const hsmtls_identity_options* options,
                             hsmtls_identity** out_identity,
                             hsmtls_error** out_error) {
  return guard(out_error, [&] {
    // First of all: whatever happens, the caller's release function runs once.
    const auto heard = std::make_shared<subscriber>(known_part(needed(options, "options")));
    const hsmtls_identity_options given = known(*options, "options");
    hsmtls_identity*& out = needed(out_identity, "out_identity");
    if ((given.flags & ~HSMTLS_OPEN_WITHOUT_CERTIFICATE) != 0) {
      throw failure(HSMTLS_BAD_ARGUMENT,
                    "options.flags has a bit that this version of hsmtls does not know");
    }
    constexpr uint32_t known_properties = HSMTLS_KEY_LOCAL | HSMTLS_KEY_ALWAYS_SENSITIVE |
                                          HSMTLS_KEY_NEVER_EXTRACTABLE |
                                          HSMTLS_KEY_ALWAYS_AUTHENTICATE;
    if ((given.require & ~known_properties) != 0) {
      throw failure(HSMTLS_BAD_ARGUMENT,
                    "options.require has a bit that this version of hsmtls does not know");
    }
    needed(given.key, "options.key");
    const login how(given.login, given.module);
    keys::identity_options wanted;
    wanted.key = given.key;
    if (given.certificate != nullptr) wanted.certificate = given.certificate;
    wanted.without_certificate = (given.flags & HSMTLS_OPEN_WITHOUT_CERTIFICATE) != 0;
    wanted.deadline_ms = given.deadline_ms;
    wanted.require = given.require;
    wanted.login = how.get();
    if (given.on_event != nullptr) {
      wanted.on_event = [heard](const hsmtls_p11_event& event) { heard->tell(event); };
    }
    std::unique_ptr<hsmtls_identity> opened(
        new hsmtls_identity{keys::identity::open(std::move(wanted))});
    // Whether it hears anything or not, it is kept as long as the identity is open.
    opened->open->at_close([heard] {});
    out = opened.release();
  });
}

void hsmtls_identity_retain(hsmtls_identity* identity) {
  if (identity != nullptr) identity->references.fetch_add(1, std::memory_order_relaxed);
}

void hsmtls_identity_release(hsmtls_identity* identity) {
  if (identity == nullptr || identity->references.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  identity->open->close();
  delete identity;
}

void hsmtls_identity_close(hsmtls_identity* identity) {
  if (identity != nullptr) identity->open->close();
}

int32_t hsmtls_identity_get_info(const hsmtls_identity* identity,
                                 hsmtls_identity_info* out_info,
                                 hsmtls_error** out_error) {
  return guard(out_error, [&] {
    const keys::identity& open = *needed(identity, "identity").open;
    const keys::token_key& key = *open.key();
    hsmtls_identity_info info{};
    info.key_type = type_number(key.type());
    info.key_bits = key.bits();
    info.key_flags = key.flags();
    info.key_uri = key.uri().c_str();
    info.key_name = open.key_name().c_str();
    info.num_certificates = static_cast<uint32_t>(open.chain().size());
    fill(out_info, info, "out_info");
  });
}

const char* hsmtls_identity_certificate_pem(const hsmtls_identity* identity) {
  return identity != nullptr ? identity->open->certificate_pem().c_str() : "";
}
const char* hsmtls_identity_key_pem(const hsmtls_identity* identity) {
  return identity != nullptr ? identity->open->key_pem().c_str() : "";
}

int32_t hsmtls_identity_write_files(const hsmtls_identity* identity,
                                    const char* directory,
                                    hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(identity, "identity").open->write_files(&needed(directory, "directory"));
  });
}

hsmtls_error* hsmtls_identity_last_error(const hsmtls_identity* identity) {
  hsmtls_error* last = nullptr;
  (void)guard(nullptr, [&] {
    if (identity == nullptr) return;
    if (const std::optional<failure> problem = identity->open->key()->last_error())
      fail(*problem, &last);
  });
  return last;
}

int32_t hsmtls_identity_get_counters(const hsmtls_identity* identity,
                                     hsmtls_identity_counters* out_counters,
                                     hsmtls_error** out_error) {
  return guard(out_error, [&] {
    hsmtls_p11_counters counted{};
    counted.struct_size = sizeof counted;
    needed(identity, "identity").open->key()->with_token([&](const hsmtls_p11_key* key) {
      keys::face().key_counters(key, &counted);
    });
    hsmtls_identity_counters counters{};
    counters.open_sessions = counted.open_sessions;
    counters.lost = counted.lost;
    counters.restored = counted.restored;
    counters.signatures = counted.signatures;
    counters.failed_signatures = counted.failed_signatures;
    fill(out_counters, counters, "out_counters");
  });
}
