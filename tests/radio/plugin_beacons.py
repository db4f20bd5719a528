"""plugin_beacons - ten beacons in the air, and our plugin: who joins when, what is reported, what a recorder cannot do, and what
happens when bluetoothd or the adapter goes and comes back."""

from bed import main
from beacons import ADDRESS, BEACONS, KEYS, Air
from gateway import Gateway, raw
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


def join_named(bed, gateway):
    wrong = bytes(16).hex().encode()
    bed.check("a wrong key is taken", gateway.window(120, ADDRESS["bthome-sealed"], wrong) == "ok")
    bed.check("and said not to fit", lambda: "the bind key does not fit" in gateway.joining(ADDRESS["bthome-sealed"], "failed"))
    for which in SEALED:
        bed.check(f"{which} is named, with its key", gateway.window(120, ADDRESS[which], KEYS[which].encode()) == "ok")
        bed.check(f"{which} joins", lambda which=which: gateway.device(ADDRESS[which]))
    bed.check("bthome-sealed is read", lambda: gateway.is_near(ADDRESS["bthome-sealed"], TEMPERATURE, 21.5))
    bed.check("mibeacon-sealed is read", lambda: gateway.is_near(ADDRESS["mibeacon-sealed"], TEMPERATURE, 19.4))
    bed.check("both have proved a key of their own", all(gateway.device(ADDRESS[which]).evidence == 2 for which in SEALED))
    gateway.window(120, ADDRESS["ibeacon"])
    bed.check("the iBeacon joins when it is named", lambda: gateway.device(ADDRESS["ibeacon"]))
    bed.check("that is ten", len(gateway.core.devices) == 10)


def recorder(bed, air, gateway):
    """Somebody plays back what was in the air, and somebody makes it up."""
    which, where = "bthome-sealed", ADDRESS["bthome-sealed"]
    old = air.frame(which, **air.said[which])
    air.hush(which)
    bed.wait(11)  # a changed measurement is told each ten seconds at most
    air.say(which, temperature=30.0)
    bed.check("a sealed beacon changes", lambda: gateway.is_near(where, TEMPERATURE, 30.0))
    bed.wait(11)
    said = len(gateway.values(where, TEMPERATURE))
    for _ in range(5):
        air.send(which, *old)
        bed.wait(3)
    air.send(which, *air.frame(which, temperature=-20, counter=air.said[which]["counter"] + 100, key="00" * 16))
    air.send(which, *BEACONS["bthome"](where, temperature=-20))
    bed.wait(11)
    bed.check("an old one is nothing, nor one with another key, nor one without", len(gateway.values(where, TEMPERATURE)) == said)
    air.say(which, temperature=31.0)
    bed.check("and the true one goes on", lambda: gateway.is_near(where, TEMPERATURE, 31.0))
    air.speak(which)
    return old


def all_reachable(gateway):
    return all(gateway.reachable(where) for where in ADDRESS.values())


def lives(bed, air, gateway, recorded):
    """bluetoothd dies, the adapter is reset, our process dies."""
    core = gateway.core
    bed.kill_bluetoothd()
    bed.check("bluetoothd dies: nobody is reachable", lambda: not any(device.reachable for device in core.devices.values()))
    bed.start_bluetoothd()
    bed.check("it starts again: all come back", lambda: all_reachable(gateway), 30)
    air.change("atc", temperature=1.5)
    bed.check("with new values", lambda: gateway.is_near(ADDRESS["atc"], TEMPERATURE, 1.5), 30)
    bed.power("hci0", False)
    bed.check("the adapter is turned off: it is turned on again", lambda: bed.is_powered("hci0"), 30)
    air.change("atc", temperature=2.5)
    bed.check("and hears", lambda: gateway.is_near(ADDRESS["atc"], TEMPERATURE, 2.5), 30)
    bed.reset(0)
    air.change("atc", temperature=3.5)
    bed.check("the adapter is reset behind BlueZ's back: it hears", lambda: gateway.is_near(ADDRESS["atc"], TEMPERATURE, 3.5), 90)
    bed.wait(320)  # counters of measurements are kept each five minutes
    gateway.process.kill()
    gateway.process.wait()
    core.devices.clear()
    air.hush("bthome-sealed")
    said = len(gateway.values(ADDRESS["bthome-sealed"], TEMPERATURE))
    gateway.start()
    bed.check("our process is killed: it knows all ten", lambda: len(core.devices) == 10 and core.n_synced == 2)
    air.change("atc", temperature=4.5)
    bed.check("and reads them", lambda: gateway.is_near(ADDRESS["atc"], TEMPERATURE, 4.5), 30)
    air.send("bthome-sealed", *recorded)
    bed.wait(11)
    bed.check("the recorder finds nothing forgotten", len(gateway.values(ADDRESS["bthome-sealed"], TEMPERATURE)) == said)
    air.speak("bthome-sealed")
    bed.check("the true one is read", lambda: len(gateway.values(ADDRESS["bthome-sealed"], TEMPERATURE)) > said)


def leave(bed, gateway):
    where = ADDRESS["govee"]
    request = gateway.core.remove(raw(where))
    bed.check("one is removed", lambda: gateway.core.result(request) == "ok" and gateway.device(where) is None)
    bed.wait(15)
    bed.check("and does not come back by itself", gateway.device(where) is None)


def scenario(bed):
    air = Air(first=3)
    with Gateway(bed, {"adapters": "hci0"}) as gateway:
        nothing_unasked(bed, air, gateway)
        join_all(bed, gateway)
        join_named(bed, gateway)
        recorded = recorder(bed, air, gateway)
        lives(bed, air, gateway, recorded)
        leave(bed, gateway)


if __name__ == "__main__":
    main(scenario, 13)
