#!/usr/bin/env python3
"""The core opens no network socket, loads no code and starts no process: in its source, and in what it was compiled to.

    symbols.py ROOT [BUILD]     with a build folder, also the undefined symbols of the core's own objects
"""
import pathlib
import re
import subprocess

import tree

SOURCE = (
    r"(?<!inet_pton\()\b(AF_INET6?|PF_INET6?|AF_NETLINK|AF_PACKET|AF_BLUETOOTH|getaddrinfo|gethostby\w+|uv_tcp_\w+|uv_udp_\w+|"
    r"uv_getaddrinfo|uv_spawn|uv_dlopen|dlopen|dlmopen|dlsym|v?fork|execv\w*|execl\w*|fexecve|posix_spawnp?|system|popen)"
    r"\s*[(,)|;]"
)
OBJECT = re.compile(
    r"(dlopen|dlmopen|dlsym|v?fork|clone|execv\w*|execl\w*|fexecve|posix_spawnp?|system|popen|getaddrinfo|"
    r"gethostby\w+|uv_spawn|uv_dlopen|uv_tcp_\w+|uv_udp_\w+|uv_getaddrinfo)(@.*)?"
)


def core_files(root):
    for path in tree.files(root, ".c", ".h", under=("gatewayd",)):
        if path.split("/")[1] not in tree.BESIDE:
            yield path


def check_source(root):
    for path in core_files(root):
        plain = tree.code(tree.text(root, path))
        for m in re.finditer(SOURCE, plain):
            yield f"{path}:{tree.line_of(plain, m.start())}: {m[1]} in the core"


def undefined(path):
    out = subprocess.run(["nm", "--undefined-only", "--format=posix", str(path)],
                         capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in out.splitlines() if " U" in line}


def check_objects(build):
    build = pathlib.Path(build)
    archives = [build / f"libgw-{folder}.a" for folder in tree.RANK]
    for archive in archives:
        if not archive.exists():
            yield f"{archive.name}:1: not built"
            continue
        for name in sorted(undefined(archive)):
            if OBJECT.fullmatch(name):
                yield f"{archive.name}:1: uses {name}"
    core = build / "gatewayd" / "gatewayd"
    if core.exists():
        out = subprocess.run(["nm", "-D", "--undefined-only", "--format=posix", str(core)],
                             capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            if OBJECT.fullmatch(line.split()[0]):
                yield f"gatewayd:1: imports {line.split()[0]}"


def check(root, build=None):
    found = list(check_source(root))
    if build:
        found += check_objects(build)
    return found


if __name__ == "__main__":
    tree.run(check)
