// Opening an identity: what is checked of its key, what each failure says, and how long it lives.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/keys/identities.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

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
  EXPECT_TRUE(signs(key.get()));
  EXPECT_EQ(told.mechanism, uint32_t{HSMTLS_MECHANISM_ECDSA});
  trouble().run("drop-sessions");
  EXPECT_TRUE(signs(key.get()));
  EXPECT_EQ(2, told.signed_);
  EXPECT_EQ(1, told.lost);
  // Told by the thread that brought the token back, which whoever signs may overtake.
  EXPECT_TRUE(eventually([&] { return told.restored == 1; }));
  hsmtls_identity_close(identity.get());
  EXPECT_EQ(1, told.released);
  identity.reset();
  EXPECT_EQ(1, told.released);
  EXPECT_FALSE(signs(key.get()));
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
  const auto last_error = [&] {
    hsmtls_error* const taken = hsmtls_identity_last_error(identity);
    const std::string name = hsmtls_code_name(hsmtls_error_code_of(taken));
    hsmtls_error_free(taken);
    return name;
  };
  EXPECT_EQ("OK", last_error());
  trouble().run("fail C_SignInit 1 CKR_KEY_FUNCTION_NOT_PERMITTED");
  EXPECT_FALSE(signs(key.get()));
  EXPECT_EQ("UNSUPPORTED", last_error());
  EXPECT_TRUE(signs(key.get()));
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
