#include "core/pkcs11/private/key.hpp"

#include <algorithm>
#include <thread>

#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/private/signature.hpp"
#include "core/pkcs11/uri/near_miss.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct candidate {
  present_token where;
  std::shared_ptr<const token_use> use;
  found_object what;
};

[[noreturn]] void throw_ambiguous(const uri& wanted, const std::vector<candidate>& fitting) {
  std::vector<located_object> all;
  for (const candidate& one : fitting)
    all.push_back({one.where.description(), one.what.attributes()});
  throw failure(HSMTLS_P11_AMBIGUOUS, ambiguous_objects(wanted, all));
}

// The one private key that a URI fits.
candidate find_key(const modules_list& in,
                   const uri& wanted,
                   pin_provider& pins,
                   time_point until) {
  if (wanted.type && *wanted.type != object_type::private_key) {
    throw failure(HSMTLS_P11_BAD_ARGUMENT,
                  "the URI names a '" + std::string(type_name(*wanted.type)) +
                      "', not a private key: leave the type out or write type=private");
  }
  const auto tokens = tokens_of(in, wanted, until);
  std::vector<candidate> fitting;
  // Kept to the end: the near miss is looked for as whom the search was made.
  std::vector<std::shared_ptr<const token_use>> uses;
  for (const present_token& where : tokens) {
    const auto use = uses.emplace_back(std::make_shared<const token_use>(*where.behind, until));
    const bool login_required = (where.info.flags & CKF_LOGIN_REQUIRED) != 0;
    // A PIN is sent to one token only, the one that the URI names.
    if (tokens.size() == 1 && login_required && can_log_in(where, pins)) log_in(where, pins, until);
    for (found_object& one : search(where, wanted, CKO_PRIVATE_KEY, most_candidates, until)) {
      fitting.push_back({where, use, std::move(one)});
    }
  }
  if (fitting.size() > 1) throw_ambiguous(wanted, fitting);
  if (fitting.size() == 1) return std::move(fitting[0]);
  if (tokens.size() > 1) (void)one_token_of(in, wanted, until);  // throws AMBIGUOUS
  const present_token& where = tokens[0];
  const bool hidden =
      (where.info.flags & CKF_LOGIN_REQUIRED) != 0 && !where.behind->logged_in(face::private_abi);
  if (hidden) log_in(where, pins, until);  // throws PIN_REQUIRED
  throw_not_found("no such key: ", wanted, where, until);
}

hsmtls_p11_key_type type_of_key(const object_recipe& recipe, const std::string& label) {
  switch (recipe.key_type) {
    case CKK_RSA:
      return HSMTLS_P11_RSA;
    case CKK_EC:
      return HSMTLS_P11_EC;
    case CKK_EC_EDWARDS:
      return HSMTLS_P11_ED25519;
    default:
      throw failure(HSMTLS_P11_UNSUPPORTED,
                    "the key " + quoted_name(label) + " is neither RSA nor EC nor Ed25519");
  }
}

CK_RV read_shown_half(token& behind,
                      const lease& in,
                      CK_OBJECT_HANDLE of,
                      time_point until,
                      hsmtls_p11_key_type type,
                      shown_half& out) {
  if (type != HSMTLS_P11_RSA)
    return read_attribute(behind, in, of, CKA_EC_POINT, until, out.ec_point);
  if (const CK_RV rv = read_attribute(behind, in, of, CKA_MODULUS, until, out.modulus);
      rv != CKR_OK)
    return rv;
  return read_attribute(behind, in, of, CKA_PUBLIC_EXPONENT, until, out.exponent);
}

}  // namespace

CK_RV read_key_flags(
    token& behind, const lease& in, CK_OBJECT_HANDLE handle, time_point until, uint32_t& flags) {
  CK_BBOOL local = CK_FALSE;
  CK_BBOOL sensitive = CK_FALSE;
  CK_BBOOL unextractable = CK_FALSE;
  CK_BBOOL authenticate = CK_FALSE;
  CK_ATTRIBUTE list[] = {attribute(CKA_LOCAL, local),
                         attribute(CKA_ALWAYS_SENSITIVE, sensitive),
                         attribute(CKA_NEVER_EXTRACTABLE, unextractable),
                         attribute(CKA_ALWAYS_AUTHENTICATE, authenticate)};
  const CK_RV rv =
      behind.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        return invoke(vendor.C_GetAttributeValue, session, handle, list, CK_ULONG{std::size(list)});
      });
  if (loss_of(rv) != loss::none) return rv;
  flags = (local != CK_FALSE ? HSMTLS_P11_LOCAL : 0) |
          (sensitive != CK_FALSE ? HSMTLS_P11_ALWAYS_SENSITIVE : 0) |
          (unextractable != CK_FALSE ? HSMTLS_P11_NEVER_EXTRACTABLE : 0) |
          (authenticate != CK_FALSE ? HSMTLS_P11_ALWAYS_AUTHENTICATE : 0);
  return CKR_OK;
}

void event_sink::subscribe(hsmtls_p11_event_fn on_event, void* user) {
  std::lock_guard held(mutex_);
  on_event_ = on_event;
  user_ = user;
}

void event_sink::send(const hsmtls_p11_event& event) noexcept {
  std::lock_guard held(mutex_);
  if (on_event_ != nullptr) on_event_(user_, &event);
}

key::binding key::find(time_point until) {
  auto process = std::make_shared<const runtime_use>(module_);
  candidate found = find_key(process->modules(), wanted_, pins_, until);
  binding at{std::move(process), found.where, found.use, nullptr};
  token& behind = *found.where.behind;
  // Read in a session of its own: what was found may already be of an earlier life.
  const CK_RV rv = behind.with_recovery(until, repeat::freely, [&](uint64_t& life) -> CK_RV {
    lease in;
    if (const CK_RV got = behind.borrow(false, until, in, life); got != CKR_OK) return got;
    at.what =
        std::make_shared<object>(behind, found.what.recipe, found.what.handle, found.what.life);
    if (public_half_) at.what->expect(*public_half_);  // of the parent process
    CK_OBJECT_HANDLE handle = 0;
    if (const CK_RV got = at.what->resolve(in, until, handle); got != CKR_OK) return got;
    return at.what->learn_public_half(in, until);
  });
  check(rv,
        "open the key " + quoted_name(found.what.attributes().label) + " in token " +
            found.where.quoted_label());
  behind.add_observer(here().events);
  return at;
}

void key::describe(const binding& at, time_point until) {
  token& behind = *at.where.behind;
  const object_recipe recipe = at.what->recipe();
  description_.label.assign(recipe.label.begin(), recipe.label.end());
  description_.id = recipe.id;
  description_.uri = uri_for(at.where, recipe);
  description_.type = type_of_key(recipe, description_.label);
  const CK_RV rv = behind.with_recovery(until, repeat::freely, [&](uint64_t& life) -> CK_RV {
    lease in;
    if (const CK_RV got = behind.borrow(false, until, in, life); got != CKR_OK) return got;
    CK_OBJECT_HANDLE handle = 0;
    if (const CK_RV got = at.what->resolve(in, until, handle); got != CKR_OK) return got;
    if (const CK_RV got = read_key_flags(behind, in, handle, until, description_.flags);
        got != CKR_OK)
      return got;
    if (description_.type != HSMTLS_P11_RSA) {
      const CK_RV got =
          read_attribute(behind, in, handle, CKA_EC_PARAMS, until, description_.ec_params);
      if (got != CKR_OK) return got;
    }
    return read_shown_half(behind, in, handle, until, description_.type, description_.half);
  });
  check(rv, "read the key " + quoted_name(description_.label));
  if (!description_.half.is_whole(description_.type)) complete_half(at, recipe, until);
}

void key::complete_half(const binding& at, const object_recipe& recipe, time_point until) {
  const auto public_keys = public_companions(at.where, recipe, until);
  if (public_keys.size() != 1) return;
  token& behind = *at.where.behind;
  shown_half found;
  const CK_RV rv = behind.with_recovery(until, repeat::freely, [&](uint64_t& life) -> CK_RV {
    lease in;
    if (const CK_RV got = behind.borrow(false, until, in, life); got != CKR_OK) return got;
    object companion(behind, public_keys[0].recipe, public_keys[0].handle, public_keys[0].life);
    CK_OBJECT_HANDLE handle = 0;
    if (const CK_RV got = companion.resolve(in, until, handle); got != CKR_OK) return got;
    return read_shown_half(behind, in, handle, until, description_.type, found);
  });
  check(rv, "read the public key of " + quoted_name(description_.label));
  // One that only shares the CKA_ID is not the other half.
  const bytes& own = description_.half.modulus;
  if (own.empty() || own == found.modulus) description_.half = std::move(found);
}

// The right to search, log in and use the PINs, for one thread of a process.
class key::turn {
 public:
  turn(presence& in, time_point until) : in_(in) {
    std::unique_lock held(in_.mutex);
    if (!in_.changed.wait_until(held, until, [&] { return !in_.searching; })) {
      throw failure(HSMTLS_P11_TOKEN_LOST,
                    "another thread logs in to the token, and that takes longer than the deadline");
    }
    in_.searching = true;
  }
  ~turn() {
    {
      std::lock_guard held(in_.mutex);
      in_.searching = false;
    }
    in_.changed.notify_all();
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

 private:
  presence& in_;
};

key::key(uri wanted, std::string module, pin_provider pins)
    : wanted_(std::move(wanted)),
      module_(std::move(module)),
      pins_(std::move(pins)),
      presence_(new presence(std::make_shared<event_sink>())) {}

key::~key() {
  std::unique_ptr<presence> mine(presence_.load());
  if (mine->process != &runtime::current()) {
    (void)mine.release();  // a child that never used the key: it is the parent's
    return;
  }
  mine->events->subscribe(nullptr, nullptr);
  if (mine->at) mine->at->where.behind->remove_observer(mine->events.get());
}

key::presence& key::here() {
  presence* known = presence_.load();
  if (known->process == &runtime::current()) return *known;
  auto fresh = std::make_unique<presence>(std::make_shared<event_sink>(*known->events));
  if (presence_.compare_exchange_strong(known, fresh.get())) return *fresh.release();
  return *known;
}

std::shared_ptr<key> key::open(uri wanted,
                               std::string module,
                               pin_provider pins,
                               time_point until) {
  // From here on the PIN is in locked memory only.
  wanted.pin_value.reset();
  wanted.pin_source.reset();
  // By the name that it is known by: a child must find it whatever became of this one.
  if (!module.empty()) module = add_module(module).path();
  std::shared_ptr<key> opened(new key(std::move(wanted), std::move(module), std::move(pins)));
  const binding at = opened->bound(until);
  opened->describe(at, until);
  opened->public_half_ = at.what->known_public_half();
  opened->token_of_workers_ = at.where.behind;
  opened->pins_.opened();
  return opened;
}

token* key::token_if_bound() {
  presence& mine = here();
  std::lock_guard held(mine.mutex);
  return mine.at ? mine.at->where.behind : nullptr;
}

key::binding key::bound(time_point until) {
  presence& mine = here();
  const auto known = [&] {
    std::lock_guard held(mine.mutex);
    return mine.at;
  };
  if (auto at = known()) return *at;
  const turn alone(mine, until);
  if (auto at = known()) return *at;
  binding found = public_half_ ? find_again(until) : find(until);
  std::lock_guard held(mine.mutex);
  mine.at = found;
  return found;
}

key::binding key::find_again(time_point until) {
  // It was there when the parent opened it: what is not there now is not back yet.
  constexpr milliseconds first_pause{20};
  constexpr milliseconds longest_pause{500};
  for (milliseconds pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
    try {
      return find(until);
    } catch (const failure& why) {
      const bool missing = why.code() == HSMTLS_P11_TOKEN_NOT_FOUND ||
                           why.code() == HSMTLS_P11_OBJECT_NOT_FOUND ||
                           why.ckr() == CKR_USER_PIN_NOT_INITIALIZED;
      if (!missing || passed(until)) throw;
    }
    std::this_thread::sleep_until(std::min(until, steady::now() + pause));
  }
}

bool key::log_in_again(const binding& at, time_point until) {
  // The login was given up (a PIN that was changed elsewhere): its source may have the new one by
  // now.
  const turn alone(here(), until);
  if (!can_log_in(at.where, pins_) || at.where.behind->login_pauses()) return false;
  log_in(at.where, pins_, until);
  return true;
}

void key::keep_login(time_point until) {
  const binding at = bound(until);
  const bool login_required = (at.where.info.flags & CKF_LOGIN_REQUIRED) != 0;
  if (login_required && !at.where.behind->logged_in(face::private_abi)) log_in_again(at, until);
}

CK_RV key::sign_at(const binding& at,
                   const CK_MECHANISM& mechanism,
                   std::span<const uint8_t> data,
                   uint8_t* out,
                   uint32_t& length,
                   time_point until) {
  const bool authenticate = (description_.flags & HSMTLS_P11_ALWAYS_AUTHENTICATE) != 0;
  const uint32_t capacity = length;
  const CK_RV rv = single_signature(
      *at.where.behind, *at.what, mechanism, authenticate, data, out, length, until);
  if (rv != CKR_USER_NOT_LOGGED_IN || !log_in_again(at, until)) return rv;
  length = capacity;
  return single_signature(
      *at.where.behind, *at.what, mechanism, authenticate, data, out, length, until);
}

void key::sign(const hsmtls_p11_signature_spec& spec,
               std::span<const uint8_t> data,
               uint8_t* out,
               uint32_t& length,
               time_point until) {
  const time_point start = steady::now();
  const signature_mechanism mechanism(spec);
  const binding at = bound(until);
  const uint32_t capacity = length;
  CK_RV rv = CKR_OK;
  try {
    rv = sign_at(at, mechanism.get(), data, out, length, until);
  } catch (const failure&) {
    count_signature(*at.where.behind, false);
    throw;
  }
  count_signature(*at.where.behind, rv == CKR_OK);
  if (rv == CKR_BUFFER_TOO_SMALL) {
    throw failure(HSMTLS_P11_BAD_ARGUMENT,
                  "the place for the signature has " + std::to_string(capacity) +
                      " bytes, the signature has " + std::to_string(length),
                  rv);
  }
  if (rv != CKR_OK) {  // the sentence costs more than the check
    throw failure_of(rv,
                     "sign with the key " + quoted_name(description_.label) + " in token " +
                         at.where.quoted_label());
  }
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start);
  log::event(log::level::info,
             "signed",
             "token",
             at.where.label(),
             "key",
             description_.label,
             "mechanism",
             mechanism_name(mechanism.get().mechanism),
             "us",
             took.count());
  here().events->send(
      {HSMTLS_P11_EVENT_SIGNED, spec.mechanism, static_cast<uint64_t>(took.count())});
}

}  // namespace hsmtls::pkcs11
