"""Shellys on a network of their own: each in a namespace, all on one bridge; the adapter in the gateway's, behind its fence; the core without any.

The simulated devices are accepted by another's client first (tests/sim/accept_shelly.test.mjs)."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from lib import netns
from lib.house import BUILD, House
from lib.netns import PREFIX, REPO, RUN_DIR, nsenter, sh, wait_until
from lib.zigbee import SIM, modules, node

SHELLY = 64311
PASSWORD, OTHER = "correct horse", "battery staple"
# The last one is not announced: the settings name it; nobody is at the other address that they name.
MACS = {"plug": "a8032abe54d1", "blind": "a8032abe54d2", "dimmer": "a8032abe54d3", "strip": "a8032abe54d4", "climate": "a8032abe54d5", "remote": "a8032abe54d6", "hidden": "a8032abe54d7"}
KINDS = {"plug": "plus1pm", "blind": "plus2pm", "dimmer": "dimmer", "strip": "pro4pm", "climate": "plusht", "remote": "plusi4", "hidden": "plus1pm"}
PLACES = {name: f"10.92.1.{11 + i}" for i, name in enumerate(MACS)}


def extra(folder):
    return f"""\
  shelly:
    plugin: shelly
    user: "{SHELLY}"
    options: {{net: "yes", interface: eth0, hosts: "10.92.1.17, 10.92.1.77", ping: "1", password_file: {folder}/shelly.password}}
"""


class Sim:
    """One namespace's process of simulated devices."""

    def __init__(self, where, devices):
        self.process = subprocess.Popen(nsenter(where, node(), str(SIM / "shelly/run_shelly.mjs"), json.dumps(devices)), text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.serial = 0

    def ready(self):
        assert json.loads(self.process.stdout.readline())["ready"]

    def do(self, op, device=0, **what):
        self.serial += 1
        self.process.stdin.write(json.dumps({"id": self.serial, "device": device, "op": op, **what}) + "\n")
        answer = json.loads(self.process.stdout.readline())
        assert answer["id"] == self.serial and "error" not in answer, answer
        return answer["result"]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Lan:
    """A bridge, the gateway and devices on it."""

    def __init__(self):
        modules()
        netns.sweep()
        self.run = f"{PREFIX}{os.getpid()}-shelly"
        self.folder = f"{RUN_DIR}/{self.run}"
        self.lock = netns.hold(self.folder)
        self.sims = {}
        try:
            sh("ip", "netns", "add", self.name("sw"))
            sh("ip", "-n", self.name("sw"), "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
            sh("ip", "-n", self.name("sw"), "link", "set", "br0", "up")
            self.plug_in("gw", "10.92.1.1")
        except BaseException:
            self.close()
            raise

    def name(self, place):
        return f"{self.run}-{place}"

    def plug_in(self, place, *addresses):
        where, switch = self.name(place), self.name("sw")
        for line in (f"netns add {where}", f"-n {where} link set lo up", f"link add eth0 netns {where} type veth peer name {place} netns {switch}",
                     f"-n {switch} link set {place} master br0 up", f"-n {where} link set eth0 up", *(f"-n {where} addr add {a}/24 dev eth0" for a in addresses)):
            sh("ip", *line.split())

    def devices(self, place, devices):
        self.plug_in(place, *[device["ip"] for device in devices])
        self.sims[place] = Sim(self.name(place), devices)
        return self.sims[place]

    def close(self):
        for sim in self.sims.values():
            sim.end()
        netns.remove_run(self.run)
        os.close(self.lock)


class Home(House):
    """The core, and the adapter in the gateway's namespace."""

    def __init__(self, lan):
        super().__init__()
        self.lan = lan
        shutil.copy(BUILD + "/shelly.so", self.folder + "/plugins")
        listing = sh(REPO + "/plugins/host/list.sh", self.folder + "/plugins/sim.so", self.folder + "/plugins/shelly.so")
        self._write("plugins/plugins.list", listing)
        self._write("shelly.password", PASSWORD + "\n")
        os.chown(self.folder + "/shelly.password", SHELLY, SHELLY)
        os.chmod(self.folder + "/shelly.password", 0o400)
        self.settings(extra(self.folder))
        self.start_core()
        wait_until(self.answers, 15, "the core's door")
        self.start_adapter()
        self.talk = self.door()
        self.talk.call("setup", name="anna", password="correct horse battery")
        self.talk.login("anna", "correct horse battery")

    def start_adapter(self):
        user = ["setpriv", f"--reuid={SHELLY}", f"--regid={SHELLY}", "--clear-groups", "--"]
        log = open(self.folder + "/shelly.log", "ab")
        self.shelly = subprocess.Popen(nsenter(self.lan.name("gw"), *user, self.folder + "/gatewayd-adapter", "shelly", "--socket",
                                               self.folder + "/run/wire.sock", "--plugin-dir", self.folder + "/plugins"), stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL)
        log.close()
        self.running.append(self.shelly)

    def devices(self):
        return {device["name"]: device for device in self.talk.call("device.list")["devices"]}

    def device(self, mac):
        return next((d for d in self.devices().values() if d["name"].endswith(mac[-4:])), None)

    def value(self, mac, capability, endpoint=1):
        for cap in self.device(mac)["capabilities"]:
            if cap["name"] == capability and cap.get("endpoint", 1) == endpoint:
                return cap["value"]
        return None

    def window(self, **more):
        self.talk.call("join.open", adapter="shelly", code=self.talk.call("bind.code")["code"], seconds=60, **more)

    def joins(self):
        status = next(a for a in self.talk.call("join.status")["adapters"] if a["adapter"] == "shelly")
        return {join["address"]: join for join in status["joins"]}

    def order(self, mac, capability, value, **more):
        return self.talk.call("device.set", device=self.device(mac)["name"], capability=capability, value=value, **more)["result"]

    def reachable(self, mac):
        return self.device(mac)["state"] != "unreachable"


@pytest.fixture(scope="module")
def lan():
    with contextlib.closing(Lan()) as lan:
        first, second = [], []
        for name, mac in MACS.items():
            device = {"kind": KINDS[name], "mac": mac, "ip": PLACES[name]}
            if name == "strip":
                device["password"] = PASSWORD
            if name == "dimmer":
                device["password"] = OTHER
            if name == "hidden":
                device["mdns"] = False
            (first if name == "plug" else second).append(device)
        lan.devices("plug", first)
        lan.devices("others", second)
        for sim in lan.sims.values():
            sim.ready()
        yield lan


@pytest.fixture(scope="module")
def home(lan):
    with Home(lan) as home:
        yield home


OTHERS = ["blind", "dimmer", "strip", "climate", "remote", "hidden"]


def others(lan, name):
    return lan.sims["others"], OTHERS.index(name)


def connections(lan, name):
    sim, index = (lan.sims["plug"], 0) if name == "plug" else others(lan, name)
    return sim.do("get", device=index)["connections"]


def test_nobody_is_spoken_to_before_a_window_and_who_comes_then_is_claimed(home, lan):
    wait_until(lambda: "is open" in home.log(), 10, "the plugin to be open")
    for name in MACS:
        sim, index = (lan.sims["plug"], 0) if name == "plug" else others(lan, name)
        if name != "hidden":
            sim.do("announce", device=index)
    time.sleep(0.5)
    assert not [d for d in home.devices() if d.startswith("Shelly")]
    assert sum(connections(lan, name) for name in MACS) == 0

    home.window()
    wait_until(lambda: len([j for j in home.joins().values() if j["stage"] in ("ready", "failed")]) == len(MACS), 15, "seven to join or fail")
    joins = home.joins()
    assert joins[MACS["dimmer"]]["stage"] == "failed" and joins[MACS["dimmer"]]["why"] == "the password is wrong"
    assert {name for name in MACS if joins[MACS[name]]["stage"] == "ready"} == set(MACS) - {"dimmer"}
    assert home.device(MACS["dimmer"]) is None
    for name in set(MACS) - {"dimmer"}:
        assert home.device(MACS[name])["state"] == "waiting"
        home.talk.call("claim.confirm", device=home.device(MACS[name])["name"])
    # its own password, for it alone
    home.window(address=MACS["dimmer"], secret=OTHER)
    wait_until(lambda: home.device(MACS["dimmer"]), 10, "the dimmer with its own password")
    home.talk.call("claim.confirm", device=home.device(MACS["dimmer"])["name"])
    home.talk.call("join.close", adapter="shelly")
    shown = home.talk.call("device.get", device=home.device(MACS["dimmer"])["name"])
    assert shown["evidence"] == 1, shown
    assert home.talk.call("device.get", device=home.device(MACS["plug"])["name"])["evidence"] == 0
    assert OTHER not in home.log() and PASSWORD not in home.log()


def test_values_and_orders(home, lan):
    assert home.value(MACS["plug"], "voltage") == 230.5
    assert home.value(MACS["climate"], "temperature") == 21.5
    assert home.value(MACS["climate"], "battery") == 87
    assert home.value(MACS["blind"], "cover-position") == 50
    lan.sims["plug"].do("set", component="switch:0", values={"output": True, "apower": 61.5, "aenergy": {"total": 2500}})
    wait_until(lambda: home.value(MACS["plug"], "power") == 61.5, 5, "the power")
    assert home.value(MACS["plug"], "on-off") is True and home.value(MACS["plug"], "energy") == 2.5

    assert home.order(MACS["plug"], "on-off", False) == "ok"
    assert lan.sims["plug"].do("orders") == [{"method": "Switch.Set", "params": {"id": 0, "on": False}}]
    wait_until(lambda: home.value(MACS["plug"], "on-off") is False, 5, "the plug to say so")
    assert home.order(MACS["strip"], "on-off", True, endpoint=3) == "ok"
    sim, index = others(lan, "strip")
    assert sim.do("get", device=index)["status"]["switch:2"]["output"] is True
    assert home.order(MACS["blind"], "cover-position", 20) == "ok"
    wait_until(lambda: home.value(MACS["blind"], "cover-position") == 20, 5, "the blind to arrive")
    assert home.order(MACS["dimmer"], "level", 70) == "ok"
    wait_until(lambda: home.value(MACS["dimmer"], "level") == 70, 5, "the lamp")
    # the number of the proof is used up: another one, and the order is carried out
    sim, index = others(lan, "dimmer")
    sim.do("forget", device=index)
    assert home.order(MACS["dimmer"], "on-off", True) == "ok"
    assert sim.do("get", device=index)["status"]["light:0"]["output"] is True
    sim, index = others(lan, "remote")
    sim.do("push", device=index, component="input:1", event="double_push")
    wait_until(lambda: home.value(MACS["remote"], "button", 2) == "double", 5, "the push")


def test_nonsense_costs_the_device_nothing_else(home, lan):
    sim, index = others(lan, "strip")
    for text in ("{", "[]", '{"id":1}', '{"method":"NotifyStatus","params":7}', '{"method":"NotifyStatus","params":{"switch:0":{"output":"perhaps","apower":true}}}'):
        sim.do("raw", device=index, text=text)
    assert home.order(MACS["strip"], "on-off", False, endpoint=3) == "ok"
    before = connections(lan, "blind")
    sim, index = others(lan, "blind")
    sim.do("raw", device=index, text='{"method":"NotifyStatus","params":{"ts":1}}', times=300)
    wait_until(lambda: not home.reachable(MACS["blind"]), 5, "the one that floods to be hung up on")
    assert home.order(MACS["plug"], "on-off", True) == "ok"
    assert connections(lan, "blind") == before


def test_a_device_that_reboots_and_one_that_moves(home, lan):
    plug = lan.sims["plug"]
    plug.do("off")
    wait_until(lambda: not home.reachable(MACS["plug"]), 5, "the plug to be missed")
    plug.do("on")
    wait_until(lambda: home.reachable(MACS["plug"]), 5, "the plug to be back")
    assert home.order(MACS["plug"], "on-off", True) == "ok"

    identity = home.device(MACS["plug"])["id"]
    plug.do("off")
    where = lan.name("plug")
    sh("ip", "-n", where, "addr", "del", PLACES["plug"] + "/24", "dev", "eth0")
    sh("ip", "-n", where, "addr", "add", "10.92.1.99/24", "dev", "eth0")
    plug.do("ip", ip="10.92.1.99")
    wait_until(lambda: not home.reachable(MACS["plug"]), 5, "the plug to be missed")
    plug.do("on")
    wait_until(lambda: home.reachable(MACS["plug"]), 5, "the plug at its new address")
    assert home.device(MACS["plug"])["id"] == identity and home.order(MACS["plug"], "on-off", False) == "ok"


def test_a_sleeper_is_out_of_reach_for_nobody_and_called_when_it_wakes_up(home, lan):
    sim, index = others(lan, "climate")
    sim.do("off", device=index)
    time.sleep(0.3)
    assert home.reachable(MACS["climate"])
    sim.do("on", device=index)
    sim.do("set", device=index, component="temperature:0", values={"tC": 19.25, "tF": 66.6})
    wait_until(lambda: home.value(MACS["climate"], "temperature") == 19.25, 5, "what it measured")


def test_a_device_that_falls_silent_is_unreachable_and_a_stranger_is_not_it(home, lan):
    sim, index = others(lan, "strip")
    sim.do("mute", device=index, on=True)
    wait_until(lambda: not home.reachable(MACS["strip"]), 6, "pings to find out")
    # a stranger says that it is the strip, elsewhere, and wants no password
    fake = lan.devices("stranger", [{"kind": "pro4pm", "mac": MACS["strip"], "ip": "10.92.1.66"}])
    fake.ready()
    wait_until(lambda: fake.do("get")["connections"] > 0, 10, "the stranger to be looked at")
    wait_until(lambda: fake.do("get")["clients"] == 0, 5, "the stranger to be hung up on")
    assert not home.reachable(MACS["strip"])
    with pytest.raises(Exception, match="unreachable"):
        home.order(MACS["strip"], "on-off", True, endpoint=1)
    assert fake.do("orders") == []
    # the device itself, where it was, is taken back without anybody's help
    sim.do("mute", device=index, on=False)
    wait_until(lambda: home.reachable(MACS["strip"]), 10, "the strip itself")
    assert home.order(MACS["strip"], "on-off", True, endpoint=1) == "ok"
    assert fake.do("orders") == []
    fake.do("off")


def test_devices_are_remembered(home, lan):
    home.shelly.send_signal(signal.SIGKILL)
    home.shelly.wait()
    wait_until(lambda: not home.reachable(MACS["dimmer"]), 5, "the adapter to be missed")
    home.start_adapter()
    wait_until(lambda: all(home.reachable(MACS[name]) for name in ("dimmer", "climate", "remote")), 8, "them all to be back")
    assert home.order(MACS["dimmer"], "level", 10) == "ok"
    # what it removes it forgets
    name = home.device(MACS["remote"])["name"]
    home.talk.call("device.retire", device=name)
    wait_until(lambda: others(lan, "remote")[0].do("get", device=OTHERS.index("remote"))["clients"] == 0, 5, "the remote to be let go")
