"""plugin_beacons - ten beacons in the air, and our plugin: who joins when, what is reported, what a recorder cannot do, and what
happens when bluetoothd or the adapter goes and comes back."""

from bed import main
from beacons import ADDRESS, BEACONS, KEYS, Air
from gateway import Gateway
from lib.wire_core import BATTERY, HUMIDITY, TEMPERATURE, VOLTAGE

PRESSURE = 66
SEALED = ("bthome-sealed", "mibeacon-sealed")
OPEN = [which for which in BEACONS if which not in SEALED and which != "ibeacon"]
SAID = {
    "bthome": {TEMPERATURE: 25.06, HUMIDITY: 50.55, BATTERY: 97},
    "atc": {TEMPERATURE: 16.2, HUMIDITY: 47, BATTERY: 95, VOLTAGE: 3.064},
    "pvvx": {TEMPERATURE: 17.05, HUMIDITY: 44.57, BATTERY: 88, VOLTAGE: 2.998},
    "ruuvi": {TEMPERATURE: 24.3, HUMIDITY: 53.49, PRESSURE: 1000.44, VOLTAGE: 2.977},
    "mibeacon": {TEMPERATURE: 27.2, HUMIDITY: 49.0},
    "govee": {TEMPERATURE: 21.6, HUMIDITY: 49.8, BATTERY: 100},
    "switchbot": {TEMPERATURE: 24.3, HUMIDITY: 45, BATTERY: 90},
}


def nothing_unasked(bed, air, gateway):
    air.keep(1.0)
    bed.check("it waits for who may join", lambda: gateway.core.n_synced)
    bed.wait(5)
    bed.check("without a window nobody is described", not gateway.core.devices and not gateway.core.joinings)


def join_all(bed, gateway):
    bed.check("a window opens", lambda: gateway.window(120) == "ok")
    for which in OPEN:
        bed.check(f"{which} joins", lambda which=which: gateway.device(ADDRESS[which]))
        for cap, want in SAID[which].items():
            bed.check(f"{which} says {cap}: {want}", lambda which=which, cap=cap, want=want: gateway.is_near(ADDRESS[which], cap, want))
    for which in SEALED:
        bed.check(f"{which} does not: its key is asked for", lambda which=which: gateway.joining(ADDRESS[which], "failed"))
    bed.check("an iBeacon that nobody named does not", gateway.device(ADDRESS["ibeacon"]) is None)
    for which in SEALED:
        bed.check(f"{which} is named, with its key", gateway.window(120, ADDRESS[which], KEYS[which].encode()) == "ok")
    gateway.window(120, ADDRESS["ibeacon"])


def scenario(bed):
    air = Air(first=3)
    bed.start("monitor",["dbus-monitor","--system"])
    with Gateway(bed, {"adapters": "hci0"}) as gateway:
        nothing_unasked(bed, air, gateway)
        join_all(bed, gateway)


if __name__ == "__main__":
    main(scenario, 13)
