"""home - what every system under test stands on: a folder on a real disk, certificates, the two brokers, the load."""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WINDOW = 32          # most messages of one publisher on the way
PUBLISHERS = 50
START_LIMIT_S = 15

CLOUD_CONF = """\
{user}listener {port} 127.0.0.1
cafile {pki}/cloud-ca.crt
certfile {pki}/broker.crt
keyfile {pki}/broker.key
require_certificate true
use_identity_as_username true
tls_version tlsv1.3
allow_anonymous false
# The far end is a yardstick, not a subject: it neither drops nor waits.
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
persistence false
sys_interval 0
"""


class BenchError(Exception):
    pass


def on_memory(path):
    """Is the folder in memory, where writing costs nothing?"""
    return subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True,
                          check=True).stdout.strip() in ("tmpfs", "ramfs")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One child; ends with the bench whatever happens."""

    def __init__(self, argv, log, **kwargs):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **kwargs)
        self.pid = self.child.pid

    def alive(self):
        return self.child.poll() is None

    def stop(self, sig=signal.SIGTERM):
        if self.alive():
            self.child.send_signal(sig)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()

    def kill(self):
        self.stop(signal.SIGKILL)

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return "".join(text.readlines()[-8:])


class Home:
    """The temporary folder and what all systems share. Use as a context."""

    def __init__(self, build, where=None):
        self.build = build
        where = where or next((d for d in ("/var/tmp", build) if os.access(d, os.W_OK) and not on_memory(d)), None)
        if not where:
            raise BenchError("no folder on a real disk to write to; name one with --dir")
        self.dir = tempfile.mkdtemp(prefix="gwbench-", dir=where)
        os.chmod(self.dir, 0o755)
        # logs are not what we count as written to flash: keep them in memory
        self.logs = tempfile.mkdtemp(prefix="gwbench-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else self.dir)
        self.broker_user = self._broker_user()
        self.pki = self.path("pki")
        self.port = free_port()
        self.cloud = None
        self.base = 0
        self.lan_sock = os.path.join(self.folder("lan"), "mqtt.sock")
        self.children = []
        self._make_pki()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.logs, ignore_errors=True)

    @staticmethod
    def _broker_user():
        """Whom a broker becomes when we are root; None: it stays who we are."""
        if os.geteuid() != 0:
            return None
        for name in ("mosquitto", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                pass
        return None

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def own(self, path):
        """Gives a path to the brokers' user."""
        if self.broker_user:
            os.chown(path, self.broker_user.pw_uid, self.broker_user.pw_gid)
        return path

    def folder(self, name):
        """An empty folder, the brokers' own."""
        path = self.path(name)
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path, 0o755)
        return self.own(path)

    def user_line(self):
        return f"user {self.broker_user.pw_name}\n" if self.broker_user else ""

    def _make_pki(self):
        tool = os.path.join(ROOT, "conf/demo/pki.sh")
        for args in (("ca", self.pki, "cloud"),
                     ("server", self.pki, "cloud", "broker", "DNS:localhost", "IP:127.0.0.1"),
                     ("client", self.pki, "cloud", "gateway"),
                     ("client", self.pki, "cloud", "watcher")):
            subprocess.run(["bash", tool, *args], check=True, stdout=subprocess.DEVNULL)
        os.chmod(self.pki, 0o755)
        for name in ("broker", "gateway"):
            self.own(os.path.join(self.pki, name + ".key"))

    def spawn(self, argv, log, **kwargs):
        child = Process(argv, os.path.join(self.logs, log), **kwargs)
        self.children.append(child)
        return child

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def broker(self, name, text, ready):
        """A Mosquitto; ready is a function that says whether it listens."""
        conf = self.write(name + ".conf", self.user_line() + text)
        child = self.spawn(["mosquitto", "-c", conf], name + ".log")
        self.wait(ready, f"broker {name}", child)
        return child

    @staticmethod
    def wait(ready, what, child=None, limit_s=START_LIMIT_S):
        until = time.monotonic() + limit_s
        while not ready():
            if child and not child.alive():
                raise BenchError(f"{what} ended:\n{child.tail()}")
            if time.monotonic() > until:
                raise BenchError(f"{what} is not ready after {limit_s} s" + (":\n" + child.tail() if child else ""))
            time.sleep(0.002)

    def cloud_up(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def start_cloud(self):
        self.cloud = self.broker("cloud", CLOUD_CONF.format(user="", port=self.port, pki=self.pki), self.cloud_up)

    def stop_cloud(self):
        self.cloud.kill()
        self.cloud = None

    def lan_up(self):
        probe = socket.socket(socket.AF_UNIX)
        try:
            probe.connect(self.lan_sock)
            return True
        except OSError:
            return False
        finally:
            probe.close()

    def take_base(self, n):
        """n running numbers that no other run of this bench uses, so that an old message is known as one."""
        self.base += n
        return self.base - n

    def load(self, mode, system, base=None, **options):
        return Load(self, mode, system, base, options)


class Load:
    """A run of bench-load. Use as a context; result() is its last word."""

    def __init__(self, home, mode, system, base, options):
        options = {"publishers": PUBLISHERS, "window": WINDOW, **options}
        if base is None:
            base = home.take_base(20_000)
        argv = [os.path.join(home.build, "tests/bench/bench-load"), mode,
                "--lan", "unix:" + home.lan_sock, "--cloud", f"localhost:{home.port}",
                "--ca", f"{home.pki}/cloud-ca.crt", "--cert", f"{home.pki}/watcher.crt",
                "--key", f"{home.pki}/watcher.key", "--base", str(base), *system.load_options()]
        for name, value in options.items():
            argv += ["--" + name, str(value)]
        self.base = base
        self.child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def until(self, event):
        """The next event of that name."""
        for line in self.child.stdout:
            said = json.loads(line)
            if said["event"] == event:
                return said
        raise BenchError(f"the load ended before '{event}'")

    def result(self):
        said = self.until("result")
        if self.child.wait() != 0:
            raise BenchError("the load failed")
        return said
