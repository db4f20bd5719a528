"""repack - a backup taken apart and packed anew, from docs/spec/keystore.md "Parcels" alone, with libsodium (suite 1).

    parts = repack.read("monday.gwb", "gw-x25519-key:...")      [("manifest", b"{...}"), ...]
    repack.write("changed.gwb", parts, "gw-x25519-pub:...")
"""

import base64
import ctypes
import os
import struct

SODIUM = ctypes.CDLL("libsodium.so.23")
assert SODIUM.sodium_init() >= 0
CHUNK, MORE, HEADER, FINAL = 65536, 17, 24, 3
LL = ctypes.c_ulonglong


class Unsound(Exception):
    pass


def key_bytes(text, prefix):
    assert text.startswith(prefix), prefix
    raw = text[len(prefix):].strip()
    return base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))


def open_stream(data, key, aad):
    state = ctypes.create_string_buffer(SODIUM.crypto_secretstream_xchacha20poly1305_statebytes())
    if SODIUM.crypto_secretstream_xchacha20poly1305_init_pull(state, data[:HEADER], key) != 0:
        raise Unsound("header")
    text, at, last = b"", HEADER, False
    while not last:
        sealed = data[at:at + CHUNK + MORE]
        out, tag = ctypes.create_string_buffer(CHUNK), ctypes.c_ubyte()
        if len(sealed) < MORE or SODIUM.crypto_secretstream_xchacha20poly1305_pull(
                state, out, None, ctypes.byref(tag), sealed, LL(len(sealed)), aad, LL(len(aad))) != 0:
            raise Unsound(f"chunk at {at}")
        text += out.raw[:len(sealed) - MORE]
        at, aad, last = at + len(sealed), b"", tag.value == FINAL
    if at != len(data):
        raise Unsound("bytes behind the end")
    return text


def seal_stream(text, key, aad):
    state = ctypes.create_string_buffer(SODIUM.crypto_secretstream_xchacha20poly1305_statebytes())
    header = ctypes.create_string_buffer(HEADER)
    SODIUM.crypto_secretstream_xchacha20poly1305_init_push(state, header, key)
    data, at = header.raw, 0
    while True:
        piece, last = text[at:at + CHUNK], at + CHUNK >= len(text)
        out = ctypes.create_string_buffer(len(piece) + MORE)
        SODIUM.crypto_secretstream_xchacha20poly1305_push(state, out, None, piece, LL(len(piece)), aad, LL(len(aad)), ctypes.c_ubyte(FINAL if last else 0))
        data, at, aad = data + out.raw, at + CHUNK, b""
        if last:
            return data


def read(path, private):
    with open(path, "rb") as file:
        data = file.read()
    magic, version, kind, suite, box, n = struct.unpack("<8sHBBBB", data[:14])
    assert (magic, version, kind, suite, box, n) == (b"GWPARCEL", 1, 1, 1, 1, 32), data[:14]
    public = data[14:46]
    (n_sealed,) = struct.unpack("<H", data[46:48])
    sealed, head = data[48:48 + n_sealed], data[:48 + n_sealed]
    key = ctypes.create_string_buffer(32)
    if SODIUM.crypto_box_seal_open(key, sealed, LL(len(sealed)), public, key_bytes(private, "gw-x25519-key:")) != 0:
        raise Unsound("box")
    text, parts = open_stream(data[len(head):], key.raw, head), []
    at = 0
    while text[at] == 1:
        (n_name,) = struct.unpack("<H", text[at + 1:at + 3])
        name = text[at + 3:at + 3 + n_name].decode()
        at += 3 + n_name
        (size,) = struct.unpack("<Q", text[at:at + 8])
        parts.append((name, text[at + 8:at + 8 + size]))
        at += 8 + size
    assert text[at:] == b"\0"
    return parts


def write(path, parts, public):
    to, key = key_bytes(public, "gw-x25519-pub:"), os.urandom(32)
    sealed = ctypes.create_string_buffer(32 + 48)
    assert SODIUM.crypto_box_seal(sealed, key, LL(32), to) == 0
    head = struct.pack("<8sHBBBB", b"GWPARCEL", 1, 1, 1, 1, 32) + to + struct.pack("<H", 80) + sealed.raw
    text = b"".join(b"\1" + struct.pack("<H", len(name)) + name.encode() + struct.pack("<Q", len(data)) + data for name, data in parts) + b"\0"
    with open(path, "wb") as file:
        file.write(head + seal_stream(text, key, head))
