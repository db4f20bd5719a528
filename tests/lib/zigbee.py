"""zigbee - a Zigbee home of a test's own: a real Zigbee2MQTT on the simulated coordinator (tests/sim), publishing to a Lab's LAN broker.

    zigbee = Zigbee(lab, broker, devices="bulb,contact")
    zigbee.ask(op="join", device="plug")                the control channel: tests/sim/README.md
    zigbee.kill9(); zigbee.start()                      the same home again

Or, where a test needs only its words, a peer with the account zigbee2mqtt and announce(peer, names), claim_over_zigbee(home, peer, names).
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading

from .broker import REPO
from .netns import LabError, wait_until

SIM = pathlib.Path(REPO, "tests/sim")
NODE_MIN = 20


def node():
    """A Node that Zigbee2MQTT runs on: the one in PATH, or the one that ./dev has put into build/."""
    for path in (shutil.which("node"), os.path.join(REPO, "build/node/node_modules/node/bin/node")):
        if path and os.path.exists(path):
            version = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
            if int(version.lstrip("v").split(".")[0]) >= NODE_MIN:
                return path
    raise LabError(f"no Node {NODE_MIN} or later: ./dev test sim installs one")


def modules():
    """What the simulators stand on is there."""
    if not (SIM / "node_modules/.package-lock.json").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SIM, check=True, stdout=subprocess.DEVNULL)


class Zigbee:
    def __init__(self, lab, broker, devices="all", availability=6):
        modules()
        self.lab = lab
        self.control = f"{lab.folder}/zigbee.sock"
        self.argv = [node(), str(SIM / "run_home.mjs"), "--dir", f"{lab.folder}/zigbee", "--mqtt-server", "mqtt+unix://" + broker.sock,
                     "--user", "zigbee2mqtt", "--password-file", f"{broker.secrets.folder}/zigbee2mqtt.password", "--devices", devices,
                     "--availability", str(availability), "--control", self.control]
        self.start()

    def start(self):
        """Returns when every device has joined and is configured."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.control)
        with open(f"{self.lab.folder}/zigbee.log", "ab") as log:
            self.process = self.lab.run_in("lan", self.argv, stderr=log)
        line = self.process.stdout.readline()
        if not line:
            raise LabError(f"the simulated home ended: {self.process.wait()}, see {self.lab.folder}/zigbee.log")
        ready = json.loads(line)
        self.pid, self.addresses = ready["pid"], ready["devices"]
        return self

    def ask(self, **request):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(15)
            control.connect(self.control)
            control.sendall(json.dumps({"id": 1, **request}).encode() + b"\n")
            answer = json.loads(control.makefile().readline())
        if not answer.get("ok"):
            raise LabError(f"{request}: {answer.get('error')}")
        return answer

    def kill9(self):
        """Zigbee2MQTT itself: it says no goodbye. Its network goes with it."""
        os.kill(self.pid, signal.SIGKILL)
        return self.process.wait(20)

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)


# Its words.

def z2m_devices(names):
    """bridge/devices as Zigbee2MQTT says it, for plugs with a meter."""
    def numeric(name, unit):
        return {"type": "numeric", "name": name, "property": name, "label": name, "access": 1, "unit": unit}

    def device(i, name):
        exposes = [{"type": "switch", "features": [{"type": "binary", "name": "state", "property": "state", "label": "State", "access": 7, "value_on": "ON",
                                                    "value_off": "OFF", "value_toggle": "TOGGLE"}]}, numeric("energy", "kWh"), numeric("power", "W")]
        return {"ieee_address": f"0x00124b00{i:08x}", "type": "Router", "network_address": 1000 + i, "supported": True, "friendly_name": name, "disabled": False,
                "interview_completed": True, "interviewing": False, "interview_state": "SUCCESSFUL", "power_source": "Mains (single phase)", "model_id": "plug", "manufacturer": "Test",
                "definition": {"model": "PLUG", "vendor": "Test", "description": "plug", "exposes": exposes, "options": []}, "endpoints": {}}
    return [{"ieee_address": "0x00124b0000000000", "type": "Coordinator", "friendly_name": "Coordinator", "supported": True, "interview_completed": True,
             "definition": None, "endpoints": {}}] + [device(i + 1, name) for i, name in enumerate(names)]


def announce(zigbee, names):
    zigbee.publish("zigbee2mqtt/bridge/state", json.dumps({"state": "online"}), retain=True)
    zigbee.publish("zigbee2mqtt/bridge/info", json.dumps({"version": "2.14.1", "permit_join": False, "config": {"availability": {"enabled": False}}}), retain=True)
    zigbee.publish("zigbee2mqtt/bridge/devices", json.dumps(z2m_devices(names)), retain=True)


def claim_over_zigbee(home, zigbee, names):
    """The claim window asks Zigbee2MQTT to permit joining; this test plays it."""
    left = list(names)
    wait_until(lambda: set(names) <= set(home.devices()), 30, f"{names} to be there")
    while left:
        code = home.door.call("bind.code")["code"]
        mark = zigbee.mark()

        def answer():
            request = zigbee.wait_for("zigbee2mqtt/bridge/request/permit_join", after=mark, timeout=10).json
            zigbee.publish("zigbee2mqtt/bridge/response/permit_join",
                           json.dumps({"status": "ok", "data": {"time": request["time"]}, "transaction": request.get("transaction")}))
        helper = threading.Thread(target=answer)
        helper.start()
        home.door.call("join.open", adapter="wifi", code=code, seconds=60)
        helper.join()
        for name in [n for n in left if home.devices()[n]["state"] == "waiting"]:
            home.door.call("claim.confirm", device=name)
            left.remove(name)
