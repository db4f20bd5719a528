"""figures - how each figure is measured; every function takes one turn of one system and returns names and numbers."""
import contextlib
import time

import probe
from home import PUBLISHERS, BenchError

OUTAGE_MESSAGES = 5000
IDLE_SETTLE_S = 1.0
FLASH_RATE = 10      # messages a second of a busy home
SOAK_RATE = 1000


@contextlib.contextmanager
def running(system, qos, fresh=True):
    """The system is up and has forwarded a message."""
    if fresh:
        system.fresh()
    try:
        first_ms(system, qos)
        yield
        system.check()
    finally:
        system.stop()


def first_ms(system, qos):
    """Starts the system; milliseconds until the first message is on the cloud side."""
    system.before()
    with system.home.load("first", system, publishers=1, qos=0) as load:
        load.until("ready")
        start_ns = time.monotonic_ns()
        system.start(qos)
        first_ns = load.result()["first_ns"]
    if not first_ns:
        system.check()
        raise BenchError(f"{system.title} forwards nothing")
    return (first_ns - start_ns) / 1e6


def start(system, plan):
    system.fresh()
    try:
        # once to set up what is kept, then the start that counts
        first_ms(system, 0)
        system.stop()
        return {"first_ms": first_ms(system, 0)}
    finally:
        system.stop()


def flow(system, plan, qos, rate, seconds, warmup=0.7):
    """One run of the load with everything that is counted beside it."""
    with system.home.load("flow", system, qos=qos, rate=rate, seconds=seconds, warmup=warmup, quiet=plan.quiet_s) as load:
        load.until("begin")
        before_us = probe.cpu_us(system.job())
        load.until("end")
        used_us = probe.cpu_us(system.job()) - before_us
        result = load.result()
    result["cpu_us"] = used_us / result["measured"] if result["measured"] else 0.0
    return result


def throughput(system, plan):
    found = {}
    for qos in (0, 1):
        with running(system, qos):
            result = flow(system, plan, qos, 0, plan.flow_s)
        found |= {f"rate_q{qos}": result["rate"], f"cpu_max_q{qos}": result["cpu_us"],
                  f"lost_q{qos}": result["lost"] / max(result["sent"], 1), f"late_q{qos}": result["late"],
                  f"twice_q{qos}": result["twice"]}
    return found


def latency(system, plan):
    found = {}
    for qos in (0, 1):
        with running(system, qos):
            result = flow(system, plan, qos, 1000, plan.rate_s)
            pss = {name: probe.pss_kb([pid]) for name, pid in system.ours().items()}
        found |= {f"p50_q{qos}": result["p50_us"], f"p99_q{qos}": result["p99_us"], f"cpu_1k_q{qos}": result["cpu_us"],
                  f"lost_1k_q{qos}": result["lost"]}
    found["pss_kb"] = sum(pss.values())
    found |= {f"pss_kb {name}": kb for name, kb in pss.items()}
    return found


def idle(system, plan):
    with running(system, 1):
        time.sleep(IDLE_SETTLE_S)
        wakeups, cpu = probe.wakeups(system.job()), probe.cpu_us(system.job())
        time.sleep(plan.idle_s)
        return {"wakeups_s": (probe.wakeups(system.job()) - wakeups) / plan.idle_s,
                "idle_us_s": (probe.cpu_us(system.job()) - cpu) / plan.idle_s}


def wait_stored(system, n, until):
    """When the system itself says that it holds n; None if it cannot tell."""
    if system.stored() is None:
        return None
    while system.stored() < n:
        if time.monotonic() > until:
            raise BenchError(f"{system.title} stores {system.stored()} of {n}")
        time.sleep(0.002)
    return time.monotonic()


def outage(system, plan, publishers=1, suffix="outage"):
    """The cloud goes, 5,000 QoS 1 messages come, everything on the LAN side is killed, everything comes back."""
    home = system.home
    base = home.take_base(OUTAGE_MESSAGES)
    crowd = {"publishers": publishers, "qos": 1, "count": OUTAGE_MESSAGES}
    with running(system, 1):
        home.stop_cloud()
        held = system.stored() or 0
        with home.load("send", system, base, quiet=30, **crowd) as load:
            began = load.until("begin")["now_ns"] / 1e9
            sent = load.result()
        stored_at = wait_stored(system, held + OUTAGE_MESSAGES, began + 60)
        system.kill()
        home.start_cloud()
        with home.load("count", system, base, quiet=plan.quiet_s, **crowd) as load:
            load.until("ready")
            system.before()
            system.start(1)
            came = load.result()
    seconds = stored_at - began if stored_at else sent["seconds"]
    return {f"{suffix}_delivered": came["seen"], f"{suffix}_twice": came["twice"], f"{suffix}_late": came["late"],
            f"{suffix}_rate": OUTAGE_MESSAGES / seconds}


def outage_many(system, plan):
    """The same with all devices talking at once, which lets those that save in groups save in larger ones."""
    return outage(system, plan, PUBLISHERS, "outage_many")


def flash(system, plan):
    """Bytes towards the disk in a busy home with the cloud in reach."""
    with running(system, 1):
        before = probe.written_bytes(system.job())
        flow(system, plan, 1, FLASH_RATE, plan.flash_s, warmup=0.1)
        written = probe.written_bytes(system.job()) - before
    return {"flash_mb_h": written * 3600 / plan.flash_s / 1e6}


def soak(system, plan):
    """Memory and descriptors of the job under steady load; the first third is left out as warming up."""
    rss, fds = [], []
    with running(system, 1), system.home.load("flow", system, qos=1, rate=SOAK_RATE, seconds=plan.soak_s,
                                              warmup=plan.soak_s / 2, quiet=plan.quiet_s) as load:
        load.until("begin")
        until = time.monotonic() + plan.soak_s
        while time.monotonic() < until:
            rss.append((time.monotonic() / 60, probe.rss_kb(system.job())))
            fds.append((time.monotonic() / 60, probe.n_fds(system.job())))
            time.sleep(0.5)
        result = load.result()
    return {"soak_rss_kb_min": probe.slope(rss), "soak_fd_min": probe.slope(fds), "soak_lost": result["lost"],
            "soak_rss_kb": rss[-1][1]}
