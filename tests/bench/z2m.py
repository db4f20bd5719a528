"""z2m - as much of Zigbee2MQTT as the bench's household needs: what it says of its devices, and its word on opening the network."""
import json
import subprocess
import threading
import time

from home import PUBLISHERS

BASE = "zigbee2mqtt"
DEVICES, STATE = BASE + "/bridge/devices", BASE + "/bridge/state"
REQUEST, RESPONSE = BASE + "/bridge/request/permit_join", BASE + "/bridge/response/permit_join"


def device_name(number):
    return f"bench-{number:02d}"


def devices():
    """A coordinator, and plugs that measure energy."""
    energy = {"type": "numeric", "name": "energy", "property": "energy", "access": 1, "unit": "kWh", "label": "Energy"}
    common = {"supported": True, "disabled": False, "interview_completed": True, "interviewing": False,
              "interview_state": "SUCCESSFUL", "endpoints": {}}
    coordinator = {"ieee_address": "0x00124b0000000000", "type": "Coordinator", "network_address": 0,
                   "friendly_name": "Coordinator", "definition": None, **common}
    plugs = [{"ieee_address": f"0x00124b00000001{number:02x}", "type": "Router", "network_address": 1000 + number,
              "friendly_name": device_name(number), "power_source": "Mains (single phase)", "model_id": "BENCH",
              "manufacturer": "Bench", **common,
              "definition": {"model": "BENCH", "vendor": "Bench", "description": "Metering plug", "exposes": [energy],
                             "options": []}}
             for number in range(PUBLISHERS)]
    return [coordinator, *plugs]


def say(sock, topic, text, retain=True):
    subprocess.run(["mosquitto_pub", "--unix", sock, "-q", "1", *(["-r"] if retain else []), "-t", topic, "-s"],
                   input=text.encode(), check=True)


def announce(sock):
    say(sock, STATE, json.dumps({"state": "online"}))
    say(sock, DEVICES, json.dumps(devices()))


class Porter:
    """Says yes to whoever asks to open the network. Use as a context."""

    def __init__(self, sock):
        self.sock = sock
        self.ear = subprocess.Popen(["mosquitto_sub", "--unix", sock, "-q", "1", "-t", REQUEST], stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        time.sleep(0.5)  # its subscription is not told to us; who asks before it would wait in vain

    def _serve(self):
        for line in self.ear.stdout:
            request = json.loads(line)
            answer = {"data": {"time": request.get("time", 0)}, "status": "ok"}
            if "transaction" in request:
                answer["transaction"] = request["transaction"]
            say(self.sock, RESPONSE, json.dumps(answer), retain=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ear.kill()
        self.ear.wait()
        self.thread.join()
        self.ear.stdout.close()
