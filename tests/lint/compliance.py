#!/usr/bin/env python3
"""docs/compliance.tsv says nothing that is not there: its clauses, the files it names and the tests it names exist.

Columns: clause, state, code, test. Several paths or tests are parted by spaces; a test is a file under tests/, or
file::name where the name is written in that file.
"""
import pathlib
import re

import tree

COLUMNS = ["clause", "state", "code", "test"]
STATES = {"met", "part", "later", "declared"}


def check_row(root, clauses, clause, state, code, test):
    if clause not in clauses:
        yield f"no clause {clause}"
    if state not in STATES:
        yield f"state {state!r} is none of {', '.join(sorted(STATES))}"
    if state in ("met", "part") and (not code.split() or not test.split()):
        yield f"{clause} is {state}, but names no code or no test"
    for path in code.split():
        if not (pathlib.Path(root) / path).exists():
            yield f"{clause}: no file {path}"
    for name in test.split():
        path, _, function = name.partition("::")
        if not path.startswith("tests/") or not (pathlib.Path(root) / path).is_file():
            yield f"{clause}: no test file {path}"
        elif function and not re.search(rf"\b{re.escape(function)}\b", tree.text(root, path)):
            yield f"{clause}: {path} has no {function}"


def check(root, table="docs/compliance.tsv"):
    if not (pathlib.Path(root) / table).exists():
        return [f"{table}:1: is not there"]
    clauses = set(tree.text(root, "tests/lint/clauses.list").split())
    lines = tree.text(root, table).rstrip("\n").split("\n")
    if lines[0].split("\t") != COLUMNS:
        return [f"{table}:1: its columns must be {' '.join(COLUMNS)}"]
    found = []
    seen = set()
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(COLUMNS):
            found.append(f"{table}:{number}: {len(cells)} columns, not {len(COLUMNS)}")
            continue
        if cells[0] in seen:
            found.append(f"{table}:{number}: {cells[0]} twice")
        seen.add(cells[0])
        found += [f"{table}:{number}: {what}" for what in check_row(root, clauses, *cells)]
    return found


if __name__ == "__main__":
    tree.run(check)
