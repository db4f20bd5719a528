"""systems - the forwarders that are measured, each behind the same few verbs.

start() begins with what state there is, fresh() forgets it, stop() ends it in peace, kill() is SIGKILL for all of it.
job() are the processes that do the work (the LAN broker is one of them for every system), ours() those that we answer
for in memory.
"""
import os

from home import BenchError

LAN_CONF = """\
listener 0 {sock}
allow_anonymous true
"""

BRIDGE_CONF = """\
connection cloud
address localhost:{port}
topic # out 1
bridge_cafile {pki}/cloud-ca.crt
bridge_certfile {pki}/gateway.crt
bridge_keyfile {pki}/gateway.key
bridge_tls_version tlsv1.3
remote_clientid bench-gateway
cleansession false
notifications false
restart_timeout 1
"""

AUTOSAVE_CONF = """\
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
"""

UNLIMITED_CONF = "max_queued_messages 0\n"


class System:
    key = ""
    title = ""
    safe = False  # says of itself that what it accepted survives SIGKILL

    def __init__(self, home):
        self.home = home
        self.parts = {}

    def load_options(self):
        """How the load finds our messages on the cloud side: those that hand the payload on need nothing."""
        return ["--filter", "zigbee2mqtt/#"]

    def fresh(self):
        """Forget everything that is kept from earlier runs."""

    def before(self):
        """What stands before the system is started, and is not part of its start."""

    def start(self, qos):
        raise NotImplementedError

    def job(self):
        return [part.pid for part in self.parts.values()]

    def ours(self):
        return {name: part.pid for name, part in self.parts.items()}

    def stored(self):
        """How many messages wait safely for the cloud; None: it cannot tell."""
        return None

    def check(self):
        for name, part in self.parts.items():
            if not part.alive():
                raise BenchError(f"{self.title}: {name} ended\n{part.tail()}")

    def _end(self, verb):
        for part in reversed(list(self.parts.values())):
            getattr(part, verb)()
        self.parts = {}
        if os.path.exists(self.home.lan_sock):
            os.unlink(self.home.lan_sock)

    def stop(self):
        self._end("stop")

    def kill(self):
        self._end("kill")


class Bridge(System):
    """(a) Mosquitto forwards by itself."""
    key, title, extra = "bridge", "(a) bridge", ""

    def conf(self):
        return (LAN_CONF + self.extra + BRIDGE_CONF).format(
            sock=self.home.lan_sock, port=self.home.port, pki=self.home.pki, folder=self.home.path(self.key))

    def fresh(self):
        self.home.folder(self.key)

    def start(self, qos):
        conf = self.home.write(self.key + ".conf", self.home.user_line() + self.conf())
        self.parts["broker"] = self.home.spawn(["mosquitto", "-c", conf], self.key + ".log")


class BridgeUnlimited(Bridge):
    key, title, extra = "bridge-unlimited", "(a) no queue limit", UNLIMITED_CONF


class BridgeAutosave(Bridge):
    key, title, extra = "bridge-autosave", "(a) autosave", AUTOSAVE_CONF
    safe = True


class Republisher(System):
    """(b) A client of both brokers; the LAN broker's queue towards it has no limit."""
    key, title = "republisher", "(b) republisher"

    def before(self):
        self.parts["broker"] = self.home.broker("lan", (LAN_CONF + UNLIMITED_CONF).format(sock=self.home.lan_sock),
                                                self.home.lan_up)

    def start(self, qos):
        pki = self.home.pki
        self.parts["republisher"] = self.home.spawn(
            [os.path.join(self.home.build, "tests/bench/bench-republish"), self.home.lan_sock, "localhost",
             str(self.home.port), f"{pki}/cloud-ca.crt", f"{pki}/gateway.crt", f"{pki}/gateway.key", str(qos)],
            "republisher.log")

    def ours(self):
        return {"republisher": self.parts["republisher"].pid}


PEERS = (Bridge, BridgeUnlimited, BridgeAutosave, Republisher)
