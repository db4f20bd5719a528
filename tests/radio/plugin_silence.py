"""plugin_silence - an afternoon and a night in moments: who falls silent is out of reach after its time, and not before; who returns
is back at once; who was always slow is waited for longer; nobody is lost over night, and none of it wakes us more than it must."""

import time

from bed import main
from beacons import ADDRESS, Air
from gateway import Gateway
from lib.wire_core import TEMPERATURE

MINUTE, HOUR = 60, 3600
NIGHT = 4  # hours
QUICK, SLOW = "atc", "pvvx"  # one speaks each two seconds, the other each ten minutes


def settle_in(bed, air, gateway):
    bed.check("a window opens", lambda: gateway.window(60) == "ok")
    for _ in range(8):
        air.say_all()
        bed.wait(2)
    bed.check("both join", lambda: gateway.device(ADDRESS[QUICK]) and gateway.device(ADDRESS[SLOW]))
    bed.wait(60)
    air.quiet.update(which for which in ADDRESS if which not in (QUICK, SLOW))


def falls_silent(bed, air, gateway):
    for _ in range(MINUTE):
        air.say_all()
        bed.wait(2)
    air.hush(QUICK)
    fell = time.monotonic()
    bed.wait(4 * MINUTE)
    bed.check("after four silent minutes it is still there", gateway.reachable(ADDRESS[QUICK]))
    bed.wait(2 * MINUTE)
    bed.check("after six it is not", not gateway.reachable(ADDRESS[QUICK]))
    for _ in range(6):
        air.say(SLOW)
        bed.wait(10 * MINUTE)
    bed.check("an hour later it is remembered all the same", gateway.device(ADDRESS[QUICK]) is not None)
    air.say(QUICK, temperature=7.5)
    bed.check("it is back with its first word", lambda: gateway.reachable(ADDRESS[QUICK]), 2)
    bed.check("and says what it says", lambda: gateway.is_near(ADDRESS[QUICK], TEMPERATURE, 7.5), 2)
    bed.check("all of that took more than an hour", time.monotonic() - fell > HOUR)


def slow_one(bed, air, gateway):
    """Six times its own interval, two hours at most."""
    for _ in range(6):
        air.say(SLOW)
        bed.wait(10 * MINUTE)
    bed.check("one that speaks each ten minutes stays", gateway.reachable(ADDRESS[SLOW]))
    bed.wait(45 * MINUTE)
    bed.check("and is waited for almost an hour", gateway.reachable(ADDRESS[SLOW]))
    bed.wait(15 * MINUTE)
    bed.check("and no longer than an hour and a bit", not gateway.reachable(ADDRESS[SLOW]))


def a_night(bed, air, gateway):
    """Nobody speaks but one, each quarter of an hour."""
    said = len(gateway.core.reports)
    before = switches(gateway)
    for quarter in range(4 * NIGHT):
        air.say(SLOW, temperature=10 + quarter / 10)
        bed.wait(15 * MINUTE)
    bed.check("after a night it is there", gateway.reachable(ADDRESS[SLOW]))
    bed.check("with its last value", lambda: gateway.is_near(ADDRESS[SLOW], TEMPERATURE, 10 + (4 * NIGHT - 1) / 10))
    bed.check("each of its values was reported", len(gateway.core.reports) - said >= 4 * NIGHT)
    bed.check("the other one is out of reach", not gateway.reachable(ADDRESS[QUICK]))
    per_second = (switches(gateway) - before) / (NIGHT * HOUR)
    bed.check(f"{per_second:.2f} wake-ups a second, with a core that beats each second", per_second < 3)


def switches(gateway):
    """How often the process went to sleep of its own will."""
    with open(f"/proc/{gateway.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))


def scenario(bed):
    start = time.monotonic()
    air = Air(first=3)
    with Gateway(bed, {"adapters": "hci0"}) as gateway:
        bed.check("the plugin waits", lambda: gateway.core.n_synced)
        bed.wait(2)
        settle_in(bed, air, gateway)
        falls_silent(bed, air, gateway)
        slow_one(bed, air, gateway)
        a_night(bed, air, gateway)
    print(f"{(time.monotonic() - start) / HOUR:.1f} hours")


if __name__ == "__main__":
    main(scenario, 13)
