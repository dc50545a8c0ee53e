"""A long-lived program on GnuTLS (by ctypes): imports a private key by its URI once, then signs for each line on stdin.

Says "signed" or "failed: reason". Arguments: module, key URI, PIN. Knows nothing of hsmtls.
"""
import ctypes
import sys

gnutls = ctypes.CDLL("libgnutls.so.30")
gnutls.gnutls_strerror.restype = ctypes.c_char_p
GNUTLS_PKCS11_FLAG_MANUAL = 0
GNUTLS_DIG_SHA256 = 6
PIN_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint,
    ctypes.POINTER(ctypes.c_char), ctypes.c_size_t)


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_uint)]


class Result(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


def check(status, what):
    if status < 0:
        raise RuntimeError(f"{what}: {gnutls.gnutls_strerror(status).decode()}")


def main(module, uri, pin):
    @PIN_CALLBACK
    def give_pin(_user, _attempt, _url, _label, _flags, out, size):
        ctypes.memmove(out, pin.encode() + b"\0", min(size, len(pin) + 1))
        return 0

    check(gnutls.gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_MANUAL, None), "init")
    check(gnutls.gnutls_pkcs11_add_provider(module.encode(), None), "add_provider")
    gnutls.gnutls_pkcs11_set_pin_function(give_pin, None)
    key = ctypes.c_void_p()
    check(gnutls.gnutls_privkey_init(ctypes.byref(key)), "privkey_init")
    check(gnutls.gnutls_privkey_import_url(key, uri.encode(), 0), "import_url")
    message = b"x" * 100
    while True:
        signature = Result()
        try:
            check(gnutls.gnutls_privkey_sign_data(
                key, GNUTLS_DIG_SHA256, 0, ctypes.byref(Datum(message, len(message))), ctypes.byref(signature)), "sign")
            print("signed", flush=True)
        except RuntimeError as error:
            print(f"failed: {error}", flush=True)
        if not sys.stdin.readline():
            break
    gnutls.gnutls_privkey_deinit(key)
    gnutls.gnutls_pkcs11_deinit()


main(*sys.argv[1:])
