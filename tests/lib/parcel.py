"""Parcels, written and read from docs/spec/keystore.md: X25519 and XChaCha20-Poly1305 by PyNaCl, SM2, SM3 and SM4 by curves.py and sm4.py."""
import base64
import struct

from nacl import bindings, exceptions

from lib import curves, sm4

MAGIC = b"GWPARCEL"
CHUNK = 65536
KEYS = {"gw-x25519-key": 1, "gw-sm2-key": 2}
TAG_FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
TAG_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE


class NotForYou(Exception):
    pass


class Newer(NotForYou):
    pass


class Strange(Exception):
    pass


class Damaged(Exception):
    pass


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def secret_key(text):
    """(kind of box, 32 bytes)"""
    name, _, key = text.partition(":")
    return KEYS[name], unbase64(key)


def public_of(kind, secret):
    return bindings.crypto_scalarmult_base(secret) if kind == 1 else curves.sm2_public(secret)


def box_open(kind, secret, sealed):
    if kind == 2:
        return curves.sm2_decrypt(secret, sealed)
    try:
        return bindings.crypto_box_seal_open(sealed, public_of(1, secret), secret)
    except (exceptions.CryptoError, exceptions.TypeError, exceptions.ValueError):
        return None


class Head:
    def __init__(self, data):
        at = 8
        if data[:8] != MAGIC or len(data) < 13:
            raise Strange("no parcel")
        version, self.kind, self.suite, self.box, n = struct.unpack_from("<HBBBB", data, at)
        if version > 1:
            raise Newer("a newer parcel")
        at += 6
        self.public = data[at:at + n]
        at += n
        m = int.from_bytes(data[at:at + 2], "little")
        self.sealed = data[at + 2:at + 2 + m]
        if (version != 1 or self.kind not in (1, 2, 3) or self.suite not in (1, 2) or n > 65 or m > 256 or len(self.public) != n
                or len(data) < at + 2 or len(self.sealed) != m):
            raise Strange("no parcel's head")
        self.bytes = data[:at + 2 + m]


class Opener:
    """The chunks of a stream."""

    def __init__(self, suite, key, header, aad):
        self.suite, self.key, self.header, self.aad, self.number = suite, key, header, aad, 0
        if suite == 1:
            self.state = bindings.crypto_secretstream_xchacha20poly1305_state()
            bindings.crypto_secretstream_xchacha20poly1305_init_pull(self.state, header, key)

    def open(self, chunk, is_last):
        bound = self.aad if not self.number else b""
        number, self.number = self.number, self.number + 1
        if self.suite == 1:
            try:
                text, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self.state, chunk, bound or None)
            except (exceptions.CryptoError, exceptions.RuntimeError, exceptions.ValueError, exceptions.TypeError) as e:
                raise Damaged("a chunk does not open") from e
            if tag != (TAG_FINAL if is_last else TAG_MESSAGE):
                raise Damaged("a chunk with another tag")
        else:
            if len(chunk) < 56:
                raise Damaged("a chunk is cut")
            text = sm4.unseal(self.key, chunk[:24], self.header + struct.pack("<QB", number, is_last) + bound, chunk[56:], chunk[24:56])
            if text is None:
                raise Damaged("a chunk does not open")
        if is_last and not text and number:
            raise Damaged("an empty last chunk")
        return text


class Part:
    """The one part of a parcel, to be read like a file. The file is read chunk by chunk."""

    def __init__(self, path, key, kind, name):
        self.file = open(path, "rb")  # noqa: SIM115
        head = Head(self.file.read(512))
        if head.kind != kind:
            raise Strange("another kind of parcel")
        if key is None:
            raise NotForYou("sealed, and no key was given")
        box, secret = secret_key(key)
        if box != head.box or public_of(box, secret) != head.public:
            raise NotForYou("sealed to another key")
        stream_key = box_open(box, secret, head.sealed)
        if stream_key is None or len(stream_key) != 32:
            raise NotForYou("its box does not open")
        self.file.seek(len(head.bytes))
        header = self.file.read(24)
        if len(header) != 24:
            raise Damaged("cut")
        self.opener = Opener(head.suite, stream_key, header, head.bytes)
        self.size = CHUNK + (17 if head.suite == 1 else 56)
        self.ahead, self.buffer, self.last = self.file.read(self.size), b"", False
        if self.raw(3 + len(name)) != b"\1" + struct.pack("<H", len(name)) + name.encode():
            raise Strange("another part")
        self.left, = struct.unpack("<Q", self.raw(8))

    def raw(self, n):
        while len(self.buffer) < n:
            if self.last:
                raise Damaged("cut")
            chunk, self.ahead = self.ahead, self.file.read(self.size)
            self.last = not self.ahead
            self.buffer += self.opener.open(chunk, self.last)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def read(self, n):
        """As much as there is of the part."""
        n = min(n, self.left)
        data = self.raw(n)
        self.left -= n
        return data

    def at_end(self):
        if self.left or self.raw(1) != b"\0":
            return False
        return self.last and not self.buffer


def seal_stream(suite, key, header, aad, text):
    """For tests: the chunks, given 24 bytes for the header; of suite 2 the nonces follow from it."""
    chunks = [text[i:i + CHUNK] for i in range(0, len(text), CHUNK)] or [b""]
    out = []
    if suite == 1:
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
    for i, chunk in enumerate(chunks):
        is_last, bound = i + 1 == len(chunks), aad if i == 0 else b""
        if suite == 1:
            out.append(bindings.crypto_secretstream_xchacha20poly1305_push(
                state, chunk, bound or None, TAG_FINAL if is_last else TAG_MESSAGE))
        else:
            nonce = curves.sm3(header, struct.pack("<Q", i))[:24]
            sealed, tag = sm4.seal(key, nonce, header + struct.pack("<QB", i, is_last) + bound, chunk)
            out.append(nonce + tag + sealed)
    return header + b"".join(out)


def box_seal(kind, public, text, nonce=b"box"):
    if kind == 1:
        return bindings.crypto_box_seal(text, public)
    k = int.from_bytes(curves.sm3(nonce, text), "big") % (curves.N - 1) + 1
    x1, y1 = curves.sm2_affine(curves.sm2_times(k, curves.G))
    x2, y2 = map(curves.number, curves.sm2_affine(curves.sm2_times(k, curves.sm2_point(public))))
    stream = b"".join(curves.sm3(x2, y2, i.to_bytes(4, "big")) for i in range(1, len(text) // 32 + 2))
    parts = [der(2, minimal(x1)), der(2, minimal(y1)), der(4, curves.sm3(x2, text, y2)),
             der(4, bytes(a ^ b for a, b in zip(text, stream)))]
    return der(0x30, b"".join(parts))


def minimal(n):
    return n.to_bytes(n.bit_length() // 8 + 1, "big")


def der(tag, data):
    length = bytes([len(data)]) if len(data) < 128 else b"\x81" + bytes([len(data)])
    return bytes([tag]) + length + data


def make(path, secret, suite, kind, name, data, stream_key=b"k" * 32):
    """A parcel with one part, for the holder of a private key given as text."""
    box, private = secret_key(secret)
    public = public_of(box, private)
    sealed = box_seal(box, public, stream_key)
    head = MAGIC + struct.pack("<HBBBB", 1, kind, suite, box, len(public)) + public + struct.pack("<H", len(sealed)) + sealed
    text = b"\1" + struct.pack("<H", len(name)) + name.encode() + struct.pack("<Q", len(data)) + data + b"\0"
    with open(path, "wb") as f:
        f.write(head + seal_stream(suite, stream_key, curves.sm3(b"header", data[:64])[:24], head, text))
