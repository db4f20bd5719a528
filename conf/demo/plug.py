#!/usr/bin/env python3
"""plug - a Tasmota plug of the demo home: discovery, state, commands, last will, as the firmware speaks them.

    plug.py SOCKET PASSWORD_FILE

It speaks MQTT 3.1.1 over the LAN broker's unix socket by itself (the two dozen lines of the protocol it needs), so that the
demo asks for no Python package. It is a device, not a part of the gateway.
"""

import json
import select
import socket
import struct
import sys
import time

NAME, MAC = "plug1", "A0B1C2D3E4F5"


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">H", len(data)) + data


def packet(kind, body):
    length, head = len(body), bytes([kind])
    while True:
        length, digit = divmod(length, 128)
        head += bytes([digit | (128 if length else 0)])
        if not length:
            return head + body


class Plug:
    def __init__(self, path, password):
        self.on = False
        self.energy = 1.5
        self.buffer = b""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        will = text(f"tele/{NAME}/LWT") + text("Offline")
        # clean session, will retained, user name and password
        self.socket.sendall(packet(0x10, text("MQTT") + bytes([4, 0xE6]) + struct.pack(">H", 30) + text(NAME) + will + text(NAME) + text(password)))

    def publish(self, topic, payload, retain=False):
        payload = payload if isinstance(payload, str) else json.dumps(payload)
        self.socket.sendall(packet(0x31 if retain else 0x30, text(topic) + payload.encode()))

    def greet(self):
        self.socket.sendall(packet(0x82, struct.pack(">H", 1) + text(f"cmnd/{NAME}/#") + b"\x01"))
        config = {"ip": "192.0.2.7", "dn": "Kitchen kettle", "fn": ["Kettle"], "hn": NAME, "mac": MAC, "md": "Demo plug", "ofln": "Offline",
                  "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "14.3.0", "t": NAME, "ft": "%prefix%/%topic%/",
                  "tp": ["cmnd", "stat", "tele"], "rl": [1, 0, 0, 0, 0, 0, 0, 0], "swc": [-1] * 8, "swn": [None] * 8, "btn": [0] * 8,
                  "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0, "117": 0}, "lk": 0, "lt_st": 0,
                  "sho": [0, 0, 0, 0], "ver": 1}
        sensors = {"sn": {"Time": self.now(), "ENERGY": self.reading()}, "ver": 1}
        self.publish(f"tasmota/discovery/{MAC}/config", config, retain=True)
        self.publish(f"tasmota/discovery/{MAC}/sensors", sensors, retain=True)
        self.publish(f"tele/{NAME}/LWT", "Online", retain=True)
        self.tell()

    @staticmethod
    def now():
        return time.strftime("%Y-%m-%dT%H:%M:%S")

    def reading(self):
        power = 1840 if self.on else 0
        return {"TotalStartTime": "2026-01-01T00:00:00", "Total": round(self.energy, 3), "Yesterday": 0.2, "Today": 0.1, "Power": power,
                "ApparentPower": power, "ReactivePower": 0, "Factor": 1.0 if self.on else 0.0, "Voltage": 231, "Current": round(power / 231, 3)}

    def tell(self):
        self.publish(f"tele/{NAME}/STATE", {"Time": self.now(), "Uptime": "0T00:01:00", "POWER": "ON" if self.on else "OFF",
                                            "Wifi": {"RSSI": 86, "Signal": -57}})
        self.publish(f"tele/{NAME}/SENSOR", {"Time": self.now(), "ENERGY": self.reading()})

    def switch(self, payload):
        self.on = {"ON": True, "1": True, "OFF": False, "0": False, "TOGGLE": not self.on, "2": not self.on}.get(payload.upper(), self.on)
        word = "ON" if self.on else "OFF"
        self.publish(f"stat/{NAME}/RESULT", {"POWER": word})
        self.publish(f"stat/{NAME}/POWER", word)

    def take(self, kind, body):
        if kind >> 4 == 2:  # CONNACK
            if body[1]:
                sys.exit(f"plug: the broker refused the connection ({body[1]})")
            self.greet()
        elif kind >> 4 == 3:  # PUBLISH
            length = struct.unpack(">H", body[:2])[0]
            topic, rest = body[2:2 + length].decode(), body[2 + length:]
            if kind & 6:
                self.socket.sendall(packet(0x40, rest[:2]))
                rest = rest[2:]
            if topic.upper() in (f"CMND/{NAME}/POWER".upper(), f"CMND/{NAME}/POWER1".upper()):
                self.switch(rest.decode())

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            sys.exit("plug: the broker closed the connection")
        self.buffer += data
        while len(self.buffer) >= 2:
            length, shift, i = 0, 0, 1
            while i < len(self.buffer):
                length |= (self.buffer[i] & 127) << shift
                shift, i = shift + 7, i + 1
                if not self.buffer[i - 1] & 128:
                    break
            else:
                return
            if len(self.buffer) < i + length:
                return
            kind, body, self.buffer = self.buffer[0], self.buffer[i:i + length], self.buffer[i + length:]
            self.take(kind, body)

    def live(self):
        told = pinged = time.monotonic()
        while True:
            if select.select([self.socket], [], [], 1)[0]:
                self.read()
            now = time.monotonic()
            if now - told >= 10:
                self.energy += 1.84 * 10 / 3600 if self.on else 0
                self.tell()
                told = now
            if now - pinged >= 15:
                self.socket.sendall(b"\xc0\x00")
                pinged = now


if __name__ == "__main__":
    with open(sys.argv[2], encoding="ascii") as secret:
        Plug(sys.argv[1], secret.read()).live()
