#include "core/keys/identity/identity.hpp"

#include <array>

#include "core/keys/evp/handed_key.hpp"
#include "core/keys/identity/certificates.hpp"
#include "core/keys/identity/open_keys.hpp"
#include "core/keys/identity/text_file.hpp"
#include "core/keys/pem/reference_pem.hpp"
#include "core/keys/token/face.hpp"
#include "core/keys/token/learned_half.hpp"
#include "core/keys/token/log.hpp"
#include "core/keys/token/modules.hpp"
#include "core/keys/token/objects.hpp"
#include "core/keys/uris.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::keys {
namespace {

struct candidates {
  std::vector<host::x509> certificates;
  std::string from;  // "the file 'device.pem'"
};

candidates in_token(const token_key& key) {
  return {certificates_in_der(
              key.with_token([](hsmtls_p11_key* one) { return certificates_beside(one); })),
          "the token of the key " + key.uri()};
}

candidates given(const identity_options& options) {
  if (is_uri(options.certificate)) {
    const pkcs11::uri uri = parsed(options.certificate);
    return {certificates_in_der(certificates_fitting(uri, options.login)),
            "what " + pkcs11::redacted_uri(uri) + " names"};
  }
  if (options.certificate.starts_with("-----BEGIN")) {
    const std::string from = "the PEM text that was given as certificate";
    return {read_certificates(options.certificate, from), from};
  }
  const std::string path(options.certificate);
  const std::string from = "the file " + pkcs11::quoted_path(path);
  return {read_certificates(read_text_file(path, "the certificate file"), from), from};
}

// Candidates for the key's certificate and its intermediates, from which its public half is learned,
// too, where the token does not have it.
candidates find_certificates(token_key& key, const identity_options& options) {
  candidates found = options.certificate.empty() ? in_token(key) : given(options);
  learn_public_half(key, found.certificates);
  if (!is_uri(options.certificate) || found.certificates.empty()) return found;
  // A URI names the one certificate; its intermediates are in the key's token.
  for (host::x509& one : in_token(key).certificates) {
    if (!certifies(one.get(), key.public_half())) found.certificates.push_back(std::move(one));
  }
  return found;
}

void check_policy(const token_key& key, uint32_t required) {
  struct property {
    uint32_t flag;
    const char* words;
  };
  static constexpr std::array properties{
      property{HSMTLS_P11_LOCAL, "was generated in the token (CKA_LOCAL)"},
      property{HSMTLS_P11_ALWAYS_SENSITIVE, "has always been sensitive (CKA_ALWAYS_SENSITIVE)"},
      property{HSMTLS_P11_NEVER_EXTRACTABLE, "was never extractable (CKA_NEVER_EXTRACTABLE)"},
      property{HSMTLS_P11_ALWAYS_AUTHENTICATE,
               "wants its PIN for each signature (CKA_ALWAYS_AUTHENTICATE)"}};
  for (const property& one : properties) {
    if ((required & one.flag) != 0 && (key.flags() & one.flag) == 0) {
      throw failure(
          HSMTLS_KEY_POLICY,
          "the key " + key.uri() + " is required to be one that " + one.words +
              ", and the token does not say so. Generate a key in the token (hsmtls keygen)");
    }
  }
}

std::string algorithm_of(const token_key& key) {
  const std::string bits = std::to_string(key.bits());
  switch (key.type()) {
    case key_type::rsa:
      return "RSA " + bits;
    case key_type::ec:
      return "EC P-" + bits;
    case key_type::ed25519:
      break;
  }
  return "Ed25519";
}

void warn_of_dates(const std::vector<host::x509>& chain) {
  for (const host::x509& one : chain) {
    const std::string warning = date_warning(one.get());
    if (!warning.empty())
      log_warning("certificate_date", {"subject", name_of(one.get()), "problem", warning});
  }
}

}  // namespace

std::shared_ptr<identity> identity::open(identity_options options) {
  host::need_crypto();
  pkcs11::uri uri = parsed(options.key);
  use_modules(options.login != nullptr && options.login->module != nullptr ? options.login->module
                                                                           : "");
  if (!uri.type) uri.type = pkcs11::object_type::private_key;
  std::shared_ptr<identity> made(
      new identity(token_key::open(uri, options.login, options.deadline_ms)));
  token_key& key = *made->key_;
  check_policy(key, options.require);
  if (!options.without_certificate) {
    candidates found = find_certificates(key, options);
    made->chain_ = chain_for(key.public_half(), std::move(found.certificates), found.from);
    made->certificate_pem_ = pem_of(made->chain_);
    warn_of_dates(made->chain_);
  } else {
    need_public_half(key);
  }
  made->key_name_ = algorithm_of(key);
  made->key_pem_ = write_reference_pem(key.uri());
  add_open_key(made->key_, options.key);
  if (options.on_event) made->subscribe(std::move(options.on_event));
  return made;
}

identity::~identity() {
  close();
}

void identity::subscribe(std::function<void(const hsmtls_p11_event&)> on_event) {
  on_event_ = std::move(on_event);
  key_->with_token([&](hsmtls_p11_key* key) {
    face().key_subscribe(
        key,
        [](void* user, const hsmtls_p11_event* event) {
          static_cast<identity*>(user)->on_event_(*event);
        },
        this);
  });
}

void identity::write_files(const std::string& directory) const {
  if (directory.empty()) {
    throw failure(
        HSMTLS_BAD_ARGUMENT,
        "no folder is named to write certificate.pem and key.pem into: write \".\" for the "
        "current one");
  }
  key_->with_token([](hsmtls_p11_key*) {});  // of a closed one the key file would name nothing
  if (!certificate_pem_.empty()) write_text_file(directory + "/certificate.pem", certificate_pem_);
  write_text_file(directory + "/key.pem", key_pem_);
}

host::pkey identity::method_pkey() {
  const std::lock_guard one_makes(closing_);
  if (!method_) method_ = std::make_unique<method_key>(*key_);
  return method_->share();
}

host::pkey identity::hybrid_or_method_pkey() {
  try {
    return hybrid_pkey(key_);
  } catch (const failure& problem) {
    if (problem.code() != HSMTLS_UNSUPPORTED) throw;
    log_warning("hybrid_key", {"key", key_->uri(), "problem", problem.message()});
  }
  return method_pkey();
}

void identity::close() {
  const std::lock_guard one_closes(closing_);
  if (key_->is_closed()) return;
  key_->with_token([](hsmtls_p11_key* key) { face().key_subscribe(key, nullptr, nullptr); });
  on_event_ = nullptr;  // and with it goes what the subscriber had us keep
  key_->close();
  method_.reset();
  std::vector<std::function<void()>> all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    all.swap(at_close_);
  }
  for (const std::function<void()>& one : all) one();
}

void identity::at_close(std::function<void()> function) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      at_close_.push_back(std::move(function));
      return;
    }
  }
  function();
}

}  // namespace hsmtls::keys
