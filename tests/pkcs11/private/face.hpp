// The private face in a few lines, as the layers above it use it: looked up in the built module.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/pkcs11/private/hsmtls_pkcs11.h"
#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {

constexpr const char* code_name(int32_t code) {
  constexpr const char* names[] = {"OK",           "BAD_ARGUMENT",    "MALFORMED_URI",
                                   "MODULE",       "TOKEN_NOT_FOUND", "OBJECT_NOT_FOUND",
                                   "AMBIGUOUS",    "PIN_REQUIRED",    "PIN_INCORRECT",
                                   "PIN_LOCKED",   "PIN_SOURCE",      "NOT_LOGGED_IN",
                                   "TOKEN_LOST",   "TOKEN_REPLACED",  "KEY_REPLACED",
                                   "MODULE_STUCK", "DEADLINE",        "CANCELLED",
                                   "UNSUPPORTED",  "EXISTS",          "IN_USE",
                                   "EXITING",      "TOKEN_ERROR",     "NO_MEMORY",
                                   "INTERNAL"};
  return code >= 0 && code < 25 ? names[code] : "?";
}

// What a function answered, with its words.
struct answer {
  int32_t code = -1;
  uint64_t ckr = 0;
  std::string message;

  friend bool operator==(const answer& one, hsmtls_p11_code code) { return one.code == code; }
  friend std::ostream& operator<<(std::ostream& out, const answer& one) {
    return out << code_name(one.code) << " (" << pkcs11::rv_name(one.ckr) << "): " << one.message;
  }
};

// Words that no message and no log may hold; each test adds its PINs.
inline std::vector<std::string>& secrets() {
  static std::vector<std::string> all;
  return all;
}
inline void expect_no_secret(const std::string& text) {
  for (const std::string& one : secrets()) {
    EXPECT_EQ(std::string::npos, text.find(one)) << "'" << one << "' is in: " << text;
  }
}

inline answer answer_of(int32_t code, const hsmtls_p11_error& error) {
  answer out{code, 0, {}};
  if (code == HSMTLS_P11_OK) return out;
  EXPECT_EQ(code, error.code);
  out.ckr = error.ckr;
  out.message = error.message;
  expect_no_secret(out.message);
  return out;
}

// How to log in; keeps what it points to.
struct login_options {
  std::optional<std::string> pin;
  std::optional<std::string> source;
  std::optional<std::string> module;
  std::function<std::optional<std::string>(const std::string& label)> callback;
  bool forget = false;
  bool insist = false;

  [[nodiscard]] hsmtls_p11_login as_c() const {
    hsmtls_p11_login out{};
    out.struct_size = sizeof out;
    if (pin) {
      out.pin = reinterpret_cast<const uint8_t*>(pin->data());
      out.pin_len = static_cast<uint32_t>(pin->size());
    }
    if (source) out.pin_source = source->c_str();
    if (module) out.module = module->c_str();
    if (callback) {
      out.pin_user = const_cast<login_options*>(this);
      out.pin_callback =
          [](void* user, const char* label, uint8_t* place, uint32_t capacity) -> int32_t {
        const auto given = static_cast<const login_options*>(user)->callback(label);
        if (!given) return -1;
        EXPECT_LE(given->size(), capacity);
        std::memcpy(place, given->data(), given->size());
        return static_cast<int32_t>(given->size());
      };
    }
    out.forget_pin = forget ? 1 : 0;
    out.insist = insist ? 1 : 0;
    return out;
  }
};
inline login_options with_pin(std::string pin) {
  login_options out;
  out.pin = std::move(pin);
  return out;
}

// An object as list_objects or key_certificates showed it.
struct listed {
  std::string uri, label;
  uint64_t object_class = 0, key_type = 0;
  uint32_t flags = 0;
  bytes id, value;
};
inline void collect(void* user, const hsmtls_p11_object_info* one) {
  static_cast<std::vector<listed>*>(user)->push_back(
      {one->uri,
       one->label,
       one->object_class,
       one->key_type,
       one->flags,
       bytes(one->id, one->id + one->id_len),
       bytes(one->value, one->value + one->value_len)});
}

// Completions of asynchronous signatures, by the number that each operation was given.
class completions {
 public:
  struct one {
    int32_t code = -1;
    bytes signature;
    std::string message;
    std::thread::id thread;
    std::chrono::steady_clock::time_point when;
    int times = 0;
  };
  struct ticket {
    completions* all;
    size_t number;
  };

  static void done(void* user,
                   int32_t code,
                   const uint8_t* signature,
                   uint32_t length,
                   const hsmtls_p11_error* error) {
    const auto* mine = static_cast<const ticket*>(user);
    const std::lock_guard held(mine->all->mutex_);
    one& into = mine->all->by_number_[mine->number];
    into.code = code;
    into.signature.assign(signature, signature + length);
    if (error != nullptr) into.message = error->message;
    into.thread = std::this_thread::get_id();
    into.when = std::chrono::steady_clock::now();
    ++into.times;
    mine->all->changed_.notify_all();
  }

  // `next` returns what to hand to key_sign_async as `user`.
  void* next() {
    const std::lock_guard held(mutex_);
    tickets_.push_back(std::make_unique<ticket>(ticket{this, tickets_.size()}));
    return tickets_.back().get();
  }
  bool wait_for(size_t count, std::chrono::milliseconds most = std::chrono::seconds(20)) {
    std::unique_lock held(mutex_);
    return changed_.wait_for(held, most, [&] { return by_number_.size() >= count; });
  }
  std::map<size_t, one> all() {
    const std::lock_guard held(mutex_);
    return by_number_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ticket>> tickets_;
  std::map<size_t, one> by_number_;
};

// Events of a key.
class events {
 public:
  static void take(void* user, const hsmtls_p11_event* event) {
    auto* mine = static_cast<events*>(user);
    const std::lock_guard held(mine->mutex_);
    mine->all_.push_back(*event);
    mine->changed_.notify_all();
  }
  // They come on the thread on which they happen: those of a recovery perhaps a little after the
  // signature.
  bool wait_for(uint32_t type, size_t count) {
    std::unique_lock held(mutex_);
    return changed_.wait_for(held, std::chrono::seconds(10), [&] {
      return static_cast<size_t>(std::count_if(all_.begin(), all_.end(), [&](const auto& one) {
               return one.type == type;
             })) >= count;
    });
  }
  std::vector<hsmtls_p11_event> of(uint32_t type) {
    const std::lock_guard held(mutex_);
    std::vector<hsmtls_p11_event> out;
    for (const auto& one : all_) {
      if (one.type == type) out.push_back(one);
    }
    return out;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<hsmtls_p11_event> all_;
};

constexpr hsmtls_p11_signature_spec ecdsa{HSMTLS_P11_SIGN_ECDSA, 0, 0};

// An open key; releases it.
class private_key {
 public:
  private_key() = default;
  private_key(const hsmtls_p11_functions* functions, hsmtls_p11_key* key)
      : functions_(functions), key_(key) {}
  private_key(private_key&& other) noexcept
      : functions_(other.functions_), key_(std::exchange(other.key_, nullptr)) {}
  private_key& operator=(private_key&& other) noexcept {
    release();
    functions_ = other.functions_;
    key_ = std::exchange(other.key_, nullptr);
    return *this;
  }
  ~private_key() { release(); }

  void release() {
    if (key_ != nullptr) functions_->key_release(std::exchange(key_, nullptr));
  }
  [[nodiscard]] hsmtls_p11_key* get() const { return key_; }
  explicit operator bool() const { return key_ != nullptr; }

  [[nodiscard]] hsmtls_p11_key_info info() const {
    hsmtls_p11_key_info out{};
    out.struct_size = sizeof out;
    functions_->key_info(key_, &out);
    return out;
  }
  [[nodiscard]] bytes point() const {
    const auto is = info();
    return {is.ec_point, is.ec_point + is.ec_point_len};
  }
  [[nodiscard]] hsmtls_p11_counters counters() const {
    hsmtls_p11_counters out{};
    out.struct_size = sizeof out;
    functions_->key_counters(key_, &out);
    return out;
  }
  answer sign(const bytes& data,
              bytes* out = nullptr,
              const hsmtls_p11_signature_spec& spec = ecdsa,
              uint32_t deadline_ms = 0) const {
    bytes place(1024);
    auto length = static_cast<uint32_t>(place.size());
    hsmtls_p11_error error{};
    const int32_t code = functions_->key_sign(key_,
                                              &spec,
                                              data.data(),
                                              static_cast<uint32_t>(data.size()),
                                              place.data(),
                                              &length,
                                              deadline_ms,
                                              &error);
    if (code == HSMTLS_P11_OK && out != nullptr) out->assign(place.begin(), place.begin() + length);
    return answer_of(code, error);
  }
  answer sign_async(completions& into,
                    const bytes& data,
                    hsmtls_p11_operation** out = nullptr,
                    uint32_t deadline_ms = 0,
                    const hsmtls_p11_signature_spec& spec = ecdsa) const {
    hsmtls_p11_error error{};
    const int32_t code = functions_->key_sign_async(key_,
                                                    &spec,
                                                    data.data(),
                                                    static_cast<uint32_t>(data.size()),
                                                    deadline_ms,
                                                    completions::done,
                                                    into.next(),
                                                    out,
                                                    &error);
    return answer_of(code, error);
  }
  std::vector<listed> certificates() const {
    std::vector<listed> all;
    hsmtls_p11_error error{};
    const int32_t code = functions_->key_certificates(key_, collect, &all, &error);
    EXPECT_EQ(answer_of(code, error), HSMTLS_P11_OK);
    return all;
  }
  void subscribe(events& into) const { functions_->key_subscribe(key_, events::take, &into); }

 private:
  const hsmtls_p11_functions* functions_ = nullptr;
  hsmtls_p11_key* key_ = nullptr;
};

class private_face {
 public:
  explicit private_face(const module_under_test& module) {
    const auto get = module.symbol<const hsmtls_p11_functions* (*)()>("hsmtls_pkcs11_functions");
    functions_ = get != nullptr ? get() : nullptr;
    if (functions_ == nullptr) throw std::runtime_error("no private face");
  }
  const hsmtls_p11_functions* operator->() const { return functions_; }
  [[nodiscard]] const hsmtls_p11_functions* get() const { return functions_; }

  answer open(const std::string& uri,
              private_key& out,
              const login_options& login = {},
              uint32_t deadline_ms = 0) const {
    hsmtls_p11_error error{};
    hsmtls_p11_key* key = nullptr;
    const auto how = login.as_c();
    const int32_t code = functions_->key_open(uri.c_str(), &how, deadline_ms, &key, &error);
    EXPECT_EQ(code == HSMTLS_P11_OK, key != nullptr);
    if (code == HSMTLS_P11_OK) out = private_key(functions_, key);
    return answer_of(code, error);
  }
  // `try_open` opens a key and lets go of it again.
  answer try_open(const std::string& uri, const login_options& login = {}) const {
    private_key key;
    return open(uri, key, login);
  }
  answer generate(const std::string& uri,
                  uint32_t kind,
                  uint32_t bits,
                  private_key& out,
                  const login_options& login = {}) const {
    hsmtls_p11_error error{};
    hsmtls_p11_key* key = nullptr;
    const auto how = login.as_c();
    const int32_t code = functions_->key_generate(uri.c_str(), kind, bits, &how, &key, &error);
    if (code == HSMTLS_P11_OK) out = private_key(functions_, key);
    return answer_of(code, error);
  }
  answer list(const std::string& uri,
              std::vector<listed>& out,
              const login_options& login = {}) const {
    hsmtls_p11_error error{};
    const auto how = login.as_c();
    return answer_of(functions_->list_objects(uri.c_str(), &how, collect, &out, &error), error);
  }
  answer add_module(const std::string& path) const {
    hsmtls_p11_error error{};
    return answer_of(functions_->module_add(path.c_str(), &error), error);
  }
  // The modules of the tokens that are there, one for each.
  [[nodiscard]] std::vector<std::string> modules_of_tokens() const {
    std::vector<std::string> all;
    hsmtls_p11_error error{};
    const auto note = [](void* user, const hsmtls_p11_token_info* one) {
      static_cast<std::vector<std::string>*>(user)->emplace_back(one->module);
    };
    const int32_t code = functions_->list_tokens(note, &all, &error);
    EXPECT_EQ(answer_of(code, error), HSMTLS_P11_OK);
    return all;
  }
  answer remove(const std::string& uri, const login_options& login = {}) const {
    hsmtls_p11_error error{};
    const auto how = login.as_c();
    return answer_of(functions_->object_remove(uri.c_str(), &how, &error), error);
  }
  answer change_pin(const std::string& uri,
                    const std::string& before,
                    const std::string& after) const {
    hsmtls_p11_error error{};
    return answer_of(functions_->token_change_pin(uri.c_str(),
                                                  start_of(before),
                                                  length_of(before),
                                                  start_of(after),
                                                  length_of(after),
                                                  &error),
                     error);
  }
  answer initialise(const std::string& uri,
                    const std::string& label,
                    const std::string& so_pin,
                    const std::string& pin) const {
    hsmtls_p11_error error{};
    return answer_of(functions_->token_initialise(uri.c_str(),
                                                  label.c_str(),
                                                  start_of(so_pin),
                                                  length_of(so_pin),
                                                  start_of(pin),
                                                  length_of(pin),
                                                  &error),
                     error);
  }

 private:
  static const uint8_t* start_of(const std::string& text) {
    return reinterpret_cast<const uint8_t*>(text.data());
  }
  static uint32_t length_of(const std::string& text) { return static_cast<uint32_t>(text.size()); }

  const hsmtls_p11_functions* functions_ = nullptr;
};

// `device` is the URI of the key that most tests use.
inline constexpr auto device = "pkcs11:token=stub-a;object=device";

// The private face over chaos and the stub vendor.
class private_over_stub : public over_stub {
 protected:
  explicit private_over_stub(std::chrono::milliseconds deadline = std::chrono::seconds(10))
      : over_stub(deadline), face(front) {}
  void TearDown() override { expect_no_secret(log.text()); }

  private_key open_device() {
    private_key key;
    EXPECT_EQ(face.open(device, key, with_pin("1234")), HSMTLS_P11_OK);
    return key;
  }
  // What the stub vendor signs with this key.
  static bytes expected(const private_key& key, const bytes& data) {
    const bytes point = key.point();
    return stub::signature(
        stub::key_mark(point.data(), point.size()), CKM_ECDSA, data.data(), data.size());
  }
  static void expect_right_signature(const private_key& key, const bytes& data = bytes(32, 0x5a)) {
    bytes signature;
    ASSERT_EQ(key.sign(data, &signature), HSMTLS_P11_OK);
    EXPECT_EQ(expected(key, data), signature);
  }

  private_face face;
};

// The vendor itself, behind everybody's back: the same instance that the chaos module loaded.
class vendors_back {
 public:
  explicit vendors_back(const std::string& file = HSMTLS_TEST_STUB_VENDOR) : module_(file) {}
  CK_FUNCTION_LIST* operator->() const { return module_.functions(); }

  [[nodiscard]] CK_SESSION_HANDLE session(CK_SLOT_ID slot) const {
    CK_SESSION_HANDLE out = 0;
    EXPECT_RV(
        CKR_OK,
        module_->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &out));
    return out;
  }
  void change_pin(CK_SLOT_ID slot, std::string before, std::string after) const {
    const CK_SESSION_HANDLE in = session(slot);
    EXPECT_RV(CKR_OK,
              module_->C_SetPIN(in,
                                reinterpret_cast<CK_UTF8CHAR*>(before.data()),
                                before.size(),
                                reinterpret_cast<CK_UTF8CHAR*>(after.data()),
                                after.size()));
    module_->C_CloseSession(in);
  }

 private:
  module_under_test module_;
};

// A small file that goes with the object.
class scratch_file {
 public:
  explicit scratch_file(const std::string& content = {}) {
    path_ = std::string(HSMTLS_TEST_SCRATCH) + "/pin.XXXXXX";
    const int made = mkstemp(path_.data());
    if (made >= 0) close(made);
    write(content);
  }
  ~scratch_file() { std::filesystem::remove(path_); }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  void write(const std::string& content) const { std::ofstream(path_, std::ios::trunc) << content; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string source() const { return "file:" + path_; }

 private:
  std::string path_;
};

}  // namespace hsmtls::test
