"""counterpart - the counterparts' ends in a scenario: what a peripheral is told to do, and what it says that happened."""

import json
import socket


class Counterpart:
    def __init__(self, kind):
        self.kind = kind
        self.from_here = 0

    def order(self, **what):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(json.dumps(what).encode(), f"/run/peripheral-{self.kind}")

    def all(self):
        try:
            with open(f"/run/out/peripheral-{self.kind}.events", encoding="utf-8") as log:
                return [json.loads(line) for line in log if line.endswith("\n")][self.from_here:]
        except FileNotFoundError:
            return []

    def forget(self):
        """What it said until now does not count."""
        self.from_here += len(self.all())

    def told(self, key, value=None):
        """All that it said with this key, and value if one is given."""
        return [row for row in self.all() if key in row and (value is None or row[key] == value)]
