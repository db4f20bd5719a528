"""A window and a radio as a person has them, by gatewayctl against the running daemons: what is said on a terminal, what is printed on a device, Ctrl-C,
a backup and back; and that none of the secrets is found where it must not be. About 9 s."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import time

import pytest
from lib.house import House
from lib.netns import wait_until

PASSWORD = "a long enough one"
CODE = "83FE-D340-7A93-9723-A5C6-39B2-6916-D505-C3B5"
PASSKEY = "047293"
NETWORK_KEY = "5117ca11edbadbadbadbadbadbad51"


@pytest.fixture(scope="module")
def house():
    code = CODE.replace("-", "").lower()
    options = f'devices: "contact=1", period_ms: "60000", spare: contact, spares: "2", passkey: "{PASSKEY}", join_code: "{code}", join_ms: "3600", backup_bytes: "100000"'
    with House(options=options) as one:
        one.start_all()
        one.ctl("setup", "anna", secret=PASSWORD + "\n")
        one.ctl("login", "anna", secret=PASSWORD + "\n")
        wait_until(lambda: json.loads(one.ctl("device", "list"))["devices"], 15, "the simulated home")
        yield one


class Terminal:
    """gatewayctl on a terminal of its own."""

    def __init__(self, house, *words):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.execve(house.folder + "/gatewayctl", ["gatewayctl", "--socket", house.folder + "/run/door.sock", *words],
                      {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": house.folder + "/ctl"})
        self.pid, self.text, self.code = pid, "", None

    def read(self, seconds=0.1):
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            if not data:
                self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                os.close(self.fd)
                return
            self.text += data.decode()

    def until(self, words, seconds=20):
        end = time.monotonic() + seconds
        while words not in self.text and self.code is None and time.monotonic() < end:
            self.read()
        assert words in self.text, f"no {words!r} in:\n{self.text}"

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self, seconds=20):
        stop = time.monotonic() + seconds
        while self.code is None and time.monotonic() < stop:
            self.read()
        assert self.code is not None, self.text
        return self.code


def test_a_window_on_a_terminal(house):
    wrong = Terminal(house, "join", "open", "sim", "seconds=30")
    wrong.until("did not join: it wants its install code")
    assert re.search(r"0:[0-3]\d left, Ctrl-C ends", wrong.text)
    os.kill(wrong.pid, signal.SIGINT)
    wrong.until("The window is closed")
    assert wrong.end() == 0
    assert [a["open_s"] for a in json.loads(house.ctl("join", "status"))["adapters"]] == [0]
    window = Terminal(house, "join", "open", "sim", "seconds=60", "secret=ask")
    window.until("What is printed on the device: ")
    window.type(CODE + "\n")
    window.until("is telling what it is")
    window.until(f"enter or compare on the device: {PASSKEY}")
    window.until("and waits for you")
    window.read(1)
    assert CODE not in window.text and "new contact" in window.text
    # Joined: the digits are over.
    assert PASSKEY not in house.ctl("join", "status")
    window.type("\x03")
    window.until("The window is closed")
    assert window.end() == 0
    assert len([d for d in json.loads(house.ctl("claim", "list"))["devices"]]) == 3


def test_what_is_printed_comes_from_a_file_too(house, tmp_path):
    (tmp_path / "code").write_text(CODE + "\n")
    house.ctl("join", "open", "sim", "seconds=5", f"secret={tmp_path}/code")
    house.ctl("join", "open", "sim", "seconds=5", "secret=-", secret=CODE + "\n")
    house.ctl("join", "open", "sim", "seconds=5", f"secret={tmp_path}/none", code=1)
    house.ctl("join", "open", "sim", "seconds=5", "address=lamp", code=1)
    text = house.ctl("join", "open", "sim", "seconds=1", "follow=yes")
    assert '"error"' not in text
    house.ctl("join", "follow", "sim")
    # Nobody is left who could join; those that did are remembered for a while.
    assert "ready" in house.ctl("join", "status")


def test_a_radio(house, tmp_path):
    assert json.loads(house.ctl("radio", "info", "sim"))["channel"] == 15
    assert json.loads(house.ctl("radio", "map", "sim"))["links"][0]["relation"] == "child"
    plain = subprocess.run([house.folder + "/gatewayctl", "--socket", house.folder + "/run/door.sock", "radio", "map", "sim"], capture_output=True, text=True, check=True,
                           env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": house.folder + "/ctl"}).stdout
    assert re.search(r"^the coordinator +simulated 0 +200 +child$", plain, re.M), plain
    backup = tmp_path / "backup"
    house.ctl("radio", "backup", "sim", str(backup), secret="wrong\n", code=1)
    assert not backup.exists()
    house.ctl("radio", "backup", "sim", str(backup), secret=PASSWORD + "\n")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    text = backup.read_text()
    assert len(text) == 100000 and NETWORK_KEY in text
    house.ctl("radio", "backup", "sim", str(backup), secret=PASSWORD + "\n", code=1)
    house.ctl("radio", "backup", "sim", str(backup), "force=yes", secret=PASSWORD + "\n")
    house.ctl("radio", "channel", "sim", "20")
    house.ctl("radio", "form", "sim", secret="no\n", code=1)
    house.ctl("radio", "form", "sim", "channel=11", "sure=yes", secret=PASSWORD + "\n")
    assert json.loads(house.ctl("radio", "info", "sim"))["pan"] == "0x1a63"
    house.ctl("radio", "restore", "sim", str(backup), secret="no\n", code=1)
    house.ctl("radio", "restore", "sim", str(backup), secret=f"yes\n{PASSWORD}\n")
    assert json.loads(house.ctl("radio", "info", "sim"))["channel"] == 15
    (tmp_path / "bad").write_text("{}")
    assert json.loads(house.ctl("radio", "restore", "sim", str(tmp_path / "bad"), "sure=yes", secret=PASSWORD + "\n", code=1).splitlines()[0])["code"] == "bad-value"
    house.ctl("radio", "adopt", "sim", "sure=yes")


def test_the_record_has_what_was_done_and_no_secret(house):
    record = house.ctl("audit", "tail", "last=200")
    for words in ("radio.backup", "radio.restore", "radio.form", "radio.adopt", "join.open"):
        assert words in record, words
    log = house.log()
    code = CODE.replace("-", "")
    for secret in (PASSKEY, NETWORK_KEY, CODE, code, code.lower()):
        assert secret not in record and secret not in log, secret
