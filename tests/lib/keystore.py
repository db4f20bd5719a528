"""What a state folder's keystore holds, read from docs/spec/keystore.md alone: for tests that look for keys where none may be.

    keys(state)     {name: bytes} of the key file, the key-encryption key, every data key, and the audit record's MAC keys
"""

import hashlib
import hmac
import os
import struct

from nacl import bindings

from . import sm4

PURPOSES = {1: "db", 2: "audit", 3: "files", 4: "devices", 5: "sign", 6: "sign-sm2"}
HASHES = {1: "sha256", 2: "sm3"}


def unseal(suite, key, nonce, aad, sealed, tag):
    if suite == 2:
        text = sm4.unseal(key, nonce, aad, sealed, tag)
        assert text is not None
        return text
    assert tag[16:] == bytes(16)
    return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed + tag[:16], aad, nonce, key)


def key_encryption_key(data, file):
    suite, salt = data[11], data[24:40]
    secret = hashlib.new(HASHES[suite], b"gatewayd.kek.file.v1\0" + file).digest()
    return hmac.new(secret, b"gatewayd.kek.v1:" + salt.hex().encode(), HASHES[suite]).digest()


def body_keys(body):
    at = 16 + 8 + 4
    at += 2 + struct.unpack_from("<H", body, at)[0]
    (n,) = struct.unpack_from("<H", body, at)
    at += 2
    for i in range(n):
        row = body[at + 88 * i:at + 88 * i + 88]
        key_id, purpose, state, suite = struct.unpack_from("<IBBB", row)
        yield key_id, PURPOSES[purpose], state, suite, row[56:]
    assert len(body) == at + 88 * n


def mac_keys(state, by_id, steps=16):
    """The key in audit.key (docs/spec/audit.md, section 7) and those that follow from it."""
    found = {}
    with open(os.path.join(state, "audit.key"), "rb") as file:
        data = file.read()
    for at in (0, 4096):
        slot = data[at:at + 4096]
        suite, key = by_id[struct.unpack_from("<I", slot, 8)[0]]
        text = unseal(suite, key, slot[16:40], slot[:40], slot[72:], slot[40:72])
        mac, size = text[16:48], struct.unpack_from("<Q", text, 48)[0]
        for i in range(steps):
            found[f"mac key of record {size + 1 + i}"] = mac
            mac = hashlib.new(HASHES[suite], b"\x03" + mac + b"evolve").digest()
    return found


def derived(key):
    """What libraries make of a key and may leave lying about: from each of these it, or what it protects, can be had."""
    encrypt, mac = sm4.sealing_keys(key)
    found = {"SM4 key": encrypt, "SM3 key": mac}
    for order in "<>":
        found["round keys " + order] = struct.pack(order + "4I", *sm4.round_keys(encrypt)[:4])
        found["last round keys " + order] = struct.pack(order + "4I", *sm4.round_keys(encrypt)[-4:])
    for name, value in (("key", key), ("SM3 key", mac)):
        found[name + " inner"], found[name + " outer"] = (bytes(byte ^ pad for byte in value) for pad in (0x36, 0x5C))
    return found


def keys(state):
    with open(os.path.join(state, "keystore.bin"), "rb") as file:
        data = file.read()
    with open(os.path.join(state, "kek.key"), "rb") as file:
        key_file = file.read()
    assert data[:8] == b"gw-keys\n" and data[10] == 1
    kek = key_encryption_key(data, key_file)
    found = {"key file": key_file, "key-encryption key": kek}
    by_id = {}
    for key_id, purpose, key_state, suite, key in body_keys(unseal(data[11], kek, data[48:72], data[:72], data[104:], data[72:104])):
        by_id[key_id] = (suite, key)
        if key_state != 5:
            found[f"key {purpose} {key_id}"] = key
    for name, key in list(found.items()):
        found.update({f"{name}, {what}": value for what, value in derived(key).items() if len(key) == 32})
    return {**found, **mac_keys(state, by_id)}
