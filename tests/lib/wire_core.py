"""wire_core - the core's end of the adapters' wire (docs/spec/wire.md), played by a test: one adapter, what it says, what it is told.

    core = WireCore(lab, uid=61001, options={"broker": lan.sock})     listens; lab.daemon("wifi", [..., "--socket", core.path])
    core.wait_synced()
    core.device("bulb")            description by name        core.value("bulb", "on-off")     last report
    core.command("bulb", ON_OFF, True) -> request             core.result(request, timeout)    "ok", "timeout", ...
    core.hold()                    reports are not answered   core.store()                     all of them are safe now
"""

import contextlib
import os
import socket
import struct
import threading
import time

from .netns import wait_until

HELLO, WELCOME, OPTION, STATE, START, OPENED, BEAT, NOTE = 1, 2, 3, 4, 5, 6, 7, 8
DEVICE, SYNCED, GONE, REPORT, STORED, COMMAND, JOIN, REMOVE, DONE, SAVE, CLAIM, JOINING = range(16, 28)

RESULTS = ("ok denied unknown-device unknown-capability not-writable bad-value unbound unreachable timeout late replayed duplicate clock busy rate failed "
           "cancelled malformed no-session not-found conflict internal").split()
STAGES = "seen interview configure ready failed passkey".split()
NOTES = "malformed oversize unknown-device bad-value bad-topic flood dropped refused-command status".split()

# Rows of gatewayd/model/capability.h that the tests speak of.
ON_OFF, LEVEL, COLOR_TEMPERATURE, LOCK_STATE = 1, 2, 3, 9
TEMPERATURE, HUMIDITY, CONTACT = 64, 65, 69
POWER, ENERGY, VOLTAGE, CURRENT = 128, 129, 130, 131
BATTERY, BATTERY_LOW, LINK_QUALITY, RSSI = 160, 161, 162, 163


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        part = self.data[self.at:self.at + n]
        assert len(part) == n, "a message is too short"
        self.at += n
        return part

    def u(self, n):
        return int.from_bytes(self.take(n), "little")

    def i(self, n):
        return int.from_bytes(self.take(n), "little", signed=True)

    def blob(self):
        return self.take(self.u(2))

    def text(self):
        return self.blob().decode()

    def address(self):
        return self.take(self.u(1))

    def value(self):
        kind = self.u(1)
        if kind == 1:
            return bool(self.u(1))
        if kind == 2:
            return self.i(8)
        if kind == 3:
            return struct.unpack("<d", self.take(8))[0]
        return self.text() if kind == 4 else self.blob() if kind == 5 else None


def blob(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<H", len(data)) + data


def address(data):
    return bytes([len(data)]) + data


def value(what):
    if isinstance(what, bool):
        return struct.pack("<BB", 1, what)
    if isinstance(what, int):
        return struct.pack("<Bq", 2, what)
    if isinstance(what, float):
        return struct.pack("<Bd", 3, what)
    return b"\4" + blob(what)


def message(kind, body=b""):
    return struct.pack("<BBH", kind, 0, len(body)) + body


class Device:
    def __init__(self, reader):
        self.address, self.hw, self.id = reader.address(), reader.address(), reader.take(12)
        self.evidence, self.sleepy = reader.u(1), bool(reader.u(1) & 1)
        self.vendor, self.model, self.firmware, self.name = (reader.text() for _ in range(4))
        self.caps = {}  # (endpoint, capability): (type, access, unit, min, max, step)
        self.reachable = True
        for _ in range(reader.u(1)):
            endpoint, _, n = reader.u(1), reader.u(2), reader.u(1)
            for _ in range(n):
                cap = reader.u(2)
                self.caps[endpoint, cap] = (reader.u(1), reader.u(1), reader.u(4), reader.i(8), reader.i(8), reader.i(8))


class WireCore:
    def __init__(self, folder, uid=0, options=None, credit=256, stores=True):
        self.path = os.path.join(str(folder), "wire.sock")
        self.options, self.credit, self.stores = dict(options or {}), credit, stores
        self.epoch = 1
        self.devices, self.left = {}, []          # by address
        self.reports = []                         # (number, address, endpoint, capability, value)
        self.notes, self.results = [], {}
        self.joinings = []                        # (address, stage, words)
        self.saved = {}
        self.n_hello, self.n_opened, self.n_synced, self.broken = 0, 0, 0, None
        self.opened_error = None
        self.stored = 0
        self._heard = 0                           # the last number on this connection
        self._request = 0
        self._lock = threading.RLock()
        self._peer = None
        if os.path.exists(self.path):
            os.unlink(self.path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)
        if uid:
            os.chown(self.path, uid, uid)
        self._listener.listen(4)
        self._ending = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    # The wire.

    def _serve(self):
        while not self._ending:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            peer.settimeout(1.0)
            with self._lock:
                self._peer = peer
                self.stored = self._heard = 0
            try:
                self._hear(peer)
            except (OSError, AssertionError, UnicodeDecodeError) as error:
                if isinstance(error, AssertionError):
                    self.broken = str(error)
            with self._lock:
                self._peer = None
            peer.close()

    def _hear(self, peer):
        count = 0
        while not self._ending:
            try:
                packet = peer.recv(65536)
            except TimeoutError:
                packet = None
            if packet == b"":
                return
            count += 1
            self._send(message(BEAT, struct.pack("<Q", count)))
            if packet is None:
                continue
            reader = Reader(packet)
            with self._lock:
                while reader.at < len(packet):
                    kind, _, n = reader.u(1), reader.u(1), reader.u(2)
                    body = Reader(reader.take(n))
                    self._take(kind, body)
                if self.stores and self._last_number() > self.stored:
                    self.store()

    def _take(self, kind, body):
        if kind == HELLO:
            self.n_hello += 1
            now = int(time.time() * 1e6)
            out = message(WELCOME, struct.pack("<HHQIHqB", 1, 1, self.epoch, self.credit, 1000, now, 1))
            out += b"".join(message(OPTION, blob(key) + blob(text)) for key, text in self.options.items())
            out += b"".join(message(STATE, blob(key) + blob(data)) for key, data in self.saved.items())
            self._send(out + message(START))
        elif kind == OPENED:
            _, self.opened_error, reason = body.u(1), body.i(4), body.text()
            self.n_opened += 1
            self.opened_reason = reason
        elif kind == NOTE:
            self.notes.append((NOTES[body.u(1)], body.u(4), body.text(), body.text()))
        elif kind == DEVICE:
            device = Device(body)
            self.devices[device.address] = device
        elif kind == SYNCED:
            self.n_synced += 1
        elif kind == GONE:
            where, left = body.address(), body.u(1)
            if left:
                self.left.append(self.devices.pop(where, None))
            elif where in self.devices:
                self.devices[where].reachable = False
        elif kind == REPORT:
            number, _again, where, endpoint, cap, _ = body.u(8), body.u(1), body.address(), body.u(1), body.u(2), body.i(8)
            self.reports.append((number, where, endpoint, cap, body.value()))
            self._heard = number
        elif kind == DONE:
            request, result = body.u(8), body.i(4)
            self.results.setdefault(request, []).append(RESULTS[result])
        elif kind == JOINING:
            self.joinings.append((body.address(), STAGES[body.u(1)], body.text()))
        elif kind == SAVE:
            key = body.text()
            self.saved[key] = body.blob()

    def _send(self, data):
        with self._lock:
            if self._peer:
                with contextlib.suppress(OSError):
                    self._peer.send(data)

    def _last_number(self):
        return self._heard

    def hold(self):
        with self._lock:
            self.stores = False

    def store(self):
        with self._lock:
            self.stored = self._last_number()
            self._send(message(STORED, struct.pack("<QI", self.stored, self.credit)))

    def resume(self):
        with self._lock:
            self.stores = True
            if self._last_number() > self.stored:
                self.store()

    def close(self):
        self._ending = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # close() alone does not end an accept()
        self._listener.close()
        with self._lock:
            if self._peer:
                self._peer.close()
        self._thread.join(3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What a test asks.

    def wait_synced(self, timeout=10.0):
        wait_until(lambda: self.n_synced > 0, timeout, "the adapter to say all devices")

    def device(self, name):
        return next((d for d in list(self.devices.values()) if d.name == name), None)

    def wait_device(self, name, timeout=10.0):
        return wait_until(lambda: self.device(name), timeout, f"the description of {name}")

    def values(self, name, cap, endpoint=1):
        device = self.device(name)
        return [r[4] for r in list(self.reports) if device and r[1] == device.address and r[2] == endpoint and r[3] == cap]

    def value(self, name, cap, endpoint=1):
        return (self.values(name, cap, endpoint) or [None])[-1]

    def wait_value(self, name, cap, want, timeout=5.0, endpoint=1):
        return wait_until(lambda: self.value(name, cap, endpoint) == want, timeout, f"{name}'s {cap} to be {want}, it is {self.value(name, cap, endpoint)}")

    def wait_note(self, kind, match="", timeout=5.0):
        return wait_until(lambda: next((n for n in list(self.notes) if n[0] == kind and (match in n[2] or match in n[3])), None), timeout,
                          f"a note {kind} {match}, there are {self.notes}")

    def _next(self):
        self._request += 1
        return self._request

    def command(self, name, cap, what, endpoint=1, ttl_ms=3000):
        request = self._next()
        where = name if isinstance(name, bytes) else self.device(name).address
        self._send(message(COMMAND, struct.pack("<Q", request) + address(where) + struct.pack("<BHI", endpoint, cap, ttl_ms) + value(what)))
        return request

    def join(self, seconds, where=b"", code=b""):
        request = self._next()
        self._send(message(JOIN, struct.pack("<QH", request, seconds) + address(where) + blob(code)))
        return request

    def remove(self, name):
        """name: of a device, or its address as bytes."""
        request = self._next()
        self._send(message(REMOVE, struct.pack("<Q", request) + address(name if isinstance(name, bytes) else self.device(name).address)))
        return request

    def result(self, request, timeout=10.0):
        answers = wait_until(lambda: self.results.get(request), timeout, f"the answer to request {request}")
        assert len(answers) == 1, f"request {request} was answered {answers}"
        return answers[0]
