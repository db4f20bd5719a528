"""bench_zigbee - our own Zigbee beside Zigbee2MQTT, in turns, on one simulated network of a hundred devices (tests/sim).

Both get the same simulated coordinator in the same state (the hundred have joined and are configured), over TCP, with a hop's time
set to nothing: what is measured is the programs, not the air. Zigbee2MQTT publishes to a Mosquitto on a unix socket, as it does
in a home; gatewayd is the core with the zigbee adapter, as it is installed. README.md says what each figure means.
"""
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

import probe
from home import ROOT, BenchError

sys.path.insert(0, os.path.join(ROOT, "tests"))
from lib.netns import LabError, wait_until           # noqa: E402
from lib.zigbee import SIM, node                     # noqa: E402
from lib.zigbee_native import Coordinator, NativeHouse, listens, sim_is_installed  # noqa: E402

DEVICES = 100
LAMPS = ("bulb", "plug", "colour")
BASE = "zigbee2mqtt"
SETTLE_S = 5.0  # what changed is written some seconds later
PACE_S = 0.012  # the door takes 200 requests a second of a client


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class Changes:
    """When which attribute changed on the air, by the simulator's own look at the clock that all share."""

    def __init__(self, control):
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(control)
        self.line.sendall(b'{"id":1,"op":"events"}\n')
        self.seen, self.arrived = [], threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError, ValueError):
            for line in self.line.makefile():
                said = json.loads(line)
                if said.get("event") == "changed":
                    with self.arrived:
                        self.seen.append((said["at"], said["device"], said["attr"], said["value"]))
                        self.arrived.notify()

    def wait(self, device, value, limit_s=10):
        """When its on-off became that value."""
        def found():
            return next((at for at, name, attr, now in self.seen if (name, attr, now) == (device, "onOff.onOff", value)), None)
        with self.arrived:
            if not self.arrived.wait_for(lambda: found() is not None, limit_s):
                raise BenchError(f"{device} did not become {value} in {limit_s} s")
            at = found()
            self.seen.clear()
            return at

    def close(self):
        self.line.close()


class Broker:
    """A Mosquitto on a unix socket, and one client of it that counts and sends."""

    def __init__(self, folder):
        import paho.mqtt.client as mqtt
        self.sock = f"{folder}/mqtt.sock"
        with open(f"{folder}/mosquitto.conf", "w", encoding="utf-8") as conf:
            conf.write(f"user root\nlistener 0 {self.sock}\nallow_anonymous true\npersistence false\nlog_dest none\n")
        self.process = subprocess.Popen(["mosquitto", "-c", f"{folder}/mosquitto.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self.sock), 5, "Mosquitto")
        self.on, self.heard = {}, threading.Condition()
        self.client = mqtt.Client(protocol=mqtt.MQTTv5)
        self.client.on_message = self._message
        self._connect()
        self.client.loop_start()

    def _connect(self):
        """paho of Debian 12 knows no unix sockets: it is handed one that is connected."""
        def connected():
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.sock)
            return sock
        self.client._create_socket_connection = connected
        self.client.connect("localhost", keepalive=600)

    def _message(self, _client, _userdata, message):
        at = time.monotonic()
        with self.heard:
            self.on[message.topic] = (at, message.payload)
            self.heard.notify()

    def subscribe(self, topic):
        self.client.subscribe(topic, qos=1)

    def forget(self, topic):
        with self.heard:
            self.on.pop(topic, None)

    def wait(self, topic, wanted=lambda payload: True, limit_s=60):
        def found():
            return topic in self.on and wanted(self.on[topic][1])
        with self.heard:
            if not self.heard.wait_for(found, limit_s):
                raise BenchError(f"nothing such on {topic} in {limit_s} s")
            return self.on[topic][0]

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()
        self.process.terminate()
        self.process.wait()


class Home:
    """The state that each turn begins with: made once, by Zigbee2MQTT, which lets the hundred join."""

    def __init__(self, folder):
        sim_is_installed()
        self.folder = folder
        self.made = f"{folder}/made"
        os.makedirs(self.made)
        broker = Broker(folder)
        try:
            child = subprocess.Popen([node(), str(SIM / "run_home.mjs"), "--dir", self.made, "--mqtt-server", "mqtt+unix://" + broker.sock, "--devices", str(DEVICES)],
                                     stdout=subprocess.PIPE, text=True)
            if not child.stdout.readline():
                raise BenchError(f"the hundred devices did not join: see {self.made}")
            child.terminate()
            child.wait(30)
        finally:
            broker.close()

    def copy(self, name):
        shutil.rmtree(f"{self.folder}/{name}", ignore_errors=True)
        shutil.copytree(self.made, f"{self.folder}/{name}")
        return f"{self.folder}/{name}"


def lamps(radio):
    return sorted(name for name, device in radio.devices().items() if device["joined"] and name.rsplit("-", 1)[0] in LAMPS)


@contextlib.contextmanager
def everybody_talks(radio, seconds):
    """The hundred report a value a second each, meanwhile."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(radio.control)
        line.sendall(json.dumps({"id": 1, "op": "talk", "perSecond": DEVICES, "seconds": seconds}).encode() + b"\n")
        yield
        line.settimeout(60)
        line.makefile().readline()


def both_ways(radio, plan, order, pids=()):
    """Commands in a home that is quiet, the silence after them, and commands in one that talks."""
    count = plan.z_commands
    quiet = commands(radio, count, order)
    if pids:
        quiet |= idle(pids, plan.z_idle_s)
    with everybody_talks(radio, count * 0.02):
        busy = commands(radio, count, order)
    return quiet | {name.replace("z_", "z_busy_"): value for name, value in busy.items()}


def commands(radio, count, order):
    """Lamp by lamp, on and off: milliseconds until the lamp has it, and until whoever asked is told."""
    changes = Changes(radio.control)
    names, there, told = lamps(radio), [], []
    state = {name: radio.get(name, "onOff.onOff") for name in names}
    try:
        for n in range(count + len(names)):
            name = names[n % len(names)]
            state[name] = not state[name]
            began = time.monotonic()
            answered = order(name, state[name])
            at = changes.wait(name, state[name])
            if n >= len(names):  # the first round warms up
                there.append((at - began) * 1000)
                told.append((answered() - began) * 1000)
            else:
                answered()
            time.sleep(max(0, began + PACE_S - time.monotonic()))
    finally:
        changes.close()
    return {"z_cmd_p50_ms": statistics.median(there), "z_cmd_p99_ms": percentile(there, 0.99), "z_told_p50_ms": statistics.median(told),
            "z_told_p99_ms": percentile(told, 0.99)}


def idle(pids, seconds):
    time.sleep(SETTLE_S)
    woken, cpu = probe.wakeups(pids), probe.cpu_us(pids)
    time.sleep(seconds)
    return {"z_wakeups_s": (probe.wakeups(pids) - woken) / seconds, "z_idle_us_s": (probe.cpu_us(pids) - cpu) / seconds}


class Yardstick:
    """The simulated network and this program alone: a socket that sends the frame of a command, and nothing between."""

    key, title = "zigbee-yardstick", "the yardstick alone"
    START, ON_OFF = bytes([2, 0x25, 0x40, 0, 0]), 0x0006

    def __init__(self, home):
        self.home = home

    @staticmethod
    def frame(body):
        check = 0
        for byte in body:
            check ^= byte
        return b"\xfe" + body + bytes([check])

    def turn(self, plan):
        with Coordinator(self.home.folder, "--frozen", "--state", self.home.made + "/network.json") as radio, \
                socket.create_connection(("127.0.0.1", radio.port)) as line:
            radio.ask(op="air", hopMs=0)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(self.frame(self.START))
            wait_until(lambda: radio.ask(op="network")["state"] == 9, 10, "the network")
            threading.Thread(target=self.drain, args=(line,), daemon=True).start()
            nwk = {name: device["nwk"] for name, device in radio.devices().items()}

            def order(name, on):
                data = bytes([0x11, 1, on])
                head = bytes([0x24, 0x01, nwk[name] & 0xff, nwk[name] >> 8, 1, 1, self.ON_OFF, 0, 1, 0, 30, len(data)])
                line.sendall(self.frame(bytes([len(head) - 2 + len(data)]) + head + data))
                at = time.monotonic()
                return lambda: at
            found = both_ways(radio, plan, order)
            return {name: value for name, value in found.items() if "told" not in name}

    @staticmethod
    def drain(line):
        with contextlib.suppress(OSError):
            while line.recv(65536):
                pass


class Zigbee2Mqtt:
    key, title = "zigbee2mqtt", "Zigbee2MQTT"

    def __init__(self, home):
        self.home = home

    def turn(self, plan):
        folder = self.home.copy("z2m")
        broker = Broker(folder)
        broker.subscribe(BASE + "/#")
        with Coordinator(folder, "--frozen", "--state", f"{folder}/network.json") as radio:
            radio.ask(op="air", hopMs=0)
            self.point(f"{folder}/zigbee2mqtt/configuration.yaml", radio.port, broker.sock)
            cli = os.path.join(SIM, "node_modules/zigbee2mqtt/cli.js")
            env = {"PATH": os.environ["PATH"], "HOME": folder, "ZIGBEE2MQTT_DATA": f"{folder}/zigbee2mqtt", "Z2M_ONBOARD_NO_SERVER": "1", "GIT_DIR": f"{folder}/none"}
            began = time.monotonic()
            child = subprocess.Popen([node(), cli], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                at = broker.wait(BASE + "/bridge/devices", lambda payload: len(json.loads(payload)) > DEVICES)
                at = max(at, broker.wait(BASE + "/bridge/state", lambda payload: b"online" in payload))
                found = {"z_start_ms": (at - began) * 1000}
                found |= both_ways(radio, plan, lambda name, on: self.order(broker, name, on), [child.pid])
                found["z_pss_kb"] = found["z_all_pss_kb"] = probe.pss_kb([child.pid])
                return found
            finally:
                child.terminate()
                child.wait(20)
                broker.close()

    @staticmethod
    def order(broker, name, on):
        topic, word = f"{BASE}/{name}", "ON" if on else "OFF"
        broker.forget(topic)
        broker.client.publish(topic + "/set", json.dumps({"state": word}), qos=0)
        return lambda: broker.wait(topic, lambda payload: json.loads(payload).get("state") == word, 10)

    @staticmethod
    def point(conf, port, sock):
        """Its own file (JSON is YAML, too) towards this turn's coordinator and broker."""
        with open(conf, encoding="utf-8") as text:
            settings = json.load(text)
        settings["serial"]["port"], settings["mqtt"]["server"] = f"tcp://127.0.0.1:{port}", "mqtt+unix://" + sock
        with open(conf, "w", encoding="utf-8") as out:
            json.dump(settings, out)


class Native:
    key, title = "zigbee", "gatewayd zigbee"

    def __init__(self, home):
        self.home = home
        self.state = None

    @staticmethod
    def restored(house, text):
        pieces = [text[i:i + 8000] for i in range(0, len(text), 8000)]
        for piece in pieces[:-1]:
            house.home.call("radio.restore", adapter="zigbee", data=piece, more=True)
        house.home.call("radio.restore", adapter="zigbee", data=pieces[-1], password=house.password)

    def set_up(self):
        """The same network comes here by Zigbee2MQTT's own backup; all devices are claimed, in as many windows as it takes."""
        folder = self.home.copy("native-made")
        with Coordinator(folder, "--state", f"{folder}/network.json") as radio:
            radio.ask(op="air", hopMs=0)
            with NativeHouse(radio) as house:
                house.start_all()
                house.owner()
                wait_until(lambda: house.radio_state() in ("ready", "foreign"), 20, "the radio to be there")
                with open(f"{folder}/zigbee2mqtt/coordinator_backup.json", encoding="utf-8") as backup:
                    self.restored(house, backup.read())
                house.radio_ready()
                wait_until(lambda: len(house.devices()) == DEVICES, 60, "the hundred to be known")
                names = {device["ways"][0]["address"]: device["id"] for device in house.devices()}
                for name, device in radio.devices().items():
                    house.home.call("device.rename", device=names[device["eui"][2:]], name=name)
                self.claim(house)
                time.sleep(4)  # it writes its changes together
                house.stop_all()
                self.state = f"{self.home.folder}/native-state"
                shutil.copytree(house.folder + "/state", self.state)
        self.network = f"{folder}/network.json"

    @staticmethod
    def claim(house):
        claimed = 0
        while claimed < DEVICES:
            house.open_window()
            waiting = [device["id"] for device in house.home.call("device.list", state="waiting")["devices"]]
            for device in waiting:
                house.home.call("claim.confirm", device=device)
            house.close_window()
            claimed += len(waiting)
            if not waiting:
                raise BenchError("no device waits for its claim")
            time.sleep(0.1)  # the door takes 200 requests a second

    def turn(self, plan):
        if self.state is None:
            self.set_up()
        folder = self.home.copy("native")
        with Coordinator(folder, "--frozen", "--state", self.network) as radio:
            radio.ask(op="air", hopMs=0)
            with NativeHouse(radio) as house:
                house.take_state(self.state)
                began = time.monotonic()
                house.start_all()
                house.owner()
                last = house.devices()[-1]["name"]
                wait_until(lambda: self.is_known(house, last), 60, "all devices to be there", step=0.01)
                found = {"z_start_ms": (time.monotonic() - began) * 1000}
                door = house.home
                adapter, core = house.adapters["zigbee"].pid, house.core.pid
                found |= both_ways(radio, plan, lambda name, on: self.order(door, name, on), [adapter])
                found["z_pss_kb"] = probe.pss_kb([adapter])
                found["z_all_pss_kb"] = probe.pss_kb([adapter, core])
                return found

    @staticmethod
    def is_known(house, last):
        """The last one says most; then all are looked at."""
        if house.home.call("device.get", device=last)["state"] != "ours" or house.radio_state() != "ready":
            return False
        devices = house.devices()
        return len(devices) == DEVICES and all(device["state"] == "ours" for device in devices)

    @staticmethod
    def order(door, name, on):
        door.call("device.set", device=name, capability="on-off", value=on)
        at = time.monotonic()
        return lambda: at


@contextlib.contextmanager
def ahead_of_neighbours(say):
    """This process, and all that it starts meanwhile, goes before whatever else runs on this machine."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        say("zigbee: no real-time priority here: p99 is the neighbours', too")
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def measure(home, plan, say, raw):
    """Turns of both; figures of the systems `zigbee2mqtt` and `zigbee`, and of what measures them."""
    try:
        made = time.monotonic()
        both = Home(home.path("zigbee"))
        systems = (Zigbee2Mqtt(both), Native(both), Yardstick(both))
        say(f"zigbee: a hundred devices have joined, {time.monotonic() - made:.1f} s")
        for turn in range(plan.z_rounds):
            for system in systems:
                began = time.monotonic()
                with ahead_of_neighbours(say):
                    figures = system.turn(plan)
                for figure, value in figures.items():
                    raw.setdefault(system.key, {}).setdefault(figure, []).append(value)
                say(f"zigbee {turn + 1}: {system.title}, {time.monotonic() - began:.1f} s")
    except LabError as error:
        raise BenchError(f"zigbee: {error}") from error
    alone = statistics.median(raw[Yardstick.key]["z_cmd_p50_ms"])
    for system in systems[:2]:
        raw[system.key]["z_over_p50_ms"] = [statistics.median(raw[system.key]["z_cmd_p50_ms"]) - alone]
    return {system.key: system.title for system in systems}
