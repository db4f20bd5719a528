#!/usr/bin/env python3
"""No mark of unfinished work, and no test that can be passed over."""
import re

import tree

MARKS = re.compile(r"\b((?i:TOD[O]|FIXM[E]|not implemente[d]|stu[b](?:bed)?)|XX[X]|HAC[K])\b")
SKIPS = re.compile(
    r"pytest\.ski[p]|mark\.ski[p]|skipI[f]|skipTes[t]|\bski[p]\(\)|importorski[p]|xfai[l]|^\s*#\s*if\s+[0]\b|"
    r"\b(?:it|test|describe)\.(?:ski[p]|tod[o])\b|ski[p]:\s*true",
    re.M)
ENDINGS = (".c", ".h", ".py", ".js", ".mjs", ".ts", ".sh", "meson.build")


def check(root):
    found = []
    for path in tree.files(root, *ENDINGS) + ["dev"]:
        try:
            source = tree.text(root, path)
        except FileNotFoundError:
            continue
        for pattern, what in ((MARKS, "unfinished"), (SKIPS, "a test that may not run")):
            for m in pattern.finditer(source):
                found.append(f"{path}:{tree.line_of(source, m.start())}: {what}: {m[0].strip()}")
    return found


if __name__ == "__main__":
    tree.run(check)
