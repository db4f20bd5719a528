"""Ways to spoil an export made by audit_make.Log. Each gives (what was done, bytes, first bad record or None where it is not known
beforehand); what is given to the verifier stays as it was.

spoil(rnd, log, other): other is another log, for splicing. Read gives a log out of an export that somebody else made, which can be spoiled in
all ways but those for which the signing keys are wanted.
"""
import struct

from lib import audit_make
from lib.audit_verify import digest

HEAD = 8


class Read:
    """seeds: {seq: seed}, as they are given to the verifiers."""

    def __init__(self, data, seeds):
        self.items, self.seeds, at = [], seeds, HEAD
        while True:
            kind, length = struct.unpack_from("<BI", data, at)
            if kind == 0:
                break
            self.items.append((kind, data[at + 5:at + 5 + length]))
            at += 5 + length
        self.signers = [None for kind, _ in self.items if kind == 3]
        assert audit_make.pack(self.items) == data


def seq_of(data):
    return struct.unpack_from("<Q", data, 4)[0]


def at_of(items, i):
    """The last record before item i."""
    return next((seq_of(data) for kind, data in reversed(items[:i]) if kind == 1), 0)


def place_of(items, i):
    """Where a fault in item i is named: a checkpoint's at the record before it."""
    kind, data = items[i]
    return seq_of(data) if kind == 1 else at_of(items, i)


def known_macs(log):
    """Numbers of the records whose mac a seed that was given vouches for."""
    known, on = set(), False
    for kind, data in log.items:
        if kind != 1:
            continue
        if on:
            known.add(seq_of(data))
        if struct.unpack_from("<H", data, 2)[0] == 6:
            on = seq_of(data) in log.seeds
    return known


def choose(rnd, log, kinds=(1, 2)):
    return rnd.choice([i for i, (kind, _) in enumerate(log.items) if kind in kinds])


def row_changed(rnd, log, _):
    items = list(log.items)
    i = choose(rnd, log)
    kind, data = items[i]
    length = len(data)
    if kind == 1 and seq_of(data) not in known_macs(log):
        length -= 32  # its mac says nothing to who has no seed
    at = rnd.randrange(length)
    items[i] = kind, data[:at] + bytes([data[at] ^ 1 << rnd.randrange(8)]) + data[at + 1:]
    return f"byte {at} of item {i}", audit_make.pack(items), None


def row_deleted(rnd, log, _):
    items = list(log.items)
    i = choose(rnd, log)
    del items[i]
    return f"item {i} deleted", audit_make.pack(items), None


def row_inserted(rnd, log, other):
    items = list(log.items)
    i = rnd.randrange(len(log.signers), len(items) + 1)
    items.insert(i, rnd.choice([x for x in rnd.choice((log, other)).items if x[0] != 3]))
    return f"item inserted at {i}", audit_make.pack(items), None


def rows_swapped(rnd, log, _):
    items = list(log.items)
    i = rnd.randrange(len(log.signers), len(items) - 1)
    j = rnd.choice((i + 1, rnd.randrange(len(log.signers), len(items))))
    if items[i] == items[j]:
        j = i + 1
    items[i], items[j] = items[j], items[i]
    return f"items {i} and {j} swapped", audit_make.pack(items), None


def chain_recomputed(rnd, log, _):
    """By somebody who has no key: the text is changed, all heads are made to fit, and the checkpoints' too if he takes the trouble."""
    items, suite, head, did = list(log.items), None, None, None
    records = [i for i, (kind, data) in enumerate(items) if kind == 1 and len(data) - 64 > 64 and struct.unpack_from("<H", data, 2)[0] not in (5, 6, 7)]
    if not records:
        return row_changed(rnd, log, _)
    target, trouble = rnd.choice(records), rnd.random() < 0.5
    for i, (kind, data) in enumerate(items):
        if kind == 1:
            rec = data[:-64]
            found = fields_of(rec)
            if 13 in found:
                suite = found[13][0]
                if did is None:
                    head = found[10]
                else:
                    rec = rec.replace(found[10], head)
            if i == target:
                rec = rec[:12] + struct.pack("<q", struct.unpack_from("<q", rec, 12)[0] + 1) + rec[20:]
                did = seq_of(rec)
            head = digest(suite, b"\2", head, digest(suite, b"\0", rec))
            items[i] = 1, rec + head + data[-32:]
        elif kind == 2 and trouble and did is not None:
            items[i] = 2, data[:2 + 44 + 32] + head + data[2 + 44 + 64:]
    return f"chain recomputed from {did}", audit_make.pack(items), None


def fields_of(rec):
    at, found = 64, {}
    while at < len(rec):
        tag, n = struct.unpack_from("<BH", rec, at)
        found[tag] = rec[at + 3:at + 3 + n]
        at += 3 + n
    return found


def tail_cut(rnd, log, _):
    i = choose(rnd, log, (1,))
    return f"cut before item {i}", audit_make.pack(log.items[:i]), None


def checkpoint_dropped(rnd, log, _):
    points = [i for i, (kind, _) in enumerate(log.items) if kind == 2]
    if not points:
        return tail_cut(rnd, log, _)
    n = rnd.randrange(1, len(points) + 1)
    gone = set(rnd.sample(points, n))
    return f"{n} checkpoints dropped", audit_make.pack([x for i, x in enumerate(log.items) if i not in gone]), None


def checkpoint_forged(rnd, log, _):
    """Another body, signed with the right keys: what a verifier must see is what the body says."""
    items = list(log.items)
    points = [i for i, (kind, _) in enumerate(items) if kind == 2]
    if not points:
        return tail_cut(rnd, log, _)
    i = rnd.choice(points)
    n, = struct.unpack_from("<H", items[i][1])
    body = bytearray(items[i][1][2:2 + n])
    # Clocks, boot id, generation, starts and reason may say anything; so that would be found by an anchor or by the next one only.
    places = [x for x in range(n) if x not in range(140, 188) and x != 11]
    at = rnd.choice(places)
    body[at] ^= 1 << rnd.randrange(8)
    body = bytes(body)
    signatures = {kind: audit_make.SIGN[kind](audit_make.SECRETS[kind], body) for kind in log.signers}
    items[i] = 2, audit_make.point_item(body, signatures)
    return f"byte {at} of the body of item {i}, signed anew", audit_make.pack(items), place_of(items, i)


def segment_dropped(rnd, log, _):
    starts = [i for i, (kind, data) in enumerate(log.items) if kind == 1 and struct.unpack_from("<H", data, 2)[0] == 5] + [len(log.items)]
    if len(starts) < 3:
        return tail_cut(rnd, log, _)
    i = rnd.randrange(len(starts) - 1)
    return f"segment {i} dropped", audit_make.pack(log.items[:starts[i]] + log.items[starts[i + 1]:]), None


def logs_spliced(rnd, log, other):
    i, j = choose(rnd, log), choose(rnd, other)
    return f"spliced at {i} and {j}", audit_make.pack(log.items[:i] + other.items[j:]), None


def bytes_cut(rnd, log, _):
    data = audit_make.pack(log.items)
    n = rnd.randrange(len(data))
    return f"{n} bytes left", data[:n], None


def bytes_changed(rnd, log, _):
    """Anywhere but in what is not vouched for: the public keys' items and macs without a seed."""
    data, at, good = bytearray(audit_make.pack(log.items)), HEAD, list(range(HEAD))
    known = known_macs(log)
    for kind, piece in [*log.items, (0, bytes(48))]:
        length = 5 + len(piece)
        if kind == 1 and seq_of(piece) not in known:
            good += range(at, at + length - 32)
        elif kind != 3:
            good += range(at, at + length)
        at += length
    for _ in range(rnd.choice((1, 1, 1, 2, 8))):
        i = rnd.choice(good)
        data[i] ^= rnd.randrange(1, 256)
    return "bytes changed", bytes(data), None


def bytes_moved(rnd, log, _):
    data = audit_make.pack(log.items)
    i, n = rnd.randrange(len(data)), rnd.randrange(1, 200)
    way = rnd.randrange(3)
    if way == 0:
        return "bytes deleted", data[:i] + data[i + n:], None
    if way == 1:
        return "bytes repeated", data[:i + n] + data[i:], None
    return "bytes inserted", data[:i] + rnd.randbytes(n) + data[i:], None


WAYS = [row_changed, row_deleted, row_inserted, rows_swapped, chain_recomputed, tail_cut, checkpoint_dropped, checkpoint_forged, segment_dropped,
        logs_spliced, bytes_cut, bytes_changed, bytes_moved]


def spoil(rnd, log, other, which=None):
    """which: a number that says which way; so a row of them goes through all."""
    ways = [way for way in WAYS if way is not checkpoint_forged or None not in log.signers]
    way = rnd.choice(ways) if which is None else ways[which % len(ways)]
    what, data, bad = way(rnd, log, other)
    return f"{way.__name__}: {what}", data, bad
