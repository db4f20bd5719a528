#!/usr/bin/env python3
"""Known answers for every wrapper of sys/crypto, sys/seal, sys/sign, sys/box and sys/stream, from other libraries than theirs.

    tests/kat/make.py [FOLDER]        FOLDER: tests/kat/vectors

Theirs are libsodium and OpenSSL. These answers come from libgcrypt (gcrypt.c, compiled here), Python's own BLAKE2b, and, for what
libgcrypt has not (HChaCha20, HSalsa20, how the pieces are joined), from the standards' words below. SM2 signatures and boxes are made by
tests/lib/curves.py, and each is put to libgcrypt before it is written down; sm_crypto.test.mjs puts them to npm's sm-crypto.
Nothing is random: a second run writes the same bytes.

Lines: what, "good" or "bad", then name=hex ("-" is empty). A bad one must be refused. note= says why, to people.
"""
import base64
import hashlib
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import curves, parcel  # noqa: E402


def draw(label, n):
    """Bytes that look random and are always the same."""
    return hashlib.shake_128(label.encode()).digest(n)


def flip(data, bit):
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


class Gcrypt:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        exe = os.path.join(self.folder.name, "gcrypt")
        subprocess.run(["cc", "-O1", "-o", exe, str(HERE / "gcrypt.c"), "-lgcrypt"], check=True)
        self.process = subprocess.Popen([exe], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, op, *args):
        words = [str(a) if isinstance(a, int) else a.hex() or "-" for a in args]
        self.process.stdin.write(" ".join([op, *words]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer, (op, words)
        return bytes.fromhex(answer.replace("-", ""))

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.folder.cleanup()


# --- what libgcrypt has not -------------------------------------------------------------------------------------------------
CONSTANT = b"expand 32-byte k"


def rotate(x, n):
    return (x << n | x >> 32 - n) & 0xFFFFFFFF


def hchacha20(key, nonce):
    """draft-irtf-cfrg-xchacha-03, section 2.2."""
    x = list(struct.unpack("<16I", CONSTANT + key + nonce))

    def quarter(a, b, c, d):
        for first, second, n in ((a, b, 16), (c, d, 12), (a, b, 8), (c, d, 7)):
            other = {a: d, c: b}[first]
            x[first] = x[first] + x[second] & 0xFFFFFFFF
            x[other] = rotate(x[other] ^ x[first], n)
    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *x[:4], *x[12:])


def hsalsa20(key, nonce):
    """Bernstein, "Extending the Salsa20 nonce", section 2."""
    k, n, c = struct.unpack("<8I", key), struct.unpack("<4I", nonce), struct.unpack("<4I", CONSTANT)
    x = [c[0], *k[:4], c[1], *n, c[2], *k[4:], c[3]]

    def quarter(a, b, c, d):
        x[b] ^= rotate(x[a] + x[d] & 0xFFFFFFFF, 7)
        x[c] ^= rotate(x[b] + x[a] & 0xFFFFFFFF, 9)
        x[d] ^= rotate(x[c] + x[b] & 0xFFFFFFFF, 13)
        x[a] ^= rotate(x[d] + x[c] & 0xFFFFFFFF, 18)
    for _ in range(10):
        for i in range(4):
            quarter(*(5 * i % 16 if j == 0 else (5 * i + 4 * j) % 16 for j in range(4)))
        for i in range(4):
            quarter(*(4 * i + (i + j) % 4 for j in range(4)))
    return struct.pack("<8I", *(x[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))


class Sealer:
    """Both suites of sys/seal, docs/spec/vfs.md."""

    def __init__(self, g):
        self.g = g

    def derive(self, suite, key, label):
        return self.g.ask("hmac-sha256" if suite == 1 else "hmac-sm3", key, label)

    def make(self, suite, key, nonce, aad, text):
        if suite == 1:
            out = self.g.ask("chachapoly", hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], aad, text)
            return out[:-16], out[-16:] + bytes(16)
        sealed = self.g.ask("sm4ctr", self.derive(2, key, b"gatewayd seal encrypt")[:16], nonce[:16], text)
        mac = self.derive(2, key, b"gatewayd seal mac")
        return sealed, self.g.ask("hmac-sm3", mac, b"\x02" + struct.pack("<Q", len(aad)) + aad + nonce + sealed)

    def mask(self, suite, key, nonce, data):
        of = self.derive(suite, key, b"gatewayd seal mask")
        if suite == 1:
            return self.g.ask("chacha20", hchacha20(of, nonce[:16]), nonce[16:], 0, data)
        return self.g.ask("sm4ctr", of[:16], nonce[:16], data)


def secretstream(g, key, header, chunks):
    """libsodium's secretstream as its documentation has it: (tag, text, associated data) each."""
    sub, inner, counter, out = hchacha20(key, header[:16]), header[16:], 1, []
    for tag, text, aad in chunks:
        nonce = struct.pack("<I", counter) + inner
        poly = g.ask("chacha20", sub, nonce, 0, bytes(32))
        block = g.ask("chacha20", sub, nonce, 64, bytes([tag]) + bytes(63))
        sealed = g.ask("chacha20", sub, nonce, 128, text)
        pad = bytes((16 - 64 + len(text)) & 15)
        mac = g.ask("poly1305", poly, aad + bytes(-len(aad) % 16) + block + sealed + pad + struct.pack("<QQ", len(aad), 64 + len(text)))
        inner = bytes(a ^ b for a, b in zip(inner, mac))
        counter += 1
        out.append(block[:1] + sealed + mac)
    return out


# --- the files --------------------------------------------------------------------------------------------------------------
class File:
    def __init__(self, head):
        self.lines = ["# Written by tests/kat/make.py; do not edit.", *("# " + x for x in head)]

    def add(self, what, good, **fields):
        words = [f"{name}={value if isinstance(value, (str, int)) else value.hex() or '-'}" for name, value in fields.items()]
        self.lines.append(" ".join([what, "good" if good else "bad", *words]))

    def write(self, path):
        path.write_text("\n".join(self.lines) + "\n")


LENGTHS = [0, 1, 3, 31, 32, 33, 55, 56, 57, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 255, 256, 1000]


def crypto_file(g):
    f = File(["sys/crypto: hashes, HMAC, Argon2id; answers of libgcrypt."])
    for kind in ("sha256", "sm3"):
        for n in LENGTHS:
            data = draw(f"{kind} {n}", n)
            f.add(kind, True, data=data, hash=g.ask(kind, data))
    for key_n in (0, 1, 16, 32, 63, 64, 65, 200):
        for n in (0, 1, 55, 56, 64, 300):
            key, data = draw(f"hmac key {key_n}", key_n), draw(f"hmac {n}", n)
            f.add("hmac", True, key=key, data=data, mac=g.ask("hmac-sha256", key, data))
    for i, (mem, passes, password) in enumerate([(8, 1, b"p"), (8, 3, b"a"), (64, 1, "Passwörter".encode()), (256, 2, b"with\0a zero"),
                                                 (1024, 3, draw("long", 1024)), (33, 4, b" blanks "), (8, 1, b"x" * 129)]):
        salt = draw(f"salt {i}", 16)
        key = g.ask("argon2id", password, salt, passes, mem, 32)
        f.add("argon2-key", True, password=password, salt=salt, mem=mem, passes=passes, key=key)
        parts = [base64.b64encode(x).decode().rstrip("=") for x in (salt, key)]
        text = f"$argon2id$v=19$m={mem},t={passes},p=1${parts[0]}${parts[1]}"
        f.add("argon2-text", True, password=password, text=text.encode())
        f.add("argon2-text", False, note="another-password", password=password + b"x" if len(password) < 1024 else password[:-1], text=text.encode())
        f.add("argon2-text", False, note="another-cost", password=password, text=text.replace(f"t={passes}", f"t={passes + 1}").encode())
        wrong = base64.b64encode(flip(key, 255)).decode().rstrip("=")
        f.add("argon2-text", False, note="last-bit", password=password, text=text.replace(parts[1], wrong).encode())
        f.add("argon2-text", False, note="another-salt", password=password,
              text=text.replace(parts[0], base64.b64encode(flip(salt, 0)).decode().rstrip("=")).encode())
    good = f.lines[-1].split("text=")[1]
    text = bytes.fromhex(good).decode()
    for note, bad in (("argon2i", text.replace("argon2id", "argon2i")), ("older", text.replace("v=19", "v=16")), ("lanes", text.replace("p=1", "p=2")),
                      ("cut", text[:-1]), ("longer", text + "A"), ("empty", ""), ("padding", text + "="), ("no-cost", text.replace("m=8,", "")),
                      ("little-memory", text.replace("m=8,", "m=7,")), ("much-memory", text.replace("m=8,", "m=4294967296,"))):
        f.add("argon2-text", False, note=note, password=b"x" * 129, text=bad.encode())
    return f


def seal_file(g):
    s, f = Sealer(g), File(["sys/seal: suite 1 XChaCha20-Poly1305, suite 2 SM4-CTR and HMAC-SM3; pieces of libgcrypt, joined by docs/spec/vfs.md."])
    for suite in (1, 2):
        for n in (0, 1, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 1000, 4032):
            for aad_n in (0, 1, 12, 16, 40) if n < 100 else (12,):
                name = f"seal {suite} {n} {aad_n}"
                key, nonce, aad, text = (draw(f"{name} {x}", k) for x, k in (("key", 32), ("nonce", 24), ("aad", aad_n), ("text", n)))
                sealed, tag = s.make(suite, key, nonce, aad, text)
                row = dict(suite=suite, key=key, nonce=nonce, aad=aad, text=text, sealed=sealed, tag=tag)
                f.add("seal", True, **row)
                if n in (0, 1, 17, 64, 129) and aad_n in (0, 12):
                    bad_seals(f, row)
        for i in range(6):
            key = draw(f"derive {suite} {i}", 32)
            label = ("", "a", "gatewayd seal mask", "x" * 64, "y" * 65, "z" * 200)[i]
            f.add("derive", True, suite=suite, key=key, label=label.encode(), result=s.derive(suite, key, label.encode()))
        for n in (0, 1, 8, 15, 16, 17, 32, 63, 64):
            key, nonce, data = (draw(f"mask {suite} {n} {x}", k) for x, k in (("key", 32), ("nonce", 24), ("data", n)))
            f.add("mask", True, suite=suite, key=key, nonce=nonce, data=data, masked=s.mask(suite, key, nonce, data))
    # The worst counter there is: the whole block overflows.
    key, nonce, text = draw("wrap key", 32), b"\xff" * 24, draw("wrap text", 70)
    for suite in (1, 2):
        sealed, tag = s.make(suite, key, nonce, b"", text)
        f.add("seal", True, note="counter-overflows", suite=suite, key=key, nonce=nonce, aad=b"", text=text, sealed=sealed, tag=tag)
    return f


def bad_seals(f, row):
    def bad(note, **change):
        f.add("seal", False, note=note, **{**row, **change})
    tag_bits = (0, 7, 64, 127, *((128, 255) if row["suite"] == 1 else (128, 200, 255)))
    for bit in tag_bits:
        bad(f"tag-bit-{bit}", tag=flip(row["tag"], bit))
    bad("tag-zero", tag=bytes(32))
    bad("tag-ones", tag=b"\xff" * 32)
    bad("tag-turned", tag=row["tag"][::-1])
    bad("other-suite", suite=3 - row["suite"])
    for bit in (0, 100, 255):
        bad(f"key-bit-{bit}", key=flip(row["key"], bit))
    for bit in (0, 127, 128, 191):
        bad(f"nonce-bit-{bit}", nonce=flip(row["nonce"], bit))
    bad("aad-longer", aad=row["aad"] + b"\0")
    bad("text-longer", sealed=row["sealed"] + b"\0")
    if row["aad"]:
        bad("aad-bit", aad=flip(row["aad"], 0))
        bad("aad-cut", aad=row["aad"][:-1])
        bad("aad-gone", aad=b"")
        bad("aad-into-text", aad=row["aad"][:-1], sealed=row["aad"][-1:] + row["sealed"])
    if row["sealed"]:
        bad("text-first-bit", sealed=flip(row["sealed"], 0))
        bad("text-last-bit", sealed=flip(row["sealed"], 8 * len(row["sealed"]) - 1))
        bad("text-cut", sealed=row["sealed"][:-1])
        bad("text-gone", sealed=b"")
        bad("text-into-aad", aad=row["aad"] + row["sealed"][:1], sealed=row["sealed"][1:])
        bad("not-sealed", sealed=row["text"])


def sign_file(g):
    f = File(["sys/sign: kind 1 Ed25519 (RFC 8032), made by libgcrypt; kind 2 SM2 with SM3, put to libgcrypt."])
    for i, n in enumerate((0, 1, 2, 31, 32, 33, 64, 111, 112, 128, 200, 1000)):
        secret, data = draw(f"ed25519 {i}", 32), draw(f"ed25519 data {n}", n)
        public = curves.ed25519_public(secret)
        signature = g.ask("ed25519", secret, public, data)
        row = dict(kind=1, secret=secret, public=public, data=data, signature=signature)
        f.add("sign", True, **row)
        if i < 4:
            bad_signatures(f, row)
            s = int.from_bytes(signature[32:], "little") + curves.L
            f.add("sign", False, note="s-plus-order", **{**row, "signature": signature[:32] + s.to_bytes(32, "little")})
    for note, public in (("public-identity", b"\x01" + bytes(31)), ("public-zero", bytes(32)), ("public-order-8", ORDER_8), ("public-not-reduced", b"\xee" + b"\xff" * 30 + b"\x7f")):
        # With a public key of small order anything would be signed by R = S * B.
        f.add("sign", False, note=note, kind=1, secret=bytes(32), public=public, data=b"x", signature=b"\x01" + bytes(63))
    for i, n in enumerate((0, 1, 14, 32, 55, 56, 64, 200, 1000)):
        secret, data = draw(f"sm2 {i}", 32), draw(f"sm2 data {n}", n)
        if i == 8:
            secret = (curves.N - 2).to_bytes(32, "big")
        public = curves.sm2_public(secret)
        signature = curves.sm2_sign(secret, data)
        assert g.ask("sm2-verify", public, curves.number(curves.sm2_e(public, data)), signature) == b"\1"
        row = dict(kind=2, secret=secret, public=public, data=data, signature=signature)
        f.add("sign", True, **row)
        if i < 4:
            bad_signatures(f, row)
            r, s = signature[:32], signature[32:]
            n_bytes = curves.number(curves.N)
            minus = curves.number(curves.N - int.from_bytes(r, "big"))
            for note, value in (("r-zero", bytes(32) + s), ("s-zero", r + bytes(32)), ("r-order", n_bytes + s), ("s-order", r + n_bytes),
                                ("r-plus-s-order", r + minus), ("swapped", s + r), ("s-negative", r + curves.number(curves.N - int.from_bytes(s, "big")))):
                assert g.ask("sm2-verify", public, curves.number(curves.sm2_e(public, data)), value) == b"\0"
                f.add("sign", False, note=note, **{**row, "signature": value})
            for note, point in (("not-on-curve", flip(public, 300)), ("compressed", b"\x02" + public[1:]), ("zero-point", b"\x04" + bytes(64)),
                                ("infinity", bytes(65)), ("x-not-reduced", b"\x04" + b"\xff" * 32 + public[33:])):
                f.add("sign", False, note=note, **{**row, "public": point})
            other = curves.sm3(b"other id")  # what a signer with another id would have signed
            f.add("sign", False, note="without-id", **{**row, "signature": sm2_sign_e(secret, int.from_bytes(curves.sm3(data), "big"), other)})
    return f


ORDER_8 = curves.ed_bytes(next(p for p in (curves.ed_times(curves.L, curves.ed_point(bytes([y]) + bytes(31))) for y in range(2, 200)
                                           if curves.ed_point(bytes([y]) + bytes(31)))
                               if curves.ed_bytes(curves.ed_times(4, p)) != b"\x01" + bytes(31)))


def sm2_sign_e(secret, e, nonce):
    d, k = int.from_bytes(secret, "big"), int.from_bytes(nonce, "big") % (curves.N - 1) + 1
    r = (e + curves.sm2_affine(curves.sm2_times(k, curves.G))[0]) % curves.N
    return curves.number(r) + curves.number(pow(1 + d, curves.N - 2, curves.N) * (k - r * d) % curves.N)


def bad_signatures(f, row):
    def bad(note, **change):
        f.add("sign", False, note=note, **{**row, **change})
    for bit in (0, 100, 255, 256, 300, 500):
        bad(f"bit-{bit}", signature=flip(row["signature"], bit))
    bad("zeros", signature=bytes(64))
    bad("ones", signature=b"\xff" * 64)
    bad("data-longer", data=row["data"] + b"\0")
    if row["data"]:
        bad("data-bit", data=flip(row["data"], 0))
        bad("data-cut", data=row["data"][:-1])
    other = draw("a stranger", 32)
    bad("other-key", public=curves.ed25519_public(other) if row["kind"] == 1 else curves.sm2_public(other))


def sealed_box(g, ephemeral, public, text):
    mine = g.ask("x25519", ephemeral, b"\x09" + bytes(31))
    nonce = hashlib.blake2b(mine + public, digest_size=24).digest()
    key = hsalsa20(hsalsa20(g.ask("x25519", ephemeral, public), bytes(16)), nonce[:16])
    sealed = g.ask("salsa20", key, nonce[16:], 32, text)
    return mine + g.ask("poly1305", g.ask("salsa20", key, nonce[16:], 0, bytes(32)), sealed) + sealed


def sm2_parts(public, text, nonce):
    """(C1, C3, C2) with the random number that follows from nonce."""
    parts = curves.der_sequence(parcel.box_seal(2, public, text, nonce))
    return b"\x04" + curves.number(parts[0]) + curves.number(parts[1]), parts[2], parts[3]


def sm2_der(c1, c3, c2):
    ints = [parcel.der(2, parcel.minimal(int.from_bytes(x, "big"))) for x in (c1[1:33], c1[33:])]
    return parcel.der(0x30, b"".join([*ints, parcel.der(4, c3), parcel.der(4, c2)]))


def clamp(secret):
    return bytes([secret[0] & 248]) + secret[1:31] + bytes([secret[31] & 127 | 64])


def box_file(g):
    f = File(["sys/box: kind 1 libsodium's sealed box from libgcrypt's X25519, Salsa20, Poly1305 and Python's BLAKE2b; kind 2 SM2, put to libgcrypt."])
    for i, n in enumerate((1, 16, 31, 32, 33, 63, 64)):
        text = draw(f"box text {n}", n)
        secret = draw(f"x25519 {i}", 32)
        public = g.ask("x25519", clamp(secret), b"\x09" + bytes(31))
        row = dict(kind=1, secret=secret, public=public, text=text, sealed=sealed_box(g, clamp(draw(f"ephemeral {i}", 32)), public, text))
        f.add("box", True, **row)
        bad_boxes(f, row, (0, 255, 256, 383, 384))
        for note, point in (("low-order-0", bytes(32)), ("low-order-1", b"\x01" + bytes(31))):
            f.add("box", False, note=note, **{**row, "sealed": point + row["sealed"][32:]})
        secret = draw(f"sm2 box {i}", 32)
        public = curves.sm2_public(secret)
        c1, c3, c2 = sm2_parts(public, text, draw(f"k {i}", 32))
        # libgcrypt gives it back as a number.
        assert int.from_bytes(g.ask("sm2-decrypt", secret, public, c1, c3, c2), "big") == int.from_bytes(text, "big")
        row = dict(kind=2, secret=secret, public=public, text=text, sealed=sm2_der(c1, c3, c2))
        f.add("box", True, **row)
        bad_boxes(f, row, (48, 400, 8 * len(row["sealed"]) - 8 * n - 30, 8 * len(row["sealed"]) - 1))
        for note, parts in (("c3-turned", (c1, c3[::-1], c2)), ("c3-short", (c1, c3[:-1], c2)), ("c2-empty", (c1, c3, b"")), ("c1-zero", (b"\x04" + bytes(64), c3, c2)),
                            ("c1-y-negative", (c1[:33] + curves.number(curves.Q - int.from_bytes(c1[33:], "big")), c3, c2)), ("c1-base", (b"\x04" + curves.number(curves.G[0]) + curves.number(curves.G[1]), c3, c2))):
            f.add("box", False, note=note, **{**row, "sealed": sm2_der(*parts)})
        raw = c1 + c3 + c2
        long_x = parcel.der(2, b"\0\0" + c1[1:33])
        f.add("box", False, note="number-too-long", **{**row, "sealed": parcel.der(0x30, long_x + parcel.der(
            2, parcel.minimal(int.from_bytes(c1[33:], "big"))) + parcel.der(4, c3) + parcel.der(4, c2))})
        inner = sm2_der(c1, c3, c2)
        inner = inner[2 if inner[1] < 128 else 3:]
        f.add("box", False, note="length-too-long", **{**row, "sealed": b"\x30\x82" + struct.pack(">H", len(inner)) + inner})
        f.add("box", False, note="a-fifth-part", **{**row, "sealed": parcel.der(0x30, inner + b"\x05\0")})
        f.add("box", False, note="not-der", **{**row, "sealed": raw})
        f.add("box", False, note="older-order", **{**row, "sealed": parcel.der(0x30, b"".join(
            [*(parcel.der(2, parcel.minimal(int.from_bytes(x, "big"))) for x in (c1[1:33], c1[33:])), parcel.der(4, c2), parcel.der(4, c3)]))})
    return f


def bad_boxes(f, row, bits):
    def bad(note, **change):
        f.add("box", False, note=note, **{**row, **change})
    for bit in bits:
        bad(f"bit-{bit}", sealed=flip(row["sealed"], bit))
    bad("cut", sealed=row["sealed"][:-1])
    bad("longer", sealed=row["sealed"] + b"\0")
    bad("empty", sealed=b"")
    bad("half", sealed=row["sealed"][:len(row["sealed"]) // 2])
    bad("other-key", secret=draw("a stranger's box", 32))


def fill(n):
    return bytes((i * 131 + i // 256) % 256 for i in range(n))


CHUNK = 65536


def stream_file(g):
    """Texts are fill(n); a bad stream is a good one, named by of=, with a change."""
    s = Sealer(g)
    f = File(["sys/stream: byte i of a text is (i * 131 + i / 256) mod 256. sealed is the whole stream. bad: that of the good one before, with a change:",
              "flip=BIT, cut=BYTES that stay, drop=FROM,BYTES, append=hex, key=, aad=."])
    for suite in (1, 2):
        more = 17 if suite == 1 else 56
        for n in (0, 1, 300, CHUNK + 9):
            key, header, aad = (draw(f"stream {suite} {n} {x}", k) for x, k in (("key", 32), ("header", 24), ("aad", n % 40)))
            texts = [fill(n)[i:i + CHUNK] for i in range(0, n, CHUNK)] or [b""]
            if suite == 1:
                chunks = secretstream(g, key, header, [(3 if i + 1 == len(texts) else 0, text, b"" if i else aad) for i, text in enumerate(texts)])
            else:
                chunks = []
                for i, text in enumerate(texts):
                    nonce = draw(f"stream nonce {n} {i}", 24)
                    sealed, tag = s.make(2, key, nonce, header + struct.pack("<QB", i, i + 1 == len(texts)) + (b"" if i else aad), text)
                    chunks.append(nonce + tag + sealed)
            sealed = header + b"".join(chunks)
            f.add("stream", True, suite=suite, key=key, aad=aad, len=n, sealed=sealed)
            total = len(sealed)
            for bit in sorted({0, 100, 191, 192, 200, 330, 8 * total - 1, 8 * (total // 2)}):
                if bit >= 8 * total:
                    continue
                f.add("stream", False, flip=bit)
            for left in sorted({0, 23, 24, 25, 24 + more - 1, total - 1, *((24 + CHUNK + more, 24 + CHUNK + more + 1) if n > CHUNK else ())} - {total}):
                f.add("stream", False, cut=left)
            f.add("stream", False, append=b"\0")
            f.add("stream", False, append=chunks[-1])
            f.add("stream", False, key=flip(key, 9))
            f.add("stream", False, aad=aad + b"x")
            if aad:
                f.add("stream", False, aad=b"")
            if n > CHUNK:
                f.add("stream", False, note="first-chunk-dropped", drop=f"24,{CHUNK + more}")
        # Tags of libsodium's that this framing has not, and a last chunk that says it is not.
        if suite == 1:
            for tag in (0, 1, 2):
                key, header = draw(f"tag {tag}", 32), draw(f"tag header {tag}", 24)
                f.add("stream-whole", False, note=f"tag-{tag}", suite=1, key=key, aad=b"", sealed=header + secretstream(g, key, header, [(tag, fill(50), b"")])[0])
        else:
            key, header, nonce = draw("not last", 32), draw("not last header", 24), draw("not last nonce", 24)
            for note, number, last in (("not-last", 0, 0), ("number", 1, 1)):
                sealed, tag = s.make(2, key, nonce, header + struct.pack("<QB", number, last), fill(50))
                f.add("stream-whole", False, note=note, suite=2, key=key, aad=b"", sealed=header + nonce + tag + sealed)
    return f


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "vectors")
    folder.mkdir(parents=True, exist_ok=True)
    g = Gcrypt()
    for name, make in (("crypto", crypto_file), ("seal", seal_file), ("sign", sign_file), ("box", box_file), ("stream", stream_file)):
        make(g).write(folder / f"{name}.txt")
    g.end()


if __name__ == "__main__":
    main()
