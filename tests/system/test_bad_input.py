"""What strangers send, on every way in: refused with a reason where one can be told, counted, put on record, and nothing good is lost by it.

One home for the whole file. After each case the same processes run, a reading from the LAN reaches the platform, a command from the platform is carried
out and the door answers.
"""

import collections
import itertools
import json
import socket

import pytest
from lib.brokers import lan_peer
from lib.home import BASE, Home, Refused, ask, events, order, trust_time
from lib.netns import LabError, wait_until
from lib.platform import NOT_AUTHORISED, Platform
from lib.zigbee import announce, claim_over_zigbee, z2m_devices

DEEP = 100_000
LAN_MOST, CLOUD_MOST, DOOR_MOST = 256 * 1024, 64 * 1024, 64 * 1024
MAC = "AABBCCDDEEFF"
CONFIG = {"ip": "192.168.1.9", "dn": "Kettle", "fn": ["Kettle"], "hn": "plug1", "mac": MAC, "md": "S31", "ofln": "Offline", "onln": "Online",
          "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "13.4.0", "t": "plug1", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
          "rl": [1, 0, 0, 0, 0, 0, 0, 0], "lt_st": 0, "ver": 1}


class House:
    """The home, and everybody around it."""

    def __init__(self, lab, pki):
        self.home = Home(lab, pki)
        self.home.start()
        self.door = self.home.owner()
        self.platform = Platform(lab, pki).connect()
        self.platform.subscribe(BASE + "/#")
        self.zigbee, self.plug, self.ha = (lan_peer(self.home.lan, user).connect() for user in ("zigbee2mqtt", "plug1", "homeassistant"))
        self.zigbee.subscribe("zigbee2mqtt/bridge/request/#", "zigbee2mqtt/+/set")
        self.ha.subscribe("homeassistant/#", "gatewayd/#")
        announce(self.zigbee, ["meter"])
        self.plug.publish(f"tasmota/discovery/{MAC}/sensors", {"sn": {"ENERGY": {"Power": 0, "Total": 1.5}}}, retain=True)
        self.plug.publish(f"tasmota/discovery/{MAC}/config", CONFIG, retain=True)
        self.plug.publish("tele/plug1/LWT", "Online", retain=True)
        claim_over_zigbee(self.home, self.zigbee, ["meter", "Kettle"])
        self.home.claim("sim", "simulated lamp", "simulated lock")
        for link in ("cloud", "home"):
            self.home.allow_link(link)
        self.home.wait_links()
        trust_time(self.home, self.platform)
        self.ids = {name: device["id"] for name, device in self.home.devices().items()}
        self.counters, self.readings = itertools.count(1), itertools.count(1)
        self.sent, self.expected = [], {name: collections.Counter() for name in ("wifi", "cloud", "home")}
        self.pids = self.processes()
        self.first_record = self.home.door.call("audit.head")["seq"]

    def close(self):
        for peer in (self.platform, self.zigbee, self.plug, self.ha):
            peer.close()

    def processes(self):
        says = self.door.call("map")
        return {"core": says["core"]["pid"], **{peer["name"]: peer["pid"] for peer in says["adapters"] + says["links"]}}

    def counted(self, name):
        says = self.door.call("map")
        return next(peer for peer in says["adapters"] + says["links"] if peer["name"] == name)["bad_input"]

    def all_counted(self, name):
        """Not one more or less. Repeats are told once a second; of many objects in a second, some under the kind of others."""
        try:
            wait_until(lambda: sum(self.counted(name).values()) == sum(self.expected[name].values()), 5, step=0.1)
        except LabError:
            assert self.counted(name) == dict(self.expected[name])
        assert set(self.counted(name)) == set(self.expected[name])

    def expect(self, name, kind, doing):
        """doing() is refused, and that peer tells of it."""
        doing()
        self.expected[name][kind] += 1

    def order(self, device="simulated lamp", capability="on-off", value=True, **changes):
        return order(self.ids[device], capability, value, next(self.counters), **changes)

    def is_well(self):
        assert self.processes() == self.pids
        assert all(process.is_alive() for process in self.home.processes.values())
        reading = next(self.readings)
        self.sent.append(reading)
        assert self.zigbee.publish("zigbee2mqtt/meter", {"energy": reading}) == 0
        wait_until(lambda: reading in self.heard(), 10, f"reading {reading} at the platform")
        value = not self.home.value("simulated lamp", "on-off")
        assert ask(self.platform, self.order(value=value)) == "ok"
        assert self.home.value("simulated lamp", "on-off") is value

    def heard(self):
        return [event["value"] for event in events(self.platform) if event.get("capability") == "energy" and event["device"] == self.ids["meter"]]


@pytest.fixture(scope="module")
def house(shared_lab, pki):
    house = House(shared_lab, pki)
    yield house
    house.close()


@pytest.fixture(autouse=True)
def still_well(house):
    yield
    house.is_well()


def named(rows):
    """The cases with what they are called in a report."""
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


def nested(depth, shut=True):
    return b'{"a":' * depth + b"1" + (b"}" * depth if shut else b"")


# The LAN: Zigbee2MQTT's account.

READINGS = [
    ("cut off", "malformed", b'{"energy": 1'),
    ("no JSON", "malformed", b"energy=1"),
    ("invalid UTF-8", "malformed", b'{"energy": "\xff\xfe"}'),
    ("a NUL in it", "malformed", b'{"energy": 1\0}'),
    ("too deep", "malformed", nested(60)),
    ("very deep", "malformed", b"[" * DEEP),
    ("an array", "malformed", b"[]"),
    ("a key twice", "malformed", b'{"energy": 5000, "energy": 5001}'),
    ("not a number", "malformed", b'{"energy": NaN}'),
    ("infinite", "malformed", b'{"energy": 1e999}'),
    ("text for a number", "bad-value", b'{"energy": "5000"}'),
    ("an object for a number", "bad-value", b'{"energy": {"value": 5000}}'),
    ("a number for a word", "bad-value", b'{"state": 7}'),
    ("a word that is none", "bad-value", b'{"state": "PERHAPS"}'),
    ("oversize", "oversize", b" " * (LAN_MOST + 1)),
]


@pytest.mark.parametrize("kind, payload", named(READINGS))
def test_readings(house, kind, payload):
    house.expect("wifi", kind, lambda: house.zigbee.publish("zigbee2mqtt/meter", payload))
    assert not {5000, 5001} & set(house.heard())


@pytest.mark.parametrize("topic", ["zigbee2mqtt/nobody", "zigbee2mqtt/" + "x" * 1000, "zigbee2mqtt/meter/more/of/it", "zigbee2mqtt/$SYS"])
def test_readings_of_nobody(house, topic):
    house.expect("wifi", "unknown-device", lambda: house.zigbee.publish(topic, {"energy": 1}))


NAMES = [("plus", "a+b"), ("hash", "a/#"), ("an order's", "meter/set"), ("an order's part", "meter/set/state"),
         ("the bridge's", "bridge/request/permit_join"), ("a control character", "line\nbreak"), ("an escape", "\x1b[2J"), ("DEL", "a\x7f"),
         ("1000 characters", "n" * 1000), ("another's", "meter"), ("slash", "/")]


@pytest.mark.parametrize("name", [pytest.param(name, id=what) for what, name in NAMES])
def test_names_that_would_be_topics(house, name):
    before = set(house.home.devices())
    everything = z2m_devices(["meter", name])
    house.expect("wifi", "bad-topic", lambda: house.zigbee.publish("zigbee2mqtt/bridge/devices", everything, retain=True))
    house.is_well()
    assert set(house.home.devices()) == before
    announce(house.zigbee, ["meter"])


LISTS = [("cut off", "malformed", b"[{"), ("an object", "malformed", b'{"devices": []}'), ("too deep", "malformed", b"[" * DEEP),
         ("invalid UTF-8", "malformed", b'["\xc3\x28"]'), ("a key twice", "malformed", b'[{"type": "Router", "type": "EndDevice"}]')]


@pytest.mark.parametrize("kind, payload", named(LISTS))
def test_lists_of_devices(house, kind, payload):
    house.expect("wifi", kind, lambda: house.zigbee.publish("zigbee2mqtt/bridge/devices", payload, retain=True))
    house.is_well()
    assert house.home.devices()["meter"]["state"] == "ours"
    announce(house.zigbee, ["meter"])


@pytest.mark.parametrize("topic", ["bridge/state", "bridge/groups", "bridge/event", "bridge/response/permit_join", "meter/availability"])
def test_what_the_bridge_says(house, topic):
    for payload in (b"{", b"[" * DEEP, b"\xff", b'{"state": "online", "state": "offline"}'):
        house.expect("wifi", "malformed", lambda payload=payload: house.zigbee.publish("zigbee2mqtt/" + topic, payload))
    house.is_well()
    assert house.home.devices()["meter"]["state"] == "ours"


def refused_by_the_broker(peer, topic, payload):
    assert peer.publish(topic, payload) == NOT_AUTHORISED


def test_orders_of_others(house):
    refused_by_the_broker(house.zigbee, "zigbee2mqtt/meter/set", {"state": "ON"})  # by a rule of its own: not reported
    house.expect("wifi", "refused-command", lambda: refused_by_the_broker(house.plug, "zigbee2mqtt/meter/set", {"state": "ON"}))
    refused_by_the_broker(house.plug, "$SYS/gatewayd/denied", b"{}")
    for topic in ("cmnd/plug1/POWER", "tele/other/STATE", "gatewayd/device/x/set/on_off", "homeassistant/device/x/config"):
        house.expect("wifi", "refused-command", lambda topic=topic: refused_by_the_broker(house.plug, topic, b"ON"))


# The LAN: a device with an account of its own.

TASMOTA = [
    ("cut off", "tele/plug1/SENSOR", "malformed", b'{"ENERGY": {'),
    ("too deep", "tele/plug1/SENSOR", "malformed", nested(60)),
    ("invalid UTF-8", "tele/plug1/STATE", "malformed", b'{"POWER": "\xff"}'),
    ("a key twice", "stat/plug1/RESULT", "malformed", b'{"POWER": "ON", "POWER": "OFF"}'),
    ("a word that is none", "stat/plug1/RESULT", "bad-value", b'{"POWER": "PERHAPS"}'),
    ("text for a number", "tele/plug1/SENSOR", "bad-value", b'{"ENERGY": {"Power": "much"}}'),
    ("its name is a topic", f"tasmota/discovery/{MAC}/config", "bad-topic", json.dumps({**CONFIG, "t": "plug1/#"}).encode()),
    ("its topic is another's", f"tasmota/discovery/{MAC}/config", "bad-topic", json.dumps({**CONFIG, "mac": "112233445566"}).encode()),
    ("its topics are the house's", f"tasmota/discovery/{MAC}/config", "bad-topic", json.dumps({**CONFIG, "ft": "gatewayd/%topic%/%prefix%/"}).encode()),
    ("oversize", "tele/plug1/SENSOR", "oversize", b" " * (LAN_MOST + 1)),
]


@pytest.mark.parametrize("topic, kind, payload", named(TASMOTA))
def test_a_device_of_its_own(house, topic, kind, payload):
    house.expect("wifi", kind, lambda: house.plug.publish(topic, payload))
    house.plug.publish(f"tasmota/discovery/{MAC}/config", CONFIG, retain=True)
    house.plug.publish("tele/plug1/SENSOR", {"Time": "x", "ENERGY": {"Power": len(house.sent)}})
    wait_until(lambda: house.home.value("Kettle", "power") == len(house.sent), 5, "the kettle's next word")


# The cloud.

def without(request, *members):
    return {key: value for key, value in request.items() if key not in members}


# What is sent, made from a good order; what is answered (None: nothing can be, there is no id to answer to); what is counted by the link (None: the core
# refuses it, which is counted as refused).
ORDERS = [
    ("cut off", lambda o: json.dumps(o)[:-1], None, "malformed"),
    ("no JSON", lambda o: b"on", None, "malformed"),
    ("nothing", lambda o: b"", None, "malformed"),
    ("invalid UTF-8", lambda o: json.dumps(o).encode().replace(b"app", b"a\xff\xfe"), None, "malformed"),
    ("an array", lambda o: [o], None, "malformed"),
    ("too deep", lambda o: nested(9), None, "malformed"),
    ("very deep", lambda o: b"[" * (CLOUD_MOST - 1), None, "malformed"),
    ("oversize", lambda o: json.dumps({**o, "sender": "x" * CLOUD_MOST}), None, "oversize"),
    ("a key twice", lambda o: json.dumps(o)[:-1] + ',"value": false}', None, "malformed"),
    ("not a number", lambda o: json.dumps({**o, "value": float("nan")}), None, "malformed"),
    ("infinite", lambda o: json.dumps({**o, "value": 77}).replace("77}", "1e999}"), None, "malformed"),
    ("no id", lambda o: without(o, "id"), None, "malformed"),
    ("an id that is a number", lambda o: {**o, "id": 7}, None, "malformed"),
    ("a long id", lambda o: {**o, "id": "i" * 65}, None, "malformed"),
    ("a control character in the id", lambda o: {**o, "id": "a\u0007b"}, None, "malformed"),
    ("no sender", lambda o: without(o, "sender"), "malformed", "malformed"),
    ("no counter", lambda o: without(o, "counter"), "malformed", "malformed"),
    ("no deadline", lambda o: without(o, "not_after"), "malformed", "malformed"),
    ("a member too much", lambda o: {**o, "role": "owner"}, "malformed", "malformed"),
    ("a counter of 0", lambda o: {**o, "counter": 0}, "malformed", "malformed"),
    ("a counter below 0", lambda o: {**o, "counter": -1}, "malformed", "malformed"),
    ("a counter with a fraction", lambda o: {**o, "counter": 1.5}, "malformed", "malformed"),
    ("a counter of text", lambda o: {**o, "counter": "1"}, "malformed", "malformed"),
    ("a counter out of range", lambda o: json.dumps({**o, "counter": 2**64}), None, "malformed"),
    ("a deadline out of range", lambda o: {**o, "not_after": 253402300800000}, "malformed", "malformed"),
    ("a deadline before the issue", lambda o: {**o, "not_after": o["issued_at"] - 1}, "malformed", None),
    ("late", lambda o: {**o, "issued_at": o["issued_at"] - 60000, "not_after": o["issued_at"] - 50000}, "late", None),
    ("from the future", lambda o: {**o, "issued_at": o["issued_at"] + 3_600_000, "not_after": o["issued_at"] + 3_700_000}, "clock", None),
    ("an endpoint of 0", lambda o: {**o, "endpoint": 0}, "malformed", "malformed"),
    ("an endpoint out of range", lambda o: {**o, "endpoint": 257}, "malformed", "malformed"),
    ("an endpoint that is not there", lambda o: {**o, "endpoint": 200}, "unknown-capability", None),
    ("a device by name", lambda o: {**o, "device": "simulated lamp"}, "malformed", "malformed"),
    ("a device that is a topic", lambda o: {**o, "device": "../+/#"}, "malformed", "malformed"),
    ("an unknown device", lambda o: {**o, "device": "01" + "0" * 22}, "unknown-device", None),
    ("a capability that is a topic", lambda o: {**o, "capability": "$SYS/#"}, "bad-value", "bad-value"),
    ("a capability it has not", lambda o: {**o, "capability": "target-temperature", "value": 20}, "unknown-capability", None),
    ("null", lambda o: {**o, "value": None}, "bad-value", "bad-value"),
    ("an object", lambda o: {**o, "value": {"on": True}}, "bad-value", "bad-value"),
    ("a word for true", lambda o: {**o, "value": "ON"}, "bad-value", None),
    ("out of range", lambda o: {**o, "capability": "level", "value": 101}, "bad-value", None),
    ("far out of range", lambda o: {**o, "capability": "level", "value": -1e300}, "bad-value", None),
    ("a fraction for a whole number", lambda o: {**o, "capability": "level", "value": 50.5}, "bad-value", None),
    ("a long text", lambda o: {**o, "value": "v" * 5000}, "bad-value", "bad-value"),
]


@pytest.mark.parametrize("make, answer, kind", named(ORDERS))
def test_orders_from_the_cloud(house, make, answer, kind):
    good = house.order(value=not house.home.value("simulated lamp", "on-off"))
    bad, mark = make(good), house.platform.mark()
    payload = bad if isinstance(bad, (str, bytes)) else json.dumps(bad)
    before = house.home.value("simulated lamp", "on-off")
    refused = link_of(house, "cloud")["refused"]
    if kind:
        house.expect("cloud", kind, lambda: house.platform.publish(BASE + "/commands", payload))
    else:
        house.platform.publish(BASE + "/commands", payload)
    if answer:
        said = house.platform.wait_for(BASE + "/answers", match=lambda m: m.json["id"] == good["id"], after=mark).json
        assert said["result"] == answer and said["reason"]
    else:
        assert house.platform.nothing_on(BASE + "/answers", 0.2, after=mark)
    if not kind:
        assert link_of(house, "cloud")["refused"] == refused + 1
    assert house.home.value("simulated lamp", "on-off") is before


def link_of(house, name):
    return next(link for link in house.door.call("link.list")["links"] if link["name"] == name)


@pytest.mark.parametrize("payload", [b"", b"{", b"{}", b'{"now": "today"}', b'{"now": -1}', b'{"now": 253402300800000}', b'{"now": 1, "now": 2}', b'{"now": NaN}',
                                     b"[" * 255, b'{"now": 1}' + b" " * 300])
def test_the_time_from_the_cloud(house, payload):
    house.expect("cloud", "malformed", lambda: house.platform.publish(BASE + "/time", payload))
    assert house.door.call("status")["clock"]["trusted"]


def test_a_kept_order_from_the_cloud(house):
    """It is taken once, when it comes; the broker's copy of it is refused."""
    value = not house.home.value("simulated lamp", "on-off")
    kept, mark = house.order(value=value), house.platform.mark()
    house.platform.publish(BASE + "/commands", json.dumps(kept), retain=True)
    assert house.platform.wait_for(BASE + "/answers", match=lambda m: m.json["id"] == kept["id"], after=mark).json["result"] == "ok"
    assert ask(house.platform, house.order(value=not value)) == "ok"
    house.all_counted("cloud")  # what it has not told yet would be killed with it
    house.expect("cloud", "refused-command", lambda: again(house, "cloud"))
    house.all_counted("cloud")
    house.expect("cloud", "malformed", lambda: house.platform.publish(BASE + "/commands", b"", retain=True))  # taken away again
    assert house.home.value("simulated lamp", "on-off") is not value


def again(house, link):
    """The link is killed and comes back."""
    house.home.kill9(link)
    wait_until(lambda: not house.home.links_up(link), 10, "the link to be missed")
    house.home.start(link)
    house.home.wait_links(link)
    house.pids = house.processes()


# Home Assistant.

WISHES = [
    ("a word that is none", "light", "malformed", b"PERHAPS"),
    ("cut off", "light", "malformed", b'{"state": "ON"'),
    ("too deep", "light", "malformed", nested(60)),
    ("very deep", "light", "oversize", b"[" * DEEP),
    ("a key twice", "light", "malformed", b'{"state": "ON", "state": "OFF"}'),
    ("a member too much", "light", "malformed", b'{"state": "ON", "owner": true}'),
    ("a word for a number", "light", "malformed", b'{"state": "ON", "brightness": "full"}'),
    ("out of range", "light", "malformed", b'{"state": "ON", "brightness": 256}'),
    ("not a number", "light", "malformed", b'{"state": "ON", "brightness": NaN}'),
    ("invalid UTF-8", "light", "malformed", b'{"state": "\xff\xfe"}'),
    ("nothing", "light", "malformed", b""),
    ("oversize", "light", "oversize", b" " * (CLOUD_MOST + 1)),
    ("an entity it has not", "heater", "bad-topic", b"ON"),
    ("a long entity", "x" * 500, "bad-topic", b"ON"),
]


@pytest.mark.parametrize("entity, kind, payload", named(WISHES))
def test_home_assistants_wishes(house, entity, kind, payload):
    before = house.home.value("simulated lamp", "on-off")
    house.expect("home", kind, lambda: house.ha.publish(f"gatewayd/device/{house.ids['simulated lamp']}/set/{entity}", payload))
    assert house.home.value("simulated lamp", "on-off") is before
    wish(house, not before)


def wish(house, value):
    house.ha.publish(f"gatewayd/device/{house.ids['simulated lamp']}/set/light", {"state": "ON" if value else "OFF"})
    wait_until(lambda: house.home.value("simulated lamp", "on-off") is value, 5, "the lamp to do what Home Assistant wishes")


@pytest.mark.parametrize("topic, kind", [("01" + "0" * 22, "unknown-device"), ("nobody", "bad-topic"), ("..", "bad-topic"), ("0" * 25, "bad-topic")])
def test_home_assistant_speaks_of_unknown_devices(house, topic, kind):
    house.expect("home", kind, lambda: house.ha.publish(f"gatewayd/device/{topic}/set/light", {"state": "ON"}))


def test_a_kept_wish_of_home_assistant(house):
    before = house.home.value("simulated lamp", "on-off")
    topic = f"gatewayd/device/{house.ids['simulated lamp']}/set/light"

    def kept():
        house.home.kill9("home")
        house.ha.publish(topic, {"state": "OFF" if before else "ON"}, retain=True)
        house.home.start("home")
        house.home.wait_links("home")
        house.pids = house.processes()
    house.all_counted("home")
    house.expect("home", "refused-command", kept)
    house.all_counted("home")
    assert house.home.value("simulated lamp", "on-off") is before
    house.expect("home", "malformed", lambda: house.ha.publish(topic, b"", retain=True))  # taken away again


# The door.

class Knock:
    """A client that sends what it likes."""

    def __init__(self, house):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(5)
        self.socket.connect(house.home.folder + "/run/door.sock")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def say(self, packet):
        self.socket.send(packet if isinstance(packet, bytes) else json.dumps(packet).encode())
        return json.loads(self.socket.recv(65536))


PACKETS = [
    ("cut off", b'{"id": 1, "method": "hello"', "malformed"),
    ("no JSON", b"hello", "malformed"),
    ("invalid UTF-8", b'{"id": 1, "method": "\xff\xfe"}', "malformed"),
    ("a NUL in it", b'{"id": 1, "method": "hel\0lo"}', "malformed"),
    ("an array", [], "malformed"),
    ("a number", 7, "malformed"),
    ("too deep", nested(13), "malformed"),
    ("very deep", b"[" * (DOOR_MOST - 1), "malformed"),
    ("large", {"id": 1, "method": "hello", "params": {"x": "x" * (DOOR_MOST - 100)}}, "malformed"),
    ("a key twice", b'{"id": 1, "method": "hello", "method": "setup"}', "malformed"),
    ("not a number", b'{"id": NaN, "method": "hello"}', "malformed"),
    ("infinite", b'{"id": 1e999, "method": "hello"}', "malformed"),
    ("a number out of range", b'{"id": 99999999999999999999, "method": "hello"}', "malformed"),
    ("no method", {"id": 1}, "malformed"),
    ("a method that is a number", {"id": 1, "method": 1}, "malformed"),
    ("a long method", {"id": 1, "method": "m" * 1000}, "malformed"),
    ("an unknown method", {"id": 1, "method": "gateway.explode"}, "not-found"),
    ("a method of control characters", {"id": 1, "method": "\u001b[2J"}, "not-found"),
    ("a member too much", {"id": 1, "method": "hello", "role": "owner"}, "malformed"),
    ("params that are a list", {"id": 1, "method": "hello", "params": []}, "malformed"),
    ("a param too much", {"id": 1, "method": "hello", "params": {"role": "owner"}}, "malformed"),
    ("a token that is a number", {"id": 1, "method": "status", "token": 1}, "malformed"),
    ("a token that is none", {"id": 1, "method": "status", "token": "x" * 43}, "no-session"),
    ("no token", {"id": 1, "method": "status"}, "no-session"),
    ("a second owner", {"id": 1, "method": "setup", "params": {"name": "eve", "password": "correct horse battery"}}, "no-session"),
]


@pytest.mark.parametrize("packet, code", named(PACKETS))
def test_packets_at_the_door(house, packet, code):
    with Knock(house) as knock:
        error = knock.say(packet)["error"]
        assert error["code"] == code and error["message"]
        assert knock.say({"id": 2, "method": "hello"})["result"]["gateway"] == "gatewayd"


def test_a_packet_larger_than_any_ends_the_connection(house):
    with Knock(house) as knock:
        knock.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        knock.socket.send(b" " * (DOOR_MOST + 1))
        try:
            assert knock.socket.recv(65536) == b""
        except ConnectionResetError:
            pass


LAMP = "simulated lamp"
PARAMS = [
    ("a value that is an object", "device.set", {"device": LAMP, "capability": "on-off", "value": {"on": True}}, "bad-value"),
    ("a word for true", "device.set", {"device": LAMP, "capability": "on-off", "value": "ON"}, "bad-value"),
    ("out of range", "device.set", {"device": LAMP, "capability": "level", "value": 101}, "bad-value"),
    ("far out of range", "device.set", {"device": LAMP, "capability": "level", "value": -1e300}, "bad-value"),
    ("an endpoint out of range", "device.set", {"device": LAMP, "capability": "on-off", "value": True, "endpoint": 256}, "malformed"),
    ("a capability that is a topic", "device.set", {"device": LAMP, "capability": "+/#", "value": True}, "unknown-capability"),
    ("an unknown device", "device.set", {"device": "nobody", "capability": "on-off", "value": True}, "unknown-device"),
    ("no value", "device.set", {"device": LAMP, "capability": "on-off"}, "malformed"),
    ("a name with a plus", "device.rename", {"device": LAMP, "name": "a+b"}, "conflict"),
    ("a name with a hash", "device.rename", {"device": LAMP, "name": "#"}, "conflict"),
    ("a name with a slash", "device.rename", {"device": LAMP, "name": "hall/lamp"}, "conflict"),
    ("a name of the system", "device.rename", {"device": LAMP, "name": "$SYS"}, "conflict"),
    ("a name with a control character", "device.rename", {"device": LAMP, "name": "a\nb"}, "conflict"),
    ("a name of 1000 characters", "device.rename", {"device": LAMP, "name": "n" * 1000}, "malformed"),
    ("an empty name", "device.rename", {"device": LAMP, "name": ""}, "malformed"),
    ("a room with a plus", "device.room", {"device": LAMP, "room": "a+b"}, "conflict"),
    ("a user with a NUL", "user.add", {"name": "e\0ve", "role": "guest", "password": "correct horse battery"}, "malformed"),
    ("a user with a control character", "user.add", {"name": "e\nve", "role": "guest", "password": "correct horse battery"}, None),
    ("a role that is none", "user.add", {"name": "eve", "role": "god", "password": "correct horse battery"}, None),
    ("a rule for nobody", "policy.add", {"effect": "allow", "who": "user:nobody", "what": "*"}, None),
    ("a rule with no effect", "policy.add", {"effect": "perhaps", "who": "anybody", "what": "*"}, None),
    ("a rule of wrong types", "policy.add", {"effect": "allow", "who": "anybody", "what": "*", "actions": "command"}, "malformed"),
    ("an export that leaves its folder", "audit.export", {"name": "../../etc/passwd"}, None),
    ("too many records", "audit.tail", {"n": 501}, "malformed"),
]


@pytest.mark.parametrize("method, params, code", named(PARAMS))
def test_parameters_at_the_door(house, method, params, code):
    with pytest.raises(Refused) as refused:
        house.door.call(method, **params)
    assert refused.value.error["message"]
    assert refused.value.code == code if code else refused.value.code not in ("internal", "ok")
    assert {LAMP, "meter", "Kettle"} <= set(house.home.devices())


# In the end.

def test_nothing_good_was_lost(house):
    heard = house.heard()
    assert list(dict.fromkeys(heard)) == house.sent
    for links in house.door.call("spool.list")["links"]:
        assert sum(links["dropped"].values()) == 0


@pytest.mark.parametrize("name", ["wifi", "cloud", "home"])
def test_every_one_was_counted(house, name):
    house.all_counted(name)


def test_all_of_it_is_on_record(house):
    """The first with its reason; repeats, with the same object, as counts once a minute."""
    want = {**{name: sum(kinds.values()) for name, kinds in house.expected.items()}, "door": sum(1 for *_, code in PACKETS + PARAMS if code == "malformed")}

    def recorded():
        sums = dict.fromkeys(want, 0)
        for row in house.home.audit("bad-input"):
            if row["seq"] > house.first_record:
                sums["door" if row["object"] == "request" else row["name"]] += row.get("count", 1)
                assert row["detail"], row
        return sums
    try:
        wait_until(lambda: recorded() == want, 75, step=1)
    except LabError:
        assert recorded() == want
