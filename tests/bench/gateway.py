"""gateway - gatewayd as a system under test: core, adapter wifi and link cloud, each under its own uid, with a household.

The household is set up once (an owner, 50 metering plugs of Zigbee2MQTT, all bound to him and shared with the cloud) and its
state kept; fresh() puts that state back. Policy, audit and spool are on, as they always are.
"""
import os
import shutil
import stat
import subprocess
import sys
import time

import z2m
from home import PUBLISHERS, ROOT, BenchError
from systems import LAN_CONF, UNLIMITED_CONF, System

sys.path.insert(0, os.path.join(ROOT, "conf/demo"))

from door import Door, Refused  # noqa: E402

FIRST_UID = 64200
UID = {name: FIRST_UID + i for i, name in enumerate(("core", "wifi", "cloud"))}
PROGRAMS = ("gatewayd/gatewayd", "gatewayd-adapter", "gatewayd-link")
PASSWORD = "bench-owner-of-this-temporary-home"  # of a home that lives as long as the bench

SETTINGS = """\
site:
  name: Bench
state_dir: {dir}/state
run_dir: {dir}/run
log:
  level: warning
adapters:
  wifi:
    plugin: wifi
    user: "{uid[wifi]}"
    options:
      broker: {lan_sock}
      base: zigbee2mqtt
links:
  cloud:
    profile: native
    user: "{uid[cloud]}"
    endpoints: ["mqtts://localhost:{port}"]
    ca: {pki}/cloud-ca.crt
    cert: {pki}/gateway.crt
    key_file: {dir}/cloud/gateway.key
    client_id: gateway
    share:
      - device: "*"
        class: sensitive
"""


class Gateway(System):
    key, title = "gateway", "gatewayd"
    safe = True

    def __init__(self, home):
        super().__init__(home)
        self.dir = home.path("gateway")
        self.household = None  # the state of a home that is set up
        self.door = None

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def load_options(self):
        return ["--filter", "gatewayd/gateway/events", "--match", '"value":']

    # Setting up, once.

    def install(self):
        if os.geteuid() != 0:
            raise BenchError("gatewayd's processes have a uid each: the bench must be root to start them (or leave it out: --peers)")
        for name in ("bin", "plugins", "empty"):
            os.makedirs(self.path(name))
        for program in PROGRAMS:
            places = (os.path.join(self.home.build, program), os.path.join(self.home.build, os.path.basename(program)))
            shutil.copy2(next((place for place in places if os.path.isfile(place)), places[0]), self.path("bin"))
        shutil.copy2(os.path.join(self.home.build, "wifi.so"), self.path("plugins"))
        listing = subprocess.run([os.path.join(ROOT, "plugins/host/list.sh"), self.path("plugins/wifi.so")],
                                 check=True, stdout=subprocess.PIPE, text=True).stdout
        self.write("plugins/plugins.list", listing)
        self.write("gatewayd.yaml", SETTINGS.format(dir=self.dir, uid=UID, lan_sock=self.home.lan_sock, pki=self.home.pki,
                                                    port=self.home.port))
        os.makedirs(self.path("cloud"), mode=0o700)
        shutil.copy2(os.path.join(self.home.pki, "gateway.key"), self.path("cloud"))
        for name in ("cloud", "cloud/gateway.key"):
            os.chown(self.path(name), UID["cloud"], UID["cloud"])

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)

    def folder(self, name, mode):
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name), mode)
        os.chmod(self.path(name), mode)
        os.chown(self.path(name), UID["core"], UID["core"])

    def set_up(self):
        """Starts an empty gateway, makes an owner, binds the devices to him and keeps the state."""
        self.install()
        self.folder("state", 0o700)
        self.before()
        self.start(1)
        try:
            door = self.knock()
            door.call("setup", name="owner", password=PASSWORD)
            door.login("owner", PASSWORD)
            self.claim(door)
            door.close()
            self.check()
        except (Refused, OSError) as error:
            raise BenchError(f"the household cannot be set up: {error}\n{self.words()}") from error
        finally:
            self.stop()
        self.household = self.path("household")
        shutil.copytree(self.path("state"), self.household)

    def claim(self, door):
        """A window takes in only so many devices: one after the other until all are the owner's."""
        names = {z2m.device_name(number) for number in range(PUBLISHERS)}
        self.until(lambda: names <= set(self.devices(door)), "the adapter to describe its devices")
        with z2m.Porter(self.home.lan_sock):
            while names:
                door.call("join.open", adapter="wifi", code=door.call("bind.code")["code"], seconds=60)
                waiting = {name for name, device in self.devices(door).items() if device["state"] == "waiting"}
                if not waiting:
                    raise BenchError(f"no device waits for its claim, {len(names)} are not bound\n{self.words()}")
                for name in waiting:
                    door.call("claim.confirm", device=name)
                door.call("join.close", adapter="wifi")
                names -= waiting

    @staticmethod
    def devices(door):
        found, page = {}, door.call("device.list")
        while True:
            found.update({device["name"]: device for device in page["devices"]})
            if not page.get("next"):
                return found
            page = door.call("device.list", after=page["next"])

    def words(self):
        return "".join(f"--- {name}\n{part.tail()}" for name, part in self.parts.items())

    def until(self, condition, what, seconds=15):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise BenchError(f"waited {seconds} s in vain for {what}\n{self.words()}")
            time.sleep(0.02)

    # The verbs of a system.

    def fresh(self):
        if not self.household:
            self.set_up()
        shutil.rmtree(self.path("state"))
        shutil.copytree(self.household, self.path("state"))
        for folder, _, files in os.walk(self.path("state")):
            for name in (folder, *(os.path.join(folder, file) for file in files)):
                os.chown(name, UID["core"], UID["core"])

    def before(self):
        self.parts["broker"] = self.home.broker("lan", (LAN_CONF + UNLIMITED_CONF).format(sock=self.home.lan_sock),
                                                self.home.lan_up)
        z2m.announce(self.home.lan_sock)
        self.folder("run", 0o755)

    def spawn(self, name, argv, groups=()):
        self.parts[name] = self.home.spawn(argv, f"gateway-{name}.log", user=UID[name], group=UID[name],
                                           extra_groups=list(groups), cwd="/", env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})

    def is_socket(self, name):
        try:
            return stat.S_ISSOCK(os.stat(self.path("run", name)).st_mode)
        except OSError:
            return False

    def start(self, qos):
        wire = self.path("run/wire.sock")
        self.spawn("core", [self.path("bin/gatewayd"), "--config", self.path("gatewayd.yaml")])
        self.home.wait(lambda: self.is_socket("wire.sock"), "the core", self.parts["core"])
        self.spawn("wifi", [self.path("bin/gatewayd-adapter"), "wifi", "--socket", wire, "--plugin-dir", self.path("plugins")],
                   [os.stat(self.home.lan_sock).st_gid])
        self.spawn("cloud", [self.path("bin/gatewayd-link"), "cloud", "--socket", wire])

    def ours(self):
        return {name: part.pid for name, part in self.parts.items() if name != "broker"}

    def knock(self):
        self.home.wait(lambda: self.is_socket("door.sock"), "the door", self.parts["core"])
        return Door(self.path("run/door.sock"))

    def stored(self):
        """How many reports the spool holds for the cloud."""
        if not self.door:
            self.door = self.knock()
            self.door.login("owner", PASSWORD)
        return sum(link["queued"]["telemetry"] for link in self.door.call("spool.list")["links"] if link["link"] == "cloud")

    def _end(self, verb):
        if self.door:
            self.door.close()
            self.door = None
        super()._end(verb)
