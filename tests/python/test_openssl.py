"""Which OpenSSL: the one of the interpreter's ssl module, or none."""

import ctypes
import os
import ssl
import unittest

import hsmtls
from hsmtls import _core
from support import TestCase, file, uri

OTHER = os.environ["HSMTLS_TEST_OTHER_OPENSSL"]
PACKAGE = os.path.dirname(hsmtls.__file__)


class OpenSsl(TestCase):
    def test_is_the_ssl_modules(self):
        self.open("ec")
        self.assertTrue(_core.openssl_in_use().startswith(ssl.OPENSSL_VERSION), _core.openssl_in_use())

    def test_of_another_copy_is_refused_by_name(self):
        # As where something in the process gave hsmtls another OpenSSL first: these are copies of the system's.
        self.run_program("-c", f"""
import ctypes, hsmtls
crypto, other = [ctypes.CDLL({OTHER!r} + name) for name in ("/libcrypto.oo.3", "/libssl.oo.3")]
other.TLS_method.restype = ctypes.c_void_p
core = ctypes.CDLL({PACKAGE!r} + "/libhsmtls.so")
assert core.hsmtls_openssl_bind(ctypes.c_void_p(other.TLS_method()), None, None) == 0
try:
    hsmtls.Identity.open({uri("ec")!r})
except hsmtls.ConfigError as error:
    assert error.code == "OPENSSL_FOREIGN", error.code
    assert "libcrypto.oo.3" in str(error) and "libcrypto.so.3" in str(error), error
else:
    raise SystemExit("not refused")
""")

    def test_that_is_hidden_in_the_interpreter_is_refused_by_name(self):
        # As where the interpreter has its OpenSSL inside: the context's method is in no library that shows functions.
        device, context = self.open("ec"), ssl.create_default_context(cafile=file("ca.pem"))
        words = (ctypes.c_void_p * 16)()
        words[1] = ctypes.addressof(ctypes.c_int.in_dll(ctypes.pythonapi, "Py_OptimizeFlag"))
        inside = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
        own, inside.value = inside.value, ctypes.addressof(words)
        try:
            with self.assert_fails(hsmtls.ConfigError, "OPENSSL_FOREIGN", "main program"):
                device.apply(context)
        finally:
            inside.value = own


if __name__ == "__main__":
    unittest.main()
