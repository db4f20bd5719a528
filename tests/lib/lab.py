"""lab - a small internet in network namespaces, whose cables can be cut.

    gw ---- lan                     "lan" cable: gateway 10.91.1.1, LAN broker 10.91.1.2
    gw ---- wan ---- cloud          "wan" cable: gateway 10.91.2.2, cloud broker 10.91.3.2, a second one at 10.91.3.3

The addresses exist only inside these namespaces; two labs side by side do not meet. Brokers are real Mosquitto processes in podman
containers (broker.py); the daemons under test run in "gw" as host processes (run_in_gw). A Lab is a context manager and leaves nothing behind:

    with Lab() as lab:
        cloud = lab.broker("cloud", conf=..., files=...)
        lab.wan.cut()
        lab.wan.restore()
"""

import contextlib
import itertools
import os
import signal
import subprocess

from . import netns
from .netns import LabError, compiled, nsenter, sh, wait_until

LAN_GW, LAN_BROKER = "10.91.1.1", "10.91.1.2"
WAN_GW, WAN_ROUTER = "10.91.2.2", "10.91.2.1"
CLOUD_ROUTER, CLOUD_BROKER, CLOUD_SPARE = "10.91.3.1", "10.91.3.2", "10.91.3.3"

# What programs started in the lab find in /etc/hosts.
HOSTS = f"""\
127.0.0.1 localhost
::1 localhost
{LAN_BROKER} lan.test
{CLOUD_BROKER} cloud.test
{CLOUD_SPARE} spare.test
"""

_serial = itertools.count()


class Cable:
    """One cable between the gateway and a broker, and what can be done to it.

    up is towards the broker, down towards the gateway. Faults replace each other: the last one called holds until restore().
    """

    def __init__(self, lab, name, place, up, down, device, routes):
        self._lab, self.name = lab, name
        self._netns = lab.netns(place)
        self._ways = {"up": up, "down": down}
        self._device, self._routes = device, routes
        self._nfqd = None
        self._is_down = False

    def cut(self):
        """Nothing passes and nobody is told: a router that died."""
        self._only("DROP")

    def cut_one_way(self, way):
        """Packets in one direction vanish; the other direction works. way: "up" or "down"."""
        self._only("DROP", way)

    def reset(self):
        """Connecting is refused, and a packet of a connection that stands is answered by a TCP reset: the broker's host lives, its port is closed."""
        self.restore()
        for way in self._ways:
            # Not the resets themselves, which pass the same chain when the rule stands on the broker's own host.
            self._rule(way, "-p", "tcp", "!", "--tcp-flags", "RST", "RST", "-j", "REJECT", "--reject-with", "tcp-reset")

    def link_down(self):
        """The gateway's own interface goes down: it is told at once (ENETUNREACH)."""
        self.restore()
        sh(*nsenter(self._lab.netns("gw"), "ip", "link", "set", self._device, "down"))
        self._is_down = True

    def slow(self, delay_ms=0, jitter_ms=0, loss_percent=0):
        """Each way takes delay +- jitter, and loses a share of the packets."""
        self.restore()
        self._nfqd = subprocess.Popen(
            nsenter(self._netns, compiled("tests/lib/nfqd.c", package="libnetfilter_queue"), "1", str(delay_ms), str(jitter_ms), str(loss_percent)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self._nfqd.stdout.readline().strip() != "ready":
            raise LabError(f"nfqd ended: {self._nfqd.wait()}")
        for way in self._ways:
            self._rule(way, "-j", "NFQUEUE", "--queue-num", "1")

    def restore(self):
        """The cable works again as on the first day."""
        for chain in ("INPUT", "OUTPUT", "FORWARD"):
            sh(*nsenter(self._netns, "iptables", "-w", "-F", chain))
        if self._nfqd:
            self._nfqd.kill()
            self._nfqd.wait()
            self._nfqd.stdout.close()
            self._nfqd = None
        if self._is_down:
            sh(*nsenter(self._lab.netns("gw"), "ip", "link", "set", self._device, "up"))
            for route in self._routes:
                sh(*nsenter(self._lab.netns("gw"), "ip", "route", "replace", *route))
            self._is_down = False

    def kill_connections(self):
        """Destroys every TCP connection of the gateway that runs through this cable; both ends get a reset, new ones work."""
        sh(*nsenter(self._lab.netns("gw"), "ss", "-K", "dst", "10.91.1.0/24" if self.name == "lan" else "10.91.3.0/24"))

    def _only(self, target, *ways):
        self.restore()
        for way in ways or self._ways:
            self._rule(way, "-j", target)

    def _rule(self, way, *what):
        sh(*nsenter(self._netns, "iptables", "-w", "-A", *self._ways[way], *what))


class Lab:
    def __init__(self):
        self.run = f"{netns.PREFIX}{os.getpid()}-{next(_serial)}"
        self.folder = f"{netns.RUN_DIR}/{self.run}"
        self._lock = -1
        self._brokers = []
        self._processes = []

    def __enter__(self):
        netns.sweep()
        self._lock = netns.hold(self.folder)
        try:
            self._plug()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def netns(self, place):
        """Full name of "gw", "lan", "wan" or "cloud"."""
        return f"{self.run}-{place}"

    def inside(self, place):
        return netns.inside(self.netns(place))

    def broker(self, name, **kwargs):
        """A Mosquitto in a container; see broker.Broker. It is started when this returns."""
        from .broker import Broker
        broker = Broker(self, name, **kwargs)
        self._brokers.append(broker)
        broker.start()
        return broker

    def run_in_gw(self, argv, **kwargs):
        """Start a host process in the gateway's namespace; returns the Popen, whose pid is the program's own."""
        return self.run_in("gw", argv, **kwargs)

    def run_in(self, place, argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, uid=None, gid=None, groups=(), **kwargs):
        """Start a program in a namespace, with the lab's /etc/hosts; as another user when uid is given (gid: the same number unless given)."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("text", True)
        wrap = ["unshare", "--mount", "--propagation", "slave", "--", "/bin/sh", "-c",
                'mount --bind "$0" /etc/hosts && exec "$@"', self.folder + "/hosts"]
        if uid is not None:
            member = [f"--groups={','.join(map(str, groups))}"] if groups else ["--clear-groups"]
            wrap += ["setpriv", f"--reuid={uid}", f"--regid={uid if gid is None else gid}", *member, "--"]
        process = subprocess.Popen(nsenter(self.netns(place), *wrap, *argv), stdout=stdout, stderr=stderr, **kwargs)
        self._processes.append(process)
        return process

    def daemon(self, name, argv, **kwargs):
        """A program under test, in the gateway's namespace unless place= says otherwise; see daemon.Daemon."""
        from .daemon import Daemon
        return Daemon(self, name, argv, **kwargs)

    def small_disk(self, name, size="1m", mode=0o755):
        """A file system of its own that can be filled; returns its folder."""
        folder = f"{self.folder}/{name}"
        os.mkdir(folder)
        sh("mount", "-t", "tmpfs", "-o", f"size={size},mode={mode:o}", self.run, folder)
        return folder

    def output_in(self, place, argv, timeout=30, check=True):
        """Run to the end in a namespace; returns what it printed."""
        process = self.run_in(place, argv)
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        finally:
            self._processes.remove(process)
        if check and process.returncode != 0:
            raise LabError(f"{' '.join(argv)}: exit {process.returncode}: {out}")
        return out

    def close(self):
        """Take everything down. Called twice it does nothing the second time."""
        if self._lock < 0:
            return
        for process in self._processes:
            self._end(process)
        try:
            netns.remove_run(self.run)
        finally:
            os.close(self._lock)
            self._lock = -1

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for stream in (process.stdout, process.stderr, process.stdin):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()

    def _plug(self):
        with open(self.folder + "/hosts", "w", encoding="utf-8") as out:
            out.write(HOSTS)
        os.chmod(self.folder + "/hosts", 0o644)
        gw, lan, wan, cloud = (self.netns(place) for place in ("gw", "lan", "wan", "cloud"))
        script = []
        for space in (gw, lan, wan, cloud):
            script += [f"netns add {space}", f"-n {space} link set lo up"]
        script += [
            f"link add eth-lan netns {gw} type veth peer name eth0 netns {lan}",
            f"link add eth-wan netns {gw} type veth peer name eth-gw netns {wan}",
            f"link add eth-cloud netns {wan} type veth peer name eth0 netns {cloud}",
            f"-n {gw} addr add {LAN_GW}/24 dev eth-lan", f"-n {lan} addr add {LAN_BROKER}/24 dev eth0",
            f"-n {gw} addr add {WAN_GW}/24 dev eth-wan", f"-n {wan} addr add {WAN_ROUTER}/24 dev eth-gw",
            f"-n {wan} addr add {CLOUD_ROUTER}/24 dev eth-cloud", f"-n {cloud} addr add {CLOUD_BROKER}/24 dev eth0",
            f"-n {cloud} addr add {CLOUD_SPARE}/24 dev eth0",
        ]
        for space, device in ((gw, "eth-lan"), (lan, "eth0"), (gw, "eth-wan"), (wan, "eth-gw"), (wan, "eth-cloud"), (cloud, "eth0")):
            script.append(f"-n {space} link set {device} up")
        script += [f"-n {gw} route add default via {WAN_ROUTER}", f"-n {cloud} route add default via {CLOUD_ROUTER}"]
        for line in script:
            sh("ip", *line.split())
        sh(*nsenter(wan, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"))
        self.lan = Cable(self, "lan", "lan", ("INPUT", "-i", "eth0"), ("OUTPUT", "-o", "eth0"), "eth-lan", [])
        self.wan = Cable(self, "wan", "wan", ("FORWARD", "-i", "eth-gw"), ("FORWARD", "-i", "eth-cloud"), "eth-wan",
                         [("default", "via", WAN_ROUTER)])


__all__ = ["Lab", "Cable", "LabError", "sh", "wait_until", "LAN_GW", "LAN_BROKER", "WAN_GW", "CLOUD_BROKER", "CLOUD_SPARE"]
