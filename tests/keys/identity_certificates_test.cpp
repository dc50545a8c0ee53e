// Which certificates an identity has: from where they come, which one is chosen, and what is refused.
#include <openssl/ui.h>

#include <fstream>

#include "tests/keys/identities.hpp"

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

}  // namespace
}  // namespace hsmtls::test
