"""machine - a Linux of its own for one program: User-Mode Linux, or QEMU without a processor's help where that does not boot.

    Uml(kernel).run("bench_bleak", out, clock="virtual", seconds=60) -> Outcome     tests/radio/bench_bleak.py ran in it; its files are in out

The host's root is the machine's root, read-only (boot.sh), so what was just built is there under the same path. No network,
one processor, no privilege needed. Clocks: "real"; "virtual", where waiting costs nothing and computing costs what it costs;
"free", where computing costs nothing, either, and a loop that spins on the clock stops time.
"""

import os
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
CLOCKS = {"real": [], "virtual": ["time-travel"], "free": ["time-travel=inf-cpu"]}


class Outcome:
    def __init__(self, out, scenario, seconds, console):
        self.seconds, self.console = seconds, console
        self.code = read(f"{out}/{scenario}.code").strip()
        self.log = read(f"{out}/{scenario}.log")

    @property
    def booted(self):
        return self.code != ""

    def lines(self):
        """(good, words) of each check."""
        found = [line.split(" - ", 1) for line in self.log.splitlines() if line.startswith(("ok ", "not ok ")) and " - " in line]
        return [(head.startswith("ok"), words) for head, words in found]


class Uml:
    kind = "uml"

    def __init__(self, kernel):
        self.kernel = kernel

    def run(self, scenario, out, clock="real", seconds=60, **env):
        argv = [self.kernel, "mem=512M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE}/boot.sh", "con0=null,fd:1", "con=null", "ssl=null", "quiet",
                "panic=1", *CLOCKS[clock], *boot_words(self.kind, scenario, out, env)]
        return attend(argv, scenario, out, seconds)


class Qemu:
    """Without KVM: each instruction is translated. Its clock is the real one, whatever is asked for."""

    kind = "qemu"
    SLOWER = 5

    def __init__(self, folder):
        done = subprocess.run([f"{HERE}/qemu.sh", folder], stdout=subprocess.PIPE, text=True, check=True)
        self.kernel, self.initrd = done.stdout.split()

    def run(self, scenario, out, clock="real", seconds=60, **env):
        del clock
        words = ["console=ttyS0", "quiet", "panic=-1", "mitigations=off", *boot_words(self.kind, scenario, out, env)]
        argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", "q35", "-cpu", "max", "-smp", "2", "-m", "768", "-nodefaults", "-no-user-config",
                "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", self.kernel, "-initrd", self.initrd,
                "-fsdev", "local,id=r,path=/,security_model=none,readonly=on,multidevs=remap", "-device", "virtio-9p-pci,fsdev=r,mount_tag=root9p",
                "-fsdev", f"local,id=o,path={out},security_model=none", "-device", "virtio-9p-pci,fsdev=o,mount_tag=out9p", "-append", " ".join(words)]
        return attend(argv, scenario, out, seconds * self.SLOWER)


def boot_words(kind, scenario, out, env):
    words = {"RADIO_KIND": kind, "RADIO_OUT": out, "RADIO_TREE": TREE, "RADIO_RUN": scenario, **env}
    return [f"{key}={value}" for key, value in words.items()]


def attend(argv, scenario, out, seconds):
    """SIGTERM when it takes too long: a kernel killed outright leaves its processes behind."""
    start = time.monotonic()
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    with open(f"{out}/{scenario}.console", "wb") as console:
        machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=out, env={**os.environ, "HOME": out})
        try:
            machine.wait(seconds)
        except subprocess.TimeoutExpired:
            machine.terminate()
            try:
                machine.wait(10)
            except subprocess.TimeoutExpired:
                machine.kill()
                machine.wait()
        except BaseException:
            machine.terminate()
            machine.wait()
            raise
    return Outcome(out, scenario, time.monotonic() - start, read(f"{out}/{scenario}.console"))


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
