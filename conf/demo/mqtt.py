"""mqtt - the two dozen lines of MQTT 3.1.1 that the demo's device and its platform need, so that ./dev run asks for no Python package."""

import select
import socket
import ssl
import struct
import time


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">H", len(data)) + data


def packet(kind, body):
    length, head = len(body), bytes([kind])
    while True:
        length, digit = divmod(length, 128)
        head += bytes([digit | (128 if length else 0)])
        if not length:
            return head + body


def unix_socket(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(path)
    return sock


def tls_socket(host, port, ca, cert, key):
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(cert, key)
    plain = socket.create_connection((host, port), timeout=10)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=host)


class Client:
    """Messages arrive in on_message(topic, payload). CONNACK has been read when the constructor returns."""

    def __init__(self, sock, name, password=None, will=None, keepalive=30):
        self.socket, self.buffer, self.keepalive = sock, b"", keepalive
        self.pinged = time.monotonic()
        self.connected = False
        flags = 0x02 | (0x24 if will else 0) | (0xC0 if password is not None else 0)
        body = text("MQTT") + bytes([4, flags]) + struct.pack(">H", keepalive) + text(name)
        if will:
            body += text(will[0]) + text(will[1])
        if password is not None:
            body += text(name) + text(password)
        sock.sendall(packet(0x10, body))
        while not self.connected:
            self.turn(10)

    def on_message(self, topic, payload):
        pass

    def publish(self, topic, payload, retain=False):
        self.socket.sendall(packet(0x31 if retain else 0x30, text(topic) + (payload.encode() if isinstance(payload, str) else payload)))

    def subscribe(self, topic):
        self.socket.sendall(packet(0x82, struct.pack(">H", 1) + text(topic) + b"\x01"))

    def take(self, kind, body):
        if kind >> 4 == 2:
            if body[1]:
                raise ConnectionRefusedError(f"the broker said {body[1]}")
            self.connected = True
        elif kind >> 4 == 3:
            length = struct.unpack(">H", body[:2])[0]
            topic, rest = body[2:2 + length].decode(), body[2 + length:]
            if kind & 6:
                self.socket.sendall(packet(0x40, rest[:2]))
                rest = rest[2:]
            self.on_message(topic, rest)

    def turn(self, seconds):
        """Waits for bytes at most so long, and takes what they say."""
        pending = self.socket.pending() if isinstance(self.socket, ssl.SSLSocket) else 0
        if pending or select.select([self.socket], [], [], seconds)[0]:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the broker closed the connection")
            self.buffer += data
        while self.one():
            pass
        if time.monotonic() - self.pinged > self.keepalive / 2:
            self.socket.sendall(b"\xc0\x00")
            self.pinged = time.monotonic()

    def one(self):
        length, shift, i = 0, 0, 1
        while True:
            if i >= len(self.buffer):
                return False
            length |= (self.buffer[i] & 127) << shift
            shift, i = shift + 7, i + 1
            if not self.buffer[i - 1] & 128:
                break
        if len(self.buffer) < i + length:
            return False
        kind, body, self.buffer = self.buffer[0], self.buffer[i:i + length], self.buffer[i + length:]
        self.take(kind, body)
        return True
