"""Adds up the results in a folder: ctest's JUnit files (one per tree) and other.tsv (kind, tree, text).

Shows the tables that tests of the release tree printed (lines that start with "| "), lists what failed and what was
skipped, with the reason, then prints "N passed, N failed, N skipped" and exits 1 if anything failed.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree


def skip_reason(case):
    """Why a test says it was skipped: "skipped: …" of a script, or GoogleTest's message after "Skipped"."""
    output = case.findtext("system-out") or ""
    found = re.search(r"^skipped: (.+)$", output, re.MULTILINE) or re.search(r": Skipped\n(.+)", output)
    if found:
        return found.group(1).strip()
    element = case.find("skipped")
    return element.get("message", "no reason given") if element is not None else "not run"


def main(folder):
    passed, failed, skipped = 0, [], []
    for file in sorted(folder.glob("*.xml")):
        for case in xml.etree.ElementTree.parse(file).getroot().iter("testcase"):
            name = f"{file.stem}: {case.get('name')}"
            status = case.get("status")
            table = re.findall(r"^\|.*$", case.findtext("system-out") or "", re.MULTILINE)
            if table and file.stem == "release":
                print("\n   ".join([f"   {case.get('name')}:", *table]))
            if status == "run":
                passed += 1
            elif status == "fail":
                message = case.find("failure").get("message", "") if case.find("failure") is not None else ""
                failed.append(f"{name}" + (f" ({message})" if message and message != "Failed" else ""))
            else:
                skipped.append((name, skip_reason(case)))
    other = folder / "other.tsv"
    for line in other.read_text().splitlines() if other.exists() else []:
        kind, tree, text = line.split("\t", 2)
        if kind == "failed":
            failed.append(f"{tree}: {text}")
        else:
            skipped.append((tree, text))

    for name, reason in skipped:
        print(f"   skipped  {name}: {reason}")
    for name in failed:
        print(f"   failed   {name}")
    if failed:
        print(f"   (output: {folder}/*.log)")
    if passed + len(failed) == 0:
        failed.append("nothing ran")
        print("   failed   no test ran at all")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
