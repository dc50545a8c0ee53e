"""Makes another copy of OpenSSL: the same code under names of its own, so that the dynamic loader takes it for another.

usage: other_openssl.py LIBSSL LIBCRYPTO FOLDER
"""

import pathlib
import sys

libssl, libcrypto, folder = map(pathlib.Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)
# Of the same length: the names are changed where they stand, in the file's own table of strings.
names = {b"libssl.so.3\0": b"libssl.oo.3\0", b"libcrypto.so.3\0": b"libcrypto.oo.3\0"}
for source, name in ((libssl, "libssl.oo.3"), (libcrypto, "libcrypto.oo.3")):
    content = source.read_bytes()
    for old, new in names.items():
        content = content.replace(old, new)
    (folder / name).write_bytes(content)
