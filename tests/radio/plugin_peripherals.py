"""plugin_peripherals - two GATT devices and our plugin: connected, read, notified, written, paired by a passkey that the gateway shows;
and again after bluetoothd was started anew, after the adapter was off and after our own process was killed."""

from bed import main
from counterpart import Counterpart
from gateway import Gateway, raw
from lib.wire_core import BATTERY, HUMIDITY, ON_OFF, TEMPERATURE
from raw import Raw

SENSOR, SWITCH = "00:aa:01:01:00:01", "00:aa:01:02:00:02"
SPARE = 3


def until_heard(bed, other, what, found, seconds=30):
    """btvirt tells an advertisement when it begins: so it begins anew until it was heard."""
    def ask():
        if found():
            return True
        other.order(advertise=True)
        bed.wait(1)
        return found()
    return bed.check(what, ask, seconds)


def join_sensor(bed, gateway, sensor):
    bed.check("a window opens", lambda: gateway.window(120) == "ok")
    until_heard(bed, sensor, "the sensor joins", lambda: gateway.joining(SENSOR, "ready"))
    bed.check("it says what it can do", lambda: {(1, TEMPERATURE), (1, HUMIDITY), (1, BATTERY)} <= set(gateway.device(SENSOR).caps))
    bed.check("its temperature is read", lambda: gateway.is_near(SENSOR, TEMPERATURE, 23.06))
    bed.check("its humidity is read", lambda: gateway.is_near(SENSOR, HUMIDITY, 50.38))
    bed.check("its battery is read", lambda: gateway.is_near(SENSOR, BATTERY, 95))
    gateway.window(0)
    bed.check("notifications are asked for", lambda: any(row["uuid"] == "2a6e" for row in sensor.told("event", "notify")))
    follow(bed, gateway, sensor, "5e01", 3.5)


def follow(bed, gateway, sensor, hexed, value):
    bed.wait(11)
    sensor.order(set="2a6e", bytes=hexed)
    bed.check(f"a notified temperature is reported: {value}", lambda: gateway.is_near(SENSOR, TEMPERATURE, value))


def even_out(bed, switch):
    """The switch's second connection, for the central's second one: see raw.py. It outlives bluetoothd."""
    if bed.connections(SPARE):
        return
    spare = Raw(SPARE)
    switch.order(advertise=True)
    bed.wait(0.5)
    spare.connect(SWITCH)
    bed.wait(1)
    spare.close()


def wrong_passkey(bed, gateway, switch):
    gateway.window(300)
    until_heard(bed, switch, "the switch is heard, and digits are shown", lambda: gateway.joining(SWITCH, "passkey"))
    digits = gateway.joining(SWITCH, "passkey")[-1]
    bed.check("six of them", len(digits) == 6 and digits.isdigit())
    bed.check("the device asks for them", lambda: switch.told("event", "passkey"))
    switch.order(passkey=(int(digits) + 1) % 1000000)
    bed.check("others are typed: it is told that the join failed", lambda: gateway.joining(SWITCH, "failed"))
    bed.check("and nothing joined", gateway.device(SWITCH) is None)


def join_switch(bed, gateway, switch):
    before, asked = len(gateway.joining(SWITCH, "passkey")), len(switch.told("event", "passkey"))
    gateway.window(300)
    until_heard(bed, switch, "it may try again", lambda: len(gateway.joining(SWITCH, "passkey")) > before and len(switch.told("event", "passkey")) > asked)
    switch.order(passkey=int(gateway.joining(SWITCH, "passkey")[-1]))
    bed.check("the right ones are typed: it joins", lambda: gateway.joining(SWITCH, "ready"), 20)
    bed.check("it has an output that can be written", lambda: gateway.device(SWITCH).caps.get((1, ON_OFF), (0, 0))[1] & 2)
    bed.check("it has proved who it is", lambda: gateway.device(SWITCH).evidence == 2)
    bed.check("the digits are in no note", not any(gateway.joining(SWITCH, "passkey")[-1] in note[2] + note[3] for note in gateway.core.notes))


def turn(bed, gateway, switch, on):
    request = gateway.core.command(raw(SWITCH), ON_OFF, on)
    bed.check(f"it is turned {'on' if on else 'off'}", lambda: gateway.core.result(request) == "ok")
    bed.check("the device was written", lambda: (switch.told("written", "2a56") or [{}])[-1].get("bytes") == ("01" if on else "00"))
    bed.check("and what it is now is reported", lambda: gateway.value(SWITCH, ON_OFF) is on)


def come_back(bed, gateway, other, where):
    until_heard(bed, other, f"the {other.kind} is connected again", lambda: gateway.reachable(where), 60)


def gone(gateway):
    return not gateway.reachable(SENSOR) and not gateway.reachable(SWITCH)


def lives(bed, gateway, sensor, switch):
    """Of what follows the kernel (6.1) and btvirt do not get over every order: an adapter that goes while a connection is only hoped for
    ends the machine, so it goes while both are there."""
    sensor.forget()
    bed.power("hci0", False)
    bed.check("the adapter goes off: neither is reachable", lambda: gone(gateway))
    come_back(bed, gateway, sensor, SENSOR)
    follow(bed, gateway, sensor, "e803", 10.0)
    come_back(bed, gateway, switch, SWITCH)
    turn(bed, gateway, switch, True)
    bed.stop_bluetoothd()  # one that is killed hangs up nothing; with beacons it is killed
    bed.check("bluetoothd ends: neither is reachable", lambda: gone(gateway))
    request = gateway.core.command(raw(SWITCH), ON_OFF, True)
    bed.check("a command says so", lambda: gateway.core.result(request) == "unreachable")
    sensor.forget()
    switch.forget()
    bed.start_bluetoothd()
    bed.check("the peripherals are up again", lambda: sensor.told("event", "ready") and switch.told("event", "ready"), 30)
    come_back(bed, gateway, switch, SWITCH)
    turn(bed, gateway, switch, False)
    bed.check("its bond was kept: nobody was asked", not switch.told("event", "passkey"))
    gateway.process.kill()
    gateway.process.wait()
    gateway.core.devices.clear()
    gateway.start()
    bed.check("our process is killed: it knows both", lambda: len(gateway.core.devices) == 2)
    come_back(bed, gateway, switch, SWITCH)
    turn(bed, gateway, switch, True)


def up(bed, other, adapter):
    bed.peripheral(other.kind, adapter)
    bed.check(f"the {other.kind} is up", lambda: other.told("event", "ready"))


def scenario(bed):
    sensor, switch = Counterpart("sensor"), Counterpart("switch")
    up(bed, sensor, "hci1")
    with Gateway(bed, {"adapters": "hci0"}) as gateway:
        bed.check("the plugin waits", lambda: gateway.core.n_synced)
        bed.wait(2)
        join_sensor(bed, gateway, sensor)
        up(bed, switch, "hci2")  # only now: the agent that answers for it answers for every adapter of this bluetoothd
        even_out(bed, switch)
        wrong_passkey(bed, gateway, switch)
        join_switch(bed, gateway, switch)
        turn(bed, gateway, switch, True)
        turn(bed, gateway, switch, False)
        lives(bed, gateway, sensor, switch)


if __name__ == "__main__":
    main(scenario, 4)
