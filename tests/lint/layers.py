#!/usr/bin/env python3
"""Includes look down only; a library's header stays in the folder that owns the library; files and functions are short."""
import pathlib
import re

import tree

FILE_MAX = 650
FUNCTION_MAX = 80

# Header -> folders that may include it. "plugins" is any plugin: it brings its own libraries.
LIBRARIES = [
    (r"uv\.h|uv/|sqlite3|openssl/|sodium|yaml\.h|jansson", {"sys", "plugins"}),
    (r"mosquitto|mqtt_protocol", {"linkd", "ctl", "plugins"}),
    (r"libwebsockets|lws", {"api"}),
    (r"seccomp\.h|linux/landlock|dlfcn\.h", {"sys", "host", "plugins"}),
    (r"dbus/|gio/|glib", {"plugins"}),
]

# A plugin may use another's codecs when it carries the same words another way; never its state.
LENT = {("wifi", "shelly/rpc.h"), ("wifi", "shelly/status.h")}


def place(path):
    """(folder, rank of what it may include, may it include its own rank's row?)"""
    parts = path.split("/")
    if parts[0] == "plugins":
        return parts[1], tree.GROUND_RANK
    if len(parts) == 2:
        return "app", tree.APP_RANK - 1
    folder = parts[1]
    if folder in tree.BESIDE:
        return folder, tree.GROUND_RANK
    if folder in tree.RANK:
        return folder, tree.RANK[folder] - 1
    return folder, None


def check_include(path, line, name, root, folder, highest):
    target = name.split("/")[0]
    if "/" not in name:
        if folder != "app" or not (pathlib.Path(root) / "gatewayd" / name).exists():
            return f'{path}:{line}: "{name}" without its folder'
        return None
    if target == folder:
        return None
    if target == "sdk":
        return None if path.startswith("plugins/") else f"{path}:{line}: the plugin header outside of plugins/"
    if (folder, name) in LENT and path.startswith("plugins/"):
        return None
    if target not in tree.RANK:
        return f"{path}:{line}: {folder} may not include {name}"
    if tree.RANK[target] > highest:
        word = "its peer" if highest + 1 == tree.RANK[target] else "upwards"
        return f"{path}:{line}: {folder} includes {name}, {word}"
    return None


def long_functions(path, source):
    start = None
    for number, line in enumerate(tree.code(source).split("\n"), 1):
        if line.startswith("{") or (re.match(r"\w.*\)\s*\{$", line) and start is None):
            start = number
        elif line.startswith("}") and start:
            if number - start > FUNCTION_MAX:
                yield f"{path}:{start}: a function of {number - start} lines, at most {FUNCTION_MAX}"
            start = None


def rows_of_meson(source):
    table = re.search(r"^gw_rows = \[\n(.*?)^\]", source, re.M | re.S)
    return [re.findall(r"'(\w+)'", line) for line in table[1].splitlines()] if table else []


def check(root):
    found = []
    if rows_of_meson(tree.text(root, "meson.build")) != tree.ROWS:
        found.append("meson.build:1: its rows are not those of this lint")
    for path in tree.files(root, ".c", ".h", under=("gatewayd", "plugins")):
        source = tree.text(root, path)
        folder, highest = place(path)
        if highest is None:
            found.append(f"{path}:1: folder {folder} is in no row")
            continue
        for line, name in tree.includes(source):
            wrong = check_include(path, line, name, root, folder, highest)
            if wrong:
                found.append(wrong)
        mine = {folder, "plugins"} if path.startswith("plugins/") and folder != "host" else {folder}
        for line, name in tree.library_includes(source):
            for pattern, allowed in LIBRARIES:
                if re.match(pattern, name) and not mine & allowed:
                    found.append(f"{path}:{line}: <{name}> outside of {', '.join(sorted(allowed))}")
    for path in tree.files(root, ".c", ".h", under=("gatewayd", "plugins", "tests")):
        source = tree.text(root, path)
        lines = source.count("\n")
        if lines > FILE_MAX:
            found.append(f"{path}:1: {lines} lines, at most {FILE_MAX}: more than one story?")
        found.extend(long_functions(path, source))
    return found


if __name__ == "__main__":
    tree.run(check)
