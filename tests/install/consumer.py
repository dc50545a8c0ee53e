"""Builds programs of somebody else's against a fresh install, with CMake and with pkg-config, and runs them."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

cmake, build, scratch, libdir, source, c_compiler, cxx_compiler = sys.argv[1:]
work = pathlib.Path(tempfile.mkdtemp(prefix="consumer.", dir=scratch))
prefix = work / "prefix"


def run(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def check(program, environment=None):
    said = run(program, env={**os.environ, **(environment or {})})
    assert said.startswith("hsmtls 0."), said
    assert "-----BEGIN PKCS#11 PROVIDER URI-----" in said, said


try:
    run(cmake, "--install", build, "--prefix", work / "staged")
    # What was installed works wherever it is moved to.
    (work / "staged").rename(prefix)

    run(cmake, "-S", source, "-B", work / "cmake", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_C_COMPILER={c_compiler}", f"-DCMAKE_CXX_COMPILER={cxx_compiler}")
    run(cmake, "--build", work / "cmake")
    check(work / "cmake" / "in_c")
    check(work / "cmake" / "in_cpp")
    refused = subprocess.run(
        [cmake, "-S", source, "-B", work / "newer", f"-DCMAKE_PREFIX_PATH={prefix}",
         f"-DCMAKE_PROJECT_INCLUDE={source}/newer.cmake"], capture_output=True, text=True)
    assert refused.returncode != 0 and "0.1.0" in refused.stderr, "a newer version was asked for, and this one was taken"

    if shutil.which("pkg-config") is None:
        print("skipped: pkg-config is not installed")
        sys.exit()
    pkg_config = {**os.environ, "PKG_CONFIG_PATH": str(prefix / libdir / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "hsmtls", env=pkg_config).split()
    at_run_time = {"LD_LIBRARY_PATH": str(prefix / libdir)}
    run(c_compiler, "-std=c99", pathlib.Path(source) / "in_c.c", "-o", work / "in_c", *flags)
    check(work / "in_c", at_run_time)
    run(cxx_compiler, "-std=c++17", pathlib.Path(source) / "in_cpp.cpp", "-o", work / "in_cpp", *flags, "-lssl", "-lcrypto")
    check(work / "in_cpp", at_run_time)
finally:
    shutil.rmtree(work)
