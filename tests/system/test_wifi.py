"""The wifi plugin in its fence, between a core of the test's making and the shipped LAN broker; a real Zigbee2MQTT on a simulated coordinator."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

from lib.brokers import lan_broker, lan_peer
from lib.lab import LAN_BROKER
from lib.netns import LabError, wait_until
from lib.platform import NOT_AUTHORISED, Peer
from lib.wire_core import (BATTERY, COLOR_TEMPERATURE, CONTACT, HUMIDITY, LEVEL, LOCK_STATE, ON_OFF, POWER, TEMPERATURE, VOLTAGE, WireCore)

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GW_BUILD") or os.environ.get("GW_BUILD_ROOT") or ROOT / "build" / "release")
SIM = ROOT / "tests" / "sim"
UID, LAN_GROUP = 61001, 61030
ACCOUNTS = ("gateway-intake", "gateway-command")

HOME = ("outlet", "bulb", "climate", "contact", "plug", "lock")
SWITCH = {"type": "switch", "features": [{"type": "binary", "name": "state", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"}]}
METER = {"type": "numeric", "name": "power", "property": "power", "unit": "W", "access": 1}


def described(name, number=1, exposes=(SWITCH, METER)):
    return {"ieee_address": f"0x{number:016x}", "friendly_name": name, "interview_completed": True, "type": "Router",
            "definition": {"vendor": "V", "model": "M", "exposes": list(exposes)}}


class Adapter:
    """gatewayd-adapter with the plugin, as its own user, and the core that it speaks with."""

    def __init__(self, lab, broker, **options):
        self.lab, self.broker = lab, broker
        self.folder = f"{lab.folder}/adapter-{time.monotonic_ns()}"
        os.makedirs(self.folder + "/plugins")
        os.chmod(self.folder, 0o755)
        shutil.copy2(BUILD / "wifi.so", self.folder + "/plugins")
        listing = subprocess.run([ROOT / "plugins/host/list.sh", self.folder + "/plugins/wifi.so"], check=True, capture_output=True, text=True).stdout
        pathlib.Path(self.folder, "plugins/plugins.list").write_text(listing, encoding="utf-8")
        self.options = {"broker": broker.sock, **options}
        self.core = WireCore(self.folder, options=self.options)
        self.daemon = None

    def with_accounts(self):
        for name in ACCOUNTS:
            path = f"{self.folder}/{name}.password"
            shutil.copyfile(f"{self.broker.secrets.folder}/{name}.password", path)
            os.chown(path, UID, UID)
            os.chmod(path, 0o400)
            short = name.removeprefix("gateway-")
            self.options.update({f"{short}_user": name, f"{short}_password_file": path})
        self.core.options = self.options
        return self

    def start(self, wait=True):
        self.daemon = self.lab.daemon(os.path.basename(self.folder), [str(BUILD / "gatewayd-adapter"), "wifi", "--socket", self.core.path,
                                      "--plugin-dir", self.folder + "/plugins"], uid=UID, groups=(LAN_GROUP,))
        if wait:
            self.core.wait_synced()
        return self

    def stop(self):
        if self.daemon:
            assert self.daemon.stop() == 0, self.daemon.log()[-10:]
        self.core.close()
        assert self.core.broken is None


@pytest.fixture(scope="module")
def broker(shared_lab, pki):
    return lan_broker(shared_lab, pki, group=LAN_GROUP)


@pytest.fixture
def make(shared_lab, broker):
    """make(base=..., tasmota=...) -> an Adapter with the broker's accounts, not started."""
    made = []

    def one(on=broker, accounts=True, **options):
        adapter = Adapter(shared_lab, on, **options)
        made.append(adapter)
        return adapter.with_accounts() if accounts else adapter
    yield one
    for adapter in made:
        adapter.stop()


@pytest.fixture
def z2m(broker):
    """The account of Zigbee2MQTT, in the test's hand; leaves nothing retained."""
    def clean(peer):
        for topic in ["bridge/" + what for what in ("devices", "state", "groups")] + [name + "/availability" for name in ("plug", *HOME)]:
            peer.publish("zigbee2mqtt/" + topic, b"", retain=True)
    with lan_peer(broker, "zigbee2mqtt") as peer:
        clean(peer)
        yield peer
        clean(peer)


def describe(peer, *devices):
    assert peer.publish("zigbee2mqtt/bridge/state", {"state": "online"}, retain=True) == 0
    assert peer.publish("zigbee2mqtt/bridge/devices", list(devices), retain=True) == 0


# A real Zigbee2MQTT.

class Home:
    def __init__(self, lab, broker):
        folder = f"{lab.folder}/home"
        if not (SIM / "node_modules/.package-lock.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SIM, check=True, stdout=subprocess.DEVNULL)
        self.control_path = f"{lab.folder}/control.sock"
        self.process = lab.run_in("lan", ["node", str(SIM / "run_home.mjs"), "--dir", folder, "--mqtt-server", "mqtt+unix://" + broker.sock,
                                          "--user", "zigbee2mqtt", "--password-file", f"{broker.secrets.folder}/zigbee2mqtt.password",
                                          "--availability", "6", "--control", self.control_path], stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        if not line:
            raise LabError(f"the simulated home ended: {self.process.wait()}")
        self.devices = json.loads(line)["devices"]

    def ask(self, **request):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(15)
            control.connect(self.control_path)
            control.sendall(json.dumps({"id": 1, **request}).encode() + b"\n")
            answer = json.loads(control.makefile().readline())
        assert answer.get("ok"), answer
        return answer

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def home(shared_lab, broker):
    one = Home(shared_lab, broker)
    yield one
    one.stop()


def test_zigbee2mqtt(make, home):
    """Devices with what they can do; reports; orders that the device itself carried out; the join window; removal."""
    core = make().start().core
    for name in HOME:
        device = core.wait_device(name)
        assert device.hw.hex() == home.devices[name].removeprefix("0x")
    assert core.device("climate").sleepy and not core.device("plug").sleepy
    assert core.device("bulb").caps[1, COLOR_TEMPERATURE][3:5] == (250, 454)
    assert (1, LOCK_STATE) in core.device("lock").caps and (1, VOLTAGE) in core.device("contact").caps

    home.ask(op="report", device="climate", attr="temperature.measured", value=2345)
    core.wait_value("climate", TEMPERATURE, 23.45)
    home.ask(op="report", device="climate", attr="humidity.measured", value=6120)
    core.wait_value("climate", HUMIDITY, 61.2)
    wait_until(lambda: core.value("climate", BATTERY) is not None, 5, "the battery")

    for what, state in ((True, "ON"), (False, "OFF")):
        assert core.result(core.command("plug", ON_OFF, what)) == "ok", state
        home.ask(op="wait", device="plug", attr="onOff.onOff", value=what)
        assert core.value("plug", ON_OFF) is what
    assert core.result(core.command("bulb", LEVEL, 50)) == "ok"
    home.ask(op="wait", device="bulb", attr="level.currentLevel", value=127)
    assert core.result(core.command("bulb", COLOR_TEMPERATURE, 300)) == "ok"
    assert core.result(core.command("lock", LOCK_STATE, "unlocked")) == "ok"
    core.wait_value("lock", LOCK_STATE, "unlocked")
    assert core.result(core.command("lock", LOCK_STATE, "jammed")) == "bad-value"
    assert core.result(core.command("lock", ON_OFF, True)) == "unknown-capability"
    assert core.result(core.command("climate", TEMPERATURE, 1.0)) == "unknown-capability"
    assert core.result(core.command(b"nobody", ON_OFF, True)) == "unreachable"

    assert core.result(core.join(60)) == "ok"
    wait_until(lambda: home.ask(op="list")["permitJoin"], 5, "the join window")
    assert core.result(core.join(0)) == "ok"
    assert [note for note in core.notes if note[0] != "status"] == []


def test_zigbee2mqtt_availability(make, home):
    core = make().start().core
    core.wait_device("outlet")
    home.ask(op="fault", device="outlet", gone=True)
    wait_until(lambda: not core.device("outlet").reachable, 30, "the outlet to be out of reach")
    start = time.monotonic()
    assert core.result(core.command("outlet", ON_OFF, True)) == "unreachable"
    assert time.monotonic() - start < 1
    home.ask(op="fault", device="outlet", gone=False)
    home.ask(op="report", device="outlet", attr="onOff.onOff", value=1)
    wait_until(lambda: core.device("outlet").reachable, 30, "the outlet to be back")


def test_zigbee2mqtt_removal(make, home):
    core = make().start().core
    core.wait_device("contact")
    assert core.result(core.remove("contact"), 30) == "ok"
    wait_until(lambda: core.device("contact") is None, 10, "the contact sensor to be gone")
    assert CONTACT and [device.name for device in core.left] == ["contact"]
    home.stop()
    wait_until(lambda: not any(device.reachable for device in core.devices.values()), 10, "all to be out of reach with their bridge")


# The broker's acknowledgements.

def test_nothing_is_acknowledged_before_it_is_stored(make, z2m):
    """kill -9 between the report and its being stored: all come again. After being stored: none."""
    adapter = make()
    describe(z2m, described("plug"))
    core = adapter.start().core
    core.wait_device("plug")
    core.credit = 4000
    core.hold()
    assert z2m.publish_many(("zigbee2mqtt/plug", {"power": number}) for number in range(300)) == [0] * 300
    wait_until(lambda: core.values("plug", POWER), 5, "the first report")
    adapter.daemon.kill9()
    core.reports.clear()

    core.resume()
    adapter.daemon.start()
    wait_until(lambda: len(core.values("plug", POWER)) >= 300, 10, "all to come again")
    assert core.values("plug", POWER) == list(range(300))  # in order, and none twice
    time.sleep(0.5)  # the acknowledgements
    adapter.daemon.kill9()
    core.reports.clear()

    # Nobody is there: the broker keeps what comes, and it comes before the description does.
    assert z2m.publish_many(("zigbee2mqtt/plug", {"power": number}) for number in range(1000, 3500)) == [0] * 2500
    adapter.daemon.start()
    wait_until(lambda: len(core.values("plug", POWER)) >= 2500, 20, "what came meanwhile")
    assert core.values("plug", POWER) == list(range(1000, 3500))
    assert [note for note in core.notes if note[0] != "status"] == []


def test_a_core_that_stores_slowly_loses_nothing(make, z2m):
    describe(z2m, described("plug"))
    core = make().start().core
    core.wait_device("plug")
    core.hold()
    first = 10000
    z2m.publish_many(("zigbee2mqtt/plug", {"power": number}) for number in range(first, first + 5000))

    def seen():
        return [number for number in core.values("plug", POWER) if number >= first]
    for _ in range(200):
        time.sleep(0.05)
        core.store()
        if len(seen()) >= 5000:
            break
    assert seen() == list(range(first, first + 5000))


def test_qos_0_is_reported(make, z2m):
    describe(z2m, described("plug"))
    core = make().start().core
    core.wait_device("plug")
    z2m.publish("zigbee2mqtt/plug", {"power": 7}, qos=0)
    core.wait_value("plug", POWER, 7.0)


# Orders.

def test_an_order_is_done_when_the_device_says_so(make, z2m):
    describe(z2m, described("plug"))
    core = make().start().core
    core.wait_device("plug")
    assert z2m.subscribe("zigbee2mqtt/#") == [1]
    # Somebody listens and says nothing; or something else.
    request = core.command("plug", ON_OFF, True, ttl_ms=700)
    order = z2m.wait_for("zigbee2mqtt/plug/set")
    assert order.json == {"state": "ON"} and not order.retain and order.properties.MessageExpiryInterval == 1
    z2m.publish("zigbee2mqtt/plug", {"state": "OFF", "power": 3})
    start = time.monotonic()
    assert core.result(request) == "timeout" and time.monotonic() - start < 2
    request = core.command("plug", ON_OFF, True)
    z2m.publish("zigbee2mqtt/plug", {"state": "ON"})
    assert core.result(request) == "ok"
    # Said to be away: nothing is sent.
    z2m.publish("zigbee2mqtt/plug/availability", {"state": "offline"}, retain=True)
    wait_until(lambda: not core.device("plug").reachable, 5, "the plug to be out of reach")
    mark = z2m.mark()
    assert core.result(core.command("plug", ON_OFF, True)) == "unreachable"
    assert z2m.nothing_on("zigbee2mqtt/plug/set", after=mark)
    assert "did not answer" not in str(core.notes)


def test_no_order_outlives_the_connection(make, z2m, broker):
    """The broker is frozen when the order is given, then killed: the order does not come when it is back."""
    describe(z2m, described("plug"))
    core = make().start().core
    core.wait_device("plug")
    broker.pause()
    request = core.command("plug", ON_OFF, True, ttl_ms=1000)
    assert core.result(request) == "timeout"
    broker.unpause()
    broker.kill9()
    wait_until(lambda: not core.device("plug").reachable, 10, "the plug to be out of reach without its broker")
    assert core.result(core.command("plug", ON_OFF, True)) == "unreachable"
    broker.start()
    wait_until(lambda: z2m.n_connects > 1 and z2m.is_connected(), 10, "Zigbee2MQTT to be back")
    z2m.subscribe("zigbee2mqtt/#")
    describe(z2m, described("plug"))
    wait_until(lambda: core.device("plug") and core.device("plug").reachable, 40, "the plug to be back")
    assert z2m.nothing_on("zigbee2mqtt/plug/set", 1)
    request = core.command("plug", ON_OFF, False)
    z2m.wait_for("zigbee2mqtt/plug/set")
    z2m.publish("zigbee2mqtt/plug", {"state": "OFF"})
    assert core.result(request) == "ok"


# Who may do what.

def test_the_shipped_broker_is_enforced_and_a_refused_order_is_told(make, broker, z2m):
    core = make().start().core
    core.wait_note("status", "enforced")
    assert ("status", 1, "broker", "enforced") in core.notes
    with lan_peer(broker, "porch") as porch:
        assert porch.publish("zigbee2mqtt/plug/set", {"state": "ON"}) == NOT_AUTHORISED
        note = core.wait_note("refused-command", "zigbee2mqtt/plug/set")
        assert "porch" in note[3]
        for _ in range(200):
            porch.publish("garden/set", "x")
        wait_until(lambda: sum(n[1] for n in list(core.notes) if n[0] == "refused-command") >= 201, 5, "all of them to be counted")
    assert len([n for n in core.notes if n[0] == "refused-command"]) < 30
    assert not any("gatewayd-probe" in n[2] for n in core.notes)


def test_a_foreign_broker_is_unenforced(shared_lab, make):
    foreign = shared_lab.broker("foreign", place="lan", group=LAN_GROUP, config=lambda b: f"listener 0 {b.run_dir}/lan.sock\nallow_anonymous true\n")
    core = make(on=foreign, accounts=False).start().core
    assert core.wait_note("status", "unenforced")[2] == "broker"
    with Peer(foreign.sock, client_id="z") as peer:
        describe(peer, described("plug"))
        core.wait_device("plug")
        peer.publish("zigbee2mqtt/plug", {"power": 3})
        core.wait_value("plug", POWER, 3.0)


def test_a_broker_by_address(shared_lab, make):
    """Over TCP, and the broker keeps our session (MQTT 5 session expiry) while we are away; one that does not answer does not stall the adapter."""
    foreign = shared_lab.broker("far", place="lan", config=f"listener 1884 {LAN_BROKER}\nallow_anonymous true\nmax_queued_messages 10000\n")
    adapter = make(on=foreign, accounts=False, tasmota="off", net="yes")
    adapter.options["broker"] = f"{LAN_BROKER}:1884"
    adapter.core.options = adapter.options
    core = adapter.start().core
    with Peer((LAN_BROKER, 1884), client_id="z", inside=lambda: shared_lab.inside("gw")) as peer:
        describe(peer, described("plug"))
        core.wait_device("plug")
        adapter.daemon.kill9()
        assert peer.publish_many(("zigbee2mqtt/plug", {"power": number}) for number in range(100)) == [0] * 100
        adapter.daemon.start()
        wait_until(lambda: len(core.values("plug", POWER)) >= 100, 10, "what came meanwhile")
        peer.subscribe("zigbee2mqtt/plug/set")
        request = core.command("plug", ON_OFF, True)
        peer.wait_for("zigbee2mqtt/plug/set")
        peer.publish("zigbee2mqtt/plug", {"state": "ON"})
        assert core.result(request) == "ok"
    n_hello = core.n_hello
    shared_lab.lan.cut()
    try:
        foreign.kill9()
        time.sleep(6)
        assert core.n_hello == n_hello and core.result(core.command("plug", ON_OFF, True, ttl_ms=1000)) in ("unreachable", "timeout")
    finally:
        shared_lab.lan.restore()


def test_what_the_gateway_says_is_not_taken_in(make, broker, z2m):
    core = make().start().core
    describe(z2m, described("plug"))
    core.wait_device("plug")
    with lan_peer(broker, "gateway-home") as link:
        assert link.publish("homeassistant/device/gwd_1/config", {"dev": {"ids": ["gwd_1"]}, "o": {"name": "gatewayd"}, "cmps": {}}, retain=True) == 0
        assert link.publish("gatewayd/bridge/devices", [described("mirror", 9)], retain=True) == 0
        assert link.publish("gatewayd/device/1/state", {"power": 1}) == 0
        z2m.publish("zigbee2mqtt/plug", {"power": 3})
        core.wait_value("plug", POWER, 3.0)
        for topic in ("homeassistant/device/gwd_1/config", "gatewayd/bridge/devices"):
            link.publish(topic, b"", retain=True)
    assert core.device("mirror") is None and len(core.devices) == 1
    assert [note for note in core.notes if note[0] != "status"] == []


def test_bad_input(make, z2m):
    """Refused with a reason, counted, and what is good still arrives."""
    describe(z2m, described("plug"))
    core = make().start().core
    core.wait_device("plug")
    bad = [("malformed", "{"), ("malformed", b"\xff\xfe\x00"), ("malformed", "[" * 100000), ("malformed", '{"a":' * 60 + "1" + "}" * 60), ("malformed", "[]"),
           ("bad-value", '{"power": "much"}'), ("bad-value", '{"state": 7}'), ("malformed", '{"power": 1e999}'), ("oversize", b" " * (256 * 1024 + 1))]
    for number, (kind, payload) in enumerate(bad):
        core.notes.clear()
        assert z2m.publish("zigbee2mqtt/plug", payload) == 0
        core.wait_note(kind, "zigbee2mqtt/plug")
        assert z2m.publish("zigbee2mqtt/plug", {"power": 100 + number}) == 0
        core.wait_value("plug", POWER, 100.0 + number)
    z2m.publish("zigbee2mqtt/nobody", "{}")
    core.wait_note("unknown-device", "zigbee2mqtt/nobody")
    # Names that would be topics of their own.
    describe(z2m, described("plug"), described("bridge/request/permit_join", 2), described("a+b", 3), described("x/set", 4), described("line\nbreak", 5),
             described("hall/lamp", 6))
    core.wait_device("hall lamp")
    note = core.wait_note("bad-topic", "zigbee2mqtt/bridge/devices")
    assert note[1] == 4 and len(core.devices) == 2
    z2m.subscribe("zigbee2mqtt/hall/lamp/set")
    request = core.command("hall lamp", ON_OFF, True)
    z2m.wait_for("zigbee2mqtt/hall/lamp/set")
    z2m.publish("zigbee2mqtt/hall/lamp", {"state": "ON"})
    assert core.result(request) == "ok"


def test_a_device_with_a_prefix_of_its_own(make, broker):
    core = make(base="zigbee2mqtt,garden").start().core
    with lan_peer(broker, "garden") as garden:
        assert garden.publish("garden/bridge/devices", [described("", 0x77)], retain=True) == 0
        core.wait_device("garden")
        garden.publish("garden", {"power": 5})
        core.wait_value("garden", POWER, 5.0)
        garden.subscribe("garden/set")
        request = core.command("garden", ON_OFF, True)
        assert garden.wait_for("garden/set").json == {"state": "ON"}
        garden.publish("garden", {"state": "ON"})
        assert core.result(request) == "ok"
        garden.publish("garden/bridge/devices", b"", retain=True)


# Devices that describe themselves as to Home Assistant, as ESPHome's do.

NODE = {"ids": "a4cf12f03d10", "name": "hall node", "sw": "2024.6.1", "mdl": "esp32dev", "mf": "espressif", "cns": [["mac", "a4cf12f03d10"]]}
HALL = {"light/hall/lamp": {"schema": "json", "brightness": True, "stat_t": "hall/light/lamp/state", "cmd_t": "hall/light/lamp/command"},
        "sensor/hall/warmth": {"dev_cla": "temperature", "unit_of_meas": "°C", "stat_t": "hall/sensor/warmth/state"},
        "binary_sensor/hall/door": {"dev_cla": "door", "stat_t": "hall/binary_sensor/door/state"}}


def test_a_device_that_describes_itself(make, broker):
    core = make(base="", discovery="discovery").start().core
    with lan_peer(broker, "hall") as hall:
        topics = [f"discovery/{topic}/config" for topic in HALL]
        for topic, (name, config) in zip(topics, HALL.items()):
            assert hall.publish(topic, {**config, "uniq_id": name, "avty_t": "hall/status", "dev": NODE}, retain=True) == 0
        hall.publish("hall/status", "online", retain=True)
        assert core.wait_device("hall node").hw.hex() == "a4cf12f03d10"
        hall.publish("hall/sensor/warmth/state", "21.5", retain=True)
        core.wait_value("hall node", TEMPERATURE, 21.5)
        hall.publish("hall/binary_sensor/door/state", "ON", retain=True)
        core.wait_value("hall node", CONTACT, False)
        hall.subscribe("hall/+/+/command")
        request = core.command("hall node", LEVEL, 40)
        assert hall.wait_for("hall/light/lamp/command").json == {"state": "ON", "brightness": 102}
        hall.publish("hall/light/lamp/state", {"state": "ON", "brightness": 102}, retain=True)
        assert core.result(request) == "ok"
        hall.publish("hall/status", "offline", retain=True)
        wait_until(lambda: not core.device("hall node").reachable, 5, "the node to be out of reach")
        for topic in [*topics, "hall/status", "hall/sensor/warmth/state", "hall/binary_sensor/door/state", "hall/light/lamp/state"]:
            hall.publish(topic, b"", retain=True)
        wait_until(lambda: core.device("hall node") is None, 5, "the node to be gone")


# Gen2+ Shellys: JSON-RPC over MQTT.

SHELLY = "shellyplus1pm-a8032abe54dc"


class Shelly:
    """A simulated one that has an account at the broker (tests/sim/shelly)."""

    def __init__(self, lab, broker):
        mqtt = {"url": "mqtt+unix://" + broker.sock, "username": SHELLY, "password": broker.secrets[SHELLY]}
        options = [{"kind": "plus1pm", "mac": "a8032abe54dc", "lan": False, "mdns": False, "mqtt": mqtt}]
        self.process = lab.run_in("lan", ["node", str(SIM / "shelly/run_shelly.mjs"), json.dumps(options)], stdin=subprocess.PIPE, text=True)
        assert json.loads(self.process.stdout.readline())["ready"] == [SHELLY]

    def ask(self, **request):
        self.process.stdin.write(json.dumps({"id": 1, "device": 0, **request}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def test_a_shelly_over_mqtt(make, broker, shared_lab):
    core = make().start().core
    shelly = Shelly(shared_lab, broker)
    assert core.wait_device(SHELLY).hw.hex() == "a8032abe54dc"
    core.wait_value(SHELLY, ON_OFF, False)
    assert core.result(core.command(SHELLY, ON_OFF, True)) == "ok"
    core.wait_value(SHELLY, ON_OFF, True)
    shelly.ask(op="set", component="switch:0", values={"apower": 41.5})
    core.wait_value(SHELLY, POWER, 41.5)
    assert core.result(core.command(SHELLY, LEVEL, 5)) == "unknown-capability"
    shelly.ask(op="off")  # the power goes: its last will says so
    wait_until(lambda: not core.device(SHELLY).reachable, 5, "the plug to be out of reach")
    assert core.result(core.command(SHELLY, ON_OFF, False)) == "unreachable"
    shelly.ask(op="on")
    wait_until(lambda: core.device(SHELLY).reachable, 5, "the plug to be back")
    shelly.stop()
    with lan_peer(broker, SHELLY) as peer:
        peer.publish(SHELLY + "/online", b"", retain=True)
    wait_until(lambda: core.device(SHELLY) is None, 5, "the plug to be gone")


# Tasmota.

CONFIG = {"ip": "192.168.1.9", "dn": "Kettle", "fn": ["Kettle"], "hn": "plug1", "mac": "AABBCCDDEEFF", "md": "S31", "ofln": "Offline", "onln": "Online",
          "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "13.4.0", "t": "plug1", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
          "rl": [1, 0, 0, 0, 0, 0, 0, 0], "lt_st": 0, "ver": 1}


def test_tasmota(make, broker):
    core = make().start().core
    with lan_peer(broker, "plug1") as plug:
        discovery = "tasmota/discovery/AABBCCDDEEFF/"
        assert plug.publish(discovery + "sensors", {"sn": {"ENERGY": {"Power": 0, "Total": 1.5}}}, retain=True) == 0
        assert plug.publish(discovery + "config", CONFIG, retain=True) == 0
        assert core.wait_device("Kettle").hw.hex() == "aabbccddeeff"
        plug.publish("tele/plug1/LWT", "Online", retain=True)
        plug.publish("tele/plug1/SENSOR", {"Time": "x", "ENERGY": {"Power": 40, "Total": 1.6}})
        core.wait_value("Kettle", POWER, 40.0)
        assert core.result(core.command("Kettle", ON_OFF, True)) == "unreachable"  # nobody listens
        plug.subscribe("cmnd/plug1/#")
        request = core.command("Kettle", ON_OFF, True)
        assert plug.wait_for("cmnd/plug1/POWER").payload == b"ON"
        plug.publish("stat/plug1/RESULT", {"POWER": "ON"})
        plug.publish("stat/plug1/POWER", "ON")
        assert core.result(request) == "ok"
        plug.publish("tele/plug1/LWT", "Offline", retain=True)
        wait_until(lambda: not core.device("Kettle").reachable, 5, "the kettle to be out of reach")
        assert core.result(core.command("Kettle", ON_OFF, True)) == "unreachable"
        assert core.result(core.remove("Kettle")) == "unknown-capability"
        for topic in ("config", "sensors"):
            plug.publish(discovery + topic, b"", retain=True)
        wait_until(lambda: core.device("Kettle") is None, 5, "the kettle to be gone")
        plug.publish("tele/plug1/LWT", b"", retain=True)


# The fence.

def test_settings_that_cannot_be(make):
    for key, text in (("base", "gatewayd"), ("broker", "nowhere"), ("colour", "blue")):
        adapter = make()
        adapter.core.options = {**adapter.options, key: text}
        adapter.start(wait=False)
        wait_until(lambda core=adapter.core: core.opened_error, 10, "the plugin to refuse")
        assert adapter.core.opened_error < 0
        adapter.daemon.kill9()
        adapter.daemon = None
