#!/usr/bin/env python3
"""plug - a Tasmota plug of the demo home: discovery, state, commands, last will, as the firmware speaks them. A device, not a part of
the gateway.

    plug.py SOCKET PASSWORD_FILE
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
from mqtt import Client, unix_socket  # noqa: E402

NAME, MAC = "plug1", "A0B1C2D3E4F5"
TELL_S = 10


class Plug(Client):
    def __init__(self, path, password):
        self.on, self.energy = False, 1.5
        super().__init__(unix_socket(path), NAME, password, will=(f"tele/{NAME}/LWT", "Offline"))

    def say(self, topic, payload, retain=False):
        self.publish(topic, payload if isinstance(payload, str) else json.dumps(payload), retain)

    def greet(self):
        self.subscribe(f"cmnd/{NAME}/#")
        config = {"ip": "192.0.2.7", "dn": "Kettle", "fn": ["Kettle"], "hn": NAME, "mac": MAC, "md": "Demo plug", "ofln": "Offline", "onln": "Online",
                  "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "14.3.0", "t": NAME, "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
                  "rl": [1, 0, 0, 0, 0, 0, 0, 0], "swc": [-1] * 8, "swn": [None] * 8, "btn": [0] * 8,
                  "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0, "117": 0}, "lk": 0, "lt_st": 0,
                  "sho": [0, 0, 0, 0], "ver": 1}
        self.say(f"tasmota/discovery/{MAC}/config", config, retain=True)
        self.say(f"tasmota/discovery/{MAC}/sensors", {"sn": {"Time": self.now(), "ENERGY": self.reading()}, "ver": 1}, retain=True)
        self.say(f"tele/{NAME}/LWT", "Online", retain=True)
        self.tell()

    @staticmethod
    def now():
        return time.strftime("%Y-%m-%dT%H:%M:%S")

    def reading(self):
        power = 1840 if self.on else 0
        return {"TotalStartTime": "2026-01-01T00:00:00", "Total": round(self.energy, 3), "Yesterday": 0.2, "Today": 0.1, "Power": power,
                "ApparentPower": power, "ReactivePower": 0, "Factor": 1.0 if self.on else 0.0, "Voltage": 231, "Current": round(power / 231, 3)}

    def tell(self):
        self.say(f"tele/{NAME}/STATE", {"Time": self.now(), "Uptime": "0T00:01:00", "POWER": "ON" if self.on else "OFF",
                                        "Wifi": {"RSSI": 86, "Signal": -57}})
        self.say(f"tele/{NAME}/SENSOR", {"Time": self.now(), "ENERGY": self.reading()})

    def on_message(self, topic, payload):
        if topic.upper() not in (f"CMND/{NAME}/POWER".upper(), f"CMND/{NAME}/POWER1".upper()):
            return
        word = payload.decode().upper()
        self.on = {"ON": True, "1": True, "OFF": False, "0": False, "TOGGLE": not self.on, "2": not self.on}.get(word, self.on)
        word = "ON" if self.on else "OFF"
        self.say(f"stat/{NAME}/RESULT", {"POWER": word})
        self.say(f"stat/{NAME}/POWER", word)

    def live(self):
        self.greet()
        told = time.monotonic()
        while True:
            self.turn(1)
            if time.monotonic() - told >= TELL_S:
                self.energy += 1.84 * TELL_S / 3600 if self.on else 0
                self.tell()
                told = time.monotonic()


if __name__ == "__main__":
    with open(sys.argv[2], encoding="ascii") as secret:
        Plug(sys.argv[1], secret.read()).live()
