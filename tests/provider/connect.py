"""Two handshakes with one context: connect.py PORT CA TLS-VERSION CERTIFICATE [KEY]. Prints what the server says."""

import hashlib
import os
import sys

if os.environ.get("HSMTLS_TEST_HASH_FIRST"):
    hashlib.new("sha256", b"loads libcrypto, and what openssl.cnf names")
    assert "ssl" not in sys.modules
import socket
import ssl

port, ca, version, *files = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
context.load_cert_chain(*files)
for _ in range(2):
    with socket.create_connection(("localhost", int(port)), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while data := tls.recv(65536):
                print(data.decode("latin-1"), end="")
