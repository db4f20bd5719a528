"""A Zigbee home in both loops: a real Zigbee2MQTT on a simulated coordinator, the whole gateway, a platform behind the cloud broker."""

import itertools
import json
import time

import pytest
from lib.home import BASE, Home, Refused, ask, events, order, trust_time
from lib.netns import LabError, wait_until
from lib.platform import Platform
from lib.zigbee import Zigbee

HERE_FROM_THE_START = ("bulb", "climate", "contact", "lock", "outlet")
BACK_SECONDS = 40


@pytest.fixture
def zigbee(lab, home):
    one = Zigbee(lab, home.lan, devices=",".join(HERE_FROM_THE_START))
    yield one
    one.stop()


@pytest.fixture
def home(lab, pki):
    home = Home(lab, pki)
    home.start()
    home.owner()
    return home


def state_of(home, name):
    return home.devices()[name]["state"]


def states_of(home, names):
    devices = home.devices()
    return {devices[name]["state"] for name in names}


def reported(platform, device, capability, value, after=0):
    return any(e.get("device") == device and e.get("capability") == capability and e.get("value") == value for e in events(platform)[after:])


def available(platform, device):
    """What the platform has last heard of whether it can be reached."""
    heard = [e["value"] for e in events(platform) if e["kind"] == "availability" and e["device"] == device]
    return heard[-1] if heard else None


def test_a_zigbee_home_in_both_loops(home, zigbee, lab, pki):
    with Platform(lab, pki) as platform:
        platform.subscribe(BASE + "/#")
        ids = they_appear_and_are_bound(home, zigbee)
        home.wait_links("cloud")
        trust_time(home, platform)
        ids["plug"] = a_new_device_joins_in_the_window(home, zigbee)
        they_are_commanded_from_the_cloud(home, zigbee, platform, ids)
        what_they_measure_reaches_the_cloud(zigbee, platform, ids)
        a_local_rule_moves_them_with_the_wan_cut(home, zigbee, lab)
        one_falls_silent_and_comes_back(home, zigbee, platform, ids)
        their_bridge_dies_and_comes_back(home, zigbee, platform, ids)


def they_appear_and_are_bound(home, zigbee):
    wait_until(lambda: set(HERE_FROM_THE_START) <= set(home.devices()), 30, "the devices of Zigbee2MQTT")
    for name in HERE_FROM_THE_START:
        device = home.devices()[name]
        assert device["state"] == "described" and device.get("owner") is None, device
    with pytest.raises(Refused) as refused:  # nobody's: not even the owner of the house commands it
        home.door.call("device.set", device="bulb", capability="on-off", value=True)
    assert refused.value.code == "unbound"
    home.claim("wifi", *HERE_FROM_THE_START)
    devices = home.devices()
    assert {devices[name]["owner"] for name in HERE_FROM_THE_START} == {"anna"}
    assert not zigbee.ask(op="list")["permitJoin"]
    return {name: devices[name]["id"] for name in HERE_FROM_THE_START}


def a_new_device_joins_in_the_window(home, zigbee):
    with pytest.raises(LabError, match="not permitted"):
        zigbee.ask(op="join", device="plug")
    code = home.door.call("bind.code")["code"]
    home.door.call("join.open", adapter="wifi", code=code, seconds=120)
    wait_until(lambda: zigbee.ask(op="list")["permitJoin"], 5, "the coordinator to let devices join")
    address = zigbee.ask(op="join", device="plug")["eui"]
    # Zigbee2MQTT interviews it; it then stands in the list, waits for the one who opened the window, and does nothing before
    wait_until(lambda: home.devices().get("plug", {}).get("state") == "waiting", 30, "the plug to wait for its claim")
    assert [device["name"] for device in home.door.call("claim.list")["devices"]] == ["plug"]
    with pytest.raises(Refused) as refused:
        home.door.call("device.set", device="plug", capability="on-off", value=False)
    assert refused.value.code == "unbound"
    home.door.call("claim.confirm", device="plug")
    home.door.call("join.close", adapter="wifi")
    wait_until(lambda: not zigbee.ask(op="list")["permitJoin"], 5, "the coordinator to let none join")
    plug = home.devices()["plug"]
    assert plug["owner"] == "anna" and plug["state"] == "ours"
    assert address == next(device["eui"] for device in zigbee.ask(op="list")["devices"] if device["name"] == "plug")
    with pytest.raises(Refused):  # a code opens one window
        home.door.call("join.open", adapter="wifi", code=code, seconds=120)
    return plug["id"]


def they_are_commanded_from_the_cloud(home, zigbee, platform, ids):
    assert ask(platform, order(ids["plug"], "on-off", False, 1)) == "denied"
    home.allow_link("cloud")
    for counter, (value, device, attr, want) in enumerate(((False, "plug", "onOff.onOff", False), (True, "plug", "onOff.onOff", True)), 2):
        heard = len(events(platform))
        assert ask(platform, order(ids[device], "on-off", value, counter), timeout=15) == "ok"
        zigbee.ask(op="wait", device=device, attr=attr, value=want)
        wait_until(lambda value=value, heard=heard: reported(platform, ids["plug"], "on-off", value, heard), 5, "the plug's new state at the platform")
    assert ask(platform, order(ids["bulb"], "level", 50, 4), timeout=15) == "ok"
    zigbee.ask(op="wait", device="bulb", attr="level.currentLevel", value=127)
    # a lock is not a lamp
    assert ask(platform, order(ids["lock"], "lock-state", "unlocked", 5)) == "denied"
    assert zigbee.ask(op="get", device="lock", attr="doorLock.lockState")["value"] == 1


def what_they_measure_reaches_the_cloud(zigbee, platform, ids):
    zigbee.ask(op="report", device="climate", attr="temperature.measured", value=2345)
    wait_until(lambda: reported(platform, ids["climate"], "temperature", 23.45), 10, "the temperature at the platform")
    about = platform.wait_for(f"{BASE}/devices/{ids['climate']}", match=lambda m: m.payload).json
    assert about["name"] == "climate" and about["vendor"] == "SONOFF"


def a_local_rule_moves_them_with_the_wan_cut(home, zigbee, lab):
    home.door.call("rule.add", name="light when the door opens", trigger="equals", when={"device": "contact", "capability": "contact"}, threshold=False,
                   then={"device": "bulb", "capability": "on-off"}, set=True)
    for status, shut in ((1, False), (0, True)):
        zigbee.ask(op="set", device="contact", attr="iasZone.zoneStatus", value=status)
        wait_until(lambda shut=shut: home.value("contact", "contact") is shut, 10, f"the door to be {'shut' if shut else 'open'}")
    home.door.call("device.set", device="bulb", capability="on-off", value=False)
    zigbee.ask(op="wait", device="bulb", attr="onOff.onOff", value=False)
    lab.wan.cut()
    zigbee.ask(op="set", device="contact", attr="iasZone.zoneStatus", value=1)
    zigbee.ask(op="wait", device="bulb", attr="onOff.onOff", value=True)
    assert home.value("contact", "contact") is False
    wait_until(lambda: home.value("bulb", "on-off") is True, 5, "the lamp to say that it is on")
    lab.wan.restore()
    home.wait_links("cloud", timeout=60)


def one_falls_silent_and_comes_back(home, zigbee, platform, ids):
    zigbee.ask(op="fault", device="outlet", gone=True)
    wait_until(lambda: state_of(home, "outlet") == "unreachable", BACK_SECONDS, "the outlet to be unreachable")
    wait_until(lambda: available(platform, ids["outlet"]) is False, 10, "the platform to hear of it")
    started = time.monotonic()
    with pytest.raises(Refused) as refused:
        home.door.call("device.set", device="outlet", capability="on-off", value=True)
    assert refused.value.code == "unreachable" and time.monotonic() - started < 2
    assert state_of(home, "plug") == "ours"
    zigbee.ask(op="fault", device="outlet", gone=False)
    zigbee.ask(op="report", device="outlet", attr="onOff.onOff", value=0)
    wait_until(lambda: state_of(home, "outlet") == "ours", BACK_SECONDS, "the outlet to be back")
    wait_until(lambda: available(platform, ids["outlet"]) is True, 10, "the platform to hear of it")
    home.door.call("device.set", device="outlet", capability="on-off", value=True)
    zigbee.ask(op="wait", device="outlet", attr="onOff.onOff", value=True)


def their_bridge_dies_and_comes_back(home, zigbee, platform, ids):
    everyone = (*HERE_FROM_THE_START, "plug")
    zigbee.kill9()
    wait_until(lambda: states_of(home, everyone) == {"unreachable"}, 10, "all to be unreachable without their bridge")
    with pytest.raises(Refused) as refused:
        home.door.call("device.set", device="plug", capability="on-off", value=True)
    assert refused.value.code == "unreachable"
    assert state_of(home, "simulated lamp") != "unreachable"  # another adapter's
    zigbee.start()
    wait_until(lambda: states_of(home, everyone) == {"ours"}, BACK_SECONDS, "all to be back")
    devices = home.devices()
    assert {name: devices[name]["id"] for name in everyone} == {name: ids[name] for name in everyone}
    assert {devices[name]["owner"] for name in everyone} == {"anna"}
    # Its broker may know it again a moment before Zigbee2MQTT listens: nobody does is "unreachable", at once.
    counters = itertools.count(10)
    wait_until(lambda: ask(platform, order(ids["plug"], "on-off", False, next(counters)), timeout=15) == "ok", 10, "the plug to obey again", step=0.5)
    zigbee.ask(op="wait", device="plug", attr="onOff.onOff", value=False)
    assert json.loads(platform.events(BASE + "/answers")[-1].payload)["result"] == "ok"
