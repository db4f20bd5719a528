"""gatewayd-link against real brokers over TLS, with a core played by tests/lib.link_core.py, and a platform played by another MQTT library."""

import json
import os
import pathlib
import shutil
import time

import pytest
from lib.brokers import cloud_broker, lan_broker, lan_peer
from lib.netns import LabError
from lib.platform import Platform
from lib.link_core import CONNECTED, IDENTITY, REFUSED, REPORT, LinkCore, description

UID, LAN_GROUP = 61001, 61030
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
        self.daemon = self.lab.daemon("link", [LINK, "cloud", "--socket", self.core.path], uid=UID, groups=(LAN_GROUP,))
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


# The profile homeassistant, on the shipped LAN broker and its accounts.


class Home(Bench):
    def __init__(self, lab, pki):
        super().__init__(lab, pki)
        self.broker = lan_broker(lab, pki, group=LAN_GROUP)
        secret = f"{self.folder}/home.password"
        shutil.copyfile(f"{self.broker.secrets.folder}/gateway-home.password", secret)
        os.chown(secret, UID, UID)
        os.chmod(secret, 0o400)
        self.core.options = [("profile", "homeassistant"), ("client-id", "gateway-home"), ("base-topic", "gatewayd"), ("username", "gateway-home"),
                             ("password-file", secret), ("discovery-prefix", "homeassistant"), ("keepalive-s", "10"),
                             ("endpoint", "unix:" + self.broker.sock)]

    def assistant(self):
        return lan_peer(self.broker, "homeassistant")


@pytest.fixture
def home(lab, pki):
    one = Home(lab, pki)
    yield one
    one.close()


BEDROOM = {1: [(ON_OFF, BOOL, RW), (LEVEL, INT, RW, 1), (3, INT, RW, 10, 150, 500, 1)], 2: [(ON_OFF, BOOL, RW), (128, REAL, R, 5)]}


def test_home_assistant(home):
    """Discovery field by field; states coalesced and acknowledged; commands; retained ones refused; birth; removal."""
    core = home.core
    with home.assistant() as ha:
        assert ha.subscribe("homeassistant/#", "gatewayd/#") == [1, 1]
        home.start()
        core.wait(lambda: core.n_syncs == 1, what="the first LINK_SYNC, before the connection")
        core.device(LAMP, BEDROOM, name='Be"d/+#', room="Bedroom")
        core.wait_state(connected=True)
        gateway = ha.wait_for("homeassistant/device/gatewayd_gateway-home/config").json
        assert gateway["dev"] == {"ids": ["gatewayd_gateway-home"], "name": "gatewayd", "sw": gateway["o"]["sw"]}
        assert gateway["cmps"]["connection"]["dev_cla"] == "connectivity"

        config = ha.wait_for(f"homeassistant/device/gwd_{LAMP}/config")
        topic = f"gatewayd/device/{LAMP}"
        assert config.json == {
            "dev": {"ids": [f"gwd_{LAMP}"], "name": 'Be"d/+#', "mf": "Acme", "mdl": "M-1", "sw": "1.0", "sa": "Bedroom",
                    "via_device": "gatewayd_gateway-home"},
            "o": {"name": "gatewayd", "sw": gateway["o"]["sw"]},
            "avty": [{"t": "gatewayd/bridge/state", "val_tpl": "{{ value_json.state }}"},
                     {"t": topic + "/availability", "val_tpl": "{{ value_json.state }}"}],
            "avty_mode": "all", "stat_t": topic + "/state", "qos": 1,
            "cmps": {
                "light": {"p": "light", "name": None, "uniq_id": f"gwd_{LAMP}_light", "cmd_t": topic + "/set/light", "schema": "json",
                          "stat_t": topic + "/state/light", "brightness": True, "bri_scl": 100, "sup_clrm": ["color_temp"],
                          "min_mirs": 150, "max_mirs": 500},
                "on_off_2": {"p": "switch", "name": "Switch 2", "uniq_id": f"gwd_{LAMP}_on_off_2", "cmd_t": topic + "/set/on_off_2",
                             "val_tpl": "{{ value_json.on_off_2 }}", "pl_on": "ON", "pl_off": "OFF"},
                "power_2": {"p": "sensor", "name": "Power 2", "uniq_id": f"gwd_{LAMP}_power_2", "dev_cla": "power",
                            "val_tpl": "{{ value_json.power_2 }}", "unit_of_meas": "W", "stat_cla": "measurement"}}}
        assert ha.wait_for("gatewayd/bridge/state", match=lambda m: m.json == {"state": "online"})
        assert ha.wait_for(topic + "/availability").json == {"state": "online"}

        # Coalesced: one turn, one state; every number is acknowledged.
        mark = ha.mark()
        core.send(*(core.event_bytes(n, device=LAMP, endpoint=2, cap=128, value=float(n)) for n in range(1, 101)),
                  core.event_bytes(101, device=LAMP, cap=ON_OFF, value=True), core.event_bytes(102, device=LAMP, cap=LEVEL, value=40),
                  core.event_bytes(103, device=PLUG, cap=ON_OFF, value=True), core.event_bytes(104, kind=5, word="00ff"))
        core.wait(lambda: sorted(core.acked) == list(range(1, 105)), what="104 acknowledgements")
        assert ha.wait_for(topic + "/state", match=lambda m: m.json.get("power_2") == 100, after=mark).json == {"power_2": 100}
        assert ha.wait_for(topic + "/state/light", match=lambda m: m.json.get("brightness") == 40, after=mark).json == {
            "state": "ON", "brightness": 40, "color_mode": "brightness"}
        assert len(ha.events(topic + "/state")) <= 6
        core.event(105, kind=1, device=LAMP, value=False)
        ha.wait_for(topic + "/availability", match=lambda m: m.json == {"state": "offline"})

        ha.publish(topic + "/set/light", {"state": "ON", "brightness": 55})
        got = core.wait(lambda: len(core.commands) >= 2 and core.commands, what="two commands")
        assert [(c["cap"], c["value"], c["endpoint"], c["flags"], c["id"]) for c in got] == [(ON_OFF, True, 1, 0, ""), (LEVEL, 55, 1, 0, "")]
        ha.publish(topic + "/set/on_off_2", "OFF")
        assert core.wait(lambda: len(core.commands) == 3 and core.commands)[2]["value"] is False
        for path, payload, note in (("/set/on_off_2", "MAYBE", "bad-value"), ("/set/nothing", "ON", "bad-topic"),
                                    ("/set/light", "{" * 40, "malformed"), ("/set/power_2", "1", "bad-topic")):
            ha.publish(topic + path, payload)
            core.wait_note(note)
            core.notes.clear()
            time.sleep(1.1)
        ha.publish(f"gatewayd/device/{PLUG}/set/on_off", "ON")
        core.wait_note("unknown-device")
        assert len(core.commands) == 3

        # Home Assistant has started anew: after a moment everything once more.
        mark, syncs, began = ha.mark(), core.n_syncs, time.monotonic()
        ha.publish("homeassistant/status", "online")
        core.wait(lambda: core.n_syncs > syncs, timeout=12, what="LINK_SYNC after birth")
        assert 0.9 < time.monotonic() - began < 11
        ha.wait_for(f"homeassistant/device/gwd_{LAMP}/config", after=mark)

        core.gone(LAMP)
        for gone in (f"homeassistant/device/gwd_{LAMP}/config", topic + "/state", topic + "/availability"):
            ha.wait_for(gone, match=lambda m: m.payload == b"")

        # A command that the broker has kept: refused when we come, not carried out.
        core.device(PLUG, {1: [(ON_OFF, BOOL, RW)]}, name="Plug")
        bench_stop = home.daemon.stop()
        assert bench_stop == 0
        ha.wait_for("gatewayd/bridge/state", match=lambda m: m.json == {"state": "offline"})
        ha.publish(f"gatewayd/device/{PLUG}/set/on_off", "ON", retain=True)
        notes = len(core.notes)
        home.daemon.start()
        core.wait(lambda: core.n_opened == 2, what="OPENED")
        core.wait_note("refused-command", after=notes)
        assert len(core.commands) == 3
