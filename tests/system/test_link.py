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
BUILD = os.environ.get("GW_BUILD") or str(pathlib.Path(__file__).resolve().parents[2] / "build/release")
LINK = os.path.join(BUILD, "gatewayd-link")
BASE = "gatewayd/link-cloud"
LAMP, PLUG = "0123456789abcdef00000001", "0123456789abcdef00000002"
ON_OFF, LEVEL, TEMPERATURE = 1, 2, 64
BOOL, INT, REAL, TEXT = 1, 2, 3, 4
R, RW = 5, 7
MQTT_RECEIVE_MAX, MQTT_PACKET_MAX = 32, 262144
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
        platform.wait_for(f"{BASE}/events", match=lambda m: m.json[-1]["seq"] == 200)
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
                  core.event_bytes(103, device=PLUG, cap=ON_OFF, value=True), core.event_bytes(104, kind=5, value=b"\0\xff"))
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

        # A device that goes while nobody is there to say so: what the broker has kept of it is taken back afterwards.
        core.device(LAMP, BEDROOM)
        ha.wait_for(topic + "/state", match=lambda m: m.payload, after=ha.mark())
        home.daemon.stop()
        mark = ha.mark()
        home.daemon.start()
        core.wait(lambda: core.n_opened == 2, what="OPENED")
        core.device(PLUG, {1: [(ON_OFF, BOOL, RW)]}, name="Plug")
        for gone in (f"homeassistant/device/gwd_{LAMP}/config", topic + "/state", topic + "/availability"):
            ha.wait_for(gone, match=lambda m: m.payload == b"", after=mark, timeout=10)
        assert ha.wait_for(f"homeassistant/device/gwd_{PLUG}/config", after=mark).payload

        # A command that the broker has kept: refused when we come, not carried out.
        core.device(PLUG, {1: [(ON_OFF, BOOL, RW)]}, name="Plug")
        bench_stop = home.daemon.stop()
        assert bench_stop == 0
        ha.wait_for("gatewayd/bridge/state", match=lambda m: m.json == {"state": "offline"})
        ha.publish(f"gatewayd/device/{PLUG}/set/on_off", "ON", retain=True)
        notes = len(core.notes)
        home.daemon.start()
        core.wait(lambda: core.n_opened == 3, what="OPENED")
        core.wait_note("refused-command", after=notes)
        assert len(core.commands) == 3


# Who the broker is.


def plain_broker(lab, pki, certificate="cloud-broker", listen="10.91.3.2", extra="", acl="pattern readwrite #\n", name="cloud", tls="tlsv1.2"):
    """A broker of another house: TLS with client certificates, rules as given."""
    def config(broker):
        return f"""
per_listener_settings false
allow_anonymous false
listener 8883 {listen}
tls_version {tls}
cafile {broker.conf_dir}/cloud-ca.crt
certfile {broker.conf_dir}/broker.crt
keyfile {broker.conf_dir}/broker.key
require_certificate true
use_identity_as_username true
acl_file {broker.conf_dir}/acl
log_dest stderr
log_type all
{extra}
"""
    return lab.broker(name, place="cloud", config=config, files={"cloud-ca.crt": pki.path("cloud-ca.crt"), "broker.crt": pki.path(certificate + ".crt"),
                                                                 "broker.key": pki.path(certificate + ".key"), "acl": acl})


@pytest.mark.parametrize("certificate, words", [("wrong-name", "its certificate is for another name"), ("expired", "its certificate has expired")])
def test_a_certificate_that_is_refused(lab, pki, bench, certificate, words):
    broker = plain_broker(lab, pki, certificate)
    bench.options().start()
    state = bench.core.wait_state(connected=False, reason=IDENTITY)
    assert state["detail"] == words and state["endpoint"] == "mqtts://cloud.test:8883"
    assert not any("New client connected" in line for line in broker.log())
    assert not any(s["connected"] for s in bench.core.states)


def test_the_right_name_by_address_too(lab, pki, bench):
    plain_broker(lab, pki)
    bench.options("mqtts://10.91.3.2:8883", pin=pki.pin("cloud-broker")).start()
    bench.core.wait_state(connected=True)


def test_a_pin_that_is_not_its_key(lab, pki, bench):
    plain_broker(lab, pki)
    bench.options(pin=pki.pin("spare-broker")).start()
    assert bench.core.wait_state(connected=False, reason=IDENTITY)["detail"] == "its key is not the pinned one"


def test_an_authority_that_is_not_ours(lab, pki, bench):
    plain_broker(lab, pki)
    bench.options()
    bench.core.options = [(k, v.replace("cloud-ca", "home-ca") if k == "ca" else v) for k, v in bench.core.options]
    bench.start()
    assert bench.core.wait_state(connected=False, reason=IDENTITY)["detail"] == "its certificate is from an authority that we do not know"


def test_our_certificate_is_not_theirs(lab, pki, bench):
    plain_broker(lab, pki)
    bench.options(cert="stranger").start()
    assert bench.core.wait_state(connected=False, reason=REFUSED)["detail"] == "it does not accept our certificate"


def test_tls_11_is_refused(lab, pki, bench):
    """A server that knows TLS 1.1 only."""
    lab.run_in("cloud", ["openssl", "s_server", "-accept", "10.91.3.2:8883", "-cert", pki.path("cloud-broker.crt"), "-key", pki.path("cloud-broker.key"),
                         "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-quiet"])
    bench.options().start()
    assert bench.core.wait_state(connected=False, reason=IDENTITY, timeout=20)["detail"] == "it speaks no TLS 1.2 or newer"


def test_what_is_not_tls(lab, pki, bench):
    lab.run_in("cloud", ["python3", "-c", "import socket,time;s=socket.create_server(('10.91.3.2',8883));c=[]\nwhile 1:\n x=s.accept()[0];"
                         "x.send(b'SSH-2.0-OpenSSH_9.2\\r\\n');c.append(x)"])
    bench.options().start()
    assert bench.core.wait_state(connected=False, reason=IDENTITY, timeout=20)["detail"] == "it does not speak TLS"


def test_settings_that_cannot_be(lab, pki, bench):
    """In the clear; a key that is not there. The core hears why, and the process ends with a code that says so."""
    bench.options("mqtt://cloud.test:1883").start(wait=False)
    bench.core.wait(lambda: bench.core.opened_reason)
    assert bench.core.opened_reason == "the setting endpoint has a value that cannot be" and bench.core.opened_error < 0
    assert bench.daemon.wait() == 78
    os.unlink(f"{bench.folder}/link-cloud.key")
    bench.core.opened_reason = None
    bench.options()
    bench.daemon.start()
    bench.core.wait(lambda: bench.core.opened_reason)
    assert bench.core.opened_reason.startswith("the key ") and bench.daemon.wait() == 75


# What the broker refuses, and what becomes of it.


def test_an_event_that_is_refused_is_not_delivered(lab, pki, bench, platform):
    """PUBACK 0x87: not acknowledged to the core, said in words, sent again when the time has come; other lanes go on."""
    broker = plain_broker(lab, pki, acl="pattern write gatewayd/%u/state\npattern write gatewayd/%u/devices/#\npattern read gatewayd/%u/#\n\n"
                                        "user platform\ntopic readwrite #\n")
    bench.options().start()
    core = bench.core
    with platform:
        listen(platform)
        core.wait_state(connected=True, reason=CONNECTED)
        core.send(*(core.event_bytes(n, device=LAMP, cap=ON_OFF, value=True) for n in range(1, 4)))
        state = core.wait_state(connected=True, reason=REFUSED)
        assert state["detail"] == f"the broker does not take {BASE}/events: not authorised"
        core.device(LAMP, LAMP_CAPS)
        platform.wait_for(f"{BASE}/devices/{LAMP}")
        time.sleep(1)
        assert core.acked == []
        # Somebody gives the right. A new connection has all of it again.
        broker.put("acl", "pattern readwrite #\n")
        broker.stop()
        broker.start()
        core.wait_state(connected=True, reason=CONNECTED, after=len(core.states) - 1, timeout=15)
        core.send(*(core.event_bytes(n, device=LAMP, cap=ON_OFF, value=True, duplicate=True) for n in range(1, 4)))
        core.wait(lambda: sorted(core.acked) == [1, 2, 3], what="acknowledgements")


def test_quota(lab, pki, bench):
    """A broker that answers PUBLISH with 0x97 three times: the same bytes come again after five seconds, and then they are acknowledged."""
    script = f"{lab.folder}/quota.py"
    with open(script, "w", encoding="utf-8") as out:
        out.write(QUOTA_BROKER)
    quota = lab.daemon("quota", ["python3", script, pki.path("cloud-broker.crt"), pki.path("cloud-broker.key")], place="cloud")
    bench.options().start()
    core = bench.core
    core.wait_state(connected=True, reason=CONNECTED)
    began = time.monotonic()
    core.event(1, device=LAMP, cap=ON_OFF, value=True)
    assert core.wait_state(connected=True, reason=REFUSED)["detail"] == f"the broker does not take {BASE}/events: quota exceeded"
    core.event(2, device=LAMP, cap=ON_OFF, value=False)
    core.wait(lambda: core.acked == [1, 2], timeout=20, what="acknowledgements in order")
    assert 4.5 < time.monotonic() - began < 12
    core.wait_state(connected=True, reason=CONNECTED, after=1)
    connect = json.loads(quota.wait_log("^connect ").split(" ", 1)[1])
    assert connect == {"level": 5, "clean": False, "keepalive": 10, "session_expiry": 3600, "receive_maximum": MQTT_RECEIVE_MAX, "packet_maximum": MQTT_PACKET_MAX,
                       "will": [f"{BASE}/state", '{"state":"offline"}', 1, True]}


QUOTA_BROKER = r'''
"""As much of an MQTT 5 broker as the test needs: what CONNECT says, and PUBACK 0x97 for the first message with events."""
import json, socket, ssl, struct, sys

def varint(conn):
    value = shift = 0
    while True:
        byte = conn.read(1)[0]
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value

def packet(kind, body):
    assert len(body) < 128
    return bytes([kind, len(body)]) + body

def text(body, at):
    n = struct.unpack_from(">H", body, at)[0]
    return body[at + 2:at + 2 + n].decode(), at + 2 + n

def connect(body):
    level, flags, keepalive = body[6], body[7], struct.unpack_from(">H", body, 8)[0]
    n, at, said = body[10], 11, {"level": level, "clean": bool(flags & 2), "keepalive": keepalive}
    end = at + n
    while at < end:
        kind = body[at]
        name, code = {17: ("session_expiry", ">I"), 33: ("receive_maximum", ">H"), 39: ("packet_maximum", ">I")}[kind]
        said[name] = struct.unpack_from(code, body, at + 1)[0]
        at += 1 + struct.calcsize(code)
    _, at = text(body, at)
    at += 1 + body[at]
    topic, at = text(body, at)
    payload, at = text(body, at)
    said["will"] = [topic, payload, flags >> 3 & 3, bool(flags & 32)]
    print("connect", json.dumps(said), flush=True)

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:3])
raw, _ = socket.create_server(("10.91.3.2", 8883)).accept()
sock = context.wrap_socket(raw, server_side=True)
conn = sock.makefile("rb")
refused = 0
while True:
    kind = conn.read(1)[0]
    body = conn.read(varint(conn))
    if kind >> 4 == 1:
        connect(body)
        sock.sendall(packet(0x20, b"\0\0\0"))
    elif kind >> 4 == 8:
        sock.sendall(packet(0x90, body[:2] + b"\0\1"))
    elif kind >> 4 == 3:
        topic, at = text(body, 0)
        code = 0
        if topic.endswith("/events") and refused < 1:
            code, refused = 0x97, refused + 1
        sock.sendall(packet(0x40, body[at:at + 2] + bytes([code, 0])))
    elif kind >> 4 == 12:
        sock.sendall(packet(0xd0, b""))
'''


# Endings and beginnings.


def test_the_broker_dies_and_comes_back(lab, pki, bench, platform):
    """kill -9 of the broker: said at once, dialled again, and behind the fence names are still looked up."""
    broker = cloud_broker(lab, pki)
    bench.options().start()
    core = bench.core
    core.wait_state(connected=True)
    for _ in range(2):
        mark = len(core.states)
        broker.kill9()
        core.wait_state(connected=False, after=mark)
        broker.start()
        core.wait_state(connected=True, after=mark, timeout=20)
    core.event(1, device=LAMP, cap=ON_OFF, value=True)
    core.wait(lambda: core.acked == [1])


def test_the_next_endpoint(lab, pki, bench):
    """The first is away: the second; it goes: the first, which has come."""
    spare = plain_broker(lab, pki, "spare-broker", listen="10.91.3.3", name="spare")
    bench.options("mqtts://cloud.test:8883", "mqtts://spare.test:8883").start()
    core = bench.core
    assert core.wait_state(connected=True)["endpoint"] == "mqtts://spare.test:8883"
    plain_broker(lab, pki)
    mark = len(core.states)
    spare.kill9()
    assert core.wait_state(connected=True, after=mark, timeout=20)["endpoint"] == "mqtts://cloud.test:8883"


def test_a_name_that_hangs_does_not_stop_the_beats(lab, pki, bench):
    """No answer from the network at all: the core goes on hearing us, and hears why."""
    cloud_broker(lab, pki)
    lab.wan.cut()
    bench.options().start()
    core = bench.core
    assert core.wait_state(connected=False, timeout=30, words="no connection in time")
    assert core.n_opened == 1
    lab.wan.restore()
    core.wait_state(connected=True, timeout=30)


def test_the_fence(lab, pki, bench):
    """After the start no key can be read and no program started, and it says so itself."""
    cloud_broker(lab, pki)
    bench.options().start()
    bench.core.wait_state(connected=True)
    with open(f"/proc/{bench.daemon.pid}/status", encoding="utf-8") as status:
        rows = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    assert rows["Seccomp"] == "2" and rows["NoNewPrivs"] == "1"
    assert "landlock=" in bench.daemon.wait_log("the fence stands") and "landlock=0" not in bench.daemon.wait_log("the fence stands")


# What the platform may send.


def test_bad_input(lab, pki, bench, platform):
    plain_broker(lab, pki)
    bench.options().start()
    core = bench.core
    core.wait_state(connected=True)
    with platform:
        listen(platform)
        for payload, note in ((b"", "malformed"), (b"\xff", "malformed"), (b"[" * 9 + b"]" * 9, "malformed"), (b" " * 65537, "oversize"),
                              (json.dumps(command(1, more=1)), "malformed"), (json.dumps(command(1, value=None)), "bad-value")):
            core.notes.clear()
            platform.publish(f"{BASE}/commands", payload)
            core.wait_note(note)
            time.sleep(1.05)
        refusal = platform.wait_for(f"{BASE}/answers", match=lambda m: m.json["id"] == "c1").json
        assert (refusal["result"], refusal["sender"]) == ("malformed", "app")
        core.notes.clear()
        for n in range(500):
            platform.publish(f"{BASE}/commands", b"{", qos=0)
        core.wait(lambda: sum(n[1] for n in core.notes) >= 400, timeout=10, what="notes")
        assert len(core.notes) <= 4
        platform.publish(f"{BASE}/time", {"now": "late"})
        platform.publish(f"{BASE}/commands", command(9))
        assert core.wait(lambda: core.commands)[0]["id"] == "c9"
        assert bench.daemon.is_alive()
