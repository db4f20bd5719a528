"""beacons - ten makers' advertisements, each on a controller of its own, with the values that they say.

    air = Air(first=3)             hci3 to hci12
    air.say("atc")                 one advertisement
    air.keep(1.0)                  all of them again each second, in a thread; air.hush("atc"); air.speak("atc"); air.stop()
    air.say("bthome-sealed", counter=7, temperature=22.5); air.change("atc", temperature=20)

The layouts are written down here from the makers' pages and not taken from the plugin: AES-CCM is python3-cryptography's.
"""

import struct
import threading

from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from raw import Raw, flags, maker, name, service

BTHOME, ATC, MIBEACON, SWITCHBOT = 0xFCD2, 0x181A, 0xFE95, 0xFD3D
RUUVI, APPLE, GOVEE, WOAN = 0x0499, 0x004C, 0xEC88, 0x0969

KEYS = {"bthome-sealed": "231d39c1d7cc1ab1aee224cd096db932", "mibeacon-sealed": "e9ea895fac7cca6d30532432a516f3a8"}
COUNTS = {"bthome-sealed": "counter", "mibeacon-sealed": "count"}  # what has to rise from one to the next
IBEACON_UUID = "fda50693a4e24fb1afcfc6eb07647825"


def address(number):
    """Static random: its two highest bits are set."""
    return f"c1:5a:00:00:00:{number:02x}"


def mac(where):
    return bytes.fromhex(where.replace(":", ""))


def seal(key, nonce, plain, also=b""):
    return AESCCM(bytes.fromhex(key), tag_length=4).encrypt(nonce, plain, also or None)


# Each returns the advertisement and the scan response. where: the address it is sent from.

def bthome(where, temperature=25.06, humidity=50.55, battery=97):
    objects = struct.pack("<BBBhBH", 1, battery, 2, round(temperature * 100), 3, round(humidity * 100))
    return flags() + service(BTHOME, b"\x40" + objects), b""


def bthome_sealed(where, temperature=21.5, humidity=40.25, counter=1, key=KEYS["bthome-sealed"]):
    objects = struct.pack("<BhBH", 2, round(temperature * 100), 3, round(humidity * 100))
    nonce = mac(where) + struct.pack("<H", BTHOME) + b"\x41" + struct.pack("<I", counter)
    closed = seal(key, nonce, objects)
    return flags() + service(BTHOME, b"\x41" + closed[:-4] + struct.pack("<I", counter) + closed[-4:]), b""


def atc(where, temperature=16.2, humidity=47, battery=95, count=25):
    return flags() + service(ATC, mac(where) + struct.pack(">hBBHB", round(temperature * 10), humidity, battery, 3064, count)), b""


def pvvx(where, temperature=17.05, humidity=44.57, battery=88, count=247):
    fields = struct.pack("<hHHBBB", round(temperature * 100), round(humidity * 100), 2998, battery, count, 0x0D)
    return flags() + service(ATC, mac(where)[::-1] + fields), b""


def ruuvi(where, temperature=24.3, humidity=53.49, pressure=1000.44, count=205):
    fields = struct.pack(">BhHHhhhHBH6s", 5, round(temperature / 0.005), round(humidity / 0.0025), round(pressure * 100) - 50000, 4, -4, 1036,
                         (2977 - 1600) << 5 | 22, 66, count, mac(where))
    return flags() + maker(RUUVI, fields), b""


def mibeacon(where, temperature=27.2, humidity=49.0, count=3):
    objects = struct.pack("<HBhH", 0x100D, 4, round(temperature * 10), round(humidity * 10))
    return flags() + service(MIBEACON, struct.pack("<HHB6s", 0x5050, 0x055B, count & 255, mac(where)[::-1]) + objects), b""


def mibeacon_sealed(where, temperature=19.4, count=1, key=KEYS["mibeacon-sealed"]):
    low, high = count & 255, struct.pack("<I", count >> 8)[:3]
    head = struct.pack("<HHB", 0x5858, 0x055B, low) + mac(where)[::-1]
    nonce = mac(where)[::-1] + struct.pack("<HB", 0x055B, low) + high
    closed = seal(key, nonce, struct.pack("<HBh", 0x1004, 2, round(temperature * 10)), b"\x11")
    return flags() + service(MIBEACON, head + closed[:-4] + high + closed[-4:]), b""


def govee(where, temperature=21.6, humidity=49.8, battery=100):
    number = round(temperature * 10) * 1000 + round(humidity * 10)
    return flags() + name("GVH5075_1234"), maker(GOVEE, b"\0" + number.to_bytes(3, "big") + bytes([battery, 0]))


def switchbot(where, temperature=24.3, humidity=45, battery=90):
    tenths = round(abs(temperature) * 10)
    fields = bytes([0x54, 0x10, battery, tenths % 10, tenths // 10 | (0x80 if temperature >= 0 else 0), humidity])
    return flags() + maker(WOAN, mac(where)), service(SWITCHBOT, fields)


def ibeacon(where, major=1, minor=2):
    return flags() + maker(APPLE, b"\x02\x15" + bytes.fromhex(IBEACON_UUID) + struct.pack(">HHb", major, minor, -59)), b""


BEACONS = {"bthome": bthome, "bthome-sealed": bthome_sealed, "atc": atc, "pvvx": pvvx, "ruuvi": ruuvi, "mibeacon": mibeacon,
           "mibeacon-sealed": mibeacon_sealed, "govee": govee, "switchbot": switchbot, "ibeacon": ibeacon}
ADDRESS = {which: address(i + 1) for i, which in enumerate(BEACONS)}


class Air:
    def __init__(self, first):
        self.radios = {which: Raw(first + i) for i, which in enumerate(BEACONS)}
        self.said = {which: {} for which in BEACONS}
        self.quiet = set()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = None

    def frame(self, which, **changes):
        return BEACONS[which](ADDRESS[which], **changes)

    def say(self, which, **changes):
        """changes stay until they are changed again; counters rise by themselves."""
        count = COUNTS.get(which)
        if count and count not in changes:
            changes[count] = self.said[which].get(count, 0) + 1
        self.said[which].update(changes)
        self.send(which, *self.frame(which, **self.said[which]))

    def send(self, which, data, response=b""):
        with self._lock:
            self.radios[which].advertise(ADDRESS[which], data, response)

    def change(self, which, **changes):
        """From its next advertisement on."""
        self.said[which].update(changes)

    def say_all(self):
        for which in BEACONS:
            if which not in self.quiet:
                self.say(which)

    def keep(self, period):
        self._thread = threading.Thread(target=self._repeat, args=(period,), daemon=True)
        self._thread.start()

    def _repeat(self, period):
        while not self._ending.wait(period):
            self.say_all()

    def hush(self, which):
        self.quiet.add(which)

    def speak(self, which):
        self.quiet.discard(which)

    def stop(self):
        self._ending.set()
        if self._thread:
            self._thread.join()
        for radio in self.radios.values():
            radio.silence()
