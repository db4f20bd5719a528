"""home - the whole gateway in a Lab: core, adapters, links, each under a user of its own, between the two brokers in their containers.

    home = Home(lab, pki)
    home.start()
    home.owner()                      anna, logged in: home.door
    home.claim("wifi", "lamp")
"""

import json
import os
import shutil
import sys
import time

from .broker import REPO
from .brokers import cloud_broker, lan_broker
from .netns import sh, wait_until

sys.path.insert(0, os.path.join(REPO, "conf/demo"))
from door import Door, Refused  # noqa: E402,F401

UID = {"core": 64200, "sim": 64201, "wifi": 64202, "home": 64203, "cloud": 64204}
LAN_GROUP = 64220
PASSWORD = "correct horse battery"
BASE = "gatewayd/link-cloud"

SETTINGS = """\
site: {{name: Test home, timezone: UTC, maker: "00d3a0", product: "000001"}}
state_dir: {folder}/state
run_dir: {folder}/run
door: {{mode: "0666"}}
adapters:
  sim:
    plugin: sim
    user: "{uid[sim]}"
    options: {{devices: "lamp=1,contact=1,lock=1", period_ms: "60000", spare: lamp}}
  wifi:
    plugin: wifi
    user: "{uid[wifi]}"
    options:
      broker: {lan}
      intake-user: gateway-intake
      intake_password_file: {folder}/secrets.wifi/gateway-intake.password
      command-user: gateway-command
      command_password_file: {folder}/secrets.wifi/gateway-command.password
      base: zigbee2mqtt
      tasmota: "on"
links:
  home:
    profile: homeassistant
    home: true
    user: "{uid[home]}"
    endpoints: ["unix:{lan}"]
    username: gateway-home
    password_file: {folder}/secrets.home/gateway-home.password
    share: [{{device: "*", class: sensitive}}]
  cloud:
    profile: native
    user: "{uid[cloud]}"
    endpoints: ["mqtts://cloud.test:8883"]
    ca: {folder}/secrets.cloud/cloud-ca.crt
    cert: {folder}/secrets.cloud/link-cloud.crt
    key_file: {folder}/secrets.cloud/link-cloud.key
    client_id: link-cloud
    share: [{{device: "*", class: sensitive}}]
{extra}"""


class PatientDoor(Door):
    """Of short tests one after the other the gateway says that it is asked too often: then it is asked a little later."""

    def call(self, method, **params):
        try:
            return super().call(method, **params)
        except Refused as refused:
            if refused.code != "rate":
                raise
        time.sleep(0.5)
        return super().call(method, **params)


class Home:
    def __init__(self, lab, pki, extra=""):
        self.lab, self.pki = lab, pki
        self.build = os.environ.get("GW_BUILD") or os.path.join(REPO, "build/release")
        self.lan, self.cloud = lan_broker(lab, pki, group=LAN_GROUP), cloud_broker(lab, pki)
        self.folder = lab.folder + "/home"
        self.extra = extra
        self.processes = {}
        self.door = None
        self._install()

    def _install(self):
        os.makedirs(self.folder + "/plugins")
        os.chmod(self.lab.folder, 0o755)
        for name in ("sim.so", "wifi.so"):
            shutil.copy(os.path.join(self.build, name), self.folder + "/plugins")
        for name in ("gatewayd/gatewayd", "gatewayd-link", "gatewayd-adapter", "gatewayctl"):
            shutil.copy(os.path.join(self.build, name), self.folder)
        listing = sh(os.path.join(REPO, "plugins/host/list.sh"), self.folder + "/plugins/sim.so", self.folder + "/plugins/wifi.so")
        self.write("plugins/plugins.list", listing if isinstance(listing, str) else listing.stdout)
        for sub, mode in (("state", 0o700), ("run", 0o755)):
            os.makedirs(f"{self.folder}/{sub}")
            os.chown(f"{self.folder}/{sub}", UID["core"], UID["core"])
            os.chmod(f"{self.folder}/{sub}", mode)
        secrets = self.lan.secrets.folder
        self._hand("wifi", [f"{secrets}/gateway-intake.password", f"{secrets}/gateway-command.password"])
        self._hand("home", [f"{secrets}/gateway-home.password"])
        self._hand("cloud", [self.pki.path(name) for name in ("cloud-ca.crt", "link-cloud.crt", "link-cloud.key")])
        self.settings()

    def settings(self, extra=None):
        self.write("gatewayd.yaml", SETTINGS.format(folder=self.folder, uid=UID, lan=self.lan.sock, extra=self.extra if extra is None else extra))

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(f"{self.folder}/{name}", 0o644)

    def _hand(self, user, files):
        folder = f"{self.folder}/secrets.{user}"
        os.makedirs(folder, mode=0o700)
        os.chown(folder, UID[user], UID[user])
        for file in files:
            copy = shutil.copy(file, folder)
            os.chown(copy, UID[user], UID[user])
            os.chmod(copy, 0o400)

    # Processes: home.processes["core"], ["sim"], ["wifi"], ["home"], ["cloud"].

    def start(self, *names):
        wire = self.folder + "/run/wire.sock"
        argvs = {"core": [self.folder + "/gatewayd", "--config", self.folder + "/gatewayd.yaml"]}
        for adapter in ("sim", "wifi"):
            argvs[adapter] = [self.folder + "/gatewayd-adapter", adapter, "--socket", wire, "--plugin-dir", self.folder + "/plugins"]
        for link in ("home", "cloud"):
            argvs[link] = [self.folder + "/gatewayd-link", link, "--socket", wire]
        for name in names or argvs:
            if name in self.processes:
                self.processes[name].start()
            else:
                groups = (LAN_GROUP,) if name in ("wifi", "home") else ()
                self.processes[name] = self.lab.daemon(name, argvs[name], uid=UID[name], gid=UID[name], groups=groups)
            if name == "core":
                wait_until(lambda: os.path.exists(wire) and self._answers(), 10, "the core's door")
        return self

    def _answers(self):
        try:
            door = Door(self.folder + "/run/door.sock")
        except OSError:
            return False
        door.close()
        return True

    def kill9(self, *names):
        for name in names:
            self.processes[name].kill9()

    # People.

    def owner(self):
        self.door = PatientDoor(self.folder + "/run/door.sock")
        if not self.door.call("hello")["has_owner"]:
            self.door.call("setup", name="anna", password=PASSWORD)
        self.door.login("anna", PASSWORD)
        return self.door

    def again(self):
        """A door to a core that was started anew."""
        return self.owner()

    def devices(self):
        devices, more = {}, {}
        while True:
            page = self.door.call("device.list", **more)
            devices.update({device["name"]: device for device in page["devices"]})
            if not page.get("next"):
                return devices
            more = {"after": page["next"]}

    def value(self, device, capability):
        for cap in self.devices()[device]["capabilities"]:
            if cap["name"] == capability:
                return cap["value"]
        return None

    def claim(self, adapter, *names):
        """In as many windows as it takes: eight a window."""
        wait_until(lambda: set(names) <= set(self.devices()), 30, f"{names} to be there")
        left = list(names)
        while left:
            code = self.door.call("bind.code")["code"]
            self.door.call("join.open", adapter=adapter, code=code, seconds=60)
            wait_until(lambda: any(self.devices()[name]["state"] == "waiting" for name in left), 10, "a device to wait for its claim")
            for name in [n for n in left if self.devices()[n]["state"] == "waiting"]:
                self.door.call("claim.confirm", device=name)
                left.remove(name)
            self.door.call("join.close", adapter=adapter)

    def allow_link(self, link, **more):
        return self.door.call("policy.add", effect="allow", who="link:" + link, what="*", **{"risk_max": "raised", "actions": ["command"], **more})

    def links_up(self, *names):
        links = {link["name"]: link for link in self.door.call("link.list")["links"]}
        return all(links[name]["connected"] for name in names or links)

    def wait_links(self, *names, timeout=20):
        wait_until(lambda: self.links_up(*names), timeout, f"links {names} to connect")

    def audit(self, kind):
        """Every record of that kind."""
        rows, after = [], 0
        while True:
            page = self.door.call("audit.tail", n=500, after=after)["records"]
            if not page:
                return [row for row in rows if row["kind"] == kind]
            rows += page
            after = page[-1]["seq"]


def events(platform):
    """Every event of every batch that the platform has heard, in order of arrival."""
    return [event for message in platform.events(BASE + "/events") for event in json.loads(message.payload)]


# The platform's side of the big loop.

def order(device, capability, value, counter, **changes):
    now = int(time.time() * 1000)
    return {"id": f"o-{counter}", "sender": "app", "issued_at": now, "not_after": now + 10000, "counter": counter, "device": device, "capability": capability,
            "value": value, **changes}


def ask(platform, request, timeout=10):
    mark = platform.mark()
    platform.publish(BASE + "/commands", json.dumps(request))
    answer = platform.wait_for(BASE + "/answers", match=lambda m: m.json["id"] == request["id"], timeout=timeout, after=mark)
    return answer.json["result"]


def trust_time(home, platform):
    platform.publish(BASE + "/time", json.dumps({"now": int(time.time() * 1000)}))
    wait_until(lambda: home.door.call("status")["clock"]["trusted"], 10, "the clock to be trusted")
