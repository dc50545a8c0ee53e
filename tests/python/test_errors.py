"""Errors: each has a class, a code and a sentence that says what to do; none has a PIN."""

import os
import pickle
import unittest

import hsmtls
from support import TestCase, file, uri

WRONG_PIN = "90210-never-printed"


class Errors(TestCase):
    def test_a_wrong_pin_is_a_token_error_that_names_what_the_module_said(self):
        with self.assert_fails(hsmtls.TokenError, "PIN_INCORRECT") as raised:
            hsmtls.Identity.open(uri("ec"), pin=WRONG_PIN)
        self.assertEqual(raised.exception.ckr, "CKR_PIN_INCORRECT")
        self.assertEqual(raised.exception.category, "TOKEN")
        self.assertIsNone(raised.exception.openssl_reason)

    def test_no_error_shows_a_pin(self):
        for options in ({"pin": WRONG_PIN}, {"pin": WRONG_PIN.encode()}, {"pin": lambda label: WRONG_PIN}):
            with self.assertRaises(hsmtls.TokenError) as raised:
                hsmtls.Identity.open(uri("ec"), **options)
            self.assertNotIn(WRONG_PIN, f"{raised.exception!r} {raised.exception} {vars(raised.exception)}")
        with self.assertRaises(hsmtls.TokenError) as raised:
            hsmtls.Identity.open(f"{uri('ec')}?pin-value={WRONG_PIN}")
        self.assertNotIn(WRONG_PIN, str(raised.exception))

    def test_a_token_that_is_not_there_is_named(self):
        with self.assert_fails(hsmtls.TokenError, "TOKEN_NOT_FOUND", "egde", "edge"):
            hsmtls.Identity.open("pkcs11:token=egde;object=ec")

    def test_a_key_that_is_not_there_comes_with_those_that_are(self):
        with self.assert_fails(hsmtls.TokenError, "KEY_NOT_FOUND", "'ec'", "'rsa'"):
            hsmtls.Identity.open("pkcs11:token=edge;object=device-key")

    def test_a_uri_that_fits_two_keys_is_ambiguous(self):
        with self.assert_fails(hsmtls.TokenError, "AMBIGUOUS", "ec", "rsa"):
            hsmtls.Identity.open("pkcs11:token=edge")

    def test_a_malformed_uri_is_a_config_error_and_a_value_error(self):
        with self.assert_fails(hsmtls.ConfigError, "MALFORMED_URI") as raised:
            hsmtls.Identity.open("file:device.pem")
        self.assertIsInstance(raised.exception, ValueError)

    def test_a_module_that_is_not_there_is_named(self):
        with self.assert_fails(hsmtls.ConfigError, "MODULE_UNUSABLE", "/nonexistent/vendor.so"):
            hsmtls.Identity.open(uri("ec"), module="/nonexistent/vendor.so")

    def test_the_certificate_of_another_key_does_not_open(self):
        with self.assert_fails(hsmtls.CertificateError, "CERTIFICATE_MISMATCH", "rsa-chain.pem"):
            hsmtls.Identity.open(uri("ec"), certificate=file("rsa-chain.pem"))

    def test_a_required_property_that_the_key_lacks_does_not_open(self):
        with self.assert_fails(hsmtls.TokenError, "KEY_POLICY", "CKA_ALWAYS_AUTHENTICATE"):
            hsmtls.Identity.open(uri("ec"), require=hsmtls.KeyProperties.ALWAYS_AUTHENTICATE)

    def test_arguments_of_the_wrong_type_or_size_are_pythons_own_errors(self):
        for wrong, error in (
                ({"pin": 1234}, TypeError), ({"pin_source": 7}, TypeError), ({"certificate": 7}, TypeError),
                ({"deadline": -1.0}, ValueError), ({"deadline": float("nan")}, ValueError)):
            with self.subTest(**wrong), self.assertRaises(error):
                hsmtls.Identity.open(uri("ec"), **wrong)
        with self.assertRaises(ValueError):
            hsmtls.Identity.open("pkcs11:token=edge\0;object=ec")

    def test_each_class_is_an_error_and_pythons_own_kind_where_there_is_one(self):
        self.assertTrue(issubclass(hsmtls.TimeoutError, TimeoutError))
        self.assertTrue(issubclass(hsmtls.HandshakeError, ConnectionError))
        for code in hsmtls.Code:
            cls = getattr(hsmtls, code.category.title() + "Error")
            self.assertTrue(issubclass(cls, hsmtls.Error))
            self.assertEqual(code, str(code))

    def test_an_error_travels_between_processes(self):
        with self.assertRaises(hsmtls.ConfigError) as raised:
            hsmtls.Identity.open(uri("ec"), pin_source="file:" + os.path.abspath("/nonexistent/pin"))
        copy = pickle.loads(pickle.dumps(raised.exception))
        self.assertEqual((type(copy), str(copy), copy.code), (hsmtls.ConfigError, str(raised.exception), "PIN_SOURCE"))


if __name__ == "__main__":
    unittest.main()
