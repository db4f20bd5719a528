"""gatewayd-link against real brokers over TLS, with a core played by tests/lib.link_core.py, and a platform played by another MQTT library."""

import json
import os
import pathlib
import shutil
import time

import pytest
from lib.brokers import cloud_broker
from lib.netns import LabError
from lib.platform import Platform
from lib.link_core import CONNECTED, IDENTITY, REFUSED, REPORT, LinkCore, description

UID = 61001
BUILD = os.environ.get("GW_BUILD_ROOT", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "dev"))
LINK = os.path.join(BUILD, "gatewayd-link")
BASE = "gatewayd/link-cloud"
LAMP, PLUG = "0123456789abcdef00000001", "0123456789abcdef00000002"
ON_OFF, LEVEL, TEMPERATURE = 1, 2, 64
BOOL, INT, REAL, TEXT = 1, 2, 3, 4
R, RW = 5, 7
LAMP_CAPS = {1: [(ON_OFF, BOOL, RW), (LEVEL, INT, RW, 1)]}


class Bench:
    """A lab with a core and, when start() is called, the link under test as its own user with its own key."""

    def __init__(self, lab, pki):
        self.lab, self.pki = lab, pki
        self.folder = f"{lab.folder}/link"
        os.mkdir(self.folder, 0o755)
        for name in ("cloud-ca.crt", "link-cloud.crt", "link-cloud.key", "stranger.crt", "stranger.key", "home-ca.crt"):
            shutil.copyfile(pki.path(name), f"{self.folder}/{name}")
            os.chown(f"{self.folder}/{name}", UID, UID)
            os.chmod(f"{self.folder}/{name}", 0o600)
        self.core = LinkCore(f"{lab.folder}/wire.sock")
        self.daemon = None

    def options(self, *endpoints, profile="native", cert="link-cloud", **more):
        rows = [("profile", profile), ("client-id", "link-cloud"), ("base-topic", "gatewayd"), ("ca", f"{self.folder}/cloud-ca.crt"),
                ("cert", f"{self.folder}/{cert}.crt"), ("key-file", f"{self.folder}/{cert}.key"), ("keepalive-s", "10")]
        rows += [("endpoint", endpoint) for endpoint in endpoints or ("mqtts://cloud.test:8883",)]
        self.core.options = rows + [(key.replace("_", "-"), value) for key, value in more.items()]
        return self

    def start(self, wait=True):
        self.core.listen()
        self.daemon = self.lab.daemon("link", [LINK, "cloud", "--socket", self.core.path], uid=UID)
        if wait:
            self.core.wait_ready()
        return self

    def close(self):
        self.core.close()


@pytest.fixture
def bench(lab, pki):
    one = Bench(lab, pki)
    yield one
    one.close()


@pytest.fixture
def platform(lab, pki):
    return Platform(lab, pki)


def command(number=1, **changes):
    now = int(time.time() * 1000)
    return {"id": f"c{number}", "sender": "app", "issued_at": now, "not_after": now + 5000, "counter": number, "device": LAMP, "capability": "on-off",
            "value": True, **changes}


def listen(platform):
    for topic in ("state", "devices/+", "events", "answers"):
        assert platform.subscribe(f"gatewayd/+/{topic}") == [1]
    return platform


def test_the_big_loop(lab, pki, bench, platform):
    """Online, descriptions, events, acknowledgements, commands, answers, time; offline when the core dies, and all again when it is back."""
    cloud_broker(lab, pki)
    core = bench.options().core
    with platform:
        listen(platform)
        bench.start()
        core.wait_state(connected=True, reason=CONNECTED)
        platform.wait_for(f"{BASE}/state", match=lambda m: m.json == {"state": "online"})

        core.device(LAMP, LAMP_CAPS, name='La"mp/+#', room="Hall")
        told = platform.wait_for(f"{BASE}/devices/{LAMP}").json
        assert told["name"] == 'La"mp/+#' and told["room"] == "Hall" and told["state"] == "ours" and told["reachable"] is True
        assert told["endpoints"] == [{"id": 1, "capabilities": [
            {"name": "on-off", "type": "bool", "access": ["read", "write", "report"], "class": "ordinary", "risk": "low"},
            {"name": "level", "type": "int", "access": ["read", "write", "report"], "unit": "%", "min": 0, "max": 100, "step": 1,
             "class": "ordinary", "risk": "low"}]}]

        core.send(*(core.event_bytes(n, device=LAMP, cap=LEVEL, value=n % 100, of_device=n + 7) for n in range(1, 201)))
        core.wait(lambda: sorted(core.acked) == list(range(1, 201)), what="200 acknowledgements")
        batches = [m.json for m in platform.events(f"{BASE}/events")]
        events = [event for batch in batches for event in batch]
        assert [event["seq"] for event in events] == list(range(1, 201))
        assert events[0] == {"seq": 1, "device": LAMP, "number": 8, "at": 1_700_000_000_000, "kind": "report", "endpoint": 1, "capability": "level",
                             "value": 1}
        assert len(batches) <= 20 and max(len(batch) for batch in batches) <= 64
        core.event(201, device=LAMP, cap=ON_OFF, value=True, duplicate=True, at_us=0)
        late = platform.wait_for(f"{BASE}/events", match=lambda m: m.json[-1]["seq"] == 201).json[-1]
        assert late["dup"] is True and late["at"] is None

        sent = command(5)
        platform.publish(f"{BASE}/commands", sent)
        got = core.wait(lambda: core.commands, what="a command")[0]
        assert (got["id"], got["sender"], got["device"], got["cap"], got["value"]) == ("c5", "app", LAMP, ON_OFF, True)
        assert (got["flags"], got["counter"], got["issued"], got["not_after"]) == (3, 5, sent["issued_at"] * 1000, sent["not_after"] * 1000)
        core.answer(got, 1, "rule 7")
        answer = platform.wait_for(f"{BASE}/answers").json
        assert answer == {"id": "c5", "sender": "app", "result": "denied", "reason": "rule 7", "device": LAMP, "capability": "on-off"}

        platform.publish(f"{BASE}/time", {"now": 1_800_000_000_123})
        core.wait(lambda: core.times == [1_800_000_000_123_000], what="the time")

        core.gone(LAMP)
        assert platform.wait_for(f"{BASE}/devices/{LAMP}", match=lambda m: m.payload == b"").payload == b""
        core.close()
        platform.wait_for(f"{BASE}/state", match=lambda m: m.json == {"state": "offline"})
        after = platform.mark()
        core.listen()
        core.wait(lambda: core.n_opened == 2, what="a second OPENED")
        platform.wait_for(f"{BASE}/state", match=lambda m: m.json == {"state": "online"}, after=after)
        assert bench.daemon.stop() == 0
        platform.wait_for(f"{BASE}/state", match=lambda m: m.json == {"state": "offline"}, after=after)
