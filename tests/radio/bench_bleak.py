"""bench_bleak - the bench itself, judged by python3-bleak, which knows nothing of us: ten beacons are heard byte for byte, and both
peripherals read, notify, take a write, pair by passkey and refuse who has not paired. What our plugin then finds is worth something.
"""

import asyncio
import contextlib

from bed import main
from beacons import ADDRESS, BEACONS, Air
from bleak import BleakClient, BleakScanner
from bleak.backends.bluezdbus.manager import BlueZManager
from bleak.exc import BleakError
from counterpart import Counterpart
from dbus_fast import Message, MessageType
from dbus_fast.service import ServiceInterface, method

TEMPERATURE, BATTERY, DIGITAL = (f"0000{short}-0000-1000-8000-00805f9b34fb" for short in ("2a6e", "2a19", "2a56"))


def parts(data):
    """AD structures: (kind, bytes) each."""
    while data:
        yield data[1], data[2:data[0] + 1]
        data = data[data[0] + 1:]


def as_bleak_says(data, response):
    """What BlueZ makes of an advertisement."""
    services, makers = {}, {}
    for kind, body in [*parts(data), *parts(response)]:
        if kind == 0x16:
            services[f"0000{body[1]:02x}{body[0]:02x}-0000-1000-8000-00805f9b34fb"] = body[2:]
        elif kind == 0xFF:
            makers[body[0] | body[1] << 8] = body[2:]
    return services, makers


async def hear(bed, air):
    heard = {}

    def on_device(device, advertisement):
        heard.setdefault(device.address.lower(), []).append((dict(advertisement.service_data), dict(advertisement.manufacturer_data)))
    async with BleakScanner(on_device, adapter="hci0"):
        await asyncio.sleep(0.3)
        for _ in range(3):
            air.say_all()
            await asyncio.sleep(0.5)
        for which in BEACONS:
            want = as_bleak_says(*air.frame(which))
            bed.check(f"bleak hears {which}'s bytes", want in heard.get(ADDRESS[which], []))
        air.say("bthome", temperature=-3.5)
        await asyncio.sleep(0.5)
        bed.check("and a changed value", as_bleak_says(*air.frame("bthome", temperature=-3.5)) in heard.get(ADDRESS["bthome"], []))


async def wait(found, seconds=30.0):
    for _ in range(int(seconds * 20)):
        if found():
            return True
        await asyncio.sleep(0.05)
    return False


async def find(name):
    """btvirt tells an advertisement when it begins, so it begins anew until it is heard."""
    other = Counterpart(name.split()[1])
    scanner = BleakScanner(adapter="hci0")
    await scanner.start()
    try:
        for _ in range(20):
            other.order(advertise=True)
            await asyncio.sleep(0.5)
            for device in scanner.discovered_devices:
                if device.name == name:
                    return device
    finally:
        await scanner.stop()
    return None


async def settle(manager, path):
    """In place of bleak's own: it asks one connection to the bus what another one has just caused, and BlueZ says that services are
    resolved before it says which there are."""
    for _ in range(100):
        await asyncio.sleep(0.1)
        if manager._properties.get(path, {}).get("org.bluez.Device1", {}).get("ServicesResolved"):
            await asyncio.sleep(0.1)
            return
    raise BleakError("services were not resolved")

BlueZManager._wait_for_services_discovery = settle


@contextlib.asynccontextmanager
async def connected(device):
    client = BleakClient(device, adapter="hci0")
    await client.connect()
    try:
        yield client
    finally:
        with contextlib.suppress(BleakError, EOFError):  # it trips over a device that hangs up at the same moment
            await client.disconnect()
        await asyncio.sleep(0.5)


class Shown(ServiceInterface):
    """The agent of who connects: it shows digits, and cannot type."""

    def __init__(self):
        super().__init__("org.bluez.Agent1")
        self.digits = []

    @method()
    def DisplayPasskey(self, device: "o", passkey: "u", entered: "q"):  # noqa: F821
        self.digits.append(passkey)

    @method()
    def Cancel(self):
        pass

    @method()
    def Release(self):
        pass

    async def register(self, bus):
        bus.export("/shown", self)
        reply = await bus.call(Message(destination="org.bluez", path="/org/bluez", interface="org.bluez.AgentManager1", member="RegisterAgent", signature="os",
                                       body=["/shown", "DisplayOnly"]))
        assert reply.message_type == MessageType.METHOD_RETURN, reply.body


async def talk_to_sensor(bed):
    sensor = Counterpart("sensor")
    device = await find("gw sensor")
    if not bed.check("the sensor is found", device is not None):
        return
    notified = []
    async with connected(device) as client:
        bed.check("its temperature is read", await client.read_gatt_char(TEMPERATURE) == bytes.fromhex("0209"))
        bed.check("its battery, too", await client.read_gatt_char(BATTERY) == b"\x5f")
        await client.start_notify(TEMPERATURE, lambda _, data: notified.append(bytes(data)))
        sensor.order(set="2a6e", bytes="5e01")
        bed.check("a change is notified", await wait(lambda: bytes.fromhex("5e01") in notified))


async def refused(client):
    try:
        await asyncio.wait_for(client.write_gatt_char(DIGITAL, b"\1", response=True), 5)
    except (BleakError, asyncio.TimeoutError):
        return True
    return False


async def pair(bed, client, switch, shown, typed):
    """typed: what is typed at the device for the digits that were shown."""
    mark = len(switch.told("event", "passkey"))
    pairing = asyncio.ensure_future(client.pair())
    await wait(lambda: shown.digits and len(switch.told("event", "passkey")) > mark)
    bed.check("six digits are shown, and asked for", bool(shown.digits) and len(switch.told("event", "passkey")) > mark)
    switch.order(passkey=typed(shown.digits.pop()))
    try:
        return await asyncio.wait_for(pairing, 20)
    except (BleakError, asyncio.TimeoutError):
        return False


async def talk_to_switch(bed):
    switch, shown = Counterpart("switch"), Shown()
    device = await find("gw switch")
    if not bed.check("the switch is found", device is not None):
        return
    async with connected(device) as client:
        await shown.register(client._backend._bus)
        bed.check("wrong digits do not pair", not await pair(bed, client, switch, shown, lambda digits: (digits + 1) % 1000000))
    device = await find("gw switch")
    async with connected(device) as client:
        await shown.register(client._backend._bus)
        bed.check("the right digits do", await pair(bed, client, switch, shown, lambda digits: digits))
        await client.write_gatt_char(DIGITAL, b"\1", response=True)
        bed.check("and what is written arrives", await wait(lambda: switch.told("written", "2a56") and switch.told("bytes", "01")))
        bed.check("and is read back", await client.read_gatt_char(DIGITAL) == b"\1")


async def turn_away(bed):
    switch = Counterpart("switch")
    device = await find("gw switch")
    async with connected(device) as client:
        bed.check("who has not paired cannot write", await refused(client) and not switch.told("written"))


async def all_of_it(bed):
    await hear(bed, Air(first=3))
    for kind, adapter in (("sensor", "hci1"), ("switch", "hci2")):
        bed.peripheral(kind, adapter)
        bed.check(f"the {kind} is up", lambda kind=kind: Counterpart(kind).told("event", "ready"))
    await talk_to_sensor(bed)
    await turn_away(bed)
    await talk_to_switch(bed)


def scenario(bed):
    bed.power("hci0")
    asyncio.run(all_of_it(bed))


if __name__ == "__main__":
    main(scenario, 13)
