#!/usr/bin/env python3
"""The map at the top of each header is true.

    /* noun - one sentence.
     *
     *   above   folder/file  folder     who includes it; "everything" where nearly all do
     *   below   folder/file             exactly what the header and its .c include
     *   owns    what
     *   limits  every NAME_MAX defined here, and only names defined here
     *   errors  every NOUN_E_X defined here, and only those
     */

`maps.py ROOT mend` writes what can be known into the maps, and leaves the rest to a person.
"""
import pathlib
import re
import textwrap

import tree

KEYS = ("above", "below", "owns", "limits", "errors")


def parse(source):
    """{"noun":, "sentence":, key: text} of the first comment, or None."""
    m = re.match(r"\s*#pragma once\s*/\*(.*?)\*/", source, re.S)
    if not m:
        return None
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in m[1].split("\n")]
    first = re.match(r"\s*([\w/]+) - (\S.*)", lines[0])
    if not first:
        return None
    found = {"noun": first[1], "sentence": first[2]}
    key = None
    for line in lines[1:]:
        entry = re.match(r"\s{1,4}(\w+)\s{2,}(\S.*)$", line)
        if entry:
            key = entry[1]
            found[key] = found.get(key, "") + " " + entry[2]
        elif key and re.match(r"\s{5,}\S", line):
            found[key] += " " + line.strip()
        else:
            key = None
    return found


def words(value):
    return re.sub(r"\([^)]*\)", " ", value or "").replace(",", " ").replace(";", " ").split()


def paths_in(value):
    return {w for w in words(value) if re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", w)}


def stem(path):
    """gatewayd/base/text.h -> base/text, gatewayd/app.h -> app, plugins/host/fence.c -> host/fence"""
    return re.sub(r"^(gatewayd|plugins)/|\.[ch]$", "", path)


def enumerators(plain):
    for body in re.findall(r"\benum\b[^{};()]*\{([^}]*)\}", plain):
        for entry in body.split(","):
            m = re.match(r"\s*(\w+)", entry)
            if m:
                yield m[1]


def defined_limits(source):
    plain = tree.code(source)
    names = re.findall(r"^\s*#\s*define\s+(\w+)\b", plain, re.M) + list(enumerators(plain))
    return {n for n in names if re.fullmatch(r"[A-Z][A-Z0-9_]*_MAX", n)}


def defined_errors(source):
    return {n for n in enumerators(tree.code(source)) if re.fullmatch(r"[A-Z][A-Z0-9_]*_E_[A-Z0-9_]+", n)}


def below_of(root, path, source):
    mine = stem(path)
    body = path[:-1] + "c"
    names = tree.includes(source)
    if body in tree.files(root, ".c", under=("gatewayd",)):
        names = names + tree.includes(tree.text(root, body))
    return {re.sub(r"\.h$", "", n) for _, n in names} - {mine}


def includers(root):
    """{"base/text": {"sys/loop", ...}}"""
    table = {}
    for path in tree.files(root, ".c", ".h", under=("gatewayd", "plugins")):
        for _, name in tree.includes(tree.text(root, path)):
            table.setdefault(re.sub(r"\.h$", "", name), set()).add(stem(path))
    return table


def check_above(value, mine, table, folders):
    real = table.get(mine, set()) - {mine}
    real_folders = {name.split("/")[0] for name in real}
    for word in words(value):
        word = re.sub(r"^(gatewayd|plugins)/", "", word)
        if "/" in word and re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", word):
            if word not in real:
                yield f"above names {word}, which does not include it"
        elif word in folders and word not in real_folders:
            yield f"above names {word}, in which nobody includes it"


def check_names(key, value, defined, source, pattern):
    listed = {w for w in re.findall(r"\b[A-Z][A-Z0-9_]+\b", value or "") if "_" in w and w != "NOUN_E_X"}
    for name in sorted(defined - listed):
        yield f"{key} leaves out {name}"
    plain = tree.code(source)
    for name in sorted(listed - defined):
        if pattern == "E" or not re.search(rf"\b{name}\b", plain):
            yield f"{key} names {name}, which is not defined here"


def check_header(root, path, table, folders):
    source = tree.text(root, path)
    found = parse(source)
    if not found:
        return ["does not begin with #pragma once and its map"]
    wrong = []
    mine = stem(path)
    if found["noun"] not in (mine, mine.split("/")[-1]):
        wrong.append(f"the map is that of {found['noun']}")
    for key in KEYS[:3]:
        if key not in found:
            wrong.append(f"no {key}")
    real, said = below_of(root, path, source), paths_in(found.get("below"))
    said |= real & set(words(found.get("below")))  # app_internal stands in no folder
    wrong += [f"below leaves out {name}" for name in sorted(real - said - {"app"})]
    wrong += [f"below names {name}, which is not included" for name in sorted(said - real)]
    wrong += check_above(found.get("above"), mine, table, folders)
    wrong += check_names("limits", found.get("limits"), defined_limits(source), source, "MAX")
    wrong += check_names("errors", found.get("errors"), defined_errors(source), source, "E")
    return wrong


def mended(root, path, table):
    """The header with below, limits and errors as they are, and above where it named who is not there."""
    source = tree.text(root, path)
    found = parse(source)
    if not found:
        return source
    mine = stem(path)
    folders = set(tree.RANK) | set(tree.BESIDE) | {"host", "sim", "wifi", "zigbee", "app"}
    lines = {"below": "  ".join(sorted(below_of(root, path, source) - {"app"})) or "-"}
    if any(check_above(found.get("above"), mine, table, folders)):
        real = table.get(mine, set()) - {mine}
        lines["above"] = "  ".join(sorted(real if len(real) <= 6 else {n.split("/")[0] for n in real})) or "-"
    for key, names in (("limits", defined_limits(source)), ("errors", defined_errors(source))):
        if any(check_names(key, found.get(key), names, source, key[0].upper().replace("L", "MAX"))):
            plain = tree.code(source)
            lines[key] = " ".join(sorted(names, key=lambda n: re.search(rf"\b{n}\b", plain).start())) or "-"
    for key, value in lines.items():
        value = f" *   {key:<8}{value}"
        folded = textwrap.fill(value, 128, subsequent_indent=" *           ", break_long_words=False) + "\n"
        old = re.search(rf"^ \*   {key}[ \t].*\n(?: \*[ \t]{{5,}}\S.*\n)*", source, re.M)
        if old:
            source = source[:old.start()] + folded + source[old.end():]
        elif value.split()[-1] != "-":
            last = list(re.finditer(r"^ \*   (?:above|below|owns|limits)[ \t].*\n(?: \*[ \t]{5,}\S.*\n)*", source, re.M))[-1]
            source = source[:last.end()] + folded + source[last.end():]
    return source


def mend(root):
    table = includers(root)
    for path in tree.files(root, ".h", under=("gatewayd",)):
        new = mended(root, path, table)
        if new != tree.text(root, path):
            print("mended", path)
            (pathlib.Path(root) / path).write_text(new)


def check(root, verb=None):
    if verb == "mend":
        mend(root)
    table = includers(root)
    folders = set(tree.RANK) | set(tree.BESIDE) | {"host", "sim", "wifi", "zigbee", "app"}
    found = []
    for path in tree.files(root, ".h", under=("gatewayd",)):
        found += [f"{path}:2: {what}" for what in check_header(root, path, table, folders)]
    return found


if __name__ == "__main__":
    tree.run(check)
