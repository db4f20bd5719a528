"""The whole gateway between two real brokers: both loops, an outage with kill -9 in the middle, settings changed while it runs."""

import json
import os
import socket
import subprocess
import time

import pytest
from lib.brokers import lan_peer
from lib.home import BASE, UID, Home, Refused, ask, events, order, trust_time
from lib.netns import wait_until
from lib.platform import NOT_AUTHORISED, Platform
from lib.zigbee import announce, claim_over_zigbee

METERS = 20
MESSAGES = 100_000
OUTAGE_SECONDS = 60


@pytest.fixture
def home(lab, pki):
    home = Home(lab, pki)
    home.start()
    home.owner()
    return home


def test_both_loops_and_what_is_refused_on_the_way(home, lab, pki):
    names = ["meter"]
    with Platform(lab, pki) as platform, lan_peer(home.lan, "zigbee2mqtt") as zigbee:
        platform.subscribe(BASE + "/#")
        zigbee.subscribe("zigbee2mqtt/+/set", "zigbee2mqtt/bridge/request/#")
        announce(zigbee, names)
        home.claim("sim", "simulated lamp", "simulated lock")
        claim_over_zigbee(home, zigbee, names)
        home.wait_links()
        trust_time(home, platform)
        ids = {name: device["id"] for name, device in home.devices().items()}

        # nothing is ordered from outside until a rule says so
        assert ask(platform, order(ids["simulated lamp"], "on-off", True, 1)) == "denied"
        home.allow_link("cloud")
        assert ask(platform, order(ids["simulated lamp"], "on-off", True, 2)) == "ok"
        assert ask(platform, order(ids["simulated lock"], "lock-state", "unlocked", 3)) == "denied"
        assert ask(platform, order(ids["simulated lamp"], "on-off", False, 2, id="again")) == "replayed"
        late = int(time.time() * 1000) - 60000
        assert ask(platform, order(ids["simulated lamp"], "on-off", False, 4, issued_at=late, not_after=late + 1000)) == "late"
        assert ask(platform, order("01" + "0" * 22, "on-off", False, 5)) == "unknown-device"
        assert ask(platform, order(ids["simulated lamp"], "level", 1000, 6)) == "bad-value"
        assert home.value("simulated lamp", "on-off") is True

        # a report goes out, with its class and number; a command goes in over the LAN broker and comes back as a state
        zigbee.publish("zigbee2mqtt/meter", json.dumps({"state": "OFF", "energy": 12.5, "power": 0}))
        wait_until(lambda: any(e.get("capability") == "energy" and e.get("value") == 12.5 for e in events(platform)), 10, "the reading at the platform")
        mark = zigbee.mark()
        platform.publish(BASE + "/commands", json.dumps(order(ids["meter"], "on-off", True, 7)))
        wish = zigbee.wait_for("zigbee2mqtt/meter/set", after=mark)
        assert wish.json == {"state": "ON"}
        zigbee.publish("zigbee2mqtt/meter", json.dumps({"state": "ON", "energy": 12.5, "power": 40}))
        assert platform.wait_for(BASE + "/answers", match=lambda m: m.json["id"] == "o-7").json["result"] == "ok"

        # with the WAN cut the small loop goes on, rules included
        home.door.call("rule.add", name="follow", trigger="change", when={"device": "meter", "capability": "on-off"},
                       then={"device": "simulated lamp", "capability": "on-off"})
        lab.wan.cut()
        zigbee.publish("zigbee2mqtt/meter", json.dumps({"state": "OFF", "energy": 12.5, "power": 0}))
        wait_until(lambda: home.value("simulated lamp", "on-off") is False, 5, "the rule to switch the lamp")
        lab.wan.restore()

        # another account's order on the LAN is refused by the broker and comes to the record
        with lan_peer(home.lan, "garden") as garden:
            assert garden.publish("zigbee2mqtt/meter/set", json.dumps({"state": "ON"})) == NOT_AUTHORISED
        wait_until(lambda: any("meter/set" in (row.get("detail") or "") + (row.get("object") or "") for row in home.audit("bad-input")), 75,
                   "the refusal on record")


def test_nothing_acknowledged_is_lost_in_an_outage_with_kill_9(home, lab, pki):
    names = [f"meter{i}" for i in range(METERS)]
    platform = Platform(lab, pki, session_expiry=3600)
    platform.connect()
    with lan_peer(home.lan, "zigbee2mqtt") as zigbee:
        zigbee.subscribe("zigbee2mqtt/bridge/request/#")
        platform.subscribe(BASE + "/events")
        announce(zigbee, names)
        claim_over_zigbee(home, zigbee, names)
        home.wait_links("cloud")
        lab.wan.cut()
        cut_at = time.monotonic()
        acknowledged = 0
        killed = {MESSAGES * 3 // 10: ("core",), MESSAGES // 2: ("cloud",), MESSAGES * 7 // 10: ("core", "cloud"), MESSAGES * 8 // 10: ("wifi",)}
        for start in range(0, MESSAGES, 2000):
            batch = [(f"zigbee2mqtt/{names[i % METERS]}", json.dumps({"energy": i // METERS + 1})) for i in range(start, start + 2000)]
            codes = zigbee.publish_many(batch)
            acknowledged += sum(1 for code in codes if code < 0x80)
            if start in killed:
                home.kill9(*killed[start])
                time.sleep(0.5)
                home.start(*killed[start])
        assert acknowledged == MESSAGES
        time.sleep(max(0, OUTAGE_SECONDS - (time.monotonic() - cut_at)))
        lab.wan.restore()
        home.again()
        ids = {device["id"]: name for name, device in home.devices().items()}
        want = MESSAGES // METERS
        seen = {name: [] for name in names}
        taken = 0

        def all_there():
            nonlocal taken
            messages = platform.events(BASE + "/events")
            for message in messages[taken:]:
                for event in json.loads(message.payload):
                    if event.get("kind") == "report" and event.get("capability") == "energy" and ids.get(event["device"]) in seen:
                        seen[ids[event["device"]]].append((event["value"], bool(event.get("dup"))))
            taken = len(messages)
            return all(values and len({v for v, _ in values}) >= want for values in seen.values())
        try:
            wait_until(all_there, 120, "every reading")
        finally:
            missing = {name: want - len({v for v, _ in values}) for name, values in seen.items() if len({v for v, _ in values}) < want}
            assert not missing, f"lost: {missing}; {home.door.call('spool.list')}"
        for name, values in seen.items():
            highest = 0
            for value, duplicate in values:
                assert value > highest or duplicate, f"{name}: {value} came again after {highest} and is not marked"
                highest = max(highest, value)
        dropped = [link["dropped"] for link in home.door.call("link.list")["links"] if link["name"] == "cloud"][0]
        assert sum(dropped.values()) == 0
    platform.close()


def test_settings_change_while_it_runs_or_not_at_all(home):
    core = home.processes["core"]
    home.settings(extra="log: {level: debug}\n")
    core.signal(1)
    core.wait_log("settings applied")
    home.settings(extra="log: {level: loud}\n")
    core.signal(1)
    core.wait_log("settings refused")
    assert "gatewayd.yaml:" in "\n".join(core.log())
    home.settings(extra="session: {idle_s: 60}\n")
    core.signal(1)
    wait_until(lambda: sum("settings refused" in line for line in core.log()) == 2, 5, "a change that needs a restart to be refused")
    assert home.door.call("status")["version"]
    rows = home.audit("config")
    assert [row["outcome"] for row in rows] == ["ok", "failed", "failed"]
    check = subprocess.run([home.folder + "/gatewayd", "--config", home.folder + "/gatewayd.yaml", "--check-config"], capture_output=True, text=True)
    assert check.returncode == 0
    home.settings(extra="no_such_key: 1\n")
    check = subprocess.run([home.folder + "/gatewayd", "--config", home.folder + "/gatewayd.yaml", "--check-config"], capture_output=True, text=True)
    assert check.returncode == 2 and "gatewayd.yaml:" in check.stderr and "no_such_key" in check.stderr


def test_adapters_and_links_come_and_go(home, lab):
    home.claim("sim", "simulated lamp")
    home.wait_links()
    home.kill9("sim")
    wait_until(lambda: home.devices()["simulated lamp"]["state"] == "unreachable", 3, "the lamp to be unreachable")
    with pytest.raises(Refused) as refused:
        home.door.call("device.set", device="simulated lamp", capability="on-off", value=True)
    assert refused.value.code == "unreachable"
    home.start("sim")
    wait_until(lambda: home.devices()["simulated lamp"]["state"] == "ours", 5, "the lamp to be back")
    # one that hangs costs its own devices after four seconds, and nobody else
    home.processes["sim"].freeze()
    wait_until(lambda: home.devices()["simulated lamp"]["state"] == "unreachable", 6, "the hanging adapter to be noticed")
    home.processes["sim"].thaw()
    wait_until(lambda: home.devices()["simulated lamp"]["state"] == "ours", 15, "the lamp to be back")
    assert home.links_up()
    home.kill9("core")
    home.start("core")
    home.again()
    wait_until(lambda: home.devices()["simulated lamp"]["state"] == "ours", 15, "the adapters to find the new core")
    home.wait_links(timeout=30)


def test_a_stranger_at_the_wire_is_turned_away(home, lab):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(5)
    sock.connect(home.folder + "/run/wire.sock")
    try:
        assert sock.recv(10) == b""
    except ConnectionResetError:
        pass
    assert any(row.get("source") == f"uid:{os.getuid()}" for row in home.audit("adapter-violation"))
    assert UID["core"] != os.getuid()
