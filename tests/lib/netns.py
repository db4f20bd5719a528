"""netns - network namespaces and the processes in them.

Everything a test builds has a name that starts with PREFIX and lives under RUN_DIR; so what a killed run left behind can be found and
removed by the next one. A run holds a lock on its folder for as long as it lives: the kernel lets go of the lock when the process dies,
however it dies, so a folder whose lock can be taken is a leftover. (A pid in the name is for people; pids are used again.)
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import time

PREFIX = "gwlab-"
RUN_DIR = "/run"
NETNS_DIR = "/run/netns"
CLONE_NEWNET = 0x40000000
REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(RuntimeError):
    """A tool of the laboratory failed; the text has the command and what it said."""


def sh(*argv, check=True, timeout=60, env=None, stdin=None):
    """Run a command to its end; returns its standard output."""
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL if stdin is None else None, input=stdin, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, env=env)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()} {done.stdout.strip()}")
    return done.stdout


def wait_until(predicate, timeout=10.0, what="condition", step=0.02):
    """Poll until predicate() is true and return its value; LabError after timeout."""
    end = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= end:
            raise LabError(f"waited {timeout} s for {what}")
        time.sleep(step)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(netns):
    """The calling thread makes its sockets in that namespace; a socket stays in the one it was made in."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    away = -1
    try:
        away = os.open(f"{NETNS_DIR}/{netns}", os.O_RDONLY | os.O_CLOEXEC)
        _setns(away)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)
        if away >= 0:
            os.close(away)


def nsenter(netns, *argv):
    """argv as run inside the namespace. Not `ip netns exec`, which mounts /sys again and hides the control groups."""
    return ["nsenter", f"--net={NETNS_DIR}/{netns}", "--", *argv]


def pids_in(netns):
    if not os.path.exists(f"{NETNS_DIR}/{netns}"):
        return []
    return [int(word) for word in sh("ip", "netns", "pids", netns, check=False).split()]


def kill_all_in(netns, timeout=5.0):
    """End every process in a namespace of ours. Safe by construction: nobody else's process is in there."""
    end = time.monotonic() + timeout
    while True:
        pids = [pid for pid in pids_in(netns) if pid != os.getpid()]
        if not pids:
            return
        if time.monotonic() > end:
            raise LabError(f"processes {pids} in {netns} do not die")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _locked(path, how):
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, how)
    except BaseException:
        os.close(fd)
        raise
    return fd


@contextlib.contextmanager
def one_at_a_time(what):
    """A lock between processes, for what labs share: births and sweeps, building the image."""
    fd = _locked(f"{RUN_DIR}/gatewayd-lab-{what}.lock", fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


def hold(folder):
    """Make the run's folder and lock it; returns the lock's descriptor. A sweep never sees a folder that is not locked yet."""
    with one_at_a_time("birth"):
        os.makedirs(folder, mode=0o755)
        return _locked(folder + "/lock", fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_dead(folder):
    try:
        fd = os.open(folder + "/lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(fd)


def names_of(run):
    """The namespaces of one run."""
    if not os.path.isdir(NETNS_DIR):
        return []
    return sorted(name for name in os.listdir(NETNS_DIR) if name.startswith(run + "-"))


def mounts_under(folder):
    """Innermost first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        found = [line.split()[4] for line in mounts]
    return [path for path in reversed(found) if path.startswith(folder + "/")]


def remove_run(run):
    """Remove all that one run owns. Safe to repeat; goes on where a step fails and reports the first failure at the end."""
    failures = []

    def attempt(step, *args, **kwargs):
        try:
            step(*args, **kwargs)
        except (LabError, OSError, subprocess.SubprocessError) as error:
            failures.append(error)

    attempt(remove_containers, run)
    for netns in names_of(run):
        attempt(kill_all_in, netns)
        attempt(sh, "ip", "netns", "del", netns)
    for mount in mounts_under(f"{RUN_DIR}/{run}"):
        attempt(sh, "umount", mount)
    # The folder goes last: as long as it is there, the next sweep tries again.
    folder = f"{RUN_DIR}/{run}"
    if os.path.isdir(folder) and not failures:
        attempt(shutil.rmtree, folder)
    if failures:
        raise LabError(f"could not remove {run}: {failures[0]}")


def remove_containers(run):
    if not shutil.which("podman"):
        return
    out = sh("podman", "ps", "-a", "-q", "--filter", f"name=^{run}-", env=podman_env())
    if out.split():
        sh("podman", "rm", "-f", "-t", "0", *out.split(), env=podman_env())


def sweep():
    """Remove what runs that are no longer alive left behind."""
    with one_at_a_time("birth"):
        for run in sorted(os.listdir(RUN_DIR)):
            if run.startswith(PREFIX) and os.path.isdir(f"{RUN_DIR}/{run}") and _is_dead(f"{RUN_DIR}/{run}"):
                remove_run(run)


def compiled(source, *flags, package=None):
    """A C file of the repository made into a program (or, by flags, a shared object); kept as long as source and flags stay the same."""
    path = os.path.join(REPO, source)
    with open(path, "rb") as text:
        name = hashlib.sha256(text.read() + repr(flags).encode()).hexdigest()[:16]
    target = f"{RUN_DIR}/gatewayd-lab-{os.path.basename(source)}-{name}"
    if not os.path.exists(target):
        flags = [*flags, *(sh("pkg-config", "--cflags", "--libs", package).split() if package else [])]
        sh("gcc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", path, "-o", f"{target}.{os.getpid()}", *flags)
        os.rename(f"{target}.{os.getpid()}", target)
    return target


# podman on a machine without CAP_SYS_RESOURCE and with mixed control groups needs these; on a normal one they do no harm.
CONTAINERS_CONF = """\
[containers]
default_ulimits = [ "nofile=1024:20000", "nproc=16384:16384" ]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
CONF_FILE = "/run/gatewayd-lab-containers.conf"


def podman_env():
    if not os.path.exists(CONF_FILE) or open(CONF_FILE, encoding="utf-8").read() != CONTAINERS_CONF:
        temporary = f"{CONF_FILE}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as out:
            out.write(CONTAINERS_CONF)
        os.rename(temporary, CONF_FILE)
    return {**os.environ, "CONTAINERS_CONF": CONF_FILE}
