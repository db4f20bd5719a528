"""./dev run as a newcomer meets it: what it prints is true, what it prints to be pasted works, and nothing of it stays behind."""

import contextlib
import glob
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

import pytest
from lib.netns import REPO, wait_until

RUN = os.path.join(REPO, "conf/demo/run")
ENVIRONMENT = {**os.environ, "GW_BUILD": os.environ.get("GW_BUILD") or os.path.join(REPO, "build/release")}
UIDS = range(64100, 64120)
FOLDERS = "/var/tmp/gatewayd-demo-*"
SECONDS = 90


def processes():
    """Of the demo's users: pid and command."""
    found = {}
    for folder in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(OSError), open(folder + "/cmdline", "rb") as text:
            if os.stat(folder).st_uid in UIDS:
                found[int(os.path.basename(folder))] = text.read().replace(b"\0", b" ").decode()
    return found


@pytest.fixture(autouse=True)
def nothing_is_left():
    assert not processes() and not glob.glob(FOLDERS), "a demo is running on this machine already, or has left something"
    yield
    assert not processes()
    assert not glob.glob(FOLDERS)


def run(*arguments):
    return subprocess.run([RUN, *arguments], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)


class Demo:
    """A ./dev run in another terminal."""

    def __init__(self, tmp_path, *arguments):
        self.log = tmp_path / "run.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([RUN, *arguments], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            start_new_session=True)
        self.wait("What happens in the home:")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def text(self):
        return self.log.read_text()

    def wait(self, pattern, timeout=SECONDS):
        def found():
            assert self.process.poll() is None, self.text()
            return re.search(pattern, self.text(), re.MULTILINE)
        return wait_until(found, timeout, f"{pattern} in {self.text()[-500:]}")

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(20)


def paste(line):
    return subprocess.run(["bash", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


def test_check_sends_a_command_through_each_loop():
    for _ in range(2):
        done = run("--check")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        started, small, big = done.stdout.splitlines()
        assert re.fullmatch(r"started in \d+\.\d\d s", started)
        assert re.fullmatch(r"small loop: .* in \d+\.\d ms", small)
        assert re.fullmatch(r"big loop: .* in \d+\.\d ms", big)
        assert not processes() and not glob.glob(FOLDERS)
    print(f"the second time it {started}")


def test_what_is_printed_to_be_pasted_works_and_is_seen(tmp_path):
    with Demo(tmp_path) as demo:
        assert demo.text().count(" pid ") == 8
        pids = {int(pid): int(uid) for pid, uid in re.findall(r"pid (\d+) +uid (\d+)", demo.text())}
        assert len(set(pids.values())) == 8 and set(pids) == set(processes())
        login, listing, order = re.search(r"^Try in another terminal:\n  (.*)\n  (.*)\n  (.*)\n", demo.text(), re.MULTILINE).groups()
        said = paste(login)
        assert said.returncode == 0 and "anna" in said.stdout, said
        said = paste(listing)
        assert said.returncode == 0
        for name in ("lamp-1", "plug-1", "contact-1", "climate-1", "lock-1", "Kettle"):
            assert re.search(rf"^{name} +.* ours +anna ", said.stdout, re.MULTILINE), said.stdout
        said = paste(order)
        assert said.returncode == 0, said
        demo.wait(r"^\d\d:\d\d:\d\d  lamp-1 +on-off on$", 10)
        demo.wait(r"^\d\d:\d\d:\d\d  climate-1 +.*temperature \d+(\.\d+)? °C", 20)
        # kill what you like
        core = next(int(pid) for pid in re.findall(r"gatewayd +pid (\d+)", demo.text()))
        os.kill(core, signal.SIGKILL)
        demo.wait(r"gatewayd had ended \(killed by SIGKILL\): started again", 10)
        wait_until(lambda: paste(listing.replace("device list", "hello")).returncode == 0, 15, "the core to be back")
        place = demo.text()
        demo.wait(re.escape(place) + r"(.*\n)*\d\d:\d\d:\d\d  climate-1 ", 30)
        assert demo.end(signal.SIGINT) == 0
        assert demo.text().endswith("stopping\n") and "Traceback" not in demo.text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_of_stopping_it(tmp_path, number):
    with Demo(tmp_path) as demo:
        assert demo.end(number) == 128 + number
        assert "Traceback" not in demo.text()


def test_killed_it_leaves_no_process_and_the_next_one_tidies_up(tmp_path):
    with Demo(tmp_path) as demo:
        demo.end(signal.SIGKILL)
    wait_until(lambda: not processes(), 10, "its processes to end")
    assert glob.glob(FOLDERS)
    assert run("--check").returncode == 0


@pytest.mark.parametrize("port", [8883, 8884])
def test_a_port_in_use_is_named_in_one_line(port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        started = time.monotonic()
        done = run("--check")
        assert done.returncode == 1 and done.stdout == ""
        assert re.fullmatch(rf"run: port {port}, .* is in use .*\n", done.stderr)
        print(f"said after {time.monotonic() - started:.2f} s")


def test_a_home_that_is_kept():
    with tempfile.TemporaryDirectory(prefix="gwkept-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        for _ in range(2):
            done = run("--keep", folder + "/home", "--check")
            assert done.returncode == 0, done.stdout + done.stderr
        assert os.path.exists(folder + "/home/state")
