"""zigbee - a Zigbee home of a test's own: a real Zigbee2MQTT on the simulated coordinator (tests/sim), publishing to a Lab's LAN broker.

    zigbee = Zigbee(lab, broker, devices="bulb,contact")
    zigbee.ask(op="join", device="plug")                the control channel: tests/sim/README.md
    zigbee.kill9(); zigbee.start()                      the same home again
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from .broker import REPO
from .netns import LabError

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


class Zigbee:
    def __init__(self, lab, broker, devices="all", availability=6):
        if not (SIM / "node_modules/.package-lock.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SIM, check=True, stdout=subprocess.DEVNULL)
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
