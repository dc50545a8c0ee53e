"""Installs into a fresh folder and loads each installed library alone, in a process of its own."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

cmake, build, scratch, libdir = sys.argv[1:]
prefix = pathlib.Path(tempfile.mkdtemp(prefix="install.", dir=scratch))
try:
    subprocess.run([cmake, "--install", build, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    front = prefix / libdir / "pkcs11" / "libhsmtls-pkcs11.so"
    chaos = prefix / libdir / "hsmtls-dev" / "libhsmtls-chaos.so"
    library = prefix / libdir / "libhsmtls.so"
    expected = {front, library, chaos}
    installed = {path for path in prefix.rglob("*.so*")}
    assert installed == expected, f"installed {installed}, expected {expected}"
    load = "import ctypes, sys; getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])"
    for file in sorted(installed):
        function = "hsmtls_version" if file == library else "C_GetFunctionList"
        subprocess.run([sys.executable, "-c", load, file, function], check=True)
    needed = subprocess.run(["readelf", "-d", front], check=True, capture_output=True, text=True).stdout
    for foreign in ("libssl", "libcrypto", "libboost", "libfmt"):
        assert foreign not in needed, f"{front.name} needs {foreign}"
finally:
    shutil.rmtree(prefix)
