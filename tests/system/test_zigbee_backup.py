"""A network goes from our radio to zigbee-herdsman and back, by backups alone: three sticks, one after the other, and no device notices.

Our radio is tests/sim/znp_drive; the network is the simulator that zigbee-herdsman has accepted (tests/sim). Takes eight seconds.
"""

import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

import pytest
from lib.netns import REPO
from lib.zigbee import SIM, node

BUILD = os.environ.get("GW_BUILD_DEV") or os.path.join(REPO, "build/dev")
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
DEVICES = ("outlet", "climate", "bulb")


class Simulator:
    def __init__(self, folder):
        if not (SIM / "node_modules/.package-lock.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SIM, check=True, stdout=subprocess.DEVNULL)
        self.control = f"{folder}/control.sock"
        self.process = subprocess.Popen([node(), str(SIM / "znp/main.mjs"), "--serial", "0", "--control", self.control], stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["serial"]

    def ask(self, **request):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(self.control)
            control.sendall(json.dumps({"id": 1, **request}).encode() + b"\n")
            answer = json.loads(control.makefile().readline())
        assert answer.get("ok"), answer
        return answer

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


class Drive:
    """Our radio; say() a line, hear() until one begins with a word."""

    def __init__(self, port):
        self.process = subprocess.Popen([f"{BUILD}/tests/sim/znp_drive", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.text = b""
        self.heard = []

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self, word, within_s=15):
        end = time.monotonic() + within_s
        while True:
            while b"\n" in self.text:
                line, self.text = self.text.split(b"\n", 1)
                self.heard.append(line.decode())
                if self.heard[-1].split(" ")[0] == word:
                    return self.heard[-1]
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {word}: {self.heard}"
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, f"it ended: {self.process.wait()}: {self.heard}"
            self.text += more

    def done(self, line):
        """Said, and how it ended."""
        self.say(line)
        cookie = self.hear("taken").split(" ")[1]
        while True:
            words = self.hear("done").split(" ")
            if words[1] == cookie:
                return int(words[3])

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def facts(line):
    words = line.split(" ")[1:]
    return dict(zip(words[::2], words[1::2]))


@pytest.fixture
def sim(tmp_path):
    one = Simulator(tmp_path)
    yield one
    one.close()


def test_there_and_back(sim, tmp_path):
    file = str(tmp_path / "backup.json")
    drive = Drive(sim.port)
    drive.say(f"begin form 15 {KEY} 1a62 a1b2c3d4e5f60718")
    ours = facts(drive.hear("ready"))
    assert (ours["pan"], ours["ext"], ours["channel"], ours["key"]) == ("1a62", "a1b2c3d4e5f60718", "15", KEY)
    assert drive.done("permit 60") == 0
    for name in DEVICES:
        nwk = sim.ask(op="join", device=name)["nwk"]
        assert facts(drive.hear("joined"))["nwk"] == f"{nwk:04x}"
    drive.say(f"keep {file}")
    assert drive.hear("kept").endswith(f"status 0 devices {len(DEVICES)}")
    drive.close()
    assert sim.ask(op="keys")["wrong"] == []
    first = json.loads(pathlib.Path(file).read_text())

    # A new stick, and somebody else's software takes what we wrote.
    sim.ask(op="coordinator", what="replace", ieee="0x00124b0000000002")
    result = subprocess.run([node(), str(SIM / "herdsman_backup.mjs"), str(sim.port), file], check=True, capture_output=True, text=True, timeout=60)
    theirs = json.loads(result.stdout)
    assert theirs["started"] == "restored"
    assert (theirs["network"]["panID"], theirs["network"]["extendedPanID"], theirs["network"]["channel"]) == (0x1A62, "0xa1b2c3d4e5f60718", 15)
    assert sim.ask(op="keys")["wrong"] == []
    second = theirs["backup"]
    assert second["coordinator_ieee"] == first["coordinator_ieee"]
    assert {d["ieee_address"]: d["link_key"]["key"] for d in second["devices"]} == {d["ieee_address"]: d["link_key"]["key"] for d in first["devices"]}

    # Another new stick, and we take what they wrote; a lamp does what we say.
    sim.ask(op="coordinator", what="replace", ieee="0x00124b0000000003")
    drive = Drive(sim.port)
    drive.say("begin resume")
    assert facts(drive.hear("foreign"))["pan"] == "ffff"
    drive.say(f"begin restore {file}")
    again = facts(drive.hear("ready"))
    assert (again["pan"], again["ext"], again["eui"], again["channel"], again["key"]) == (ours["pan"], ours["ext"], ours["eui"], "15", KEY)
    counters = [first["network_key"]["frame_counter"], second["network_key"]["frame_counter"], int(again["counter"])]
    assert counters == sorted(set(counters))
    assert sim.ask(op="keys")["wrong"] == []
    nwk = next(d["nwk"] for d in sim.ask(op="list")["devices"] if d["name"] == "outlet")
    assert drive.done(f"send unicast {nwk:04x} 1 6 010a01") == 0
    assert sim.ask(op="wait", device="outlet", attr="onOff.onOff", value=True)
    drive.close()


def test_what_a_stick_does_at_work(sim, tmp_path):
    """Data of every size, questions, a restart by itself: against somebody else's idea of the firmware."""
    drive = Drive(sim.port)
    drive.say(f"begin form 20 {KEY}")
    drive.hear("ready")
    assert drive.done("permit 60") == 0
    nwk = sim.ask(op="join", device="outlet")["nwk"]
    drive.hear("announce")
    for question, answer in (("node", "node 1 manufacturer 117c"), ("endpoints", " 1"), ("neighbours", "total 1 start 0 n 1")):
        to = 0 if question == "neighbours" else nwk
        drive.say(f"ask {question} {to:04x} 0")
        assert answer in drive.hear("answer")
    # So many attributes that question and answer do not fit into a frame, nor the next question into a request.
    assert drive.done(f"send unicast {nwk:04x} 1 0 000100" + "0400" * 40) == 0
    answer = facts(drive.hear("message"))
    assert int(answer["len"]) == len(answer["data"]) // 2 == 3 + 40 * (4 + 14 + 1)
    assert drive.done(f"send unicast {nwk:04x} 1 0 000200" + "ee00" * 300) == 0
    assert drive.done("send unicast 7777 1 6 010a01") == 2
    # In a group, out of it, and out of it once more; a code that the stick takes as it is, and one of which it gets the key.
    assert [drive.done(f"group 5 1 {member}") for member in (1, 1, 0, 0)] == [0, 0, 0, 0]
    for code in ("83FE-D340-7A93-9723-A5C6-39B2-6916-D505-C3B5", "83FE-D340-7A93-2B70"):
        assert drive.done(f"code 00124b0000000099 {code}") == 0
    sim.ask(op="coordinator", what="reset")
    assert drive.hear("reset") == "reset it restarted by itself"
    drive.hear("ready")
    assert drive.done(f"send unicast {nwk:04x} 1 6 010b02") == 0
    drive.close()
