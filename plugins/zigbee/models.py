#!/usr/bin/env python3
"""models.py models.tsv gw_caps.h models_table.c: the table of models as constants (zigbee/models_table.h says how it is read)."""
import re
import sys

BUCKETS = 4096
LINE = 4000  # a piece of the pool: what any compiler takes as one literal


def fnv(data):
    h = 2166136261
    for byte in data:
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    return h


class Pool:
    def __init__(self):
        self.bytes = bytearray()
        self.at = {}

    def add(self, *texts):
        data = b"".join((text if isinstance(text, bytes) else text.encode()) + b"\0" for text in texts)
        if data not in self.at:
            self.at[data] = len(self.bytes)
            self.bytes += data
        return self.at[data]


def literal(data):
    """Three octal digits never run into what follows."""
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in data)


def numbers_of(header):
    """Capabilities by name; none is 0, which ends a list."""
    with open(header, encoding="utf-8") as f:
        found = re.findall(r"GWA_CAP_(\w+) = (\d+),", f.read())
    return {name.lower().replace("_", "-"): int(number) for name, number in found}


def main(source, header, target):
    pool, ranks, rows, caps = Pool(), {}, [], numbers_of(header)
    with open(source, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            columns = line.rstrip("\n").split("\t")
            if len(columns) != 8 or not columns[6].isdecimal():
                sys.exit(f"{source}:{number}: not eight columns")
            model, maker, more, vendor, name, description, flags, exposes = columns
            ranks[model] = ranks.get(model, -1) + 1
            bucket = fnv(model.encode() + b"\0" + maker.encode()) % BUCKETS
            rows.append((bucket, number, pool.add(model), pool.add(maker), pool.add(more), pool.add(vendor, name, description, bytes(sorted(caps[cap] for cap in exposes.split() if cap != "-"))),
                         ranks[model], int(flags)))
    rows.sort()
    first = [0] * (BUCKETS + 1)
    for row in rows:
        first[row[0] + 1] += 1
    for i in range(BUCKETS):
        first[i + 1] += first[i]
    if first[-1] > 0xFFFF:
        sys.exit("too many rows for 16 bits")
    with open(target, "w", encoding="ascii") as out:
        out.write('/* Made by models.py. */\n#include "zigbee/models_table.h"\n\nconst struct model_row models_rows[] = {\n')
        for row in rows:
            out.write("\t{ %d, %d, %d, %d, %d, %d },\n" % row[2:])
        out.write("};\n\nconst uint16_t models_first[MODELS_BUCKETS + 1] = {\n")
        for i in range(0, len(first), 32):
            out.write("\t" + ", ".join(map(str, first[i:i + 32])) + ",\n")
        out.write("};\n\nconst char models_pool[] =\n")
        for i in range(0, len(pool.bytes), LINE):
            out.write(f'\t"{literal(pool.bytes[i:i + LINE])}"\n')
        out.write(f"\t;\nconst uint32_t models_pool_size = {len(pool.bytes)};\n")


main(*sys.argv[1:])
