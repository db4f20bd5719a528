"""machine - a small Debian with systemd as PID 1 in a podman container, to install packages in.

The image has what the packages depend on, so that dpkg needs no archive; it is made once for a list of packages and kept under build/.
The container has no network but its own loopback.
"""

import hashlib
import json
import os
import shutil
import subprocess

from . import netns
from .broker import podman
from .netns import PREFIX, REPO, RUN_DIR, LabError, podman_env, sh, wait_until

IMAGE = "localhost/gwlab-debian"
BASE = ["systemd", "systemd-sysv"]
RECIPE = [
    "--variant=minbase",
    "--customize-hook=rm -rf \"$1\"/usr/share/doc/* \"$1\"/usr/share/man/* \"$1\"/usr/share/locale/* \"$1\"/var/lib/apt/lists/*",
    "--customize-hook=: >\"$1\"/etc/machine-id",
]


def image(packages):
    """Name of an image with these packages; made when there is none yet."""
    packages = sorted({*BASE, *packages})
    key = hashlib.sha256(json.dumps([packages, RECIPE]).encode()).hexdigest()[:16]
    name = f"{IMAGE}:{key}"
    folder = os.path.join(REPO, "build/images")
    file = f"{folder}/{key}.tar"
    with netns.one_at_a_time("image"):
        if name in podman("images", "--format", "{{.Repository}}:{{.Tag}}").split():
            return name
        if not os.path.exists(file):
            forget(folder)
            sh("mmdebstrap", "--quiet", *RECIPE, f"--include={','.join(packages)}", "bookworm", f"{file}.new.tar", timeout=400)
            os.rename(f"{file}.new.tar", file)
        podman("import", "-q", file, name, timeout=120)
    return name


def forget(folder):
    """Images of other lists of packages; one that a machine runs on stays."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for old in podman("images", "--format", "{{.Repository}}:{{.Tag}}").split():
        if old.startswith(IMAGE + ":"):
            podman("rmi", old, check=False)


class Machine:
    """One machine, running. shared: {path inside: folder outside}, read-only."""

    def __init__(self, packages, shared=None):
        self.image = image(packages)
        netns.sweep()
        self.run = f"{PREFIX}{os.getpid()}-machine"
        self.folder = f"{RUN_DIR}/{self.run}"
        self._lock = netns.hold(self.folder)
        self.name = f"{self.run}-1"
        volumes = [word for inside, outside in (shared or {}).items() for word in ("-v", f"{outside}:{inside}:ro")]
        try:
            # --cgroupns=private: limits are enforced, and the machine's own control groups are left alone. --privileged: units with
            # mounts of their own can be started.
            podman("run", "-d", "--name", self.name, "--network=none", "--systemd=always", "--privileged", "--cgroupns=private", *volumes,
                   self.image, "/sbin/init", timeout=120)
            self.pid = int(podman("inspect", "-f", "{{.State.Pid}}", self.name))
            wait_until(lambda: self.sh("systemctl is-system-running", check=False).strip() in ("running", "degraded"), 30, "the machine to boot", step=0.2)
        except BaseException:
            self.close()
            raise

    def close(self):
        netns.remove_run(self.run)
        os.close(self._lock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def sh(self, script, check=True, timeout=60):
        """A shell script inside, as root; returns what it printed."""
        done = subprocess.run(["podman", "exec", "-i", self.name, "/bin/sh", "-eu"], input=script, text=True, capture_output=True, timeout=timeout,
                              env=podman_env())
        if check and done.returncode != 0:
            raise LabError(f"{script.strip()}: exit {done.returncode}: {done.stderr.strip()} {done.stdout.strip()}")
        return done.stdout

    def path(self, inside):
        """A path of the machine, as seen from here: files can be read and sockets be connected to."""
        return f"/proc/{self.pid}/root{inside}"

    def write(self, inside, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(self.path(inside), mode)

    def show(self, units, *properties):
        """{unit: {property: text}}"""
        out = self.sh(f"systemctl show -p {','.join(('Id', *properties))} {' '.join(units)}")
        shown = {}
        for block in out.strip().split("\n\n"):
            values = dict(line.split("=", 1) for line in block.splitlines())
            shown[values.pop("Id")] = values
        return shown

    def journal(self, unit, since=None):
        """Lines that the unit has logged; since: a place that mark() gave."""
        after = f"--after-cursor='{since}'" if since else ""
        return self.sh(f"journalctl -q -o cat --no-pager {after} -u '{unit}'").splitlines()

    def mark(self):
        """A place in the journal, for since=."""
        shown = self.sh("journalctl -q -n 0 --show-cursor --no-pager")
        return shown.split("-- cursor: ", 1)[1].strip()
