#!/usr/bin/env python3
"""Count what a test runner did: prints "passed failed", then a line for each thing that failed.

    tally.py meson LOG.json     meson's testlog.json; functions are counted inside cmocka and unittest programs
    tally.py pytest JUNIT.xml   pytest's report
    tally.py node LOG RC        output of `node --test`
"""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml


def count_meson_test(row):
    """One program. A program that says nothing countable is one test; one that dies has one failure at least."""
    text = row.get("stdout", "") + row.get("stderr", "")
    good = row["result"] in ("OK", "EXPECTEDFAIL")
    passed = len(re.findall(r"^\[       OK \] ", text, re.M))
    failed = len(set(re.findall(r"^\[  (?:FAILED |SKIPPED|ERROR  ) \] (\w+)$", text, re.M)))
    ran = re.search(r"^Ran (\d+) tests?", text, re.M)
    if ran:
        broken = sum(map(int, re.findall(r"(?:failures|errors)=(\d+)", text)))
        passed, failed = int(ran[1]) - broken, broken
    if not good:
        return passed, max(failed, 1)
    if failed:
        return passed, failed
    return max(passed, 1), 0


def count_meson(path):
    passed = failed = 0
    names = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        p, f = count_meson_test(row)
        passed, failed = passed + p, failed + f
        if f:
            names.append(f"{row['name']}: {row['result']}")
    return passed, failed, names


def count_pytest(path):
    passed = failed = 0
    names = []
    for case in xml.parse(path).iter("testcase"):
        # A test never skips here: skipped is failed.
        if any(case.find(tag) is not None for tag in ("failure", "error", "skipped")):
            failed += 1
            names.append(f"{case.get('classname')}::{case.get('name')}")
        else:
            passed += 1
    return passed, failed, names


def count_node(path, rc):
    text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    sums = {}
    for word, n in re.findall(r"^(?:#|\u2139) (\w+) (\d+)$", text, re.M):  # of one run or of several
        sums[word] = sums.get(word, 0) + int(n)
    passed = sums.pop("pass", 0)
    # Cancelled and passed-over tests have failed, too.
    failed = sum(n for word, n in sums.items() if word not in ("tests", "suites", "duration_ms"))
    if rc and not failed:
        failed = 1
    return passed, failed, ["node"] if failed else []


def main(argv):
    kind, path = argv[1], argv[2]
    if kind == "meson":
        passed, failed, names = count_meson(path)
    elif kind == "pytest":
        passed, failed, names = count_pytest(path)
    else:
        passed, failed, names = count_node(path, int(argv[3]))
    print(passed, failed)
    for name in names:
        print("    failed:", name)


if __name__ == "__main__":
    main(sys.argv)
