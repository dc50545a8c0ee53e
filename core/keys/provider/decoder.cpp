// OSSL_OP_DECODER (provider-decoder(7)): from a reference PEM to a key. Two stages, as OpenSSL's own: a
// PEM becomes DER, and DER a key. Programs that read keys through a store (openssl s_client) come in
// by the second.
//
// Everything here may be a stranger's. What is no reference falls through to the other decoders; so
// does, in process, a reference to anything that is not open already: no PKCS#11 call, no dlopen, no
// file.
//
// As a configured provider we say on stderr, too, why a reference is of no use: OpenSSL's stores drop
// what a decoder puts on the error queue, and most programs show its reason alone, or nothing.
#include <openssl/core_names.h>
#include <openssl/core_object.h>

#include <array>
#include <mutex>
#include <set>
#include <utility>

#include "core/keys/host/fork_locks.hpp"
#include "core/keys/identity/open_keys.hpp"
#include "core/keys/pem/reference_pem.hpp"
#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/core_bio.hpp"
#include "core/keys/provider/installed.hpp"
#include "core/keys/provider/provider_key.hpp"
#include "core/keys/token/face.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

// Ours alone, so that pkcs11-provider's decoders, which honour a PIN in a PEM, are not fed by us.
constexpr const char* structure = "hsmtls-reference";

// A decoder's answers: done is "go on, there was nothing for me" as well.
constexpr int carry_on = 1;
constexpr int stop = 0;

void* make(void* provider) {
  return provider;
}
void release(void* /*context*/) {}

int does_selection(void* /*provider*/, int selection) {
  // 0: whatever there is.
  return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0 ? 1 : 0;
}

int pem_to_der(void* context,
               OSSL_CORE_BIO* in,
               int /*selection*/,
               OSSL_CALLBACK* object,
               void* object_argument,
               OSSL_PASSPHRASE_CALLBACK* /*passphrase*/,
               void* /*passphrase_argument*/) {
  const auto& provider = *static_cast<const provider_context*>(context);
  return guarded(provider, carry_on, [&] {
    const std::optional<std::string> block = read_reference_block(provider, in);
    if (!block) return carry_on;
    std::optional<std::vector<uint8_t>> der = der_of_reference_block(*block);
    if (!der) return carry_on;
    const std::array parameters{
        crypto().OSSL_PARAM_construct_utf8_string(
            OSSL_OBJECT_PARAM_DATA_STRUCTURE, const_cast<char*>(structure), 0),
        crypto().OSSL_PARAM_construct_octet_string(
            OSSL_OBJECT_PARAM_DATA, der->data(), der->size()),
        crypto().OSSL_PARAM_construct_end()};
    return object(parameters.data(), object_argument);
  });
}

// What is open already, of a reference that says nothing but which key; null: nothing.
std::shared_ptr<token_key> find_in_process(const std::string& uri) {
  try {
    return find_open_key(selecting_uri(uri));
  } catch (const failure&) {
    return nullptr;  // a stranger's text: no reason for an error of ours
  }
}

// The key of a reference; null: none of ours.
std::shared_ptr<token_key> resolve(const provider_context& provider, const std::string& uri) {
  if (!provider.configured) return find_in_process(uri);
  const pkcs11::uri reference = selecting_uri(uri);
  // A key that is open in this process is the in-process provider's to give, where that is there.
  if (is_installed() && find_open_key(reference)) return nullptr;
  try {
    return provider.open_key(reference);
  } catch (const failure& problem) {
    if (problem.code() != HSMTLS_PIN_REQUIRED) throw;
  }
  // Not the advice for a URI: this one must not say where the PIN is.
  throw failure(HSMTLS_PIN_REQUIRED,
                "the key " + uri +
                    " that a reference PEM names wants a PIN: set HSMTLS_PIN_SOURCE (file:…), or "
                    "hsmtls-pin-source in our section of openssl.cnf");
}

// What strangers can make us say is limited: so many sentences, each once.
void complain(const failure& problem) {
  constexpr size_t most = 16;
  static auto* const said = new std::set<std::string>;  // PEM may be read while the process exits
  {
    const std::lock_guard lock(host::instant_lock());
    if (said->size() == most || !said->insert(problem.message()).second) return;
  }
  face().complain(problem.what());
}

std::shared_ptr<token_key> resolve_aloud(const provider_context& provider, const std::string& uri) {
  try {
    return resolve(provider, uri);
  } catch (const failure& problem) {
    if (provider.configured) complain(problem);
    throw;
  }
}

int der_to_key(void* context,
               OSSL_CORE_BIO* in,
               int selection,
               OSSL_CALLBACK* object,
               void* object_argument,
               OSSL_PASSPHRASE_CALLBACK* /*passphrase*/,
               void* /*passphrase_argument*/) {
  const auto& provider = *static_cast<const provider_context*>(context);
  return guarded(provider, stop, [&] {
    const std::optional<std::vector<uint8_t>> der = read_reference_der(provider, in);
    if (!der || does_selection(nullptr, selection) == 0) return carry_on;
    const std::optional<std::string> uri = uri_in_reference(*der);
    if (!uri) return carry_on;
    std::shared_ptr<token_key> token = resolve_aloud(provider, *uri);
    if (!token) return carry_on;
    const bool with_private = selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
    // Of the key's own type, whichever of our decoders this is: the token is asked once.
    return hand_over(provider,
                     std::move(token),
                     with_private ? wanted_half::private_half : wanted_half::public_half,
                     object,
                     object_argument);
  });
}

const OSSL_DISPATCH from_pem[] = {row(OSSL_FUNC_DECODER_NEWCTX, make),
                                  row(OSSL_FUNC_DECODER_FREECTX, release),
                                  row(OSSL_FUNC_DECODER_DOES_SELECTION, does_selection),
                                  row(OSSL_FUNC_DECODER_DECODE, pem_to_der),
                                  {0, nullptr}};
const OSSL_DISPATCH from_der[] = {row(OSSL_FUNC_DECODER_NEWCTX, make),
                                  row(OSSL_FUNC_DECODER_FREECTX, release),
                                  row(OSSL_FUNC_DECODER_DOES_SELECTION, does_selection),
                                  row(OSSL_FUNC_DECODER_DECODE, der_to_key),
                                  {0, nullptr}};

constexpr const char* input_pem = HSMTLS_OURS ",input=pem";
constexpr const char* input_der = HSMTLS_OURS ",input=der,structure=hsmtls-reference";
const OSSL_ALGORITHM all[] = {{"DER", input_pem, from_pem, "reference PEM"},
                              {"EC", input_der, from_der, "reference to a key"},
                              {"RSA", input_der, from_der, "reference to a key"},
                              {"ED25519", input_der, from_der, "reference to a key"},
                              {nullptr, nullptr, nullptr, nullptr}};

}  // namespace

const OSSL_ALGORITHM* decoders() {
  return all;
}

}  // namespace hsmtls::keys
