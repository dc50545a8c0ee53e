"""Installs into a fresh folder and loads each installed library alone, in a process of its own."""

import os
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
    legacy = prefix / libdir / "libhsmtls-legacy.so"
    provider = prefix / libdir / "ossl-modules" / "hsmtls.so"
    symbols = {front: "C_GetFunctionList", chaos: "C_GetFunctionList", library: "hsmtls_version", legacy: "hsmtls_legacy_table",
               provider: "OSSL_provider_init"}
    installed = {path for path in prefix.rglob("*.so*")}
    assert installed == set(symbols), f"installed {installed}, expected {set(symbols)}"
    load = "import ctypes, sys; getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])"
    for file, symbol in sorted(symbols.items()):
        subprocess.run([sys.executable, "-c", load, file, symbol], check=True)
    for file in (front, library, legacy):
        needed = subprocess.run(["readelf", "-d", file], check=True, capture_output=True, text=True).stdout
        for foreign in ("libssl", "libcrypto", "libboost", "libfmt", "libp11"):
            assert foreign not in needed, f"{file.name} needs {foreign}"
    assert os.readlink(provider) == "../libhsmtls.so", f"{provider} is a link to {os.readlink(provider)}"

    # The openssl.cnf that is installed: by itself, and taken in by another one, for OpenSSL's own programs.
    fragment = prefix / "share" / "hsmtls" / "openssl.cnf"
    own = prefix / "own.cnf"
    own.write_text(f"[some_section]\nkey = value\n[default]\n.include {fragment}\nHOME = .\n[hsmtls_provider]\n"
                   "hsmtls-module = /nowhere/vendor.so\n")
    if shutil.which("openssl"):
        for config in (fragment, own):
            listed = subprocess.run(["openssl", "list", "-providers"], env={**os.environ, "OPENSSL_CONF": str(config)},
                                    check=True, capture_output=True, text=True).stdout
            names = [line.strip() for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
            assert names == ["default", "hsmtls"], f"{config} activates {names}"

    # The command finds its libraries wherever the whole is moved to.
    moved = prefix.with_name(prefix.name + ".moved")
    prefix = prefix.rename(moved)
    command = prefix / "bin" / "hsmtls"
    clean = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    version = subprocess.run([command, "--version"], env=clean, check=True, capture_output=True, text=True).stdout
    assert version.startswith("hsmtls "), f"hsmtls --version says {version}"
    doctor = subprocess.run([command, "doctor", "pkcs11:token=none", "--module", "/nowhere.so", "--json"], env=clean,
                            capture_output=True, text=True)
    assert doctor.returncode == 1 and str(moved) in doctor.stdout, f"hsmtls uses a library from elsewhere: {doctor.stdout}"
finally:
    shutil.rmtree(prefix)
