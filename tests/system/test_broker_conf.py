"""The shipped configuration of the LAN broker: who may do what, and that it is refused and seen when somebody else tries."""

import itertools
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import time

import pytest

from lib.broker import REPO
from lib.brokers import lan_broker, lan_peer
from lib.lab import LAN_BROKER, wait_until
from lib.platform import NOT_AUTHORISED, Peer, Refused

GATEWAY = ["gateway-intake", "gateway-command", "gateway-home", "gateway-broker-admin"]
OTHERS = ["homeassistant", "zigbee2mqtt", "plug1", "garden", "porch"]
DEVICES = ["zigbee2mqtt", "plug1", "garden", "porch"]
COMMANDS = ["zigbee2mqtt/lamp/set", "zigbee2mqtt/lamp/set/state", "zigbee2mqtt/hall/lamp/set", "zigbee2mqtt/lamp/get", "zigbee2mqtt/bridge/request/permit_join",
            "cmnd/plug1/POWER", "garden/set", "garden/set/valve", "porch/get"]


@pytest.fixture(scope="module")
def broker(shared_lab, pki):
    return lan_broker(shared_lab, pki)


@pytest.fixture
def peers(broker):
    """Connected clients by account name, made when first asked for."""
    made = {}

    class Peers:
        def __getitem__(self, name):
            if name not in made:
                made[name] = lan_peer(broker, name).connect()
            return made[name]

    yield Peers()
    for peer in made.values():
        peer.close()


def test_nobody_is_anonymous_on_any_listener(shared_lab, broker, pki):
    """per_listener_settings false: the plugin's accounts hold on the unix socket too."""
    tls = {"ca": pki.path("home-ca.crt"), "name": "lan.test"}
    ways = [(broker.sock, None, None), ((LAN_BROKER, 8883), tls, "gw"), (("127.0.0.1", 8883), tls, "lan")]
    for address, secured, place in ways:
        inside = {"inside": lambda place=place: shared_lab.inside(place)} if place else {}
        for user, password in ((None, None), ("gateway-command", "wrong"), ("gateway-command", ""), ("nobody", "x")):
            with pytest.raises(Refused) as refused:
                Peer(address, client_id="intruder", user=user, password=password, tls=secured, **inside).connect()
            assert refused.value.code == NOT_AUTHORISED
        Peer(address, user="plug1", password=broker.secrets["plug1"], tls=secured, **inside).connect().close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_lan_listener_is_tls_1_2_or_newer(shared_lab, broker, pki):
    context = ssl.create_default_context(cafile=pki.path("home-ca.crt"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with shared_lab.inside("gw"), socket.create_connection((LAN_BROKER, 8883), timeout=2) as raw:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(raw, server_hostname="lan.test")


def test_nobody_takes_over_anothers_session(shared_lab, broker, pki):
    """A device gives the intake client's identifier: intake stays, and what waits for it is not handed over."""
    tls = {"ca": pki.path("home-ca.crt"), "name": "lan.test"}
    password = broker.secrets["porch"]
    ways = [{"address": broker.sock}, {"address": (LAN_BROKER, 8883), "tls": tls, "inside": lambda: shared_lab.inside("gw")},
            {"address": ("127.0.0.1", 8883), "tls": tls, "inside": lambda: shared_lab.inside("lan")}]
    with lan_peer(broker, "gateway-intake", session_expiry=3600) as intake:
        assert intake.subscribe("garden") == [1]
        for way in ways:
            with Peer(client_id="gateway-intake", user="porch", password=password, clean_start=False, **way) as thief:
                with lan_peer(broker, "garden") as garden:
                    assert garden.publish("garden", "secret") == 0
                assert thief.nothing_on("#", 0.2)
        assert intake.n_connects == 1 and len(intake.events("garden")) == len(ways)


def test_socket_belongs_to_its_group(shared_lab, pki, broker):
    assert stat.S_IMODE(os.stat(broker.sock).st_mode) == 0o770
    assert os.stat(broker.sock).st_gid == os.stat(broker.run_dir).st_gid


def test_a_report_reaches_intake(peers):
    intake = peers["gateway-intake"]
    assert intake.subscribe("zigbee2mqtt/#", "tele/+/+", "stat/+/+", "tasmota/discovery/#", "garden/#") == [1] * 5
    reports = [("zigbee2mqtt", "zigbee2mqtt/lamp"), ("zigbee2mqtt", "zigbee2mqtt/bridge/devices"), ("zigbee2mqtt", "zigbee2mqtt/lamp/availability"),
               ("plug1", "tele/plug1/STATE"), ("plug1", "stat/plug1/RESULT"), ("plug1", "tasmota/discovery/AABBCCDDEEFF/config"),
               ("garden", "garden"), ("garden", "garden/valve")]
    for account, topic in reports:
        assert peers[account].publish(topic, "{}") == 0
        intake.wait_for(topic)


def test_a_command_reaches_the_device(peers):
    zigbee, plug, garden = peers["zigbee2mqtt"], peers["plug1"], peers["garden"]
    assert zigbee.subscribe("zigbee2mqtt/#") == [1]
    assert plug.subscribe("cmnd/plug1/#") == [1]
    assert garden.subscribe("garden/set/#", "garden/get/#") == [1, 1]
    for topic in COMMANDS:
        assert peers["gateway-command"].publish(topic, "ON") == 0
    for device, topic in ((zigbee, "zigbee2mqtt/lamp/set"), (zigbee, "zigbee2mqtt/bridge/request/permit_join"), (plug, "cmnd/plug1/POWER"), (garden, "garden/set/valve")):
        assert device.wait_for(topic).payload == b"ON"
    assert peers["garden"].nothing_on("porch/#", 0.2)


@pytest.mark.parametrize("topic", COMMANDS)
def test_only_the_command_client_commands(peers, topic):
    """Refused to all others by PUBACK, and nobody hears it: not the device either."""
    victims = [peers["zigbee2mqtt"], peers["plug1"], peers["garden"]]
    victims[0].subscribe("zigbee2mqtt/#")
    victims[1].subscribe("cmnd/plug1/#")
    victims[2].subscribe("garden/set/#")
    for account in GATEWAY + OTHERS:
        if account != "gateway-command":
            assert peers[account].publish(topic, "ON") == NOT_AUTHORISED, account
    for victim in victims:
        assert victim.nothing_on("#", 0.05)


@pytest.mark.parametrize("account, topic", [
    ("plug1", "tele/plug2/STATE"), ("plug1", "tele/plug1x/STATE"), ("plug1", "tasmota/discovery/112233445566/config"), ("plug1", "zigbee2mqtt/lamp"),
    ("garden", "porch"), ("garden", "porch/valve"), ("garden", "gardenia"), ("zigbee2mqtt", "homeassistant/device/x/config"), ("zigbee2mqtt", "tele/plug1/STATE"),
    ("homeassistant", "zigbee2mqtt/lamp"), ("homeassistant", "homeassistant/device/x/config"), ("homeassistant", "gatewayd/bridge/state"),
    ("gateway-home", "zigbee2mqtt/lamp"), ("gateway-home", "gatewayd/lamp/set"), ("gateway-command", "gatewayd/lamp/set"), ("gateway-command", "gatewayd/device/lamp/set"),
    ("gateway-command", "zigbee2mqtt/lamp"), ("gateway-intake", "anything"), ("gateway-broker-admin", "anything"),
    *itertools.product(["gateway-intake", "gateway-command", "gateway-home"] + OTHERS, ["$CONTROL/dynamic-security/v1", "$SYS/gatewayd/denied"]),
])
def test_publishing_elsewhere_is_refused(peers, account, topic):
    assert peers[account].publish(topic, "x") == NOT_AUTHORISED


@pytest.mark.parametrize("account, refused", [
    ("plug1", ["#", "$share/g/#", "$share/g/garden", "cmnd/#", "cmnd/+/POWER", "cmnd/plug2/#", "tele/plug1/#", "+/+/+", "$SYS/#"]),
    ("garden", ["#", "+/set", "porch/set", "garden/#", "garden"]),
    ("zigbee2mqtt", ["#", "+/lamp", "tele/#"]),
    ("homeassistant", ["#", "zigbee2mqtt/#", "tele/#", "+/#"]),
    ("gateway-command", ["#", "zigbee2mqtt/#", "gatewayd/#"]),
    ("gateway-home", ["#", "zigbee2mqtt/#"]),
    ("gateway-broker-admin", ["#", "zigbee2mqtt/#", "$SYS/#"]),
    ("gateway-intake", ["$CONTROL/#", "$CONTROL/dynamic-security/v1/response", "$SYS/#", "$SYS/broker/#"]),
])
def test_listening_elsewhere_is_refused(peers, account, refused):
    assert peers[account].subscribe(*refused) == [NOT_AUTHORISED] * len(refused)


def test_home_assistant_and_the_home_link_hear_each_other(peers):
    home, assistant = peers["gateway-home"], peers["homeassistant"]
    assert home.subscribe("gatewayd/device/+/set/#", "homeassistant/status") == [1, 1]
    assert assistant.subscribe("homeassistant/#", "gatewayd/#") == [1, 1]
    for speaker, hearer, topic in ((home, assistant, "homeassistant/device/lamp/config"), (home, assistant, "gatewayd/device/lamp/state"),
                                   (assistant, home, "homeassistant/status"), (assistant, home, "gatewayd/device/lamp/set/on")):
        assert speaker.publish(topic, "x") == 0
        hearer.wait_for(topic)


def test_our_own_discovery_never_comes_back_in(peers):
    intake = peers["gateway-intake"]
    assert intake.subscribe("#") == [1]
    assert peers["gateway-home"].publish("homeassistant/device/lamp/config", "x") == 0
    assert peers["gateway-home"].publish("gatewayd/device/lamp/state", "x") == 0
    assert peers["garden"].publish("garden", "x") == 0
    intake.wait_for("garden")
    assert intake.events("homeassistant/#") == intake.events("gatewayd/#") == []


@pytest.fixture
def new_second():
    """Reports are counted by the second; what an earlier test used up is not this one's."""
    time.sleep(1.1)


def reports(peer, after):
    return [message.json for message in peer.messages[after:] if message.topic == "$SYS/gatewayd/denied"]


def test_another_devices_set_is_refused_and_seen(broker, peers, new_second):
    """The heart of it: a device tries to move another. It is told, the device is not moved, the log and the gateway know who it was."""
    intake, garden = peers["gateway-intake"], peers["garden"]
    assert intake.subscribe("$SYS/gatewayd/denied") == [1]
    garden.subscribe("garden/set/#")
    mark = intake.mark()
    assert peers["porch"].publish("garden/set", '{"valve":"open"}') == NOT_AUTHORISED
    expected = {"user": "porch", "client": "porch", "action": "publish", "topic": "garden/set"}
    seen = intake.wait_for("$SYS/gatewayd/denied", match=lambda m: m.json.get("user") == "porch", after=mark)
    assert expected.items() <= seen.json.items() and not seen.retain
    assert json.loads(broker.wait_log('^denied .*"porch".*garden/set').removeprefix("denied ")) == seen.json
    assert garden.nothing_on("garden/set", 0.2)


def test_a_will_is_no_way_around(broker, peers):
    """A device leaves a command behind as its last will and dies; one that leaves a report is heard."""
    intake, garden = peers["gateway-intake"], peers["garden"]
    intake.subscribe("porch/state")
    garden.subscribe("garden/set/#")
    for topic in ("garden/set", "porch/state"):
        try:
            lan_peer(broker, "porch", will=(topic, "boo", 1, False)).connect().vanish()
        except Refused as refused:
            assert topic == "garden/set" and refused.code == NOT_AUTHORISED
    intake.wait_for("porch/state")
    assert garden.nothing_on("garden/set", 0.2)


def test_refused_subscription_is_seen(peers, new_second):
    intake = peers["gateway-intake"]
    intake.subscribe("$SYS/gatewayd/denied")
    mark = intake.mark()
    assert peers["plug1"].subscribe("zigbee2mqtt/#") == [NOT_AUTHORISED]
    seen = intake.wait_for("$SYS/gatewayd/denied", match=lambda m: m.json.get("action") == "subscribe", after=mark)
    assert (seen.json["user"], seen.json["topic"]) == ("plug1", "zigbee2mqtt/#")


def test_what_is_allowed_is_not_reported(peers):
    intake = peers["gateway-intake"]
    intake.subscribe("$SYS/gatewayd/denied", "garden")
    mark = intake.mark()
    assert peers["garden"].publish("garden", "1") == 0
    assert peers["gateway-command"].publish("garden/set", "1") == 0
    intake.wait_for("garden", after=mark)
    assert reports(intake, mark) == []


def test_names_cannot_forge_a_report(broker, peers, new_second):
    """Quotes, backslashes and long topics: the report stays one JSON object on one line."""
    intake = peers["gateway-intake"]
    intake.subscribe("$SYS/gatewayd/denied")
    name = 'x","user":"gateway-command\\'
    with lan_peer(broker, "porch") as porch:
        for topic in (name, "é" * 1000, "x" * 60000):
            mark = intake.mark()
            assert porch.publish(topic, "1") == NOT_AUTHORISED
            seen = intake.wait_for("$SYS/gatewayd/denied", after=mark).json
            assert seen["user"] == "porch"
            assert topic.startswith(seen["topic"]) and len(seen["topic"].encode()) in (len(topic.encode()), 256)


def test_a_flood_of_refusals_is_counted(broker, peers, new_second):
    intake = peers["gateway-intake"]
    intake.subscribe("$SYS/gatewayd/denied")
    mark, before = intake.mark(), len(broker.log())
    assert set(peers["porch"].publish_many(("garden/set", "1") for _ in range(3000))) == {NOT_AUTHORISED}
    wait_until(lambda: sum(r.get("more", 1) for r in reports(intake, mark)) >= 3000, 5, "the count of what was not reported")
    assert sum(r.get("more", 1) for r in reports(intake, mark)) == 3000
    assert len(broker.log()) - before < 100


def test_a_flood_of_one_does_not_hide_another(peers, new_second):
    intake = peers["gateway-intake"]
    intake.subscribe("$SYS/gatewayd/denied")
    mark = intake.mark()
    peers["porch"].publish_many(("garden/set", "1") for _ in range(500))
    assert peers["plug1"].publish("garden/set", "1") == NOT_AUTHORISED
    intake.wait_for("$SYS/gatewayd/denied", match=lambda m: m.json.get("user") == "plug1", after=mark)


def test_more_accounts_than_are_told_apart(shared_lab, broker, peers, new_second):
    """The 33rd account in a second shares the last place; nothing is lost from the count."""
    admin, intake = peers["gateway-broker-admin"], peers["gateway-intake"]
    names = [f"crowd{n}" for n in range(40)]
    control(admin, {"commands": [{"command": "createClient", "username": name, "password": "x"} for name in names]})
    crowd = [Peer(broker.sock, client_id=name, user=name, password="x").connect() for name in names]
    intake.subscribe("$SYS/gatewayd/denied")
    mark = intake.mark()
    for peer in crowd:
        peer.publish_many(("garden/set", "1") for _ in range(15))
    wait_until(lambda: sum(r.get("more", 1) for r in reports(intake, mark)) >= 600, 5, "all refusals to be counted")
    assert sum(r.get("more", 1) for r in reports(intake, mark)) == 600
    for peer in crowd:
        peer.close()
    control(admin, {"commands": [{"command": "deleteClient", "username": name} for name in names]})


def test_reports_wait_for_a_gateway_that_is_away(broker):
    n = 20000
    with lan_peer(broker, "gateway-intake", session_expiry=3600) as intake:
        assert intake.subscribe("garden/n") == [1]
    with lan_peer(broker, "garden") as garden:
        assert set(garden.publish_many(("garden/n", str(i)) for i in range(n))) == {0}
    with lan_peer(broker, "gateway-intake", clean_start=False, receive_maximum=1000) as intake:
        intake.wait_for(match=lambda m: m.payload == str(n - 1).encode(), timeout=30)
        assert [int(m.payload) for m in intake.messages] == list(range(n))


def test_accounts_survive_kill9(broker):
    broker.kill9()
    broker.start()
    with lan_peer(broker, "plug1") as plug:
        assert plug.publish("tele/plug1/STATE", "{}") == 0
        assert plug.publish("garden/set", "ON") == NOT_AUTHORISED


# -- gatewayctl broker client add|remove: the JSON of the README, as it stands there -----------------------------------------------------

CONTROL = "$CONTROL/dynamic-security/v1"


def readme_json(label):
    with open(os.path.join(REPO, "conf/broker/README.md"), encoding="utf-8") as text:
        found = re.findall(rf"^```json {label}\n(.*?)^```$", text.read(), re.M | re.S)
    assert len(found) == 1
    return found[0]


def control(admin, request):
    admin.subscribe(CONTROL + "/response")
    mark = admin.mark()
    assert admin.publish(CONTROL, request) == 0
    return admin.wait_for(CONTROL + "/response", after=mark).json["responses"]


def test_add_and_remove_a_client(broker, peers):
    admin = peers["gateway-broker-admin"]
    assert control(admin, readme_json("add")) == [{"command": "createRole", "correlationData": "1"}, {"command": "createClient", "correlationData": "2"}]
    shed = Peer(broker.sock, client_id="shed", user="shed", password="made-by-gatewayctl-and-shown-once").connect()
    assert shed.subscribe("shed/set") == [1]
    assert shed.publish("shed/door", "open") == 0
    assert [shed.publish(topic, "x") for topic in ("shed/set", "garden", "garden/set")] == [NOT_AUTHORISED] * 3
    assert peers["gateway-command"].publish("shed/set", "x") == 0
    shed.wait_for("shed/set")

    # It is in the file, which stays private, and so outlives the broker.
    path = broker.state_dir + "/dynamic-security.json"
    with open(path, encoding="utf-8") as saved:
        assert "shed" in [client["username"] for client in json.load(saved)["clients"]]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600

    assert control(admin, readme_json("password")) == [{"command": "setClientPassword", "correlationData": "3"}]
    with pytest.raises(Refused):
        Peer(broker.sock, user="shed", password="made-by-gatewayctl-and-shown-once").connect()
    shed.close()
    shed = Peer(broker.sock, user="shed", password="a-second-one").connect()
    assert "shed" in control(admin, readme_json("list"))[0]["data"]["clients"]

    assert control(admin, readme_json("remove")) == [{"command": "deleteClient", "correlationData": "5"}, {"command": "deleteRole", "correlationData": "6"}]
    wait_until(lambda: not shed.is_connected(), 3, "the removed client to be disconnected")
    shed.close()
    with pytest.raises(Refused):
        Peer(broker.sock, user="shed", password="a-second-one").connect()
    assert "shed" not in control(admin, readme_json("list"))[0]["data"]["clients"]


def test_add_a_tasmota(broker, peers):
    assert not any("error" in answer for answer in control(peers["gateway-broker-admin"], readme_json("tasmota")))
    with Peer(broker.sock, client_id="plug2", user="plug2", password="another-made-by-gatewayctl") as plug:
        assert plug.subscribe("cmnd/plug2/#", "cmnd/plug1/#") == [1, NOT_AUTHORISED]
        assert plug.publish("tasmota/discovery/112233445566/config", "{}") == 0
        assert plug.publish("tasmota/discovery/AABBCCDDEEFF/config", "{}") == NOT_AUTHORISED


def test_a_device_that_describes_itself(broker, peers):
    admin, command, intake = peers["gateway-broker-admin"], peers["gateway-command"], peers["gateway-intake"]
    request = readme_json("discovery").replace("hall", "attic")
    assert not any("error" in answer for answer in control(admin, request))
    with Peer(broker.sock, client_id="attic", user="attic", password="a-third-made-by-gatewayctl") as attic:
        assert attic.subscribe("attic/+/+/command", "hall/+/+/command", "discovery/#") == [1, NOT_AUTHORISED, NOT_AUTHORISED]
        assert intake.subscribe("discovery/+/+/+/config", "attic/#") == [1, 1]
        assert attic.publish("discovery/light/attic/lamp/config", "{}") == 0
        assert attic.publish("attic/light/lamp/state", "{}") == 0
        assert intake.wait_for("discovery/light/attic/lamp/config") and intake.wait_for("attic/light/lamp/state")
        for topic in ("discovery/light/hall/lamp/config", "discovery/device/hall/config", "attic/light/lamp/command", "hall/light/lamp/state"):
            assert attic.publish(topic, "{}") == NOT_AUTHORISED, topic
        assert command.publish("attic/light/lamp/command", "ON") == 0
        attic.wait_for("attic/light/lamp/command")


def test_answers_of_commands_that_fail(peers):
    admin = peers["gateway-broker-admin"]
    request = {"commands": [{"command": "createRole", "rolename": "spare", "correlationData": "1"},
                            {"command": "createClient", "username": "plug1", "password": "x", "correlationData": "2"}]}
    expected = json.loads(readme_json("answer"))["responses"]
    assert control(admin, request) == expected
    assert control(admin, {"commands": [{"command": "deleteClient", "username": "nobody"}]}) == [{"command": "deleteClient", "error": "Client not found"}]


# -- dynsec-init -------------------------------------------------------------------------------------------------------------------------

INIT = os.path.join(REPO, "conf/broker/dynsec-init")


def init(*argv):
    return subprocess.run([INIT, *argv], capture_output=True, text=True, check=False)


def test_dynsec_init_keeps_secrets(tmp_path):
    done = init("--state", str(tmp_path), "--secrets", str(tmp_path / "secrets"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = [tmp_path / "dynamic-security.json", *(tmp_path / "secrets").iterdir()]
    assert sorted(path.name for path in files[1:]) == sorted(f"{name}.password" for name in GATEWAY + ["homeassistant", "zigbee2mqtt"])
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    passwords = {path.read_text() for path in files[1:]}
    assert len(passwords) == 6 and {len(password) for password in passwords} == {32}
    accounts = files[0].read_text()
    assert not any(password in accounts for password in passwords)


def test_dynsec_init_never_replaces_accounts(tmp_path):
    argv = ["--state", str(tmp_path), "--secrets", str(tmp_path / "secrets")]
    assert init(*argv).returncode == 0
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert init(*argv).returncode == 1
    assert init(*argv, "--if-missing").returncode == 0
    assert before == {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("bad", ["a/b:prefix", "+:prefix", "#:prefix", ":prefix", "a", "a:b", "a:tasmota", "a:tasmota:aabb", "a:tasmota:+", "cmnd:prefix",
                                 "gatewayd:prefix", "homeassistant:prefix", "x" * 65 + ":prefix", "$SYS:prefix"])
def test_dynsec_init_refuses_names_that_reach_further(tmp_path, bad):
    assert init("--state", str(tmp_path), "--secrets", str(tmp_path / "secrets"), "--device", bad).returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", [["--device", "gateway-command:prefix"], ["--device", "a:prefix", "--device", "a:prefix"], ["--device", "zigbee2mqtt:prefix"]])
def test_dynsec_init_refuses_two_of_a_name(tmp_path, bad):
    assert init("--state", str(tmp_path), "--secrets", str(tmp_path / "secrets"), *bad).returncode == 1
    assert list(tmp_path.iterdir()) == []
