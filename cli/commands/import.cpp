#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/library/uri.hpp"
#include "cli/openssl/certificates.hpp"
#include "cli/openssl/token_key.hpp"
#include "cli/output/file.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  std::string file;
  bool with_chain = false;
};

// A bundle may hold the leaf twice: by itself, and at the head of its chain.
std::vector<certificate> without_repeated(std::vector<certificate> all) {
  std::vector<certificate> kept;
  for (certificate& one : all) {
    const bool is_there = std::any_of(kept.begin(), kept.end(), [&](const certificate& other) {
      return X509_cmp(other.get(), one.get()) == 0;
    });
    if (!is_there) kept.push_back(std::move(one));
  }
  return kept;
}

// The one certificate that has issued none of the others.
size_t leaf_among(const std::vector<certificate>& all, const std::string& file) {
  std::vector<size_t> leaves;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool is_issuer = std::any_of(all.begin(), all.end(), [&](const certificate& other) {
      return other != all[i] && has_issued(all[i].get(), other.get());
    });
    if (!is_issuer) leaves.push_back(i);
  }
  if (leaves.size() == 1) return leaves[0];
  throw problem(
      HSMTLS_CHAIN_BROKEN,
      fmt::format("the certificates in '{}' do not make one chain: {} of them have issued "
                  "none of the others. Leave the device's own and its issuers",
                  file,
                  leaves.size()));
}

// The key that the certificate is for, by its own URI; as typed where the token has only its private
// half, which nothing can be compared with.
std::string key_uri_for(access& in, const options& given, X509* leaf) {
  try {
    const identity key = identity::open(in, given.uri, identity::certificates::left_out);
    const pkey half = token_key(key);
    if (EVP_PKEY_eq(X509_get0_pubkey(leaf), half.get()) != 1) {
      throw problem(HSMTLS_CERTIFICATE_MISMATCH,
                    fmt::format("the certificate '{}' is not for the key {}: its public key is "
                                "another one. Have one made for this key (hsmtls csr)",
                                subject_of(leaf),
                                key.info().key_uri));
    }
    return pkcs11::build_uri(with_query_of(parsed(key.info().key_uri), parsed(given.uri)));
  } catch (const problem& why) {
    if (why.code() != HSMTLS_CERTIFICATE_NOT_FOUND) throw;
    return given.uri;
  }
}

std::string store(access& in, const std::string& uri, X509* one) {
  const std::string pem = pem_of(one);
  return in.use(uri, [&](const hsmtls_login* login) {
    hsmtls_text* made = nullptr;
    checked(hsmtls_certificate_import,
            uri.c_str(),
            in.module(),
            login,
            reinterpret_cast<const uint8_t*>(pem.data()),
            static_cast<uint32_t>(pem.size()),
            &made);
    return take(made);
  });
}

// An authority's certificate is found by its name, so its label is for people.
std::string uri_for_issuer(const std::string& key_uri, const X509* one) {
  pkcs11::uri made = parsed(key_uri);
  const std::string id = key_identifier(one);
  made.object = common_name_of(one).empty() ? subject_of(one) : common_name_of(one);
  made.id.emplace(id.begin(), id.end());
  made.type = pkcs11::object_type::certificate;
  return pkcs11::build_uri(made);
}

void run(const globals& all, const options& given) {
  const std::vector<certificate> read = without_repeated(certificates_in(
      read_file(given.file, "the certificate file"), fmt::format("the file '{}'", given.file)));
  const size_t leaf = leaf_among(read, given.file);
  access in(all);
  // Who says type=cert wants it stored under these very names, whatever keys there are.
  const bool names_certificate = parsed(given.uri).type == pkcs11::object_type::certificate;
  const std::string uri = names_certificate ? given.uri : key_uri_for(in, given, read[leaf].get());
  json stored = json::array();
  const auto add = [&](const std::string& to, X509* one) {
    stored.push_back({{"uri", store(in, to, one)}, {"subject", subject_of(one)}});
  };
  add(uri, read[leaf].get());
  size_t left_out = 0;
  for (size_t i = 0; i < read.size(); ++i) {
    if (i == leaf) continue;
    // A peer that trusts the root has it.
    if (!given.with_chain || is_self_signed(read[i].get())) {
      ++left_out;
    } else {
      add(uri_for_issuer(uri, read[i].get()), read[i].get());
    }
  }
  if (all.json) {
    print_json({{"imported", stored}, {"left_out", left_out}});
    return;
  }
  for (const json& one : stored) print(one["uri"].get<std::string>() + "\n");
  if (left_out > 0) {
    note(all,
         fmt::format("left out: {} more in the file ({})",
                     left_out,
                     given.with_chain ? "self-signed: the peer has it, or does not trust it"
                                      : "--chain imports the intermediates, too"));
  }
}

}  // namespace

void add_import(CLI::App& app, const globals& all) {
  CLI::App* const command =
      app.add_subcommand("import", "Store a key's certificate beside it in the token");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The key; its label and id are the certificate's, too")
      ->required();
  command->add_option("--certificate", given->file, "PEM, in any order, or DER")
      ->required()
      ->type_name("FILE");
  command->add_flag("--chain", given->with_chain, "Also the intermediates in the file");
  command->footer(examples(
      "  hsmtls import 'pkcs11:token=edge;object=device-key' --certificate device.pem\n"
      "  hsmtls import 'pkcs11:token=edge;object=device-key' --certificate full.pem --chain"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
