"""write_reference.py LIBHSMTLS URI: prints the reference PEM that the library makes."""

import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
library.hsmtls_text_data.restype = ctypes.c_char_p
library.hsmtls_text_data.argtypes = [ctypes.c_void_p]
pem = ctypes.c_void_p()
code = library.hsmtls_reference_pem_write(sys.argv[2].encode(), ctypes.byref(pem), None)
assert code == 0, f"error {code}"
print(library.hsmtls_text_data(pem).decode(), end="")
