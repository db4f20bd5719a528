#!/usr/bin/env python3
"""Nothing in the tree knows the machine it was written on, nor which archive packages come from."""
import re

import tree

PATTERNS = [
    (re.compile(r"(?<![\w.])/(?:wor[k]|hom[e]/\w+|roo[t]/[\w.]+|User[s]/\w+)/"), "a path of one machine"),
    (re.compile(r"https?://(?:deb|registry|security|snapshot|pypi|files|index|ftp|archive)\.[\w.-]+"), "an archive's host"),
    (re.compile(r"\b(?:registry\.npmj[s]\.org|deb\.debia[n]\.org|pypi\.or[g]|proxy\.golan[g]\.org)\b"), "an archive's host"),
]


def check(root):
    found = []
    for path in tree.files(root):
        if path == "LICENSE" or not tree.is_text(root, path):
            continue
        source = tree.text(root, path)
        for pattern, what in PATTERNS:
            for m in pattern.finditer(source):
                found.append(f"{path}:{tree.line_of(source, m.start())}: {what}: {m[0]}")
    return found


if __name__ == "__main__":
    tree.run(check)
