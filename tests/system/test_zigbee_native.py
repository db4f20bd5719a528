"""Our own Zigbee on a simulated coordinator that zigbee-herdsman and Zigbee2MQTT have accepted (tests/sim): the scenarios that those ran, with the whole gateway."""

import json
import subprocess
import tempfile
import time

import pytest
from lib.house import Refused
from lib.netns import LabError, wait_until
from lib.zigbee import SIM, node
from lib.zigbee_native import Coordinator, NativeHouse, Voice

FIRST = ("outlet", "bulb", "climate", "contact", "plug", "lock", "thermostat", "blind")
SECOND = ("colour", "remote", "motion", "presence", "leak", "siren")


@pytest.fixture(scope="module")
def radio():
    with tempfile.TemporaryDirectory(prefix="gw-zigbee-") as folder, Coordinator(folder) as one:
        yield one


@pytest.fixture(scope="module")
def house(radio):
    """A home that has just been set up; the tests of this file fill it."""
    with NativeHouse(radio) as one:
        one.start_all()
        one.owner()
        one.radio_ready()
        yield one


def test_it_forms_a_network_of_its_own_and_everybody_joins(house, radio):
    assert radio.network()["channel"] in range(11, 27)
    with pytest.raises(LabError, match="not permitted"):
        radio.ask(op="join", device="outlet")
    house.let_join(*FIRST)
    with pytest.raises(LabError, match="not permitted"):
        radio.ask(op="join", device="colour")
    house.let_join(*SECOND)
    house.open_window()
    with pytest.raises(LabError, match="install code"):
        radio.ask(op="join", device="smoke")
    house.close_window()
    house.let_join("smoke", address=house.eui("smoke"), secret=radio.ask(op="sticker", device="smoke")["code"])
    devices = {name: house.device(name) for name in FIRST + SECOND + ("smoke",)}
    assert {device["state"] for device in devices.values()} == {"ours"} and {device["owner"] for device in devices.values()} == {"anna"}
    assert devices["smoke"]["evidence"] == 2 and devices["leak"]["evidence"] == 1
    assert (devices["outlet"]["vendor"], devices["outlet"]["model"]) == ("IKEA", "E160x/E170x/E190x")
    assert radio.ask(op="keys")["wrong"] == []


def test_a_window_closes_behind_the_eighth(house, radio):
    house.open_window()
    for n in range(1, 9):
        radio.ask(op="join", device=f"lamp{n}", kind="bulb")
    for n in range(1, 9):
        house.wait_state(f"lamp{n}", "waiting")
        house.home.call("claim.confirm", device=house.device(f"lamp{n}")["id"])
    with pytest.raises(LabError, match="not permitted"):
        radio.ask(op="join", device="lamp9", kind="bulb")
    house.close_window()
    assert house.device("lamp9") is None


# What Zigbee2MQTT published for the same frames (tests/sim/differential.mjs).

def same(value):
    return value


def inverted(value):
    return not value


# its property: our capability, its value in our words, how far apart they may be (it rounds)
SAME = {
    "temperature": ("temperature", same, 0.005), "local_temperature": ("temperature", same, 0.005), "humidity": ("humidity", same, 0.005),
    "battery": ("battery", same, 0.5), "state": ("on-off", {"ON": True, "OFF": False}.get, 0), "brightness": ("level", lambda v: v * 100 / 254, 0.62),
    "color_temp": ("color-temperature", same, 0), "power": ("power", same, 0.05), "voltage": ("voltage", same, 0.05), "current": ("current", same, 0.005),
    "energy": ("energy", same, 0.05), "lock_state": ("lock-state", {"locked": "locked", "unlocked": "unlocked", "not_fully_locked": "jammed"}.get, 0),
    "occupied_heating_setpoint": ("target-temperature", same, 0.005), "occupied_cooling_setpoint": ("target-cooling", same, 0.005),
    "system_mode": ("thermostat-mode", same, 0), "position": ("cover-position", same, 0), "occupancy": ("occupancy", same, 0),
    "contact": ("contact", same, 0), "water_leak": ("water-leak", same, 0), "tamper": ("tamper", same, 0), "battery_low": ("battery-low", same, 0),
    "action": ("button", same, 0),
}


# Where we differ: device, value of its zone status, property: why.
DIFFERENT = {("motion", 2, "occupancy"): "of a sensor that it does not know Zigbee2MQTT takes either of the two alarms for motion, and so do we; of this model only the first"}


def recorded():
    with open(SIM / "captures/values.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def is_near(ours, theirs, tolerance):
    if isinstance(theirs, bool) or isinstance(theirs, str) or ours is None:
        return ours == theirs
    return abs(ours - theirs) <= tolerance


def test_the_same_values_as_zigbee2mqtt_for_the_same_frames(house, radio):
    wrong = []
    for row in recorded():
        if "said" not in row:
            continue
        request = row["request"]
        radio.ask(**request)
        time.sleep(0.01)
        for name, theirs in row["said"].items():
            if theirs is None or (request["device"], request.get("value"), name) in DIFFERENT:
                continue
            capability, words, tolerance = SAME[name]
            want = words(theirs)
            try:
                wait_until(lambda c=capability, w=want, t=tolerance: is_near(house.value(request["device"], c), w, t), 5)
            except LabError:
                wrong.append((request, name, theirs, house.value(request["device"], capability)))
    assert wrong == []


ORDERS = {"state": {"ON": ("on-off", True), "OFF": ("on-off", False), "OPEN": ("cover-position", 100), "LOCK": ("lock-state", "locked"),
                    "UNLOCK": ("lock-state", "unlocked")}}
ORDERED = {"brightness": ("level", 50), "color_temp": ("color-temperature", None), "position": ("cover-position", None),
           "occupied_heating_setpoint": ("target-temperature", None), "system_mode": ("thermostat-mode", None)}


def test_orders_do_what_those_of_zigbee2mqtt_did(house, radio):
    house.allow_locks()
    for row in recorded():
        if "order" not in row:
            continue
        name, value = next((name, value) for name, value in row["order"].items() if name != "transition")
        capability, ours = ORDERS[name][value] if name in ORDERS else ORDERED[name]
        assert house.set(row["device"], capability, value if ours is None else ours)["result"] == "ok", row
        radio.wait(row["device"], row["attr"], row["became"])
    house.set("siren", "siren", True)
    wait_until(lambda: radio.ask(op="state", device="siren")["state"]["endpoints"]["1"]["memory"].get("warning"), 5, "the siren to sound")
    house.set("colour", "color-hue", 120)
    assert abs(radio.get("colour", "color.enhancedHue") - 65535 / 3) <= 1


def test_one_order_reaches_a_group(house, radio):
    """And nobody else; the group is a device like any, waiting for who has the window open."""
    house.open_window()
    members = [house.eui(name) for name in ("lamp1", "lamp2", "climate")]
    made = json.loads(house.ask_radio("group", data=json.dumps({"name": "Row", "members": members})))
    assert (made["members"], made["refused"]) == (members[:2], members[2:])
    group = next(device["id"] for device in house.devices() if device["model"] == "group")
    house.home.call("claim.confirm", device=group)
    house.close_window()
    before = radio.get("lamp3", "onOff.onOff")
    for on in (True, False):
        assert house.set(group, "on-off", on)["result"] == "ok"
        for name in ("lamp1", "lamp2"):
            radio.wait(name, "onOff.onOff", on)
        assert radio.get("lamp3", "onOff.onOff") is before
    assert json.loads(house.ask_radio("info"))["groups"] == [{"id": made["id"], "name": "Row", "members": members[:2]}]


# Faults.

def toggled(house, radio, name="outlet"):
    """It can be commanded, and really does it."""
    want = not radio.get(name, "onOff.onOff")
    assert house.set(name, "on-off", want)["result"] == "ok"
    assert radio.get(name, "onOff.onOff") is want


def test_what_passes_is_got_over(house, radio):
    for trouble in ({"op": "fault", "device": "outlet", "confirm": "CHANNEL_ACCESS_FAILURE"}, {"op": "fault", "device": "outlet", "confirm": "BUFFER_FULL"},
                    {"op": "fault", "device": "outlet", "confirm": "NWK_NO_ROUTE"}, {"op": "coordinator", "what": "full"},
                    {"op": "coordinator", "what": "lose", "frames": "permitJoinInd"}):
        radio.ask(**trouble)
        toggled(house, radio)


@pytest.fixture(scope="module")
def slow():
    """Orders that end late, in the background: name -> a function that waits for the end."""
    return {}


def test_what_never_ends_is_begun(house, radio, slow):
    """A confirm and answers of the stick that never come, a sleeper that does not wake: looked at by the last test."""
    radio.ask(op="coordinator", what="lose", frames="dataConfirm", count=1)
    slow["plug"] = house.later("plug", "on-off", not radio.get("plug", "onOff.onOff"))
    radio.ask(op="fault", device="blind", silent=True)
    slow["blind"] = house.later("blind", "cover-position", 50)
    radio.ask(op="fault", device="bulb", gone=True)
    slow["bulb"] = house.later("bulb", "on-off", not radio.get("bulb", "onOff.onOff"))
    wait_until(lambda: radio.coordinator_faults()["lose"]["dataConfirm"] == 0, 5, "the confirm to be lost")
    radio.ask(op="coordinator", what="drop")
    toggled(house, radio)


def test_duplicates_and_frames_out_of_order_change_nothing(house, radio):
    radio.ask(op="air", duplicate=True, reorder=True)
    for what in ("on", "off"):
        radio.ask(op="press", device="remote", what=what)
    toggled(house, radio)
    radio.ask(op="report", device="climate", attr="temperature.measured", value=1717)
    house.wait_value("climate", "temperature", 17.17)
    radio.ask(op="air", duplicate=False, reorder=False)


def test_a_report_of_many_fragments_is_read(house, radio):
    radio.ask(op="report", device="climate", attr="temperature.measured", value=1818, times=90)
    house.wait_value("climate", "temperature", 18.18)


def test_a_device_that_floods_is_nobody_elses_trouble(house, radio):
    logged = len(house.log())
    radio.ask(op="talk", device="leak", perSecond=2000, seconds=0.5)
    started = time.monotonic()
    toggled(house, radio)
    assert time.monotonic() - started < 1
    assert len(house.log()) - logged < 5000
    radio.ask(op="set", device="leak", attr="iasZone.zoneStatus", value=1)  # dropped with the rest
    assert house.lives["zigbee"] == 1


def test_a_sleeper_is_told_when_it_wakes(house, radio):
    radio.ask(op="sleep", device="lock", pollMs=600)
    for state, number in (("unlocked", 2), ("locked", 1)):
        house.set("lock", "lock-state", state)
        radio.wait("lock", "doorLock.lockState", number)
    radio.ask(op="sleep", device="lock", pollMs=60)


def test_one_that_comes_back_with_another_address_is_known(house, radio):
    radio.ask(op="rejoin", device="outlet")
    toggled(house, radio)
    radio.ask(op="leave", device="presence")
    house.wait_state("presence", "unreachable")


def test_who_fell_silent_is_unreachable_and_comes_back(house, radio, slow):
    assert slow["bulb"]().code in ("unreachable", "timeout")
    assert slow["blind"]().code in ("unreachable", "timeout")
    refused = slow["plug"]()
    assert refused is None or refused.code == "timeout"
    house.wait_state("bulb", "unreachable", 40)
    house.wait_value("leak", "water-leak", True)  # since then its flood has passed, and it was asked
    radio.ask(op="fault", device="bulb", gone=False)
    radio.ask(op="report", device="bulb", attr="onOff.onOff")
    house.wait_state("bulb", "ours")
    radio.ask(op="fault", device="blind", silent=False)
    radio.ask(op="report", device="blind", attr="windowCovering.currentLift")
    for name in ("bulb", "plug"):
        toggled(house, radio, name)
    house.set("blind", "cover-position", 20)
    radio.wait("blind", "windowCovering.currentLift", 80)


def test_the_coordinator_resets_by_itself_while_somebody_joins(house, radio):
    house.open_window()
    radio.ask(op="join", device="late", kind="plug")
    radio.ask(op="coordinator", what="reset")
    wait_until(lambda: radio.ask(op="network")["state"] == 9, 20, "the network to be up again")
    wait_until(lambda: tries(house, radio), 10, "the outlet to be commanded")
    house.wait_state("late", "waiting", 20)
    house.close_window()
    assert house.lives["zigbee"] == 1


def tries(house, radio):
    try:
        toggled(house, radio)
    except Refused:
        return False
    return True


def test_the_line_breaks_and_is_made_anew(house, radio):
    radio.ask(op="coordinator", what="cut")
    wait_until(lambda: tries(house, radio), 15, "the outlet to be commanded")
    assert house.lives["zigbee"] == 1


def test_a_network_that_was_left_is_resumed(house, radio):
    before = radio.network()
    assert house.stop_adapter("zigbee") == 0
    house.wait_state("outlet", "unreachable")
    house.start_adapter("zigbee")
    house.wait_state("outlet", "ours")
    wait_until(lambda: tries(house, radio), 10, "the outlet to be commanded")
    assert radio.network() == before


# A serial line.

def test_a_small_stick_is_full_pulled_and_plugged():
    with tempfile.TemporaryDirectory(prefix="gw-zigbee-") as folder, Coordinator(folder, "--rows", "2") as radio, NativeHouse(radio, serial=True) as house:
        house.start_all()
        house.owner()
        house.radio_ready()
        house.let_join("outlet", "bulb")
        house.open_window()
        with pytest.raises(LabError, match="tables are full"):
            radio.ask(op="join", device="plug")
        house.close_window()
        toggled(house, radio)
        first = house.adapters["zigbee"]
        house.stick.pull()
        assert first.wait(5) == 75
        house.wait_state("outlet", "unreachable", 4)
        with pytest.raises(Refused) as refused:
            house.set("outlet", "on-off", True)
        assert refused.value.code == "unreachable"
        house.stick.plug()
        house.wait_state("outlet", "ours", 15)
        wait_until(lambda: tries(house, radio), 10, "the outlet to be commanded")
        assert house.lives["zigbee"] == 2 and house.core.poll() is None


# Networks that move from one stick and one program to another.

def herdsman(radio, file):
    """zigbee-herdsman takes over the network that is on the stick, and writes its backup."""
    subprocess.run([node(), str(SIM / "herdsman_network.mjs"), str(radio.port), file], cwd=SIM, check=True, capture_output=True, timeout=60)


def restore(house, text):
    pieces = [text[i:i + 8000] for i in range(0, len(text), 8000)]
    for piece in pieces[:-1]:
        house.home.call("radio.restore", adapter="zigbee", data=piece, more=True)
    house.home.call("radio.restore", adapter="zigbee", data=pieces[-1], password=house.password)


def test_a_network_of_zigbee2mqtts_moves_here():
    """Its devices never notice: zigbee-herdsman's backup, restored by us on a blank stick. (The way back: test_zigbee_backup.)"""
    with tempfile.TemporaryDirectory(prefix="gw-zigbee-") as folder, Coordinator(folder, "--devices", "12", "--children", "5") as radio:
        theirs = folder + "/theirs.json"
        herdsman(radio, theirs)
        before = radio.network()
        radio.ask(op="coordinator", what="replace")
        with NativeHouse(radio) as house, open(theirs, encoding="utf-8") as file:
            house.start_all()
            house.owner()
            house.radio_ready()
            assert radio.network() != before
            restore(house, file.read())
            house.radio_ready()
            assert radio.network() == before and radio.ask(op="keys")["wrong"] == []
            wait_until(lambda: all(house.state(name) == "described" for name in radio.devices()), 20, "all to be known without joining")
            house.open_window()
            for name in ("bulb-01", "climate-01"):
                house.home.call("claim.confirm", device=house.device(name)["id"])
            house.close_window()
            house.home.call("device.set", device=house.device("bulb-01")["id"], capability="on-off", value=True)
            radio.wait("bulb-01", "onOff.onOff", True)
            radio.ask(op="report", device="climate-01", attr="temperature.measured", value=1234)
            house.wait_value("climate-01", "temperature", 12.34)
            nodes = json.loads(house.ask_radio("map"))
            assert {node["eui"] for node in nodes["nodes"]} >= {house.eui(name) for name in radio.devices()} and nodes["silent"] == []
            backup = json.loads(house.ask_radio("backup", password=house.password))
            assert {device["ieee_address"] for device in backup["devices"]} == {house.eui(name) for name in radio.devices()}


def way_of(house, name):
    return {way["adapter"]: (way["up"], way["active"]) for way in house.device(name)["ways"]}


def test_a_device_of_zigbee2mqtts_joins_here_and_stays_who_it_is():
    """What Zigbee2MQTT said of the same simulated devices is said again; then somebody resets two of them and lets them join here."""
    with tempfile.TemporaryDirectory(prefix="gw-zigbee-") as folder, Coordinator(folder) as radio, Voice(folder) as voice, NativeHouse(radio, wifi=voice.sock) as house:
        house.start_all("zigbee", "wifi")
        house.owner()
        house.radio_ready()
        wait_until(lambda: house.device("outlet") and house.device("plug"), 15, "the devices of Zigbee2MQTT")
        house.open_window("wifi")
        for name in ("outlet", "plug"):
            house.wait_state(name, "waiting")
            house.home.call("claim.confirm", device=name)
        house.close_window("wifi")
        voice.say("zigbee2mqtt/plug", json.dumps({"state": "ON", "power": 41.8, "energy": 123.4}), retain=False)
        house.wait_value("plug", "power", 41.8)
        house.home.call("device.rename", device="outlet", name="kettle")
        house.home.call("device.room", device="kettle", room="kitchen")
        house.home.call("user.add", name="ben", role="member", password="another long password")
        house.home.call("policy.add", effect="allow", who="user:ben", what="device:kettle", actions=["command", "read"])
        house.home.call("rule.add", name="kettle with the plug", trigger="equals", when={"device": "plug", "capability": "on-off"}, threshold=False,
                        then={"device": "kettle", "capability": "on-off"}, set=True)
        before = {name: house.device(name) for name in ("kettle", "plug")}
        n = len(house.devices())
        # the kettle: joins in its owner's window, then Zigbee2MQTT says that it left
        house.open_window()
        for name in ("outlet", "plug"):
            radio.ask(op="join", device=name)
        for name in ("kettle", "plug"):
            wait_until(lambda name=name: way_of(house, name).get("zigbee") == (True, False), 10, f"{name} to be there over Zigbee, too")
        house.close_window()
        assert way_of(house, "kettle")["wifi"] == (True, True)
        voice.forget("outlet")
        wait_until(lambda: way_of(house, "kettle")["zigbee"] == (True, True), 10, "the kettle to go on here by itself")
        # the plug: a person says so
        house.home.call("device.move", device="plug", adapter="zigbee")
        assert way_of(house, "plug")["zigbee"] == (True, True)
        after = {name: house.device(name) for name in ("kettle", "plug")}
        for name in before:
            assert {key: after[name][key] for key in ("id", "name", "owner", "room", "state")} == {key: before[name][key] for key in ("id", "name", "owner", "room", "state")}
        assert len(house.devices()) == n
        ben = house.door()
        ben.login("ben", "another long password")
        assert ben.call("device.set", device="kettle", capability="on-off", value=True)["result"] == "ok"
        assert radio.get("outlet", "onOff.onOff") is True
        ben.close()
        house.set("kettle", "on-off", False)
        radio.ask(op="set", device="plug", attr="onOff.onOff", value=False)
        radio.wait("outlet", "onOff.onOff", True)  # the rule
        house.wait_value("plug", "on-off", False)
        kinds = [(row["kind"], row.get("object")) for row in house.home.call("audit.tail", n=500, after=0)["records"] if row.get("device") == after["kettle"]["id"]]
        assert kinds, "the record goes on under the same identity"
