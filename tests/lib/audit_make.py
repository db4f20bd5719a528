"""Exports of an audit record that no gateway wrote: made from docs/spec/audit.md alone, the same for the same seed, and wrong where wanted.

    log = Log(random.Random(7), records=60, segments=3)
    open(path, "wb").write(pack(log.items))

What is in it is chosen by the random numbers: records of all shapes, both suites, checkpoints of all reasons, chains of keys
whose seeds are log.seeds, and with dropped=n the first n segments are gone, as a record says.
"""
import base64
import hmac
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib import curves  # noqa: E402
from lib.audit_verify import digest  # noqa: E402  H of a suite: the one piece that maker and verifier share

SECRETS = {1: b"\x11" * 31 + b"\x42", 2: b"\x23" * 31 + b"\x17"}
PUBLIC = {1: curves.ed25519_public(SECRETS[1]), 2: curves.sm2_public(SECRETS[2])}
SIGN = {1: curves.ed25519_sign, 2: curves.sm2_sign}
IDS = {1: 7, 2: 9}
SUITE_NAMES = ("sha256", "sm3")


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


KEYS = {1: "gw-ed25519-pub:" + unpadded(PUBLIC[1]), 2: "gw-sm2-sign-pub:" + unpadded(PUBLIC[2])}


def field(tag, value):
    return struct.pack("<BH", tag, len(value)) + value


def item(kind, data):
    return struct.pack("<BI", kind, len(data)) + data


def point_item(body, signatures):
    out = struct.pack("<H", len(body)) + body
    for kind in (1, 2):
        out += bytes([len(signatures.get(kind, b""))]) + signatures.get(kind, b"")
    return out


def anchor_text(body, signatures):
    return ".".join(unpadded(x) for x in (body, signatures.get(1, b""), signatures.get(2, b"")))


def peaks_of(suite, leaves):
    """By the definition of RFC 6962: the hash of the largest perfect trees from the left."""
    def tree(part):
        if len(part) == 1:
            return part[0]
        half = 1 << (len(part) - 1).bit_length() - 1
        return digest(suite, b"\1", tree(part[:half]), tree(part[half:]))
    out, at = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            out.append(tree(leaves[at:at + (1 << bit)]))
            at += 1 << bit
    return out, tree(leaves) if leaves else None


def path_of(suite, leaves, index):
    """RFC 6962 section 2.1.1, as it is defined."""
    if len(leaves) <= 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return path_of(suite, leaves[:half], index) + [peaks_of(suite, leaves[half:])[1]]
    return path_of(suite, leaves[half:], index - half) + [peaks_of(suite, leaves[:half])[1]]


def proof_of(suite, leaves, size, whole=True):
    """Section 2.1.2."""
    if size == len(leaves):
        return [] if whole else [peaks_of(suite, leaves)[1]]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= half:
        return proof_of(suite, leaves[:half], size, whole) + [peaks_of(suite, leaves[half:])[1]]
    return proof_of(suite, leaves[half:], size - half, False) + [peaks_of(suite, leaves[:half])[1]]


class Log:
    """items: (type, bytes); anchors: texts; seeds: {seq: seed}. Keys to be given: KEYS[k] for k in signers."""

    def __init__(self, rnd, records=60, segments=3, dropped=0, signers=(1, 2), suites=None, often=0.12):
        self.rnd, self.signers = rnd, signers
        self.items, self.anchors, self.seeds, self.points, self.recs = [], [], {}, [], []
        self.seq, self.head, self.leaves = 0, bytes(32), []
        self.log_id = rnd.randbytes(16)
        self.suites = suites or [rnd.randrange(2) for _ in range(segments)]
        self.mac_key, self.previous_body, self.number, self.name, self.covered = rnd.randbytes(32), None, 0, None, 0
        for kind in signers:
            self.items.append((3, struct.pack("<IB", IDS[kind], kind) + PUBLIC[kind]))
        starts = [0] + sorted(rnd.sample(range(1, records), segments - 1))
        segment, last_points = 0, {}
        for i in range(records):
            if i in starts:
                if segment:
                    self.checkpoint(4)
                    last_points[segment] = self.points[-1], self.name
                segment += 1
                self.segment(segment)
            else:
                self.record()
            if rnd.random() < often:
                self.checkpoint(rnd.choice((0, 1, 2, 3, 5)))
                if rnd.random() < 0.1:
                    self.checkpoint(5)
        if dropped:
            (body, signatures, size), name = last_points[dropped]
            self.append(7, field(6, name) + field(14, point_item(body, signatures)))
            self.forget(size)
        if rnd.random() < 0.5:
            self.checkpoint(3)

    def forget(self, size):
        """The items of records up to size go."""
        kept, last = [], 0
        for kind, data in self.items:
            if kind == 1:
                last = struct.unpack_from("<Q", data, 4)[0]
            if kind == 3 or last > size:
                kept.append((kind, data))
        self.items = kept

    def append(self, kind, fields, severity=0):
        rnd, suite = self.rnd, self.suite
        self.seq += 1
        rec = struct.pack("<BBHQqq16sBBBBIiIHH", 1, rnd.randrange(2), kind, self.seq, 10**15 + self.seq * 10**6, self.seq * 1000, b"boot" * 4,
                          rnd.choice((0, 0, 0, 1, 2)), severity, rnd.randrange(6), rnd.randrange(6), rnd.randrange(9), rnd.randrange(-3, 9),
                          rnd.choice((1, 1, 5)), rnd.randrange(3), rnd.randrange(4)) + fields
        leaf = digest(suite, b"\0", rec)
        self.head = digest(suite, b"\2", self.head, leaf)
        mac = hmac.new(self.mac_key, b"\4" + self.head, SUITE_NAMES[suite]).digest()
        self.mac_key = digest(suite, b"\3", self.mac_key, b"evolve")
        self.leaves.append(leaf)
        self.recs.append(rec)
        self.items.append((1, rec + self.head + mac))

    def segment(self, n):
        self.suite = self.suites[n - 1]
        previous, self.name = self.name, f"audit-2026{n % 12 + 1:02}-{n}.db".encode()
        fields = field(6, self.name)
        if self.rnd.random() < 0.2:
            fields += field(8, "was not closed well: ä€".encode())
        if self.rnd.random() < 0.2:
            fields += field(9, struct.pack("<Q", 77))
        fields += field(10, self.head) + (field(11, previous) if previous else b"") + field(12, self.log_id) + field(13, bytes([self.suite]))
        self.append(5, fields)

    def record(self):
        rnd = self.rnd
        if rnd.random() < 0.06:
            seed = rnd.randbytes(32)
            self.append(6, field(6, digest(self.suite, b"\5", seed).hex().encode()))
            self.mac_key = self.seeds[self.seq] = seed
            return
        shapes = [(1, b"anna"), (2, b"\1"), (3, rnd.randbytes(8)), (4, b"uid:1000"), (5, rnd.randbytes(12)), (6, "Küche".encode()),
                  (7, b"login"), (8, b"x" * rnd.randrange(1, 1025)), (9, struct.pack("<Q", rnd.randrange(1, 99)))]
        self.append(rnd.choice((1, 16, 17, 20, 32, 64, 112, 60000)),
                    b"".join(field(tag, value) for tag, value in shapes if rnd.random() < 0.4), rnd.randrange(4))

    def body(self, reason):
        suite = self.suites[0]
        peaks, root = peaks_of(suite, self.leaves)
        previous = digest(suite, b"\6", self.previous_body) if self.previous_body else bytes(32)
        ids = [IDS[k] if k in self.signers else 0 for k in (1, 2)]
        return (b"GWAUDITCP1" + bytes([suite, reason]) + self.log_id + struct.pack("<QQ", self.number, self.seq) + root + self.head + previous
                + struct.pack("<qq16sQQIIB", 10**15, 5000, b"boot" * 4, 3, 12, *ids, len(peaks)) + b"".join(peaks))

    def checkpoint(self, reason):
        self.number += 1
        body = self.body(reason)
        signatures = {kind: SIGN[kind](SECRETS[kind], body) for kind in self.signers}
        self.previous_body = body
        self.points.append((body, signatures, self.seq))
        self.anchors.append(anchor_text(body, signatures))
        self.items.append((2, point_item(body, signatures)))

    def anchor_at_end(self):
        return f"{self.seq}:{self.head.hex()}"


def pack(items):
    """The bytes of an export, with an end item that fits what is in it."""
    records = [data for kind, data in items if kind == 1]
    head = records[-1][-64:-32] if records else bytes(32)
    end = struct.pack("<QQ", len(records), sum(kind == 2 for kind, _ in items)) + head
    return b"GWAUDIT2" + b"".join(item(kind, data) for kind, data in items) + item(0, end)


def main(folder):
    """Small exports for tests/fuzz/corpus/export and tests/unit/test_verify_walk.c."""
    import pathlib  # noqa: PLC0415
    import random  # noqa: PLC0415
    rows = {"sha256": ([0], 0, (1, 2)), "sm3": ([1], 0, (2,)), "both": ([0, 1, 0], 0, (1, 2)), "dropped": ([1, 0, 0], 2, (1,)), "ed25519": ([0, 0], 1, (1,))}
    for i, (name, (suites, dropped, signers)) in enumerate(rows.items()):
        log = Log(random.Random(100 + i), records=9, segments=len(suites), dropped=dropped, signers=signers, suites=suites)
        if not log.points or log.points[-1][2] != log.seq:
            log.checkpoint(3)
        pathlib.Path(folder, name).write_bytes(pack(log.items))


if __name__ == "__main__":
    main(sys.argv[1])
