#include "vendor.hpp"

#include <pthread.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdlib>

#include "points.hpp"
#include "stub_signature.hpp"

namespace hsmtls::stub {
namespace {

void use_point(object& public_key, object& private_key, const bytes& point) {
  bytes wrapped = {0x04, static_cast<std::uint8_t>(point.size())};
  wrapped.insert(wrapped.end(), point.begin(), point.end());
  public_key.set(CKA_EC_POINT, wrapped);
  public_key.refresh();
  private_key.mark = public_key.mark;
}

void add_key_pair(
    token& to, CK_SLOT_ID slot, CK_KEY_TYPE type, const std::string& label, CK_BYTE id) {
  auto public_key = std::make_shared<object>();
  auto private_key = std::make_shared<object>();
  for (object* half : {public_key.get(), private_key.get()}) {
    half->slot = slot;
    half->set(CKA_TOKEN, bytes_of(true));
    half->set(CKA_KEY_TYPE, bytes_of(type));
    half->set(CKA_LABEL, bytes_of(std::string_view(label)));
    half->set(CKA_ID, {id});
  }
  public_key->set(CKA_CLASS, bytes_of(CK_ULONG{CKO_PUBLIC_KEY}));
  private_key->set(CKA_CLASS, bytes_of(CK_ULONG{CKO_PRIVATE_KEY}));
  if (type == CKK_EC) {
    public_key->set(CKA_EC_PARAMS, {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7});  // prime256v1
  } else if (type == CKK_EC_EDWARDS) {
    public_key->set(CKA_EC_PARAMS, {0x06, 3, 0x2b, 0x65, 0x70});  // Ed25519
  }
  const std::string name = to.label + '/' + label;
  make_key_pair(*public_key, *private_key, fnv1a(name.data(), name.size()));
  if (type == CKK_EC) use_point(*public_key, *private_key, p256_points.at(slot));
  add_defaults(*public_key);
  add_defaults(*private_key);
  to.objects.push_back(std::move(public_key));
  to.objects.push_back(std::move(private_key));
}

void add_certificate(token& to, CK_SLOT_ID slot, const std::string& label, CK_BYTE id) {
  auto certificate = std::make_shared<object>();
  certificate->slot = slot;
  certificate->set(CKA_TOKEN, bytes_of(true));
  certificate->set(CKA_CLASS, bytes_of(CK_ULONG{CKO_CERTIFICATE}));
  certificate->set(CKA_CERTIFICATE_TYPE, bytes_of(CK_ULONG{CKC_X_509}));
  certificate->set(CKA_LABEL, bytes_of(std::string_view(label)));
  certificate->set(CKA_ID, {id});
  certificate->set(CKA_SUBJECT, {0x30, 0});
  bytes der = {0x30,
               static_cast<std::uint8_t>(2 + to.label.size()),
               0x0c,
               static_cast<std::uint8_t>(to.label.size())};
  der.insert(der.end(), to.label.begin(), to.label.end());
  certificate->set(CKA_VALUE, der);
  add_defaults(*certificate);
  to.objects.push_back(std::move(certificate));
}

}  // namespace

vendor::vendor() {
  for (CK_SLOT_ID slot = 0; slot < tokens.size(); ++slot) {
    token& made = tokens[slot];
    made.label = slot == 0 ? "stub-a" : "stub-b";
    made.serial = slot == 0 ? "0001" : "0002";
    add_key_pair(made, slot, CKK_EC, "device", 1);
    add_key_pair(made, slot, CKK_RSA, "rsa", 2);
    add_key_pair(made, slot, CKK_EC_EDWARDS, "edwards", 3);
    add_certificate(made, slot, "device", 1);
  }
  // PKCS#11 v3.0 section 5.4: a forked child calls C_Initialize again before anything else.
  pthread_atfork([] { instance().mutex.lock(); },
                 [] { instance().mutex.unlock(); },
                 [] {
                   instance().forget();
                   instance().mutex.unlock();
                 });
}

vendor& vendor::instance() {
  // Never destroyed: other threads may still be inside when the process exits.
  static auto* const only = new vendor;
  return *only;
}

void vendor::start() {
  const char* limit = std::getenv("HSMTLS_STUB_MAX_SESSIONS");
  max_sessions = limit == nullptr ? 0 : std::strtoul(limit, nullptr, 10);
  initialized = true;
  next_session_ = 1;
  ++generation_;
  number_objects();
}

void vendor::forget() {
  initialized = false;
  sessions_.clear();
  objects_.clear();
  for (token& each : tokens) each.logged_in = token::login::nobody;
}

void vendor::number_objects() {
  // A handle kept from before the last C_Initialize names another object now, or none.
  std::vector<std::shared_ptr<object>> all;
  for (const token& each : tokens) all.insert(all.end(), each.objects.begin(), each.objects.end());
  if (!all.empty()) {
    const auto shift = static_cast<std::ptrdiff_t>(generation_ % all.size());
    std::rotate(all.begin(), all.begin() + shift, all.end());
  }
  objects_.clear();
  next_object_ = 1;
  for (auto& each : all) objects_.emplace(next_object_++, std::move(each));
}

session* vendor::find_session(CK_SESSION_HANDLE handle) {
  const auto found = sessions_.find(handle);
  return found == sessions_.end() ? nullptr : &found->second;
}

CK_ULONG vendor::count_sessions(CK_SLOT_ID slot, bool read_write_only) const {
  return static_cast<CK_ULONG>(
      std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& each) {
        return each.second.slot == slot && (each.second.read_write || !read_write_only);
      }));
}

CK_SESSION_HANDLE vendor::open_session(CK_SLOT_ID slot, bool read_write) {
  while (sessions_.contains(next_session_)) ++next_session_;
  session opened;
  opened.slot = slot;
  opened.read_write = read_write;
  sessions_.emplace(next_session_, std::move(opened));
  return next_session_++;
}

void vendor::close_session(CK_SESSION_HANDLE handle) {
  const CK_SLOT_ID slot = sessions_.at(handle).slot;
  sessions_.erase(handle);
  std::erase_if(objects_, [&](const auto& each) { return each.second->owner == handle; });
  // PKCS#11 v3.0 section 5.6.2: closing the last session logs out.
  if (count_sessions(slot) == 0) tokens[slot].logged_in = token::login::nobody;
}

void vendor::close_all_sessions(CK_SLOT_ID slot) {
  std::erase_if(objects_, [&](const auto& each) {
    return each.second->owner != 0 && each.second->slot == slot;
  });
  std::erase_if(sessions_, [&](const auto& each) { return each.second.slot == slot; });
  tokens[slot].logged_in = token::login::nobody;
  // Nasty on purpose: the next session gets a number that a careless caller still holds.
  next_session_ = 1;
}

bool vendor::may_see(const session& from, const object& wanted) const {
  return !wanted.is_private || tokens[from.slot].logged_in == token::login::user;
}

object* vendor::find_object(const session& from, CK_OBJECT_HANDLE handle, bool* hidden) {
  const auto found = objects_.find(handle);
  if (found == objects_.end() || found->second->slot != from.slot) return nullptr;
  const bool visible = may_see(from, *found->second);
  if (hidden != nullptr) *hidden = !visible;
  return visible ? found->second.get() : nullptr;
}

std::vector<CK_OBJECT_HANDLE> vendor::search(const session& from,
                                             const CK_ATTRIBUTE* wanted,
                                             CK_ULONG count) {
  std::vector<CK_OBJECT_HANDLE> found;
  for (const auto& [handle, each] : objects_) {
    if (each->slot == from.slot && may_see(from, *each) && each->matches(wanted, count)) {
      found.push_back(handle);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

CK_RV vendor::add(CK_SESSION_HANDLE creator,
                  std::shared_ptr<object> created,
                  CK_OBJECT_HANDLE* out_handle) {
  const session& from = sessions_.at(creator);
  const bool on_token = created->flag(CKA_TOKEN);
  if (created->is_private && !may_see(from, *created)) return CKR_USER_NOT_LOGGED_IN;
  if (on_token && !from.read_write) return CKR_SESSION_READ_ONLY;
  created->slot = from.slot;
  created->owner = on_token ? 0 : creator;
  if (on_token) tokens[from.slot].objects.push_back(created);
  *out_handle = next_object_++;
  objects_.emplace(*out_handle, std::move(created));
  return CKR_OK;
}

void vendor::destroy(CK_OBJECT_HANDLE handle) {
  const std::shared_ptr<object> doomed = objects_.at(handle);
  objects_.erase(handle);
  std::erase(tokens[doomed->slot].objects, doomed);
}

void vendor::wipe(CK_SLOT_ID slot) {
  std::erase_if(objects_, [&](const auto& each) { return each.second->slot == slot; });
  tokens[slot].objects.clear();
}

std::uint64_t vendor::random() {
  std::uint64_t out = 0;
  // A failure leaves 0: a stub may be predictable.
  if (getrandom(&out, sizeof out, 0) != sizeof out) out = 0;
  return out;
}

}  // namespace hsmtls::stub
