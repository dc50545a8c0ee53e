// Opening an identity: what is checked, what each failure says, and how long it lives.
#include <openssl/ui.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/keys/fixture.hpp"
#include "tests/support/pki.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

constexpr std::chrono::hours day{24};

std::vector<std::string> subjects(const std::string& text) {
  std::vector<std::string> all;
  BIO* const in = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  while (const x509 one{PEM_read_bio_X509(in, nullptr, nullptr, nullptr)}) {
    char name[256];
    X509_NAME_get_text_by_NID(X509_get_subject_name(one.get()), NID_commonName, name, sizeof name);
    all.emplace_back(name);
  }
  BIO_free(in);
  ERR_clear_error();
  return all;
}

class Identities : public keys_in_softhsm {
 protected:
  // A key in the token, to have a certificate made for.
  evp_key half(const std::string& label) { return handed_key(open_key(label)); }

  // A certificate for the key "p256".
  std::string issued(const std::string& subject,
                     const authority& by,
                     certificate_words words = {}) {
    words.name = subject;
    return pem_of(by.issue(half("p256").get(), words).get());
  }

  answer try_with(const std::string& label, const std::string& certificate, open_identity& out) {
    identity_source options = source_of(with_key(label));
    options.certificate = certificate;
    options.flags = 0;
    return try_open(options, out);
  }

  answer refused(const std::string& label, const std::string& certificate) {
    open_identity none;
    return try_with(label, certificate, none);
  }

  answer import(const std::string& uri, const std::string& certificate) {
    hsmtls_login login{};
    login.struct_size = sizeof login;
    login.pin = reinterpret_cast<const uint8_t*>(token.user_pin().data());
    login.pin_len = static_cast<uint32_t>(token.user_pin().size());
    return asked(hsmtls_certificate_import,
                 uri.c_str(),
                 HSMTLS_TEST_CHAOS,
                 static_cast<const hsmtls_login*>(&login),
                 reinterpret_cast<const uint8_t*>(certificate.data()),
                 static_cast<uint32_t>(certificate.size()),
                 static_cast<hsmtls_text**>(nullptr));
  }

  authority root{"root"};
  authority sub{"sub", root};
  authority sub_sub{"sub-sub", sub};
};

// ---- certificates

TEST_F(Identities, TakeTheCertificateFromPemText) {
  open_identity opened;
  EXPECT_EQ(try_with("p256", issued("device", root), opened), HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("device"));
}

TEST_F(Identities, TakeTheCertificateFromAFile) {
  const std::string file = (token.folder() / "device.pem").string();
  std::ofstream(file) << issued("device", root);
  open_identity opened;
  EXPECT_EQ(try_with("p256", file, opened), HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("device"));
}

TEST_F(Identities, TakeTheCertificateFromTheTokenByTheKeysIdWithItsIntermediates) {
  EXPECT_EQ(import("pkcs11:token=edge;object=p256", issued("device", sub)), HSMTLS_OK);
  EXPECT_EQ(import("pkcs11:token=edge;object=unrelated;id=%77", authority("unrelated", root).pem()),
            HSMTLS_OK);
  EXPECT_EQ(import("pkcs11:token=edge;object=sub;id=%78", sub.pem()), HSMTLS_OK);
  open_identity opened;
  EXPECT_EQ(try_with("p256", "", opened), HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("device", "sub"));
}

TEST_F(Identities, TakeTheCertificateThatAUriNames) {
  EXPECT_EQ(import("pkcs11:token=edge;object=renewed;id=%99", issued("renewed", sub)), HSMTLS_OK);
  EXPECT_EQ(import("pkcs11:token=edge;object=older;id=%98", issued("older", sub)), HSMTLS_OK);
  EXPECT_EQ(import("pkcs11:token=edge;object=sub;id=%78", sub.pem()), HSMTLS_OK);
  open_identity opened;
  EXPECT_EQ(try_with("p256", "pkcs11:token=edge;object=older", opened), HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("older", "sub"));
}

TEST_F(Identities, PutTheChainInOrderAndLeaveTheRootOut) {
  const std::string mixed = root.pem() + sub.pem() + issued("device", sub_sub) + sub_sub.pem();
  open_identity opened;
  EXPECT_EQ(try_with("p256", mixed, opened), HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("device", "sub-sub", "sub"));
}

TEST_F(Identities, TakeTheCertificateThatIsGoodTheLongest) {
  open_identity opened;
  EXPECT_EQ(try_with("p256",
                     issued("old", root, {.from = -60 * day, .until = 5 * day}) +
                         issued("new", root, {.until = 90 * day}),
                     opened),
            HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())), testing::ElementsAre("new"));
}

TEST_F(Identities, TakeACertificateThatIsValidNowBeforeOneThatIsNotYet) {
  open_identity opened;
  EXPECT_EQ(try_with("p256",
                     issued("next year's", root, {.from = 5 * day, .until = 90 * day}) +
                         issued("today's", root, {.until = 5 * day}),
                     opened),
            HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("today's"));
}

TEST_F(Identities, TakeTheLongestWhereNoneIsValidNow) {
  open_identity opened;
  EXPECT_EQ(try_with("p256",
                     issued("later", root, {.from = 5 * day, .until = 90 * day}) +
                         issued("expired", root, {.from = -60 * day, .until = -day}),
                     opened),
            HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("later"));
}

TEST_F(Identities, TakeAnIssuedCertificateBeforeAPlaceholderThatTheKeySignedItself) {
  const evp_key key = half("p256");
  const x509 placeholder = certificate_for(key.get(), key.get(), 1, 2);
  X509_gmtime_adj(X509_getm_notAfter(placeholder.get()), 9000L * 24 * 3600);
  ASSERT_LT(0, X509_sign(placeholder.get(), key.get(), EVP_sha256()));
  open_identity opened;
  EXPECT_EQ(try_with("p256", pem_of(placeholder.get()) + issued("issued", root), opened),
            HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("issued"));
}

TEST_F(Identities, OpenWithAnExpiredCertificate) {
  open_identity opened;
  EXPECT_EQ(try_with("p256", issued("device", root, {.from = -60 * day, .until = -day}), opened),
            HSMTLS_OK);
}

TEST_F(Identities, RefuseACertificateThatDoesNotMatchTheKeyAndSayWhoseItIs) {
  const answer said = refused("p256", authority("somebody-else", root).pem());
  EXPECT_EQ(said, HSMTLS_CERTIFICATE_MISMATCH);
  EXPECT_THAT(said.message, HasSubstr("somebody-else"));
}

TEST_F(Identities, RefuseAnIssuerOfTheRightNameWithAnotherKey) {
  const authority impostor{"sub", root};
  const answer said = refused("p256", issued("device", sub) + impostor.pem());
  EXPECT_EQ(said, HSMTLS_CHAIN_BROKEN);
  EXPECT_THAT(said.message, HasSubstr("CN=sub"));
}

TEST_F(Identities, AreNotDisturbedByARootThatWouldNotBeSent) {
  const authority renewed_root{"sub"};  // of the issuer's name, with a key of its own
  open_identity opened;
  EXPECT_EQ(try_with("p256", issued("device", sub) + renewed_root.pem(), opened), HSMTLS_OK);
  EXPECT_THAT(subjects(hsmtls_identity_certificate_pem(opened.get())),
              testing::ElementsAre("device"));
}

TEST_F(Identities, TakeTheCertificateFromAFileInDer) {
  const std::string file = (token.folder() / "device.der").string();
  const x509 certificate = root.issue(half("p256").get(), {.name = "device"});
  const std::vector<uint8_t> der =
      written_der([&](unsigned char** out) { return i2d_X509(certificate.get(), out); });
  std::ofstream(file).write(reinterpret_cast<const char*>(der.data()),
                            static_cast<std::streamsize>(der.size()));
  open_identity opened;
  EXPECT_EQ(try_with("p256", file, opened), HSMTLS_OK);
}

TEST_F(Identities, RefuseAnEncryptedPemAndAskNobodyForItsPassphrase) {
  static int asked_for;
  UI_METHOD* const watched = UI_create_method("watched");
  UI_method_set_opener(watched, [](UI*) {
    ++asked_for;
    return 0;
  });
  UI_set_default_method(watched);
  const answer said =
      refused("p256",
              "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
              "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END CERTIFICATE-----\n");
  UI_set_default_method(UI_OpenSSL());
  UI_destroy_method(watched);
  EXPECT_EQ(said, HSMTLS_CERTIFICATE_MALFORMED);
  EXPECT_EQ(0, asked_for);
}

TEST_F(Identities, ShowNoPinOfAUriHoweverItsSchemeIsWritten) {
  for (const char* scheme : {"pkcs11:", "PKCS11:", "Pkcs11:"}) {
    const answer said =
        refused("p256", std::string(scheme) + "token=edge;object=none?pin-value=pin-of-this-test");
    EXPECT_EQ(said, HSMTLS_CERTIFICATE_NOT_FOUND) << scheme;
  }
}

TEST_F(Identities, RefuseATokenWithoutCertificateAndSayWhatToDo) {
  const answer said = refused("p256", "");
  EXPECT_EQ(said, HSMTLS_CERTIFICATE_NOT_FOUND);
  EXPECT_THAT(said.message, HasSubstr("hsmtls import"));
}

TEST_F(Identities, RefuseAFileThatIsMissingOrHoldsNoCertificate) {
  const std::string folder = token.folder().string();
  EXPECT_EQ(refused("p256", folder + "/missing.pem"), HSMTLS_FILE_UNREADABLE);
  EXPECT_EQ(refused("p256", folder), HSMTLS_FILE_UNREADABLE);
  std::ofstream(folder + "/empty.pem") << "";
  EXPECT_EQ(refused("p256", folder + "/empty.pem"), HSMTLS_CERTIFICATE_NOT_FOUND);
  EXPECT_EQ(refused("p256", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            HSMTLS_CERTIFICATE_MALFORMED);
  EXPECT_EQ(refused("p256", "pkcs11:token=edge;object=none"), HSMTLS_CERTIFICATE_NOT_FOUND);
}

// ---- the key

TEST_F(Identities, RefuseWhatIsNotThereAndNameTheNearMiss) {
  const struct {
    const char* uri;
    hsmtls_error_code code;
    const char* says;
  } all[] = {
      {"pkcs11:token=edge;object=p265", HSMTLS_KEY_NOT_FOUND, "did you mean 'p256'"},
      {"pkcs11:token=egde;object=p256", HSMTLS_TOKEN_NOT_FOUND, "did you mean 'edge'"},
      {"pkcs11:token=edge", HSMTLS_AMBIGUOUS, "'rsa'"},
      {"pkcs11:token=edge;objekt=p256", HSMTLS_MALFORMED_URI, "objekt"},
      {"token=edge", HSMTLS_MALFORMED_URI, "pkcs11:"},
      {"pkcs11:token=edge;object=p256?pin-source=%7Ccat", HSMTLS_MALFORMED_URI, "pin-source"}};
  with_key("p256");
  with_key("rsa");
  for (const auto& one : all) {
    identity_source options = source_of(one.uri);
    open_identity none;
    const answer said = try_open(options, none);
    EXPECT_EQ(said, one.code) << one.uri;
    EXPECT_THAT(said.message, HasSubstr(one.says)) << one.uri;
  }
}

TEST_F(Identities, RefuseAUriThatNamesAnythingButAPrivateKey) {
  for (const char* type : {"cert", "public"}) {
    open_identity none;
    const answer said = try_open(source_of(with_key("p256") + ";type=" + type), none);
    EXPECT_EQ(said, HSMTLS_BAD_ARGUMENT) << type;
    EXPECT_THAT(said.message, HasSubstr("type=private"));
  }
}

TEST_F(Identities, LogInOnceToSayThatAKeyIsNotThere) {
  with_key("p256");
  trouble().run("reset");
  open_identity none;
  EXPECT_EQ(try_open(source_of("pkcs11:token=edge;object=p265"), none), HSMTLS_KEY_NOT_FOUND);
  EXPECT_EQ(1U, trouble().count("C_Login"));
}

TEST_F(Identities, RefuseAModuleThatIsMissingOrNoModule) {
  for (const char* module : {"/nowhere/libsofthsm2.so", "/bin/true", "/etc/hostname"}) {
    identity_source options = source_of(with_key("p256"));
    options.module = module;
    open_identity none;
    const answer said = try_open(options, none);
    EXPECT_EQ(said, HSMTLS_MODULE_UNUSABLE) << module;
    EXPECT_THAT(said.message, HasSubstr(module));
  }
}

TEST_F(Identities, RefuseAWrongPinAndSendItOnce) {
  identity_source options = source_of(with_key("p256"));
  trouble().run("reset");
  options.pin = "wrong-pin-of-this-test";
  for (int i = 0; i < 3; ++i) {
    open_identity none;
    EXPECT_EQ(try_open(options, none), HSMTLS_PIN_INCORRECT);
  }
  EXPECT_EQ(1U, trouble().count("C_Login"));
  EXPECT_EQ(1U, trouble().count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(Identities, RefuseALockedPin) {
  with_key("p256");
  trouble().run("lock-pin");
  identity_source options = source_of("pkcs11:token=edge;object=p256");
  open_identity none;
  EXPECT_EQ(try_open(options, none), HSMTLS_PIN_LOCKED);
}

TEST_F(Identities, AskForAPinThatNobodyGave) {
  identity_source options = source_of(with_key("p256"));
  options.pin.reset();
  open_identity none;
  const answer said = try_open(options, none);
  EXPECT_EQ(said, HSMTLS_PIN_REQUIRED);
  EXPECT_THAT(said.message, HasSubstr("HSMTLS_PIN_SOURCE"));
}

TEST_F(Identities, RefuseAKeyThatLacksWhatIsRequiredOfIt) {
  identity_source options = source_of(with_key("p256"));
  options.require = HSMTLS_KEY_LOCAL | HSMTLS_KEY_ALWAYS_SENSITIVE | HSMTLS_KEY_NEVER_EXTRACTABLE;
  open_identity opened;
  EXPECT_EQ(try_open(options, opened), HSMTLS_OK);
  options.require = HSMTLS_KEY_ALWAYS_AUTHENTICATE;
  open_identity none;
  const answer said = try_open(options, none);
  EXPECT_EQ(said, HSMTLS_KEY_POLICY);
  EXPECT_THAT(said.message, HasSubstr("CKA_ALWAYS_AUTHENTICATE"));
}

TEST_F(Identities, SayWhatTheirKeyIs) {
  const struct {
    const char* label;
    uint32_t type;
    uint32_t bits;
    const char* name;
  } all[] = {{"p256", HSMTLS_KEY_EC, 256, "EC P-256"},
             {"p521", HSMTLS_KEY_EC, 521, "EC P-521"},
             {"rsa", HSMTLS_KEY_RSA, 2048, "RSA 2048"},
             {"ed25519", HSMTLS_KEY_ED25519, 256, "Ed25519"}};
  for (const auto& one : all) {
    hsmtls_identity* const identity = open_key(one.label);
    hsmtls_identity_info info{};
    info.struct_size = sizeof info;
    ASSERT_EQ(asked(hsmtls_identity_get_info, static_cast<const hsmtls_identity*>(identity), &info),
              HSMTLS_OK);
    EXPECT_EQ(one.type, info.key_type);
    EXPECT_EQ(one.bits, info.key_bits) << one.label;
    EXPECT_STREQ(one.name, info.key_name);
    EXPECT_THAT(info.key_uri, HasSubstr(std::string("object=") + one.label));
    EXPECT_EQ(HSMTLS_KEY_LOCAL | HSMTLS_KEY_ALWAYS_SENSITIVE | HSMTLS_KEY_NEVER_EXTRACTABLE,
              info.key_flags);
    EXPECT_EQ(0U, info.num_certificates);
  }
}

// ---- life

TEST_F(Identities, TellTheirEventsUntilTheyAreClosedAndReleaseTheSubscriberOnce) {
  struct heard {
    std::atomic<int> lost{0}, restored{0}, signed_{0}, released{0};
    std::atomic<uint32_t> mechanism{0};
  } told;
  identity_source options = source_of(with_key("p256"));
  options.on_event = [](void* user, const hsmtls_event* event) {
    auto& all = *static_cast<heard*>(user);
    ++(event->type == HSMTLS_EVENT_LOST       ? all.lost
       : event->type == HSMTLS_EVENT_RESTORED ? all.restored
                                              : all.signed_);
    if (event->type == HSMTLS_EVENT_SIGNED) all.mechanism = event->mechanism;
  };
  options.event_user = &told;
  options.event_release = [](void* user) { ++static_cast<heard*>(user)->released; };
  open_identity identity = opened(options);
  const evp_key key = handed_key(identity.get());
  const auto sign = [&] {
    const std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    uint8_t signature[256];
    size_t length = sizeof signature;
    return EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestSign(context.get(), signature, &length, signature, 1) == 1;
  };
  EXPECT_TRUE(sign());
  EXPECT_EQ(told.mechanism, uint32_t{HSMTLS_MECHANISM_ECDSA});
  trouble().run("drop-sessions");
  EXPECT_TRUE(sign());
  EXPECT_EQ(2, told.signed_);
  EXPECT_EQ(1, told.lost);
  // Told by the thread that brought the token back, which whoever signs may overtake.
  EXPECT_TRUE(eventually([&] { return told.restored == 1; }));
  hsmtls_identity_close(identity.get());
  EXPECT_EQ(1, told.released);
  identity.reset();
  EXPECT_EQ(1, told.released);
  EXPECT_FALSE(sign());
  EXPECT_EQ(2, told.signed_);

  // Released, too, when opening fails.
  options.key = "pkcs11:token=edge;object=none";
  open_identity none;
  EXPECT_EQ(try_open(options, none), HSMTLS_KEY_NOT_FOUND);
  EXPECT_EQ(2, told.released);
}

TEST_F(Identities, KeepWhatIsToBeReleasedAtTheirEndWhetherTheyTellEventsOrNot) {
  int released = 0;
  identity_source options = source_of(with_key("p256"));
  options.event_user = &released;
  options.event_release = [](void* user) { ++*static_cast<int*>(user); };
  open_identity identity = opened(options);
  EXPECT_EQ(0, released);
  hsmtls_identity_close(identity.get());
  EXPECT_EQ(1, released);
  identity.reset();
  EXPECT_EQ(1, released);
}

TEST_F(Identities, TellWhyTheLatestSignatureFailedUntilOneIsMade) {
  hsmtls_identity* const identity = open_key("p256");
  const evp_key key = handed_key(identity);
  const auto sign = [&] {
    const std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    uint8_t signature[256];
    size_t length = sizeof signature;
    return EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestSign(context.get(), signature, &length, signature, 1) == 1;
  };
  const auto last_error = [&] {
    hsmtls_error* const taken = hsmtls_identity_last_error(identity);
    const std::string name = hsmtls_code_name(hsmtls_error_code_of(taken));
    hsmtls_error_free(taken);
    return name;
  };
  EXPECT_EQ("OK", last_error());
  trouble().run("fail C_SignInit 1 CKR_KEY_FUNCTION_NOT_PERMITTED");
  EXPECT_FALSE(sign());
  EXPECT_EQ("UNSUPPORTED", last_error());
  EXPECT_TRUE(sign());
  EXPECT_EQ("OK", last_error());
}

TEST_F(Identities, CloseWhatWasHandedOutByNameAndLeaveNoSessionBehind) {
  hsmtls_identity* const identity = open_key("p256");
  const evp_key key = handed_key(identity);
  hsmtls_identity_close(identity);
  hsmtls_identity_close(identity);
  hsmtls_identity_counters counters{};
  counters.struct_size = sizeof counters;
  EXPECT_EQ(
      asked(hsmtls_identity_get_counters, static_cast<const hsmtls_identity*>(identity), &counters),
      HSMTLS_IDENTITY_CLOSED);
  EVP_PKEY* none = nullptr;
  EXPECT_EQ(asked(hsmtls_identity_evp_pkey, identity, uint32_t{HSMTLS_KEY_PROVIDER}, &none),
            HSMTLS_IDENTITY_CLOSED);
}

TEST_F(Identities, WriteFilesThatAppearComplete) {
  open_identity opened;
  ASSERT_EQ(try_with("p256", issued("device", root), opened), HSMTLS_OK);
  const std::filesystem::path folder = token.folder() / "files";
  const auto write_to = [&](const char* where) {
    return asked(
        hsmtls_identity_write_files, static_cast<const hsmtls_identity*>(opened.get()), where);
  };
  EXPECT_EQ(write_to(folder.c_str()), HSMTLS_FILE_UNREADABLE);
  EXPECT_EQ(write_to(""), HSMTLS_BAD_ARGUMENT);
  std::filesystem::create_directory(folder);
  EXPECT_EQ(write_to(folder.c_str()), HSMTLS_OK);
  const auto content = [&](const char* name) {
    std::ostringstream out;
    out << std::ifstream(folder / name).rdbuf();
    return out.str();
  };
  EXPECT_EQ(hsmtls_identity_certificate_pem(opened.get()), content("certificate.pem"));
  EXPECT_EQ(hsmtls_identity_key_pem(opened.get()), content("key.pem"));
  EXPECT_EQ(2, std::distance(std::filesystem::directory_iterator(folder), {}));
  hsmtls_identity_close(opened.get());
  EXPECT_EQ(write_to(folder.c_str()), HSMTLS_IDENTITY_CLOSED);
}

TEST_F(Identities, AreOpenedWithAsManyCallsInATokenWithManyKeys) {
  const auto calls_to_open = [&] {
    const uint64_t before = trouble().total();
    identity_source options = source_of("pkcs11:token=edge;object=p256");
    const open_identity made = opened(options);
    return trouble().total() - before;
  };
  open_key("p256");  // loaded and logged in
  const uint64_t few = calls_to_open();
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(generate("pkcs11:token=edge;object=other-" + std::to_string(i), HSMTLS_GENERATE_P256),
              HSMTLS_OK);
  }
  EXPECT_EQ(few, calls_to_open());
}

}  // namespace
}  // namespace hsmtls::test
