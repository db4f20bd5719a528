"""stream - what happens in the demo home, a line for each device that had something to say."""

import time

QUIET = ("health", "anchor")
WORDS = {"contact": ("open", "closed")}
GATHER_S = 0.2


def words_of(capability, value, unit=""):
    """As people would say it: 21.02 °C, on, closed."""
    if isinstance(value, bool):
        return WORDS.get(capability, ("off", "on"))[value]
    if isinstance(value, float):
        value = f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value} {unit}".rstrip()


class Stream:
    """Reads events from an open door and prints them; say prints a line."""

    def __init__(self, door, say):
        self.door, self.say = door, say
        self.units, self.said = {}, {}
        self.lines, self.gathered = {}, None

    def begin(self):
        """What is so now is known, not news."""
        more = {}
        while True:
            page = self.door.call("device.list", **more)
            for device in page["devices"]:
                for cap in device["capabilities"]:
                    self.units[cap["name"]] = cap.get("unit") or ""
                    self.said[device["id"], cap.get("endpoint"), cap["name"]] = words_of(cap["name"], cap.get("value"), cap.get("unit") or "")
            if not page.get("next"):
                break
            more = {"after": page["next"]}
        self.door.call("events.subscribe")

    def turn(self, seconds=0.5):
        """One event at most. False: the session has ended."""
        try:
            event = self.door.next_event(timeout=GATHER_S if self.lines else seconds)
        except TimeoutError:
            self.flush()
            return True
        if event["event"] == "end":
            return False
        self.take(event["event"], event.get("data", {}))
        if self.gathered and time.monotonic() - self.gathered > 1:
            self.flush()
        return True

    def take(self, kind, data):
        who = data.get("name") or data.get("device") or "gateway"
        if kind == "report":
            place = (data["device"], data.get("endpoint"), data["capability"])
            words = words_of(data["capability"], data["value"], self.units.get(data["capability"], ""))
            if self.said.get(place) != words:
                self.said[place] = words
                self.gather(who, f"{data['capability']} {words}")
        elif kind == "availability":
            self.gather(who, "reachable" if data["reachable"] else "UNREACHABLE")
        elif kind == "device":
            self.gather(who, f"is {data['state']}")
        elif kind == "alarm":
            self.gather(who, f"ALARM {data['phase']}: {data['alarm']} ({data['severity']}) {data.get('detail') or ''}".rstrip())
        elif kind == "lost":
            self.gather(who, f"{data['count']} events were lost: this terminal was too slow for them")
        elif kind not in QUIET:
            self.gather(who, kind)

    def gather(self, who, words):
        self.gathered = self.gathered or time.monotonic()
        self.lines.setdefault(who, []).append(words)

    def flush(self):
        for who, words in self.lines.items():
            self.say(f"{time.strftime('%H:%M:%S')}  {who:<12} {', '.join(words)}")
        self.lines, self.gathered = {}, None
