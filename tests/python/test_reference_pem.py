"""Reference PEMs: where an SDK only takes files, the key file names the key, and the ssl module signs with it."""

import errno
import os
import pathlib
import ssl
import tempfile
import unittest

import hsmtls
from support import KINDS, VERSIONS, TestCase, drop_sessions, file, for_each, name_of, server_context, shake_hands


class ReferencePem(TestCase):
    def write(self, device):
        folder = tempfile.TemporaryDirectory(dir=file(""))
        self.addCleanup(folder.cleanup)
        return device.write_files(pathlib.Path(folder.name))

    def context(self, files):
        context = ssl.create_default_context(cafile=file("ca.pem"))
        context.load_cert_chain(*files)
        return context

    @for_each(kind=KINDS, version=VERSIONS)
    def test_is_a_key_file_for_the_ssl_module(self, kind, version):
        files = self.write(self.open(kind))
        self.assertEqual([os.path.basename(one) for one in files], ["certificate.pem", "key.pem"])
        client, server = shake_hands(self.context(files), server_context(version))
        self.assertEqual((client.version(), name_of(server.getpeercert())),
                         ("TLSv1." + version.name[-1], f"device-{kind}"))

    @for_each(kind=KINDS)
    def test_is_good_after_the_token_dropped_its_sessions(self, kind):
        context = self.context(self.write(self.open(kind)))
        shake_hands(context, server_context())
        drop_sessions()
        shake_hands(context, server_context())

    def test_holds_no_key_material(self):
        device = self.open("ec")
        self.assertEqual(pathlib.Path(self.write(device).key).read_text(encoding="ascii"), device.key_pem)
        self.assertIn("BEGIN PKCS#11 PROVIDER URI", device.key_pem)
        self.assertLess(len(device.key_pem), 400)

    def test_leaves_software_keys_alone(self):
        self.write(self.open("ec"))
        ssl.create_default_context().load_cert_chain(file("server.pem"), file("server.key"))

    def test_of_a_closed_identity_is_refused_in_words(self):
        device = self.open("ec")
        files = self.write(device)
        device.close()
        # CPython makes a FileNotFoundError of whatever fails in OpenSSL while errno is set.
        self.assertFalse(os.path.exists("/nonexistent"))
        with self.assertRaises(ssl.SSLError) as refused:
            self.context(files)
        self.assertNotIsInstance(refused.exception, FileNotFoundError)
        self.assertNotEqual(refused.exception.errno, errno.ENOENT)

    def test_of_another_key_than_the_certificates_is_refused(self):
        certificate, key = self.write(self.open("ec")).certificate, self.write(self.open("rsa")).key
        with self.assertRaises(ssl.SSLError) as refused:
            self.context((certificate, key))
        self.assertEqual(refused.exception.reason, "NO_CERTIFICATE_ASSIGNED")

    def test_is_not_written_into_a_folder_that_does_not_exist(self):
        with self.assert_fails(hsmtls.ConfigError, "FILE_UNREADABLE", "/nonexistent"):
            self.open("ec").write_files("/nonexistent")


if __name__ == "__main__":
    unittest.main()
