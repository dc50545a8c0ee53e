"""CPython as the host: hsmtls by ctypes, a handshake by the interpreter's own ssl module.

usage: host.py LIBHSMTLS FOLDER WHEN [global:FILE|local:FILE]…

WHEN is when ssl is imported: first (before the files are loaded), before the identity is opened, after it (hsmtls has
found an OpenSSL by itself by then), or never (then no hands are shaken).
"""

import ctypes
import os
import sys

library, folder, when, *before = sys.argv[1:]
if when == "first":
    import ssl
    ssl.create_default_context()
for one in before:
    how, file = one.split(":", 1)
    ctypes.CDLL(file, mode=os.RTLD_NOW | (os.RTLD_GLOBAL if how == "global" else os.RTLD_LOCAL))

hsmtls = ctypes.CDLL(library, mode=os.RTLD_NOW | os.RTLD_LOCAL)
for name in ("error_message", "openssl_where", "identity_key_pem"):
    getattr(hsmtls, "hsmtls_" + name).restype = ctypes.c_char_p


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("deadline_ms", ctypes.c_uint32), ("key", ctypes.c_char_p),
                ("certificate", ctypes.c_char_p), ("module", ctypes.c_char_p), ("login", ctypes.c_void_p),
                ("require", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("on_event", ctypes.c_void_p),
                ("event_user", ctypes.c_void_p), ("event_release", ctypes.c_void_p)]


def call(function, *arguments):
    error = ctypes.c_void_p()
    if getattr(hsmtls, "hsmtls_" + function)(*arguments, ctypes.byref(error)) != 0:
        sys.exit("failed: " + hsmtls.hsmtls_error_message(error).decode())


class SymbolInfo(ctypes.Structure):
    _fields_ = [("file", ctypes.c_char_p), ("base", ctypes.c_void_p), ("name", ctypes.c_char_p), ("address", ctypes.c_void_p)]


def say_which_openssl():
    """Among the first words of an SSL_CTX is its method, which is libssl's own; the others point into no library."""
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ssl_ctx = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    info = SymbolInfo()
    for word in range(4):
        value = ctypes.c_void_p.from_address(ssl_ctx + word * ctypes.sizeof(ctypes.c_void_p))
        if value.value and ctypes.CDLL(None).dladdr(value, ctypes.byref(info)):
            print("own: " + info.file.decode())
            call("openssl_bind", value, None)
            return
    sys.exit("failed: no method in an SSLContext")


def open_identity():
    identity = ctypes.c_void_p()
    options = Options(struct_size=ctypes.sizeof(Options), key=b"pkcs11:token=edge;object=ec",
                      certificate=f"{folder}/ec.pem".encode())
    call("identity_open", ctypes.byref(options), ctypes.byref(identity))
    return identity


def shake_hands(identity):
    import ssl
    call("provider_install")
    key = os.path.join(folder, "key.pem")
    call("identity_write_files", identity, folder.encode())
    client = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    client.load_cert_chain(f"{folder}/ec.pem", key)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=f"{folder}/ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(to_client, to_server, server_hostname="localhost"),
             server.wrap_bio(to_server, to_client, server_side=True)]
    open_ends = list(sides)
    while open_ends:
        for side in list(open_ends):
            try:
                side.do_handshake()
                open_ends.remove(side)
            except ssl.SSLWantReadError:
                pass
    peer = dict(name for names in sides[1].getpeercert()["subject"] for name in names)
    assert peer["commonName"] == "device-ec", peer


if when in ("first", "before"):
    say_which_openssl()
device = open_identity()
if when == "after":
    say_which_openssl()
if when == "never":
    key = ctypes.c_void_p()
    call("identity_evp_pkey", device, ctypes.c_uint32(1), ctypes.byref(key))
    assert key.value and "ssl" not in sys.modules
else:
    shake_hands(device)
print("where: " + hsmtls.hsmtls_openssl_where().decode())
hsmtls.hsmtls_identity_release(device)
