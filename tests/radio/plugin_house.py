"""plugin_house - the whole of it: the core, our plugin beside it and the door, in a house with a beacon that is sealed and a switch that
wants a passkey: a person lets both in, sees the digits, makes them hers, reads one and turns the other."""

import os
import subprocess
import sys

from bed import main
from beacons import ADDRESS, KEYS, Air
from counterpart import Counterpart
from gateway import BUILD, UID
from plugin_peripherals import SWITCH, until_heard, up

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "conf/demo"))
from door import Door  # noqa: E402

FOLDER, CORE = "/run/house", 64300
PASSWORD = "correct horse battery"
SETTINGS = f"""\
site: {{name: Test home, timezone: UTC, maker: "00d3a0", product: "000001"}}
state_dir: {FOLDER}/state
run_dir: {FOLDER}/run
door: {{mode: "0666"}}
adapters:
  ble:
    plugin: ble
    user: "{UID}"
    options: {{adapters: hci0}}
"""


class House:
    def __init__(self, bed):
        for sub, mode in (("", 0o755), ("/state", 0o700), ("/run", 0o755)):
            os.mkdir(FOLDER + sub)
            os.chmod(FOLDER + sub, mode)
            os.chown(FOLDER + sub, CORE if sub else 0, CORE if sub else 0)
        with open(FOLDER + "/gatewayd.yaml", "w", encoding="utf-8") as out:
            out.write(SETTINGS)
        bed.start("core", [f"{BUILD}/gatewayd/gatewayd", "--config", FOLDER + "/gatewayd.yaml"], user=CORE, group=CORE, extra_groups=[])
        bed.check("the core opens its door", self.answers, 20)
        bed.start("adapter", [f"{BUILD}/gatewayd-adapter", "ble", "--socket", FOLDER + "/run/wire.sock", "--plugin-dir", BUILD], user=UID, group=UID,
                  extra_groups=[])
        self.door = Door(FOLDER + "/run/door.sock")
        self.door.call("setup", name="anna", password=PASSWORD)
        self.door.login("anna", PASSWORD)

    def answers(self):
        try:
            Door(FOLDER + "/run/door.sock").close()
        except OSError:
            return False
        return True

    def let_in(self, **more):
        code = self.door.call("bind.code")["code"]
        return self.door.call("join.open", adapter="ble", code=code, seconds=300, **more)

    def can_join(self):
        return next((row for row in self.door.call("join.status")["adapters"] if row["adapter"] == "ble"), {}).get("can_join")

    def joins(self, where):
        rows = [row for adapter in self.door.call("join.status")["adapters"] for row in adapter.get("joins", [])]
        return next((row for row in rows if row["address"].replace(":", "") == where.replace(":", "")), {})

    def devices(self):
        return {device["name"]: device for device in self.door.call("device.list")["devices"]}

    def waiting(self, part):
        return next((name for name, device in self.devices().items() if part in name and device["state"] == "waiting"), None)

    def value(self, name, capability):
        return next((cap.get("value") for cap in self.devices()[name]["capabilities"] if cap["name"] == capability), None)


def claim(bed, house, part):
    bed.check(f"{part} waits for her", lambda: house.waiting(part), 20)
    name = house.waiting(part)
    house.door.call("claim.confirm", device=name)
    bed.check(f"{part} is hers", lambda: house.devices()[name]["state"] == "ours")
    return name


def secrets_stay(bed, digits):
    """Neither the digits nor the key are in what was logged or kept."""
    logs = subprocess.run(["grep", "-rlaE", f"{digits}|{KEYS['bthome-sealed']}", FOLDER + "/state", "/run/out/core.log", "/run/out/adapter.log"],
                          capture_output=True, text=True, check=False)
    bed.check("the digits and the key lie nowhere to be read", logs.stdout == "")


def scenario(bed):
    switch = Counterpart("switch")
    up(bed, switch, "hci2")
    air = Air(first=3)
    house = House(bed)
    bed.check("the plugin listens", house.can_join, 20)
    air.quiet.update(which for which in ADDRESS if which != "bthome-sealed")
    air.keep(1.0)
    house.let_in(address=ADDRESS["bthome-sealed"].replace(":", ""), secret=KEYS["bthome-sealed"])
    beacon = claim(bed, house, "BTHome")
    bed.check("its temperature is at the door", lambda: house.value(beacon, "temperature") == 21.5)
    house.door.call("join.close", adapter="ble")
    house.let_in()
    until_heard(bed, switch, "she sees the digits", lambda: house.joins(SWITCH).get("passkey"), 60)
    digits = house.joins(SWITCH)["passkey"]
    bed.check("the device asks for them", lambda: switch.told("event", "passkey"))
    switch.order(passkey=int(digits))
    name = claim(bed, house, "gw switch")
    house.door.call("device.set", device=name, capability="on-off", value=True)
    bed.check("the switch is on", lambda: (switch.told("written", "2a56") or [{}])[-1].get("bytes") == "01")
    bed.check("and says so at the door", lambda: house.value(name, "on-off") is True)
    secrets_stay(bed, digits)


if __name__ == "__main__":
    main(scenario, 13)
