#!/usr/bin/python3
"""Writes what every language knows of the errors in core/error_codes.def.

usage: scripts/generate_errors.py [--check]

--check writes nothing: exit status 1 if a file is not what would be written, naming it.
"""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "core" / "error_codes.def"
CATEGORIES = ["CONFIG", "TOKEN", "CERTIFICATE", "HANDSHAKE", "TIMEOUT", "CLOSED", "INTERNAL"]
CATEGORY_SENTENCES = {
    "CONFIG": "What was asked for, or what the machine is set up with.",
    "TOKEN": "The token, and the key in it.",
    "CERTIFICATE": "The certificates of this side.",
    "HANDSHAKE": "The TLS handshake, and the peer.",
    "TIMEOUT": "It took too long.",
    "CLOSED": "It was closed or cancelled.",
    "INTERNAL": "Something went wrong inside hsmtls.",
}
NOTE = "Generated from core/error_codes.def by scripts/generate_errors.py: edit that."


def read_list():
    rows = []
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("ERROR("):
            if line.strip() and not line.startswith("//"):
                sys.exit(f"{LIST}:{number}: not an ERROR(…) and not a comment")
            continue
        match = re.fullmatch(r'ERROR\((\d+), ([A-Z_]+), ([A-Z]+), "([^"]+\.)"\)', line)
        if not match or match[3] not in CATEGORIES:
            sys.exit(f"{LIST}:{number}: not as the head of the file says")
        rows.append((int(match[1]), match[2], match[3], match[4]))
    for column, what in ((0, "value"), (1, "name")):
        values = [row[column] for row in rows]
        if len(set(values)) != len(values):
            sys.exit(f"{LIST}: a {what} occurs twice")
    return rows


def c_header(rows):
    lines = [
        f"/* {NOTE} */",
        "#ifndef HSMTLS_ERRORS_H",
        "#define HSMTLS_ERRORS_H",
        "",
        "/* The class of an error: what kind of exception it is in each language. */",
        "typedef enum hsmtls_category {",
    ]
    lines += [f"  HSMTLS_CATEGORY_{name} = {value}," for value, name in enumerate(CATEGORIES, 1)]
    lines[-1] = lines[-1].rstrip(",")
    lines += ["} hsmtls_category;", "", "typedef enum hsmtls_error_code {", "  HSMTLS_OK = 0,"]
    for value, name, _, sentence in rows:
        lines += [f"  /* {sentence} */", f"  HSMTLS_{name} = {value},"]
    lines[-1] = lines[-1].rstrip(",")
    lines += ["} hsmtls_error_code;", "", "#endif", ""]
    return "\n".join(lines)


def cpp_header(rows):
    lines = [
        f"// {NOTE}",
        "#pragma once",
        "",
        '#include "hsmtls/errors.h"',
        "",
        "namespace hsmtls {",
        "",
        "enum class error_class {",
    ]
    lines += [f"  {name.lower()} = HSMTLS_CATEGORY_{name}," for name in CATEGORIES]
    lines += ["};", "", "enum class errc {"]
    for _, name, _, sentence in rows:
        lines += [f"  // {sentence}", f"  {name.lower()} = HSMTLS_{name},"]
    lines += [
        "};",
        "",
        "// `sentence_of` returns what an error means, in one English sentence.",
        "inline const char* sentence_of(errc code) noexcept {",
        "  switch (code) {",
    ]
    for _, name, _, sentence in rows:
        lines += [f"    case errc::{name.lower()}:", f'      return "{sentence}";']
    lines += [
        "  }",
        '  return "An error that this version of the headers does not know.";',
        "}",
        "",
        "}  // namespace hsmtls",
        "",
    ]
    return "\n".join(lines)


def markdown(rows):
    lines = [
        "# Errors",
        "",
        f"<!-- {NOTE} -->",
        "",
        "One list for all languages. Each error has a code, belongs to a category (the class of the exception), and comes",
        "with one English sentence that names what was wrong and says what to do; where a PKCS#11 module or OpenSSL said",
        "something, its `CKR_*` name or OpenSSL's reason comes along.",
        "",
        "| value | name | category | meaning |",
        "|---|---|---|---|",
    ]
    lines += [f"| {value} | `{name}` | {category.lower()} | {sentence} |" for value, name, category, sentence in rows]
    return "\n".join(lines) + "\n"


def python_enum(rows):
    lines = [
        f'"""{NOTE}"""',
        "",
        "import enum",
        "",
        "",
        "class Code(str, enum.Enum):",
        '    """What went wrong. Equal to its name as a `str`; `category` says of which class the error is."""',
        "",
        "    category: str",
        "",
        '    def __new__(cls, name: str, category: str) -> "Code":',
        "        code = str.__new__(cls, name)",
        "        code._value_ = name",
        "        code.category = category",
        "        return code",
        "",
        "    __str__ = str.__str__",
        "",
    ]
    for _, name, category, sentence in rows:
        lines += [f"    #: {sentence}", f'    {name} = "{name}", "{category}"']
    return "\n".join(lines) + "\n"


def pascal_case(name):
    return "".join("OpenSsl" if word == "OPENSSL" else word.capitalize() for word in name.split("_"))


def csharp(rows):
    lines = [
        f"// {NOTE}",
        "namespace HsmTls;",
        "",
        "/// <summary>What kind of error an <see cref=\"HsmException\"/> is.</summary>",
        "public enum HsmErrorCategory",
        "{",
    ]
    for value, name in enumerate(CATEGORIES, 1):
        lines += [f"    /// <summary>{CATEGORY_SENTENCES[name]}</summary>", f"    {pascal_case(name)} = {value},", ""]
    lines[-1] = "}"
    lines += [
        "",
        "/// <summary>Which error an <see cref=\"HsmException\"/> is.</summary>",
        "public enum HsmErrorCode",
        "{",
    ]
    for value, name, _, sentence in rows:
        lines += [f"    /// <summary>{sentence}</summary>", f"    {pascal_case(name)} = {value},", ""]
    lines[-1] = "}"
    return "\n".join(lines) + "\n"


def javascript(rows):
    lines = [
        f"// {NOTE}",
        "'use strict';",
        "",
        "// What libhsmtls.so's numbers mean: [name, category].",
        "module.exports = new Map([",
    ]
    lines += [f"  [{value}, ['{name}', '{category.lower()}']]," for value, name, category, _ in rows]
    lines += ["]);", ""]
    return "\n".join(lines)


def typescript(rows):
    lines = [f"// {NOTE}", "", "/** The class of an error: what to look at. */", "export type ErrorCategory ="]
    lines += [f"  | '{name.lower()}'" for name in CATEGORIES]
    lines[-1] += ";"
    lines += ["", "export type ErrorCode ="]
    for _, name, _, sentence in rows:
        lines += [f"  /** {sentence} */", f"  | 'ERR_HSMTLS_{name}'"]
    lines[-1] += ";"
    lines += [""]
    return "\n".join(lines)


OUTPUTS = {
    "core/include/hsmtls/errors.h": c_header,
    "core/include/hsmtls/errc.hpp": cpp_header,
    "docs/errors.md": markdown,
    "python/hsmtls/_codes.py": python_enum,
    "dotnet/HsmErrorCode.cs": csharp,
    "node/lib/error_codes.js": javascript,
    "node/lib/error_codes.d.ts": typescript,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not up to date")
    check = parser.parse_args().check
    rows = read_list()
    stale = []
    for name, write in OUTPUTS.items():
        path, text = ROOT / name, write(rows)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
            print(f"written: {name}")
    if check and stale:
        sys.exit("not what core/error_codes.def says: " + ", ".join(stale) + " (run scripts/generate_errors.py)")


if __name__ == "__main__":
    main()
