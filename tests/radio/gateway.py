"""gateway - our plugin in its real process, gatewayd-adapter, and the core's end of its wire played by the scenario.

    with Gateway(bed, {"adapters": "hci0"}) as gateway:
        gateway.window(60)                                  everybody may join
        gateway.window(60, ADDRESS["x"], bytes.fromhex(key)) this one, with what is known of it
        gateway.value("c1:5a:...", TEMPERATURE)             the last one reported
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib.wire_core import WireCore  # noqa: E402

UID = 65534
BUILD = os.environ["RADIO_BUILD"]


def raw(where):
    return bytes.fromhex(where.replace(":", ""))


class Gateway:
    def __init__(self, bed, options):
        self.bed = bed
        self.folder = "/run/gateway"
        os.makedirs(self.folder, exist_ok=True)
        self.core = WireCore(self.folder, uid=UID, options={"plugin": "ble", **options})
        self.process = None
        self.start()

    def start(self):
        """As an ordinary user: BlueZ is asked over the bus, and nothing else is needed."""
        argv = [f"{BUILD}/gatewayd-adapter", "ble", "--socket", self.core.path, "--plugin-dir", BUILD]
        self.process = self.bed.start("adapter", argv, user=UID, group=UID, extra_groups=[])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with open("/run/out/gateway.said", "w", encoding="utf-8") as out:
            for row in [*self.core.joinings, *self.core.notes, *self.core.reports]:
                print(row, file=out)
        self.process.terminate()
        self.process.wait()
        self.core.close()

    def window(self, seconds, where="", code=b""):
        return self.core.result(self.core.join(seconds, raw(where), code))

    def device(self, where):
        return self.core.devices.get(raw(where))

    def reachable(self, where):
        device = self.device(where)
        return bool(device and device.reachable)

    def values(self, where, cap, endpoint=1):
        return [row[4] for row in list(self.core.reports) if row[1:4] == (raw(where), endpoint, cap)]

    def value(self, where, cap, endpoint=1):
        return (self.values(where, cap, endpoint) or [None])[-1]

    def is_near(self, where, cap, want, endpoint=1):
        value = self.value(where, cap, endpoint)
        return value is not None and abs(value - want) < 0.006

    def joining(self, where, stage):
        """What was said when that stage was reached."""
        return [words for address, at, words in list(self.core.joinings) if address == raw(where) and at == stage]
