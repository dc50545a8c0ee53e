// The edge of the private face: handles, structs and return codes on the outside, C++ and
// exceptions inside.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/private/administration.hpp"
#include "core/pkcs11/private/asynchronous.hpp"
#include "core/pkcs11/private/function_table.hpp"
#include "core/pkcs11/private/objects.hpp"
#include "core/pkcs11/private/scoped_view.hpp"
#include "core/pkcs11/private/signature.hpp"
#include "core/pkcs11/runtime/instance.hpp"

using namespace hsmtls::pkcs11;

struct hsmtls_p11_key {
  std::shared_ptr<key> behind;
  std::atomic<int> references{1};
};

struct hsmtls_p11_operation {
  std::shared_ptr<async_signature> behind;
};

struct hsmtls_p11_view {
  std::shared_ptr<key> of;
  std::shared_ptr<scoped_view> behind;
  CK_SLOT_ID slot = 0;
};

namespace {

time_point until_of(uint32_t deadline_ms) {
  return steady::now() + (deadline_ms != 0 ? milliseconds(deadline_ms) : settings().deadline);
}
time_point default_until() {
  return until_of(0);
}

// `guard` runs the body of a function: nothing is thrown across the boundary.
template <class Body>
int32_t guard(hsmtls_p11_error* error, Body&& body) noexcept {
  try {
    body();
    return HSMTLS_P11_OK;
  } catch (const failure& why) {
    return describe_failure(why, error);
  } catch (const std::bad_alloc&) {
    return describe_failure(HSMTLS_P11_NO_MEMORY, CKR_OK, "out of memory", error);
  } catch (const std::exception& why) {
    return describe_failure(HSMTLS_P11_INTERNAL, CKR_OK, why.what(), error);
  } catch (...) {
    return describe_failure(HSMTLS_P11_INTERNAL, CKR_OK, "an unknown exception", error);
  }
}

// `fill` writes as much of `value` as the caller's version of the struct has room for.
template <class Struct>
void fill(Struct* out, Struct value) {
  value.struct_size = out->struct_size;
  std::memcpy(out, &value, std::min<size_t>(out->struct_size, sizeof value));
}

// The caller's login, with zeros for what its version does not know; null for null.
class login_of {
 public:
  explicit login_of(const hsmtls_p11_login* given) : given_(given != nullptr) {
    if (!given_) return;
    constexpr size_t smallest = offsetof(hsmtls_p11_login, insist) + sizeof read_.insist;
    if (given->struct_size < smallest)
      throw failure(HSMTLS_P11_BAD_ARGUMENT, "struct_size of the login is not its size");
    std::memcpy(&read_, given, std::min<size_t>(given->struct_size, sizeof read_));
  }
  [[nodiscard]] const hsmtls_p11_login* get() const { return given_ ? &read_ : nullptr; }

 private:
  const bool given_;
  hsmtls_p11_login read_{};
};

void require(bool given, const char* what) {
  if (!given) throw failure(HSMTLS_P11_BAD_ARGUMENT, std::string(what) + " is missing");
}

std::span<const uint8_t> bytes_of(const uint8_t* start, uint32_t length) {
  return {start, start == nullptr ? 0 : length};
}

int32_t key_open(const char* text,
                 const hsmtls_p11_login* login,
                 uint32_t deadline_ms,
                 hsmtls_p11_key** out,
                 hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(out != nullptr, "the place for the key");
    auto opened = std::make_unique<hsmtls_p11_key>();
    uri wanted = parse_or_throw(text);
    const login_of how(login);
    pin_provider pins(wanted, how.get());
    opened->behind = key::open(
        std::move(wanted), only_module_of(how.get()), std::move(pins), until_of(deadline_ms));
    *out = opened.release();
  });
}

void key_retain(hsmtls_p11_key* one) {
  if (one != nullptr) one->references.fetch_add(1);
}

void key_release(hsmtls_p11_key* one) {
  if (one == nullptr || one->references.fetch_sub(1) != 1) return;
  guard(nullptr, [&] {
    // An asynchronous signature may hold the key for longer; its subscriber is told nothing any
    // more.
    one->behind->events().subscribe(nullptr, nullptr);
  });
  delete one;
}

void key_info(const hsmtls_p11_key* one, hsmtls_p11_key_info* out) {
  if (one == nullptr || out == nullptr) return;
  const key_description& is = one->behind->description();
  const auto length = [](const bytes& of) { return static_cast<uint32_t>(of.size()); };
  hsmtls_p11_key_info info{};
  info.type = static_cast<uint32_t>(is.type);
  info.flags = is.flags;
  info.uri = is.uri.c_str();
  info.label = is.label.c_str();
  info.id = is.id.data();
  info.id_len = length(is.id);
  info.modulus = is.half.modulus.data();
  info.modulus_len = length(is.half.modulus);
  info.exponent = is.half.exponent.data();
  info.exponent_len = length(is.half.exponent);
  info.ec_params = is.ec_params.data();
  info.ec_params_len = length(is.ec_params);
  info.ec_point = is.half.ec_point.data();
  info.ec_point_len = length(is.half.ec_point);
  fill(out, info);
}

int32_t key_certificates(hsmtls_p11_key* one,
                         hsmtls_p11_object_fn each,
                         void* user,
                         hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(one != nullptr && each != nullptr, "the key or the callback");
    list_certificates(*one->behind, each, user, default_until());
  });
}

int32_t key_sign(hsmtls_p11_key* one,
                 const hsmtls_p11_signature_spec* spec,
                 const uint8_t* data,
                 uint32_t data_len,
                 uint8_t* signature,
                 uint32_t* signature_len,
                 uint32_t deadline_ms,
                 hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(one != nullptr && spec != nullptr && signature != nullptr && signature_len != nullptr,
            "the key, the spec or the place for the signature");
    require(data != nullptr || data_len == 0, "the data");
    uint32_t length = *signature_len;
    one->behind->sign(*spec, bytes_of(data, data_len), signature, length, until_of(deadline_ms));
    *signature_len = length;
  });
}

int32_t key_sign_async(hsmtls_p11_key* one,
                       const hsmtls_p11_signature_spec* spec,
                       const uint8_t* data,
                       uint32_t data_len,
                       uint32_t deadline_ms,
                       hsmtls_p11_signed_fn done,
                       void* user,
                       hsmtls_p11_operation** out,
                       hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(one != nullptr && spec != nullptr && done != nullptr,
            "the key, the spec or the callback");
    require(data != nullptr || data_len == 0, "the data");
    const signature_mechanism checked(*spec);  // a wrong spec is refused here, not in the callback
    auto started = std::make_shared<async_signature>(
        one->behind, *spec, bytes_of(data, data_len), until_of(deadline_ms), done, user);
    std::unique_ptr<hsmtls_p11_operation> handle;
    if (out != nullptr) handle.reset(new hsmtls_p11_operation{started});
    // Written first: `done` may run before we return.
    if (out != nullptr) *out = handle.get();
    try {
      start(started);
    } catch (...) {
      if (out != nullptr) *out = nullptr;
      throw;
    }
    (void)handle.release();
  });
}

void operation_cancel(hsmtls_p11_operation* one) {
  if (one == nullptr) return;
  guard(nullptr, [&] { one->behind->cancel(); });
}

void operation_release(hsmtls_p11_operation* one) {
  delete one;
}

void key_subscribe(hsmtls_p11_key* one, hsmtls_p11_event_fn on_event, void* user) {
  if (one == nullptr) return;
  guard(nullptr, [&] { one->behind->events().subscribe(on_event, user); });
}

void key_counters(const hsmtls_p11_key* one, hsmtls_p11_counters* out) {
  if (one == nullptr || out == nullptr) return;
  guard(nullptr, [&] {
    hsmtls_p11_counters counters{};
    if (token* const where = one->behind->token_if_bound()) {
      const token_counters of_token = where->counters();
      const signature_counts signatures = signatures_in(*where);
      counters.open_sessions = static_cast<uint32_t>(of_token.open_sessions);
      counters.lost = of_token.lost;
      counters.restored = of_token.restored;
      counters.rebuild_attempts = of_token.rebuild_attempts;
      counters.signatures = signatures.made;
      counters.failed_signatures = signatures.failed;
    }
    fill(out, counters);
  });
}

int32_t tokens(hsmtls_p11_token_fn each, void* user, hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(each != nullptr, "the callback");
    list_tokens(each, user, default_until());
  });
}

int32_t objects(const char* uri,
                const hsmtls_p11_login* login,
                hsmtls_p11_object_fn each,
                void* user,
                hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(each != nullptr, "the callback");
    list_objects(uri, login_of(login).get(), each, user, default_until());
  });
}

int32_t key_generate(const char* uri,
                     uint32_t kind,
                     uint32_t bits,
                     const hsmtls_p11_login* login,
                     hsmtls_p11_key** out,
                     hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(out != nullptr, "the place for the key");
    auto opened = std::make_unique<hsmtls_p11_key>();
    opened->behind = generate(uri, kind, bits, login_of(login).get(), default_until());
    *out = opened.release();
  });
}

int32_t certificate_import(const char* uri,
                           const hsmtls_p11_certificate* certificate,
                           const hsmtls_p11_login* login,
                           hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(certificate != nullptr, "the certificate");
    import_certificate(uri, *certificate, login_of(login).get(), default_until());
  });
}

int32_t object_remove(const char* uri, const hsmtls_p11_login* login, hsmtls_p11_error* error) {
  return guard(error, [&] { remove_object(uri, login_of(login).get(), default_until()); });
}

int32_t token_initialise(const char* uri,
                         const char* label,
                         const uint8_t* so_pin,
                         uint32_t so_pin_len,
                         const uint8_t* user_pin,
                         uint32_t user_pin_len,
                         hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(label != nullptr && so_pin != nullptr && user_pin != nullptr, "the label or a PIN");
    initialise_token(uri,
                     label,
                     bytes_of(so_pin, so_pin_len),
                     bytes_of(user_pin, user_pin_len),
                     default_until());
  });
}

int32_t token_change_pin(const char* uri,
                         const uint8_t* old_pin,
                         uint32_t old_pin_len,
                         const uint8_t* new_pin,
                         uint32_t new_pin_len,
                         hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(old_pin != nullptr && new_pin != nullptr, "a PIN");
    change_user_pin(
        uri, bytes_of(old_pin, old_pin_len), bytes_of(new_pin, new_pin_len), default_until());
  });
}

void log_line(uint32_t level, const char* event, const char* const* strings, uint32_t num) {
  if (event == nullptr || (strings == nullptr && num > 0)) return;
  guard(nullptr, [&] {
    const auto severity = static_cast<log::level>(std::min<uint32_t>(level, 2));
    log::event_of(severity, event, {strings, num});
  });
}

void complain(const char* sentence) {
  if (sentence == nullptr) return;
  guard(nullptr, [&] { log::complain(sentence); });
}

uint32_t modules_configured() {
  return static_cast<uint32_t>(settings().modules.size());
}

int32_t module_add(const char* path, hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(path != nullptr && *path != '\0', "the module's file");
    add_module(path);
  });
}

int32_t view_open(hsmtls_p11_key* one, hsmtls_p11_view** out, hsmtls_p11_error* error) {
  return guard(error, [&] {
    require(one != nullptr && out != nullptr, "the key or the place for the view");
    auto opened = std::make_unique<hsmtls_p11_view>();
    opened->of = one->behind;
    opened->behind = std::make_shared<scoped_view>(one->behind, default_until());
    opened->slot = runtime::current().open_view(opened->behind);
    *out = opened.release();
  });
}

void view_enter(hsmtls_p11_view* one) {
  if (one != nullptr) view::enter(one->slot);
}

void view_leave() {
  view::enter(0);
}

void view_close(hsmtls_p11_view* one) {
  if (one == nullptr) return;
  guard(nullptr, [&] { runtime::current().close_view(one->slot); });
  delete one;
}

constexpr hsmtls_p11_functions table{
    HSMTLS_P11_ABI,
    sizeof(hsmtls_p11_functions),
    key_open,
    key_retain,
    key_release,
    key_info,
    key_certificates,
    key_sign,
    key_sign_async,
    operation_cancel,
    operation_release,
    key_subscribe,
    key_counters,
    tokens,
    objects,
    key_generate,
    certificate_import,
    object_remove,
    token_initialise,
    token_change_pin,
    log_line,
    complain,
    modules_configured,
    module_add,
    view_open,
    view_enter,
    view_leave,
    view_close,
};

}  // namespace

const hsmtls_p11_functions* hsmtls::pkcs11::private_functions() {
  return &table;
}

const hsmtls_p11_functions* hsmtls_pkcs11_functions(void) {
  const instance_record* whose = owner();
  return whose != nullptr ? static_cast<const hsmtls_p11_functions*>(whose->private_functions)
                          : nullptr;
}
