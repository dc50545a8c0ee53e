"""libhsmtls.so brings no OpenSSL into its host, needs nothing but the C and C++ run time and the token layer, and finds
the token layer by its own place."""

import re
import subprocess
import sys

library = sys.argv[1]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


dynamic = output("readelf", "--dynamic", "--wide", library)
needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
allowed = re.compile(r"libhsmtls-pkcs11\.so|lib(c|m|dl|pthread|stdc\+\+|gcc_s)\.so\.\d+|ld-linux.*")
foreign = {name for name in needed if not allowed.fullmatch(name)}
assert not foreign, f"needs {foreign}"
assert "libhsmtls-pkcs11.so" in needed, f"does not need the token layer: {needed}"

runpath = re.findall(r"\(RUNPATH\).*\[(.+)\]", dynamic)
assert runpath == ["$ORIGIN/pkcs11:$ORIGIN/../pkcs11:$ORIGIN"], f"RUNPATH {runpath}"
assert "NODELETE" in dynamic, "may be unloaded while keys point into it"

# Each undefined function has the version of the run time that it is of, or is the token layer's.
undefined = [line.split()[-1] for line in output("nm", "--dynamic", "--undefined-only", library).splitlines()
             if re.search(r" U ", line)]
odd = [name for name in undefined
       if not re.search(r"@(GLIBC|GLIBCXX|CXXABI|GCC)_", name) and not name.startswith("hsmtls_")]
assert not odd, f"undefined, and of nobody's: {odd}"
