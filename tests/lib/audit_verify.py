#!/usr/bin/env python3
"""A verifier of exports of the gateway's audit record, written from docs/spec/audit.md alone.

    audit_verify.py EXPORT [--pub KEY]... [--anchor ANCHOR]... [--seed SEQ:HEX]... [--key FILE]

Exits 0 when all holds and an anchor was compared, 1 when the log was tampered with, 2 when no anchor was compared or it
could not be done. Signatures are checked by tests/lib/curves.py, parcels opened by tests/lib/parcel.py.
"""
import argparse
import base64
import hashlib
import hmac
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib import curves, parcel  # noqa: E402

SUITES = {0: "sha256", 1: "sm3"}
KIND_SEGMENT, KIND_SEED, KIND_DROP = 5, 6, 7
HEADER = struct.Struct("<BBHQqq16sBBBBIiIHH")
NAME = re.compile(rb"audit-[0-9]{6}-([1-9][0-9]{0,9})\.db")
MAGIC = b"GWAUDIT2"
RECORD_MAX, CHECKPOINT_MAX = 2048, 4096
TEXT, FIXED, ANY = "text", "fixed", "any"
# tag: (sort, least, most). FIXED may not be all zeros.
FIELDS = {
    1: (TEXT, 1, 128), 2: (FIXED, 1, 1), 3: (FIXED, 8, 8), 4: (TEXT, 1, 128), 5: (FIXED, 12, 12),
    6: (TEXT, 1, 64), 7: (TEXT, 1, 128), 8: (TEXT, 1, 1024), 9: (FIXED, 8, 8),
    10: (ANY, 32, 32), 11: (TEXT, 1, 39), 12: (ANY, 16, 16), 13: (ANY, 1, 1), 14: (ANY, 1, 1400),
}
OBJECT, DETAIL, PREVIOUS_HEAD, PREVIOUS_NAME, LOG_ID, SUITE, DROPPED = 6, 8, 10, 11, 12, 13, 14
BODY = struct.Struct("<10sBB16sQQ32s32s32sqq16sQQIIB")
PUBLIC = {"gw-ed25519-pub": (1, 32), "gw-sm2-sign-pub": (2, 65)}
CHECK = {1: curves.ed25519_check, 2: curves.sm2_check}


class Tampered(Exception):
    def __init__(self, check, seq):
        super().__init__(f"{check} at {seq}")
        self.check, self.seq = check, seq


class CannotSay(Exception):
    """No verdict: the wrong key, an anchor that is none."""


def digest(suite, *parts):
    return hashlib.new(SUITES[suite], b"".join(parts)).digest()


def unbase64(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("base64url")
    return data


class Record:
    """The parts of a record that verifying needs; raises ValueError for anything that is not in the one form."""

    def __init__(self, data):
        if not HEADER.size <= len(data) <= RECORD_MAX:
            raise ValueError("length")
        head = HEADER.unpack_from(data)
        version, flags, self.kind, self.seq = head[:4]
        outcome, subject_kind, count = head[7], head[10], head[13]
        if version != 1 or flags > 1 or outcome > 2 or subject_kind > 5 or count < 1:
            raise ValueError("header")
        self.fields = dict(self.read_fields(data))
        of_segment = {PREVIOUS_HEAD, LOG_ID, SUITE}
        present = set(self.fields)
        if present & (of_segment | {PREVIOUS_NAME}) and not of_segment <= present:
            raise ValueError("segment fields")
        if SUITE in present and self.fields[SUITE][0] not in SUITES:
            raise ValueError("suite")
        if DROPPED in present and (self.kind != KIND_DROP or DETAIL in present or not shaped(self.fields[DROPPED])):
            raise ValueError("dropped")
        self.begins = SUITE in present

    @staticmethod
    def read_fields(data):
        at, last = HEADER.size, 0
        while at < len(data):
            if len(data) - at < 3:
                raise ValueError("cut")
            tag, length = struct.unpack_from("<BH", data, at)
            at += 3
            value = data[at:at + length]
            at += length
            if tag <= last or tag not in FIELDS or len(value) != length:
                raise ValueError("field")
            sort, least, most = FIELDS[tag]
            if not least <= length <= most or (sort == FIXED and not any(value)):
                raise ValueError("field length")
            if sort == TEXT and (b"\0" in value or not value.decode("utf-8")):
                raise ValueError("text")
            yield tag, value
            last = tag

    def segment_number(self, tag):
        found = NAME.fullmatch(self.fields.get(tag, b""))
        return int(found[1]) if found else 0


def split_item(data):
    """(body, signature_a, signature_b), or ValueError."""
    try:
        n, = struct.unpack_from("<H", data)
        at = 2 + n
        a = data[at + 1:at + 1 + data[at]]
        at += 1 + data[at]
        b = data[at + 1:at + 1 + data[at]]
        if at + 1 + data[at] != len(data):
            raise ValueError("item")
    except (struct.error, IndexError) as e:
        raise ValueError("item") from e
    return data[2:2 + n], a, b


def shaped(data):
    try:
        body, a, b = split_item(data)
    except ValueError:
        return False
    return bool(body) and len(a) in (0, 64) and len(b) in (0, 64)


class Checkpoint:
    """A body and its signatures in their one form, or ValueError."""

    def __init__(self, body, a, b):
        if len(body) < BODY.size:
            raise ValueError("length")
        (magic, self.suite, reason, self.log_id, self.number, self.size, self.root, self.head, self.previous, _, _, _, _, _, id_a, id_b,
         n) = BODY.unpack_from(body)
        peaks = body[BODY.size:]
        if (magic != b"GWAUDITCP1" or self.suite not in SUITES or reason > 5 or not self.number or not self.size
                or n != bin(self.size).count("1") or len(peaks) != 32 * n):
            raise ValueError("body")
        self.peaks = [peaks[i:i + 32] for i in range(0, len(peaks), 32)]
        self.body, self.signatures = body, {1: a, 2: b}
        for signature, key in ((a, id_a), (b, id_b)):
            if len(signature) not in (0, 64) or bool(signature) != bool(key):
                raise ValueError("signature")
        if not a and not b:
            raise ValueError("unsigned")

    @classmethod
    def of_item(cls, data):
        return cls(*split_item(data))

    @classmethod
    def of_text(cls, text):
        body, a, b = text.split(".")
        return cls(unbase64(body), unbase64(a), unbase64(b))

    def is_signed(self, keys):
        """By each kind of which there are keys, and one at least."""
        results = [any(CHECK[kind](key, self.body, signature) for key_kind, key in keys if key_kind == kind)
                   for kind, signature in self.signatures.items() if signature and any(k == kind for k, _ in keys)]
        return bool(results) and all(results)

    def root_holds(self):
        return root_of(self.suite, self.peaks) == self.root


def root_of(suite, peaks):
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = digest(suite, b"\x01", peak, root)
    return root


class Tree:
    def __init__(self, suite):
        self.suite, self.size, self.peaks = suite, 0, []

    def add(self, leaf):
        size, self.size = self.size, self.size + 1
        while size & 1:
            leaf = digest(self.suite, b"\x01", self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)


class Anchor:
    def __init__(self, text):
        if ":" in text:
            seq, _, head = text.partition(":")
            self.seq, self.head, self.whole = int(seq), bytes.fromhex(head), None
            if len(self.head) != 32 or self.seq < 1:
                raise ValueError(text)
        else:
            self.whole = Checkpoint.of_text(text)
            self.seq, self.head = self.whole.size, self.whole.head


def public_key(text):
    name, _, key = text.partition(":")
    kind, length = PUBLIC[name]
    key = unbase64(key)
    if len(key) != length:
        raise ValueError(text)
    return kind, key


def items(stream):
    """(type, bytes), or (a check that failed, None) as the last."""
    longest = {0: 48, 1: RECORD_MAX + 64, 2: CHECKPOINT_MAX, 3: 70}
    while True:
        head = stream.read(5)
        if len(head) < 5:
            yield "end", None
            return
        kind, length = struct.unpack("<BI", head)
        if kind not in longest or length > longest[kind]:
            yield {1: "form", 2: "checkpoint"}.get(kind, "end"), None
            return
        data = stream.read(length)
        if len(data) < length:
            yield "end", None
            return
        yield kind, data
        if kind == 0:
            return


class Walk:
    def __init__(self, reopen, anchors, seeds, keys):
        self.reopen, self.anchors, self.seeds, self.keys = reopen, anchors, seeds, keys
        self.at, self.head, self.records, self.checkpoints, self.compared = 0, bytes(32), 0, 0, 0
        self.tree = self.segment = self.log_id = self.suite = self.name = self.last = self.mac_key = None
        self.number = self.covered = 0

    def fault(self, check, at_last=False):
        return Tampered(check, self.at if at_last else self.at + 1)

    # records
    def record(self, data):
        try:
            if len(data) < 64:
                raise ValueError("length")
            rec, head, mac = data[:-64], data[-64:-32], data[-32:]
            record = Record(rec)
        except ValueError as e:
            raise self.fault("form") from e
        self.place(record)
        leaf = digest(self.suite, b"\0", rec)
        self.head = digest(self.suite, b"\2", self.head, leaf)
        if head != self.head:
            raise self.fault("chain")
        self.mac(record, mac)
        self.tree.add(leaf)
        self.at, self.records = record.seq, self.records + 1
        self.compare_anchors()

    def place(self, record):
        first = self.segment is None
        n = record.segment_number(OBJECT)
        if first and record.begins and n > 1 and record.seq > 1:
            self.at = record.seq - 1
        if record.seq != self.at + 1:
            raise self.fault("order")
        if not record.begins:
            if first:
                raise self.fault("segment")
            return
        if not first and self.covered != self.at:
            raise self.fault("close", at_last=True)
        fields = record.fields
        if record.kind != KIND_SEGMENT or not n or (not first and (n != self.segment + 1 or fields[LOG_ID] != self.log_id)):
            raise self.fault("segment")
        previous = fields.get(PREVIOUS_NAME)
        if n == 1:
            good = previous is None and self.at == 0
        else:
            good = record.segment_number(PREVIOUS_NAME) == n - 1 if first else previous == self.name
        if not good:
            raise self.fault("segment")
        self.log_id = fields[LOG_ID]
        if first:
            self.tree = Tree(fields[SUITE][0])
            if n > 1:
                self.dropped(record)
        if fields[PREVIOUS_HEAD] != self.head:
            raise self.fault("segment")
        self.segment, self.suite, self.name = n, fields[SUITE][0], fields[OBJECT]

    def dropped(self, record):
        point = self.find_drop(record.fields[PREVIOUS_NAME])
        if (point is None or point.log_id != self.log_id or point.size != self.at or point.head != record.fields[PREVIOUS_HEAD]
                or not point.root_holds() or (self.keys and not point.is_signed(self.keys))):
            raise self.fault("dropped")
        self.tree = Tree(point.suite)
        self.tree.size, self.tree.peaks = point.size, list(point.peaks)
        self.number, self.covered, self.last, self.head = point.number, point.size, point, point.head
        self.compare_anchors()

    def find_drop(self, name):
        stream = self.reopen()
        stream.read(len(MAGIC))
        for kind, data in items(stream):
            if kind != 1 or len(data) < 64:
                continue
            try:
                record = Record(data[:-64])
            except ValueError:
                continue
            if record.kind == KIND_DROP and record.fields.get(OBJECT) == name:
                try:
                    return Checkpoint.of_item(record.fields.get(DROPPED, b""))
                except ValueError:
                    return None
        return None

    def mac(self, record, mac):
        if self.mac_key is not None:
            if hmac.new(self.mac_key, b"\4" + self.head, SUITES[self.suite]).digest() != mac:
                raise self.fault("mac")
            self.mac_key = digest(self.suite, b"\3", self.mac_key, b"evolve")
        seed = self.seeds.get(record.seq)
        if seed is not None:
            named = digest(self.suite, b"\5", seed).hex().encode()
            if record.kind != KIND_SEED or record.fields.get(OBJECT) != named:
                raise self.fault("seed")
        if record.kind == KIND_SEED:
            self.mac_key = seed

    def compare_anchors(self):
        for anchor in self.anchors:
            if anchor.seq != self.at:
                continue
            whole = anchor.whole
            if anchor.head != self.head or (whole and not (
                    whole.log_id == self.log_id and whole.suite == self.tree.suite and whole.peaks == self.tree.peaks
                    and whole.root_holds())):
                raise self.fault("anchor", at_last=True)
            self.compared += 1

    # checkpoints
    def checkpoint(self, data):
        try:
            point = Checkpoint.of_item(data)
        except ValueError as e:
            raise self.fault("checkpoint", at_last=True) from e
        previous = digest(self.tree.suite, b"\6", self.last.body) if self.last else bytes(32)
        if self.segment is None or not (
                point.number == self.number + 1 and point.previous == previous and point.log_id == self.log_id
                and point.suite == self.tree.suite and point.size == self.at and point.head == self.head
                and point.peaks == self.tree.peaks and point.root_holds()):
            raise self.fault("checkpoint", at_last=True)
        if any(a.whole and a.whole.number == point.number and a.whole.body != point.body for a in self.anchors):
            raise self.fault("checkpoint", at_last=True)
        if self.keys and not point.is_signed(self.keys):
            raise self.fault("signature", at_last=True)
        self.last, self.number, self.covered = point, point.number, self.at
        self.checkpoints += 1

    def public_key(self, data):
        if data[4:5] not in (b"\1", b"\2") or len(data) != 5 + {1: 32, 2: 65}[data[4]]:
            raise self.fault("end")

    # the end
    def end(self, data, stream):
        if len(data) != 48 or struct.unpack("<QQ", data[:16]) != (self.records, self.checkpoints) or data[16:] != self.head:
            raise self.fault("end")
        if not stream.at_end():
            raise self.fault("end")

    def given(self):
        if any(anchor.seq > self.at for anchor in self.anchors):
            raise self.fault("anchor")
        if any(anchor.whole and anchor.whole.number > self.number for anchor in self.anchors):
            raise self.fault("anchor", at_last=True)
        if any(seq > self.at for seq in self.seeds):
            raise self.fault("seed")

    def run(self, stream):
        take = {0: lambda data: self.end(data, stream), 1: self.record, 2: self.checkpoint, 3: self.public_key}
        for kind, data in items(stream):
            if data is None:
                raise self.fault(kind, at_last=kind == "checkpoint")
            try:
                take[kind](data)
            except AttributeError as e:
                if kind == 2 and self.tree is None:
                    raise self.fault("checkpoint", at_last=True) from e
                raise
        self.given()


class Plain:
    def __init__(self, path):
        self.file = open(path, "rb")  # noqa: SIM115
        self.read = self.file.read

    def at_end(self):
        return self.read(1) == b""


def reopener(path, key):
    with open(path, "rb") as f:
        sealed = f.read(len(parcel.MAGIC)) == parcel.MAGIC
    if not sealed:
        return lambda: Plain(path)
    return lambda: parcel.Part(path, key, kind=2, name="audit")


def verify(path, anchors=(), seeds=(), keys=(), key=None):
    """(exit code, first bad record, check, records). anchors, keys: texts; seeds: (seq, bytes); key: the auditor's, a text."""
    anchors = [Anchor(text) for text in anchors]
    keys = [public_key(text) for text in keys]
    if any(a.whole and keys and not a.whole.is_signed(keys) for a in anchors):
        raise CannotSay("an anchor is not signed with a key that was given")
    walk = Walk(reopener(path, key), anchors, dict(seeds), keys)
    try:
        stream = walk.reopen()
        if stream.read(len(MAGIC)) != MAGIC:
            raise Tampered("end", 0)
        walk.run(stream)
    except parcel.NotForYou as e:
        raise CannotSay(str(e)) from e
    except parcel.Strange:
        return 1, 0, "end", walk.records
    except parcel.Damaged:
        return 1, walk.at + 1, "end", walk.records
    except Tampered as e:
        return 1, e.seq, e.check, walk.records
    return (0 if walk.compared else 2), 0, "none", walk.records


def seed_pair(text):
    seq, _, seed = text.partition(":")
    return int(seq), bytes.fromhex(seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("path")
    parser.add_argument("--anchor", action="append", default=[])
    parser.add_argument("--seed", type=seed_pair, action="append", default=[])
    parser.add_argument("--pub", action="append", default=[])
    parser.add_argument("--key", type=argparse.FileType())
    args = parser.parse_args()
    try:
        code, bad, check, records = verify(args.path, args.anchor, args.seed, args.pub, args.key and args.key.read().strip())
    except (OSError, CannotSay, ValueError, KeyError) as e:
        print(e, file=sys.stderr)
        return 2
    print(f"{records} records; " + (f"first bad: {bad}; check {check}" if code == 1 else
                                    "all holds" if code == 0 else "all holds, but no anchor says so"))
    return code


if __name__ == "__main__":
    sys.exit(main())
