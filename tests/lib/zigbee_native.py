"""zigbee_native - a home whose Zigbee is ours: the core, the zigbee adapter and the simulated coordinator (tests/sim/znp), without a network.

    with Coordinator(folder) as radio, NativeHouse(radio) as house:
        house.start_all()
        door = house.owner()
        house.let_join("bulb", "contact")           a window, joins, claims; they are named like the simulated devices
        house.value("bulb", "on-off")
        radio.ask(op="press", device="remote", what="on")

NativeHouse(radio, serial=True) goes over a pseudo terminal: house.stick.pull() and .plug(). The adapter is started again whenever
it ends, as the service manager would: house.adapter_lives counts.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import threading
import time
import tty

from .house import BUILD, UID, House, Refused
from .netns import REPO, LabError, wait_until
from .zigbee import SIM, node

ZIGBEE, WIFI = 64303, 64304
PASSWORD = "correct horse battery"
ENDED_FOR_NOW = 75  # EX_TEMPFAIL: to be started again

ADAPTER = """\
  {name}:
    plugin: {name}
    user: "{uid}"
{more}"""


def sim_is_installed():
    if not (SIM / "node_modules/.package-lock.json").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SIM, check=True, stdout=subprocess.DEVNULL)


def listens(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


class Coordinator:
    """The simulated network. Its serial line is a TCP port, its control channel a unix socket."""

    def __init__(self, folder, *options):
        sim_is_installed()
        self.control = f"{folder}/control.sock"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.control)
        self.process = subprocess.Popen([node(), str(SIM / "znp/main.mjs"), "--control", self.control, "--rows", "200", *options],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise LabError(f"the simulated coordinator ended: {self.process.wait()}")
        self.port = json.loads(line)["serial"]
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(30)
        self.line.connect(self.control)
        self.answers = self.line.makefile()
        self.last = 0

    def ask(self, **request):
        self.last += 1
        self.line.sendall(json.dumps({"id": self.last, **request}).encode() + b"\n")
        answer = json.loads(self.answers.readline())
        if not answer.get("ok"):
            raise LabError(f"{request}: {answer.get('error')}")
        return answer

    def get(self, device, attr):
        return self.ask(op="get", device=device, attr=attr)["value"]

    def wait(self, device, attr, value, timeout=10):
        self.ask(op="wait", device=device, attr=attr, value=value, timeout=timeout * 1000)

    def devices(self):
        return {device["name"]: device for device in self.ask(op="list")["devices"]}

    def coordinator_faults(self):
        return self.ask(op="network")["faults"]

    def network(self):
        return self.ask(op="network")["network"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Stick:
    """A serial line to the coordinator: a pseudo terminal under a name that stays, as udev's names do."""

    def __init__(self, path, port, uid):
        self.path, self.port, self.uid = path, port, uid
        self.thread = None
        self.plug()

    def plug(self):
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.chown(os.ttyname(slave), self.uid, self.uid)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        os.symlink(os.ttyname(slave), self.path)
        self.slave = slave  # kept open, or the line would hang up whenever the adapter is away
        self.wake, self.sleeper = os.pipe()
        self.thread = threading.Thread(target=self._carry, args=(self.master, self.wake), daemon=True)
        self.thread.start()

    def _carry(self, master, wake):
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            while True:
                ready, _, _ = select.select([master, line, wake], [], [])
                if wake in ready:
                    return
                if master in ready:
                    line.sendall(os.read(master, 4096))
                if line in ready:
                    data = line.recv(4096)
                    if not data:
                        return
                    os.write(master, data)

    def pull(self):
        os.unlink(self.path)
        os.close(self.slave)
        os.write(self.sleeper, b"x")
        self.thread.join()
        for fd in (self.master, self.wake, self.sleeper):
            os.close(fd)


class NativeHouse(House):
    password = PASSWORD

    def __init__(self, radio, serial=False, wifi=None):
        """wifi: a LAN broker's socket, for the wifi adapter."""
        self.radio = radio
        self.adapters, self.lives, self.ending = {}, {}, False
        super().__init__()
        self.stick = Stick(self.folder + "/ttyZ", radio.port, ZIGBEE) if serial else None
        where = f"    ports: {{radio: {self.folder}/ttyZ}}\n" if serial else f"    options: {{net: \"yes\", tcp: \"127.0.0.1:{radio.port}\"}}\n"
        text = ADAPTER.format(name="zigbee", uid=ZIGBEE, more=where)
        if wifi:
            text += ADAPTER.format(name="wifi", uid=WIFI, more=f"    options: {{broker: {wifi}, base: zigbee2mqtt}}\n")
        self.settings(text)
        for name in ("zigbee.so", "wifi.so"):
            shutil.copy(os.path.join(BUILD, name), self.folder + "/plugins")
        self._write("plugins/plugins.list", subprocess.run([REPO + "/plugins/host/list.sh", *(f"{self.folder}/plugins/{name}.so" for name in ("sim", "zigbee", "wifi"))],
                                                           capture_output=True, text=True, check=True).stdout)
        self.uids = {"zigbee": ZIGBEE, "wifi": WIFI}

    # Processes.

    def start_all(self, *names, fence=True):
        self.start_core(fence)
        wait_until(self.answers, 15, "the core's door")
        for name in names or ("zigbee",):
            self.start_adapter(name)
        return self

    def start_adapter(self, name):
        argv = [self.folder + "/gatewayd-adapter", name, "--socket", self.folder + "/run/wire.sock", "--plugin-dir", self.folder + "/plugins"]
        self.adapters[name] = self.start(name, argv, self.uids[name])
        self.lives[name] = self.lives.get(name, 0) + 1
        threading.Thread(target=self._look_after, args=(name, self.adapters[name]), daemon=True).start()

    def _look_after(self, name, process):
        """What systemd does: who ends with a passing trouble is started again."""
        code = process.wait()
        while not self.ending and self.adapters.get(name) is process and code == ENDED_FOR_NOW:
            time.sleep(0.1)
            if self.stick is None or os.path.exists(self.stick.path):
                self.start_adapter(name)
                return

    def stop_adapter(self, name):
        process = self.adapters.pop(name)
        process.terminate()
        return process.wait(10)

    def stop_all(self):
        for name in list(self.adapters):
            self.stop_adapter(name)
        self.stop_core()

    def take_state(self, folder):
        """Begins with what another house knew."""
        shutil.rmtree(self.folder + "/state")
        shutil.copytree(folder, self.folder + "/state")
        for path, _, files in os.walk(self.folder + "/state"):
            for name in (path, *(os.path.join(path, file) for file in files)):
                os.chown(name, UID, UID)

    def close(self):
        self.ending = True
        super().close()

    # People and devices.

    def owner(self):
        self.home = self.door()
        if not self.home.call("hello")["has_owner"]:
            self.home.call("setup", name="anna", password=PASSWORD)
        self.home.login("anna", PASSWORD)
        return self.home

    def devices(self):
        found, page = [], self.home.call("device.list")
        while True:
            found += page["devices"]
            if not page.get("next"):
                return found
            page = self.home.call("device.list", after=page["next"])

    def device(self, name):
        """By our name for it, which is the simulator's once it is claimed, or by its address there; None: the core does not know it."""
        try:
            return self.home.call("device.get", device=name)
        except Refused:
            eui = self.eui(name)
        for device in self.devices():
            if eui and any(way["address"] == eui for way in device["ways"]):
                return device
        return None

    def eui(self, name):
        known = self.radio.devices().get(name)
        return known["eui"][2:] if known else None

    def state(self, name):
        device = self.device(name)
        return device["state"] if device else None

    def value(self, name, capability):
        device = self.device(name)
        for cap in device["capabilities"] if device else ():
            if cap["name"] == capability:
                return cap["value"]
        return None

    def set(self, name, capability, value):
        return self.home.call("device.set", device=name, capability=capability, value=value)

    def wait_value(self, name, capability, value, timeout=5):
        try:
            wait_until(lambda: self.value(name, capability) == value, timeout)
        except LabError:
            raise LabError(f"{name} {capability} is {self.value(name, capability)!r}, not {value!r}") from None

    def wait_state(self, name, state, timeout=10):
        try:
            wait_until(lambda: self.state(name) == state, timeout)
        except LabError:
            raise LabError(f"{name} is {self.state(name)}, not {state}, after {timeout} s") from None

    def open_window(self, adapter="zigbee", seconds=60, **more):
        self.home.call("join.open", adapter=adapter, code=self.home.call("bind.code")["code"], seconds=seconds, **more)
        if adapter == "zigbee":
            wait_until(lambda: self.radio.ask(op="list")["permitJoin"], 10, "the network to be open")

    def close_window(self, adapter="zigbee"):
        self.home.call("join.close", adapter=adapter)

    def let_join(self, *names, kinds=None, timeout=20, **more):
        """They join in one window, wait for their claim, are claimed and named; eight at most. more: address and secret of one with an install code."""
        self.open_window(**more)
        for name in names:
            self.radio.ask(op="join", device=name, **({"kind": kinds[name]} if kinds else {}))
        for name in names:
            self.wait_state(name, "waiting", timeout)
            device = self.device(name)["id"]
            self.home.call("claim.confirm", device=device)
            self.home.call("device.rename", device=device, name=name)
        self.close_window()

    def later(self, name, capability, value):
        """The same in the background, by a door of its own; a function that waits for how it ended: None (done) or the Refused."""
        ended = []

        def run():
            door = self.door()
            door.token = self.home.token
            door.socket.settimeout(60)
            try:
                door.call("device.set", device=name, capability=capability, value=value)
                ended.append(None)
            except Refused as refused:
                ended.append(refused)
            door.close()
        thread = threading.Thread(target=run)
        thread.start()

        def wait():
            thread.join(60)
            return ended[0]
        return wait

    def allow_locks(self):
        """What is risky needs a rule."""
        self.home.call("policy.add", effect="allow", who="user:anna", what="*", risk_max="high", actions=["command", "read"])

    def ask_radio(self, verb, **params):
        """The answer as text, however many pieces it comes in."""
        answer = self.home.call("radio." + verb, adapter="zigbee", **params)
        text = answer.get("text", "")
        while "more" in answer:
            answer = self.home.call("radio.more", more=answer["more"])
            text += answer["text"]
        return text

    def radio_state(self):
        try:
            return json.loads(self.ask_radio("info"))["state"]
        except Refused:
            return None

    def radio_ready(self, timeout=20):
        wait_until(lambda: self.radio_state() == "ready", timeout, "the radio to be ready")


class Voice:
    """What Zigbee2MQTT said to whoever came late (tests/sim/captures/retained.jsonl), on a Mosquitto of its own; it lets joining be opened. Use as a context."""

    def __init__(self, folder):
        self.sock = f"{folder}/mqtt.sock"
        with open(f"{folder}/mosquitto.conf", "w", encoding="utf-8") as conf:
            conf.write(f"user root\nlistener 0 {self.sock}\nallow_anonymous true\npersistence false\nlog_dest none\n")
        self.broker = subprocess.Popen(["mosquitto", "-c", f"{folder}/mosquitto.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self.sock), 5, "Mosquitto")
        os.chmod(folder, 0o755)
        os.chmod(self.sock, 0o777)
        with open(SIM / "captures/retained.jsonl", encoding="utf-8") as lines:
            self.words = {line["topic"]: line["payload"] for line in map(json.loads, lines)}
        for topic, payload in self.words.items():
            if topic != "zigbee2mqtt/bridge/info":
                self.say(topic, payload)
        self.ear = subprocess.Popen(["mosquitto_sub", "--unix", self.sock, "-q", "1", "-t", "zigbee2mqtt/bridge/request/permit_join"], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._porter, daemon=True).start()

    def say(self, topic, payload, retain=True):
        subprocess.run(["mosquitto_pub", "--unix", self.sock, "-q", "1", *(["-r"] if retain else []), "-t", topic, "-s"], input=payload.encode(), check=True)

    def forget(self, name):
        """The device is in its network no more."""
        devices = [device for device in json.loads(self.words["zigbee2mqtt/bridge/devices"]) if device["friendly_name"] != name]
        self.words["zigbee2mqtt/bridge/devices"] = json.dumps(devices)
        self.say("zigbee2mqtt/bridge/devices", json.dumps(devices))

    def _porter(self):
        for line in self.ear.stdout:
            request = json.loads(line)
            answer = {"status": "ok", "data": {"time": request.get("time", 0)}}
            if "transaction" in request:
                answer["transaction"] = request["transaction"]
            self.say("zigbee2mqtt/bridge/response/permit_join", json.dumps(answer), retain=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.ear, self.broker):
            process.terminate()
            process.wait(10)
