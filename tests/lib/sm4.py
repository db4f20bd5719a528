"""SM4 (GB/T 32907) in counter mode and the sealing of suite 2 of docs/spec/vfs.md, from the standards, in plain Python."""
import hmac
import struct


def times(a, b):
    """In the field of 256 elements of SM4: modulo x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1."""
    result = 0
    while b:
        result ^= a if b & 1 else 0
        a = a << 1 ^ (0x1F5 if a & 0x80 else 0)
        b >>= 1
    return result


def affine(x):
    """A circulant matrix over bits, and a constant."""
    return sum((bin((0xA7 << i | 0xA7 >> (8 - i)) & 0xFF & x).count("1") & 1) << i for i in range(8)) ^ 0xD3


def power(x, n):
    result = 1
    for _ in range(n):
        result = times(result, x)
    return result


# An affine map, the inverse (x^254), and the map again: the substitution of GB/T 32907.
SBOX = bytes(affine(power(affine(x), 254)) for x in range(256))
assert SBOX[0] == 0xD6 and SBOX[0xEF] == 0x84
FK = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
CK = [sum(((4 * i + j) * 7 % 256) << (24 - 8 * j) for j in range(4)) for i in range(32)]


def turn(x, n):
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def table(shifts):
    """The four tables of one substitution and its linear mixing."""
    mixed = []
    for value in SBOX:
        x = value << 24
        for n in shifts:
            x ^= turn(value << 24, n)
        mixed.append(x)
    return [[turn(x, 32 - 8 * i) if i else x for x in mixed] for i in range(4)]


T0, T1, T2, T3 = table((2, 10, 18, 24))
K0, K1, K2, K3 = table((13, 23))


def round_keys(key):
    k = [a ^ b for a, b in zip(struct.unpack(">4I", key), FK)]
    for c in CK:
        x = k[-3] ^ k[-2] ^ k[-1] ^ c
        k.append(k[-4] ^ K0[x >> 24] ^ K1[x >> 16 & 255] ^ K2[x >> 8 & 255] ^ K3[x & 255])
    return k[4:]


def block(keys, data):
    a, b, c, d = struct.unpack(">4I", data)
    for key in keys:
        x = b ^ c ^ d ^ key
        a, b, c, d = b, c, d, a ^ T0[x >> 24] ^ T1[x >> 16 & 255] ^ T2[x >> 8 & 255] ^ T3[x & 255]
    return struct.pack(">4I", d, c, b, a)


def ctr(key, counter, data):
    keys, n = round_keys(key), int.from_bytes(counter, "big")
    stream = b"".join(block(keys, ((n + i) % 2**128).to_bytes(16, "big")) for i in range((len(data) + 15) // 16))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[:len(data)], "big")).to_bytes(len(data), "big") if data else b""


def hmac_sm3(key, *parts):
    return hmac.new(key, b"".join(parts), "sm3").digest()


def sealing_keys(key):
    return hmac_sm3(key, b"gatewayd seal encrypt")[:16], hmac_sm3(key, b"gatewayd seal mac")


def tag_of(mac_key, nonce, aad, sealed):
    return hmac_sm3(mac_key, b"\x02", struct.pack("<Q", len(aad)), aad, nonce, sealed)


def seal(key, nonce, aad, text):
    """(sealed, tag)"""
    encrypt, mac = sealing_keys(key)
    sealed = ctr(encrypt, nonce[:16], text)
    return sealed, tag_of(mac, nonce, aad, sealed)


def unseal(key, nonce, aad, sealed, tag):
    """None: not what was sealed."""
    encrypt, mac = sealing_keys(key)
    return ctr(encrypt, nonce[:16], sealed) if hmac.compare_digest(tag_of(mac, nonce, aad, sealed), tag) else None
