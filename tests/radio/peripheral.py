"""peripheral - a GATT device on one of the controllers, by BlueZ's own server: what the plugin connects to.

    peripheral.py sensor hci1      battery, temperature and humidity, readable and notified; open to all
    peripheral.py switch hci2      one digital output, readable, writable and notified; only after pairing with a passkey
    peripheral.py meter hci1       a temperature, open to all; it does not pair

Control by datagrams of JSON to /run/peripheral-KIND: {"set": "2a6e", "bytes": "0e09"} changes a value and notifies;
{"advertise": true} makes it heard, once; {"passkey": 123456} types one in; {"compare": true} agrees. What happens is written to /run/out/peripheral-KIND.events, a line of
JSON each: {"written": "2a56", "bytes": "01"}, {"event": "passkey"}.
"""

import json
import os
import socket
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

BLUEZ, PROPERTIES, OBJECTS = "org.bluez", "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
SERVICE, CHARACTERISTIC, ADVERTISEMENT, AGENT = (f"org.bluez.{name}" for name in ("GattService1", "GattCharacteristic1", "LEAdvertisement1", "Agent1"))

OPEN = ["read", "notify"]
GUARDED = ["encrypt-authenticated-read", "encrypt-authenticated-write", "encrypt-authenticated-notify", "read", "write", "notify"]

# service: {characteristic: (flags, value)}
KINDS = {
    "sensor": {"180f": {"2a19": (OPEN, "5f")}, "181a": {"2a6e": (OPEN, "0209"), "2a6f": (OPEN, "ae13")}},
    "switch": {"1815": {"2a56": (GUARDED, "00")}},
    "meter": {"181a": {"2a6e": (OPEN, "f401")}},
}

# A meter has nobody who would agree to a pairing. The last one that came up answers for every adapter of this bluetoothd.
BUTTONS = {"sensor": "NoInputNoOutput", "switch": "KeyboardOnly"}


def long_uuid(short):
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


def as_bytes(text):
    return dbus.Array(bytes.fromhex(text), signature="y")


class Thing(dbus.service.Object):
    """An object with the properties of one interface."""

    def __init__(self, bus, path, interface, properties):
        self.path, self.interface, self.properties = dbus.ObjectPath(path), interface, properties
        super().__init__(bus, path)

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return self.properties if interface == self.interface else {}

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, key):
        return self.properties[key]

    @dbus.service.signal(PROPERTIES, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, gone):
        pass


class Characteristic(Thing):
    def __init__(self, bus, path, service, uuid, flags, value, tell):
        super().__init__(bus, path, CHARACTERISTIC, {"Service": service, "UUID": long_uuid(uuid), "Flags": dbus.Array(flags, signature="s"),
                                                     "Notifying": dbus.Boolean(False)})
        self.uuid, self.value, self.tell = uuid, value, tell

    def change(self, text):
        self.value = text
        if self.properties["Notifying"]:
            self.PropertiesChanged(CHARACTERISTIC, {"Value": as_bytes(text)}, [])

    @dbus.service.method(CHARACTERISTIC, in_signature="a{sv}", out_signature="ay")
    def ReadValue(self, options):
        return as_bytes(self.value)

    @dbus.service.method(CHARACTERISTIC, in_signature="aya{sv}")
    def WriteValue(self, value, options):
        text = bytes(value).hex()
        self.tell(written=self.uuid, bytes=text)
        self.change(text)

    @dbus.service.method(CHARACTERISTIC)
    def StartNotify(self):
        self.properties["Notifying"] = dbus.Boolean(True)
        self.tell(event="notify", uuid=self.uuid)

    @dbus.service.method(CHARACTERISTIC)
    def StopNotify(self):
        self.properties["Notifying"] = dbus.Boolean(False)


class Application(dbus.service.Object):
    def __init__(self, bus, path, things):
        self.path, self.things = dbus.ObjectPath(path), things
        super().__init__(bus, path)

    @dbus.service.method(OBJECTS, out_signature="a{oa{sa{sv}}}")
    def GetManagedObjects(self):
        return {thing.path: {thing.interface: thing.properties} for thing in self.things}


class Advertisement(Thing):
    @dbus.service.method(ADVERTISEMENT)
    def Release(self):
        pass


class Agent(dbus.service.Object):
    """Somebody at the device's buttons: asked for a passkey or to compare one, and answering when the test says so."""

    def __init__(self, bus, path, tell):
        self.tell, self.waiting = tell, None
        super().__init__(bus, path)

    def _ask(self, kind, answer, failed, **more):
        self.waiting = (kind, answer, failed)
        self.tell(event=kind, **more)

    def act(self, order):
        if not self.waiting:
            return False
        kind, answer, failed = self.waiting
        self.waiting = None
        if kind == "passkey" and "passkey" in order:
            answer(dbus.UInt32(order["passkey"]))
        elif kind == "compare" and order.get("compare"):
            answer()
        else:
            failed(dbus.DBusException("no", name="org.bluez.Error.Rejected"))
        return True

    @dbus.service.method(AGENT, in_signature="o", out_signature="u", async_callbacks=("answer", "failed"))
    def RequestPasskey(self, device, answer, failed):
        self._ask("passkey", answer, failed)

    @dbus.service.method(AGENT, in_signature="ou", async_callbacks=("answer", "failed"))
    def RequestConfirmation(self, device, passkey, answer, failed):
        self._ask("compare", answer, failed, digits=f"{int(passkey):06d}")

    @dbus.service.method(AGENT, in_signature="ouq")
    def DisplayPasskey(self, device, passkey, entered):
        self.tell(event="display", digits=f"{int(passkey):06d}")

    @dbus.service.method(AGENT, in_signature="o")
    def RequestAuthorization(self, device):
        self.tell(event="authorise")

    @dbus.service.method(AGENT, in_signature="os")
    def AuthorizeService(self, device, uuid):
        pass

    @dbus.service.method(AGENT)
    def Cancel(self):
        self.waiting = None
        self.tell(event="cancel")

    @dbus.service.method(AGENT)
    def Release(self):
        self.tell(event="release")


class Peripheral:
    def __init__(self, kind, adapter):
        self.kind = kind
        self.log = open(f"/run/out/peripheral-{kind}.events", "a", encoding="utf-8")
        self.bus = dbus.SystemBus()
        self.adapter = f"/org/bluez/{adapter}"
        base = f"/gw/{kind}"
        self.characteristics, things = {}, []
        for i, (service, rows) in enumerate(KINDS[kind].items()):
            path = f"{base}/service{i}"
            things.append(Thing(self.bus, path, SERVICE, {"UUID": long_uuid(service), "Primary": dbus.Boolean(True)}))
            for j, (uuid, (flags, value)) in enumerate(rows.items()):
                self.characteristics[uuid] = Characteristic(self.bus, f"{path}/char{j}", dbus.ObjectPath(path), uuid, flags, value, self.tell)
                things.append(self.characteristics[uuid])
        self.application = Application(self.bus, base, things)
        self.advertisement = Advertisement(self.bus, base + "/advertisement", ADVERTISEMENT, {
            "Type": "peripheral", "ServiceUUIDs": dbus.Array([long_uuid(s) for s in KINDS[kind]], signature="s"), "LocalName": f"gw {kind}"})
        self.agent_path = base + "/agent"
        self.agent = Agent(self.bus, self.agent_path, self.tell)
        self.bus.watch_name_owner(BLUEZ, self._on_owner)
        self._listen()

    def tell(self, **what):
        self.log.write(json.dumps(what) + "\n")
        self.log.flush()

    def _on_owner(self, owner):
        """bluetoothd is there, or there again."""
        if owner:
            GLib.timeout_add(100, self._settle)

    def _settle(self):
        adapter = self.bus.get_object(BLUEZ, self.adapter, introspect=False)
        settings = dbus.Interface(adapter, PROPERTIES)
        try:
            settings.Set("org.bluez.Adapter1", "Powered", dbus.Boolean(True, variant_level=1))
            settings.Set("org.bluez.Adapter1", "Alias", dbus.String(f"gw {self.kind}", variant_level=1))
            settings.Set("org.bluez.Adapter1", "Pairable", dbus.Boolean(True, variant_level=1))
            if self.kind in BUTTONS:
                agents = dbus.Interface(self.bus.get_object(BLUEZ, "/org/bluez", introspect=False), "org.bluez.AgentManager1")
                agents.RegisterAgent(dbus.ObjectPath(self.agent_path), BUTTONS[self.kind])
                agents.RequestDefaultAgent(dbus.ObjectPath(self.agent_path))
        except dbus.DBusException as error:
            self.tell(event="later", why=error.get_dbus_name())
            return True  # not ready yet: again in a moment
        dbus.Interface(adapter, "org.bluez.GattManager1").RegisterApplication(
            self.application.path, dbus.Dictionary({}, signature="sv"), reply_handler=lambda: self.tell(event="ready"), error_handler=self._failed)
        return False

    def _manager(self):
        return dbus.Interface(self.bus.get_object(BLUEZ, self.adapter, introspect=False), "org.bluez.LEAdvertisingManager1")

    def _advertise(self, *_):
        self._manager().RegisterAdvertisement(self.advertisement.path, dbus.Dictionary({}, signature="sv"), reply_handler=lambda: None,
                                              error_handler=self._failed)

    def _failed(self, error):
        self.tell(event="failed", why=str(error))

    def _again(self):
        """btvirt tells an advertisement when it begins: so one that is there begins anew."""
        self._manager().UnregisterAdvertisement(self.advertisement.path, reply_handler=self._advertise, error_handler=self._advertise)

    def _listen(self):
        path = f"/run/peripheral-{self.kind}"
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.control.bind(path)
        os.chmod(path, 0o666)
        GLib.io_add_watch(self.control.fileno(), GLib.IO_IN, self._on_order)

    def _on_order(self, *_):
        order = json.loads(self.control.recv(4096))
        if "set" in order:
            self.characteristics[order["set"]].change(order["bytes"])
        elif "advertise" in order:
            self._again()
        elif not self.agent.act(order):
            self.tell(event="nobody asked")
        return True


def main(kind, adapter):
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    Peripheral(kind, adapter)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
