"""link_core - the core's end of the wire towards links, written from docs/spec/wire.md alone.

    core = LinkCore(path, options=[("profile", "native"), ...]).listen()
    ... start gatewayd-link ...
    core.wait_state(connected=True)
    core.event(1, device=ID, cap=ON_OFF, value=True)
    core.wait(lambda: 1 in core.acked)
"""

import os
import socket
import struct
import threading
import time

from .netns import LabError

HELLO, WELCOME, OPTION, START, OPENED, BEAT, NOTE = 1, 2, 3, 5, 6, 7, 8
LINK_STATE, LINK_DEVICE, LINK_GONE, LINK_EVENT, LINK_ACKED, LINK_COMMAND, LINK_ANSWER, LINK_TIME, LINK_SYNC = range(48, 57)
CONNECTED, CONNECTING, UNREACHABLE, IDENTITY, REFUSED, LOST, SETTINGS = range(7)
NOTES = ["malformed", "oversize", "unknown-device", "bad-value", "bad-topic", "flood", "dropped", "refused-command", "status"]
REPORT, AVAILABILITY, DEVICE, ALARM, HEALTH, ANCHOR = range(6)
TYPES = {bool: 1, int: 2, float: 3, str: 4, bytes: 5}


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<H", len(raw)) + raw


def value_bytes(value):
    if value is None:
        return b"\0"
    kind = TYPES[type(value)]
    body = (bytes([value]) if kind == 1 else struct.pack("<q", value) if kind == 2 else struct.pack("<d", value) if kind == 3
            else struct.pack("<H", len(value)) + value if kind == 5 else text(value))
    return bytes([kind]) + body


def message(kind, body=b""):
    return struct.pack("<BBH", kind, 0, len(body)) + body


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise LabError("a message that is too short")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def text(self):
        return self.take(self.number("H")).decode()

    def value(self):
        kind = self.number("B")
        if kind == 0:
            return None
        if kind == 1:
            return bool(self.number("B"))
        if kind == 2:
            return self.number("q")
        if kind == 3:
            return self.number("d")
        return self.text() if kind == 4 else self.take(self.number("H"))


def description(device, endpoints, name="Lamp", room="Hall", state=3, reachable=True, vendor="Acme", model="M-1", firmware="1.0"):
    """endpoints: {1: [(capability, type, access, unit)]}; ranges are the rows' own."""
    body = bytes.fromhex(device) + bytes([state, reachable]) + text(room) + bytes([0, 0])
    for word in (vendor, model, firmware, name):
        body += text(word)
    body += bytes([len(endpoints)])
    for number, caps in endpoints.items():
        body += struct.pack("<BHB", number, 0, len(caps))
        for cap in caps:
            number, kind, access, unit, low, high, step = (tuple(cap) + (0, 0, 0, 0))[:7]
            body += struct.pack("<HBBIqqq", number, kind, access, unit, low, high, step)
    return message(LINK_DEVICE, body)


class LinkCore:
    def __init__(self, path, options=()):
        self.path, self.options = path, list(options)
        self._changed = threading.Condition()
        self._server = self._conn = None
        self._ready = False
        self.n_opened, self.opened_error, self.opened_reason = 0, None, None
        self.states, self.acked, self.commands, self.notes, self.times = [], [], [], [], []
        self.n_syncs = 0
        self.broken = None

    def __enter__(self):
        return self.listen()

    def __exit__(self, *exc):
        self.close()

    def listen(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server.bind(self.path)
        os.chmod(self.path, 0o666)
        self._server.listen(4)
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()
        return self

    def close(self):
        """The core dies: nobody listens and the connection ends."""
        for sock in (self._server, self._conn):
            if sock:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                sock.close()
        self._server = self._conn = None
        self._ready = False

    def _accept(self, server):
        while True:
            try:
                conn, _ = server.accept()
            except OSError:
                return
            self._conn = conn
            threading.Thread(target=self._read, args=(conn,), daemon=True).start()
            threading.Thread(target=self._beat, args=(conn,), daemon=True).start()

    def _beat(self, conn):
        count = 0
        while self._conn is conn:
            count += 1
            try:
                if self._greeted is conn:
                    conn.send(message(BEAT, struct.pack("<Q", count)))
            except OSError:
                return
            time.sleep(1)

    _greeted = None

    def _read(self, conn):
        while True:
            try:
                packet = conn.recv(65536)
            except OSError:
                packet = b""
            if not packet:
                with self._changed:
                    if self._conn is conn:
                        self._conn, self._ready = None, False
                    self._changed.notify_all()
                return
            whole = Reader(packet)
            while whole.at < len(packet):
                kind, zero, length = struct.unpack("<BBH", whole.take(4))
                body = Reader(whole.take(length))
                try:
                    self._take(conn, kind, body)
                    if zero or body.at != length:
                        raise LabError(f"message {kind} has {length} bytes, {body.at} make sense")
                except (LabError, UnicodeDecodeError, struct.error) as error:
                    self.broken = str(error)

    def _take(self, conn, kind, body):
        with self._changed:
            if kind == HELLO:
                self._greet(conn, body)
            elif kind == OPENED:
                body.number("B")
                self.opened_error, self.opened_reason = body.number("i"), body.text()
                self.n_opened += 1
                self._ready = self.opened_error == 0
            elif kind == LINK_STATE:
                self.states.append({"connected": bool(body.number("B")), "reason": body.number("B"), "endpoint": body.text(), "detail": body.text()})
            elif kind == LINK_ACKED:
                self.acked += [body.number("Q") for _ in range(body.number("H"))]
            elif kind == LINK_COMMAND:
                command = {"id": body.text(), "sender": body.text(), "device": body.take(12).hex(), "endpoint": body.number("B"),
                           "cap": body.number("H"), "value": body.value()}
                command.update(flags=body.number("B"), counter=body.number("Q"), issued=body.number("q"), not_after=body.number("q"))
                command["at"] = time.monotonic()
                self.commands.append(command)
            elif kind == NOTE:
                self.notes.append((NOTES[body.number("B")], body.number("I"), body.text(), body.text()))
            elif kind == LINK_TIME:
                self.times.append(body.number("q"))
            elif kind == LINK_SYNC:
                self.n_syncs += 1
            elif kind == BEAT:
                body.number("Q")
            else:
                raise LabError(f"message {kind} from a link")
            self._changed.notify_all()

    def _greet(self, conn, hello):
        if (hello.number("H"), hello.number("H"), hello.number("B")) != (1, 1, 1):
            raise LabError("not a link's HELLO")
        self.name, _ = hello.text(), hello.text()
        packet = message(WELCOME, struct.pack("<HHQIHqB", 1, 1, 7, 512, 1000, int(time.time() * 1e6), 1))
        for key, value in self.options:
            packet += message(OPTION, text(key) + text(value))
        conn.send(packet + message(START))
        self._greeted = conn

    def send(self, *messages):
        packet = b""
        for one in messages:
            if len(packet) + len(one) > 60000:
                self._conn.send(packet)
                packet = b""
            packet += one
        self._conn.send(packet)

    def event_bytes(self, number, kind=REPORT, device="0" * 24, endpoint=1, cap=0, value=None, at_us=1_700_000_000_000_000, of_device=0, word="",
                    detail="", severity=0, phase=0, duplicate=False):
        body = struct.pack("<QB", number, duplicate) + struct.pack("<BBBBB", kind, 1, 0, severity, phase) + bytes.fromhex(device)
        body += struct.pack("<BHqQ", endpoint if kind == REPORT else 0, cap, at_us, of_device or number) + value_bytes(value) + text(word) + text(detail)
        return message(LINK_EVENT, body)

    def event(self, number, **kwargs):
        self.send(self.event_bytes(number, **kwargs))

    def device(self, device, endpoints, **kwargs):
        self.send(description(device, endpoints, **kwargs))

    def gone(self, device):
        self.send(message(LINK_GONE, bytes.fromhex(device)))

    def answer(self, command, result, reason=""):
        self.send(message(LINK_ANSWER, text(command["id"]) + text(command["sender"]) + bytes.fromhex(command["device"]) +
                          struct.pack("<BHH", command["endpoint"], command["cap"], result) + text(reason)))

    def wait(self, condition, timeout=8.0, what=""):
        with self._changed:
            end = time.monotonic() + timeout
            while True:
                if self.broken:
                    raise LabError(f"the link broke a rule of the wire: {self.broken}")
                result = condition()
                if result:
                    return result
                left = end - time.monotonic()
                if left <= 0:
                    raise LabError(f"waited {timeout} s for {what}; states {self.states[-3:]}, notes {self.notes[-3:]}, opened {self.opened_reason!r}")
                self._changed.wait(left)

    def wait_ready(self, timeout=8.0):
        return self.wait(lambda: self._ready, timeout, "OPENED")

    def wait_state(self, timeout=8.0, after=0, **want):
        def found():
            return next((s for s in self.states[after:] if all(s[key] == value if key != "words" else value in s["detail"] for key, value in want.items())),
                        None)
        return self.wait(found, timeout, f"link-state {want}")

    def wait_note(self, kind, timeout=8.0, after=0):
        return self.wait(lambda: next((n for n in self.notes[after:] if n[0] == kind), None), timeout, f"note {kind}")
