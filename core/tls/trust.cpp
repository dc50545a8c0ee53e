#include "core/tls/trust.hpp"

#include <dirent.h>
#include <stdlib.h>  // secure_getenv
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "core/keys/failure.hpp"
#include "core/keys/identity/certificates.hpp"
#include "core/keys/identity/text_file.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::tls {
namespace {

using host::crypto;

[[noreturn]] void refuse(const std::string& why) {
  throw failure(HSMTLS_TRUST_UNUSABLE, why);
}

class collected {
 public:
  explicit collected(trust& into) : into_(into) {}

  void add_pem(const std::string& pem, const std::string& from) {
    std::vector<host::x509> found;
    try {
      found = keys::certificates_in_pem(pem, from);
    } catch (const failure& problem) {
      refuse("the trusted certificates cannot be used: " + problem.message());
    }
    if (found.empty()) {
      refuse(from + " holds no certificate to trust. It must be PEM (-----BEGIN CERTIFICATE-----)");
    }
    for (const host::x509& one : found) add(one.get());
  }

  void add_file(const std::string& path) {
    std::string pem;
    try {
      pem = keys::read_text_file(path, "the file of trusted certificates");
    } catch (const failure& problem) {
      refuse(problem.message());
    }
    add_pem(pem, "the file " + pkcs11::quoted_path(path));
  }

  // The system's are looked up when they are needed: a machine has hundreds.
  void add_system() {
    const std::string file =
        place(crypto().X509_get_default_cert_file_env(), crypto().X509_get_default_cert_file());
    const std::string folder =
        place(crypto().X509_get_default_cert_dir_env(), crypto().X509_get_default_cert_dir());
    std::vector<std::string> places{file};
    std::istringstream folders(folder);  // several, as in PATH
    for (std::string one; std::getline(folders, one, ':');) places.push_back(one);
    bool any = false;
    for (const std::string& one : places) {
      any = any || ::access(one.c_str(), F_OK) == 0;
    }
    if (!any) {
      refuse("this system has no trusted certificates: there is neither " +
             pkcs11::quoted_path(file) + " nor " + pkcs11::quoted_path(folder) +
             ". Install them (Debian: ca-certificates), or say which ones to trust");
    }
    if (crypto().X509_STORE_set_default_paths(into_.store.get()) != 1) {
      refuse("OpenSSL cannot look for the system's trusted certificates");
    }
    into_.with_system = true;
    into_.names.clear();
  }

  [[nodiscard]] digest stamp() const {
    static std::atomic<uint64_t> readings{0};
    std::string all;
    if (into_.with_system) all = "system " + std::to_string(++readings);
    for (const digest& one : into_.certificates) all.append(one.begin(), one.end());
    return digest_of(all);
  }

 private:
  // As libcrypto does: not from the environment of a set-uid program.
  static std::string place(const char* variable, const char* otherwise) {
    const char* const given = ::secure_getenv(variable);
    return given != nullptr ? given : otherwise;
  }

  void add(X509* certificate) {
    // Decodes its extensions now, by this thread: libcrypto would do it in the first handshakes, all at once.
    (void)crypto().X509_get_extension_flags(certificate);
    if (!into_.certificates.insert(digest_of(certificate)).second) return;
    if (crypto().X509_STORE_add_cert(into_.store.get(), certificate) != 1) {
      refuse("OpenSSL does not take the trusted certificate " + keys::name_of(certificate));
    }
    add_name(crypto().X509_get_subject_name(certificate));
  }

  // A root that was renewed has its old name.
  void add_name(const X509_NAME* name) {
    for (const x509_name& one : into_.names) {
      if (crypto().X509_NAME_cmp(one.get(), name) == 0) return;
    }
    x509_name copy(crypto().X509_NAME_dup(name));
    if (!copy) throw failure(HSMTLS_NO_MEMORY, "no memory for a name");
    into_.names.push_back(std::move(copy));
  }

  trust& into_;
};

bool ends_with(const std::string& text, std::string_view with) {
  return text.size() > with.size() &&
         text.compare(text.size() - with.size(), with.size(), with) == 0;
}

// The PEM files of a folder, in the order of their names.
std::vector<std::string> files_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) {
    refuse("cannot read the folder of trusted certificates " + pkcs11::quoted_path(folder) + ": " +
           std::strerror(errno));
  }
  std::vector<std::string> found;
  while (const dirent* const entry = ::readdir(open.get())) {
    const std::string name = entry->d_name;
    if (ends_with(name, ".pem") || ends_with(name, ".crt")) found.push_back(folder + '/' + name);
  }
  if (found.empty()) {
    refuse("the folder of trusted certificates " + pkcs11::quoted_path(folder) +
           " has no file named *.pem or *.crt");
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::shared_ptr<const trust> read_trust(const trust_source& source) {
  const host::error_mark mark;
  auto made = std::make_shared<trust>();
  made->store.reset(crypto().X509_STORE_new());
  if (!made->store) throw failure(HSMTLS_NO_MEMORY, "no memory for trusted certificates");
  collected all(*made);
  if (!source.file.empty()) all.add_file(source.file);
  if (!source.text.empty()) all.add_pem(source.text, "the PEM text of trusted certificates");
  if (!source.folder.empty()) {
    for (const std::string& file : files_in(source.folder)) all.add_file(file);
  }
  if (source.system || (source.file.empty() && source.text.empty() && source.folder.empty())) {
    all.add_system();
  }
  made->stamp = all.stamp();
  return made;
}

}  // namespace hsmtls::tls
