#!/usr/bin/env python3
"""A verifier of the gateway's audit log, written from docs/spec/audit.md alone and with nothing but Python's library.

    audit_verify.py FOLDER-OR-EXPORT [--anchor SEQ:HEX]... [--end SEQ:HEX]

Exits 0 when all holds and an anchor was compared, 1 when the log was tampered with, 2 when no anchor was compared or it
could not be done.
"""
import argparse
import hashlib
import os
import re
import sqlite3
import struct
import sys

SUITES = {0: "sha256", 1: "sm3"}
KIND_SEGMENT = 5
HEADER = struct.Struct("<BBHQqq16sBBBBIiIHH")
NAME = re.compile(r"audit-(\d{6})-([1-9]\d*)\.db")
EXPORT_MAGIC = b"GWAUDIT1"
RECORD_MAX = 2048
TEXT, FIXED, ANY = "text", "fixed", "any"
# tag: (sort, least, most). FIXED may not be all zeros.
FIELDS = {
    1: (TEXT, 1, 128), 2: (FIXED, 1, 1), 3: (FIXED, 8, 8), 4: (TEXT, 1, 128), 5: (FIXED, 12, 12),
    6: (TEXT, 1, 64), 7: (TEXT, 1, 128), 8: (TEXT, 1, 1024), 9: (FIXED, 8, 8),
    10: (ANY, 32, 32), 11: (TEXT, 1, 39), 12: (ANY, 16, 16), 13: (ANY, 1, 1),
}
OBJECT, PREVIOUS_HEAD, PREVIOUS_NAME, LOG_ID, SUITE = 6, 10, 11, 12, 13
ABORT = "BEGIN SELECT raise(ABORT, 'append only'); END"
SCHEMA = [
    ("table", "audit", "CREATE TABLE audit(seq INTEGER PRIMARY KEY, rec BLOB NOT NULL, head BLOB NOT NULL, mac BLOB) STRICT"),
    ("table", "checkpoint", "CREATE TABLE checkpoint(number INTEGER PRIMARY KEY, body BLOB NOT NULL, signature_a BLOB, "
     "signature_b BLOB) STRICT"),
    ("trigger", "audit_delete", f"CREATE TRIGGER audit_delete BEFORE DELETE ON audit {ABORT}"),
    ("trigger", "audit_insert", "CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN new.seq < 1 OR length(new.head) IS NOT 32 "
     f"OR new.seq IS NOT (SELECT coalesce(max(seq), new.seq - 1) + 1 FROM audit) {ABORT}"),
    ("trigger", "audit_update", f"CREATE TRIGGER audit_update BEFORE UPDATE ON audit {ABORT}"),
    ("trigger", "checkpoint_delete", f"CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint {ABORT}"),
    ("trigger", "checkpoint_insert", "CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint "
     f"WHEN new.number < 1 OR new.number IS NOT (SELECT coalesce(max(number), new.number - 1) + 1 FROM checkpoint) {ABORT}"),
    ("trigger", "checkpoint_update", f"CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint {ABORT}"),
]


class Tampered(Exception):
    def __init__(self, seq, what):
        super().__init__(what)
        self.seq = seq


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
        self.is_first_of_segment = SUITE in present

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

    def text(self, tag):
        return self.fields.get(tag, b"").decode("utf-8")


class Walk:
    """The rows of a log, one after the other."""

    def __init__(self, anchors, end):
        self.anchors, self.end = anchors, end
        self.seq, self.head = 0, bytes(32)
        self.log_id = self.suite = None
        self.file = self.previous_file = ""
        self.compared = 0

    def fault(self, what, seq=None):
        return Tampered(self.seq + 1 if seq is None else seq, f"{self.file or 'the log'}: {what}")

    def begin_file(self, name):
        self.previous_file, self.file = self.file, name
        self.is_first = True

    def first_row(self, record):
        if record.kind != KIND_SEGMENT or not record.is_first_of_segment:
            raise self.fault("does not begin with a segment record")
        if record.fields[PREVIOUS_HEAD] != self.head or record.text(PREVIOUS_NAME) != self.previous_file:
            raise self.fault("does not continue the segment before it")
        if record.text(OBJECT) != self.file:
            raise self.fault("was not written under this name")
        if self.log_id is not None and self.log_id != record.fields[LOG_ID]:
            raise self.fault("belongs to another log")
        self.log_id = record.fields[LOG_ID]
        self.suite = SUITES[record.fields[SUITE][0]]

    def hash(self, data):
        return hashlib.new(self.suite, data).digest()

    def row(self, seq, rec, head, mac):
        if seq != self.seq + 1:
            raise self.fault("a record is missing" if seq > self.seq + 1 else "a record that does not belong here")
        try:
            record = Record(rec)
        except (ValueError, TypeError) as e:
            raise self.fault(f"a record is not in the form of a record ({e})") from e
        if record.seq != seq:
            raise self.fault("a record bears another number than its place")
        if self.is_first:
            self.first_row(record)
        elif record.is_first_of_segment:
            raise self.fault("a segment record in the middle")
        computed = self.hash(b"\x02" + self.head + self.hash(b"\x00" + rec))
        if head != computed:
            raise self.fault("the chain breaks")
        if mac is not None:
            raise self.fault("a seal where none was made")
        self.seq, self.head, self.is_first = seq, computed, False
        for at, anchor in self.anchors:
            if at == seq:
                if anchor != computed:
                    raise self.fault("an anchor from outside says otherwise", seq)
                self.compared += 1

    def finish(self):
        self.file = ""
        if any(at > self.seq for at, _ in self.anchors):
            raise self.fault("records are missing at the end")
        if self.end is None:
            return
        if self.end[0] > self.seq:
            raise self.fault("records are missing at the end")
        if self.end[0] < self.seq:
            raise self.fault("records at the end that the gateway did not write", self.end[0] + 1)
        if self.end[1] != self.head:
            raise self.fault("is not what the gateway has written", self.seq)


def walk_file(walk, folder, name, is_newest):
    walk.begin_file(name)
    try:
        db = sqlite3.connect(os.path.join(folder, name))
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] != 1:
                raise walk.fault("another version")
            if db.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall() != SCHEMA:
                raise walk.fault("its schema is not the one it was made with")
            if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise walk.fault("the database is damaged")
            if db.execute("SELECT count(*) FROM checkpoint").fetchone()[0]:
                raise walk.fault("there are checkpoints where none were made")
            for row in db.execute("SELECT seq, rec, head, mac FROM audit ORDER BY seq"):
                walk.row(*row)
        finally:
            db.close()
    except sqlite3.Error as e:
        raise walk.fault(f"cannot be read: {e}") from e
    if walk.is_first and not is_newest:
        raise walk.fault("is empty")


def walk_folder(walk, folder):
    found = sorted((int(m[2]), m[0]) for m in map(NAME.fullmatch, os.listdir(folder)) if m)
    for i, (n, name) in enumerate(found):
        if n != i + 1:
            walk.file = name
            raise walk.fault("the segment before it is missing" if n > i + 1 else "a second segment of its number")
        walk_file(walk, folder, name, i + 1 == len(found))


def take(data, at, n):
    if len(data) - at < n:
        raise Tampered(0, "the export is cut")
    return data[at:at + n], at + n


def walk_export(walk, path):
    with open(path, "rb") as f:
        data = f.read()
    magic, at = take(data, 0, 8)
    if magic != EXPORT_MAGIC:
        raise Tampered(0, "not an export")
    n = 0
    walk.file = ""
    while True:
        length, at = take(data, at, 4)
        length = struct.unpack("<I", length)[0]
        if not length:
            break
        rec, at = take(data, at, length)
        head, at = take(data, at, 32)
        try:
            record = Record(rec)
        except ValueError as e:
            raise walk.fault("a record is not in the form of a record") from e
        if record.is_first_of_segment:
            walk.begin_file(record.text(OBJECT))
        elif not n:
            raise walk.fault("does not begin with a segment record")
        walk.row(walk.seq + 1, rec, head, None)
        n += 1
    tail, at = take(data, at, 8 + 32)
    if at != len(data) or struct.unpack("<Q", tail[:8])[0] != n or tail[8:] != walk.head:
        raise walk.fault("the export does not end as it should")


def verify(path, anchors=(), end=None):
    """(exit code, records, first bad seq or 0, words)."""
    walk = Walk(list(anchors), end)
    try:
        if os.path.isdir(path):
            walk_folder(walk, path)
        else:
            walk_export(walk, path)
        walk.finish()
    except Tampered as e:
        return 1, walk.seq, e.seq, str(e)
    if not walk.compared:
        return 2, walk.seq, 0, "all holds, but no anchor says so"
    return 0, walk.seq, 0, "all holds"


def pair(text):
    seq, _, head = text.partition(":")
    return int(seq), bytes.fromhex(head)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path")
    parser.add_argument("--anchor", type=pair, action="append", default=[])
    parser.add_argument("--end", type=pair)
    args = parser.parse_args()
    try:
        code, records, bad, words = verify(args.path, args.anchor, args.end)
    except OSError as e:
        print(e, file=sys.stderr)
        return 2
    print(f"{records} records; " + (f"first bad: {bad}; " if bad else "") + words)
    return code


if __name__ == "__main__":
    sys.exit(main())
