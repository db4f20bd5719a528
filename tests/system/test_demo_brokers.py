"""The demo's two brokers as ./dev run lays them out: on this machine's loopback, each under its own user."""

import os
import stat

import pytest

from lib.netns import REPO, compiled, sh
from lib.platform import Peer

LAN_UID, CLOUD_UID, SOCKET_GID, STRANGER = 61010, 61020, 61030, 61040
CLOUD = ("127.0.0.1", 8884)


class Demo:
    def __init__(self, lab):
        self.lab, self.folder = lab, lab.folder + "/demo"
        os.makedirs(self.folder + "/lib")
        os.symlink(compiled("conf/broker/denied.c", "-shared", "-fPIC", "-fvisibility=hidden"), self.folder + "/lib/gatewayd_denied.so")
        self.lay_out()
        self.brokers = [lab.daemon(name, ["mosquitto", "-c", f"{self.folder}/{name}/conf/mosquitto.conf"], uid=uid)
                        for name, uid in (("lan", LAN_UID), ("cloud", CLOUD_UID))]
        for broker in self.brokers:
            broker.wait_log("mosquitto version .* running")

    def lay_out(self):
        sh(REPO + "/conf/demo/brokers.sh", self.folder, str(LAN_UID), str(CLOUD_UID), str(SOCKET_GID), self.folder + "/lib",
           env={**os.environ, "DEMO_DEVICES": "garden:prefix plug1:tasmota:AABBCCDDEEFF"})

    def path(self, name):
        """As lib.pki does it."""
        return f"{self.folder}/pki/{name}"

    def lan(self, user):
        with open(f"{self.folder}/secrets/{user}.password", encoding="utf-8") as password:
            return Peer(self.folder + "/lan/run/lan.sock", user=user, password=password.read())


@pytest.fixture(scope="module")
def demo(shared_lab):
    return Demo(shared_lab)


def test_both_loops(demo):
    with demo.lan("gateway-intake") as intake, demo.lan("garden") as garden:
        intake.subscribe("garden")
        assert garden.publish("garden", "1") == 0
        intake.wait_for("garden")
    tls = {"ca": demo.path("cloud-ca.crt"), "cert": demo.path("link-cloud.crt"), "key": demo.path("link-cloud.key"), "name": "localhost"}
    here = {"inside": lambda: demo.lab.inside("gw")}
    platform_tls = {**tls, "cert": demo.path("platform.crt"), "key": demo.path("platform.key")}
    with Peer(CLOUD, tls=tls, **here) as link, Peer(CLOUD, tls=platform_tls, **here) as platform:
        platform.subscribe("gatewayd/+/devices/#")
        assert link.publish("gatewayd/link-cloud/devices/a", "1") == 0
        platform.wait_for("gatewayd/link-cloud/devices/a")


def test_programs_that_know_only_tcp(demo):
    tls = {"ca": demo.path("home-ca.crt"), "name": "localhost"}
    with open(demo.folder + "/secrets/homeassistant.password", encoding="utf-8") as password:
        assistant = Peer(("127.0.0.1", 8883), user="homeassistant", password=password.read(), tls=tls, inside=lambda: demo.lab.inside("gw"))
    with assistant:
        assert assistant.publish("homeassistant/status", "online") == 0


def test_socket_is_for_its_group(demo):
    code = f"import socket; socket.socket(socket.AF_UNIX).connect({demo.folder + '/lan/run/lan.sock'!r})"
    argv = ["/usr/bin/python3", "-c", code]
    member = demo.lab.daemon("member", argv, uid=STRANGER, groups=(SOCKET_GID,))
    assert member.wait() == 0
    stranger = demo.lab.daemon("stranger", argv, uid=STRANGER)
    assert stranger.wait() != 0 and any("PermissionError" in line for line in stranger.log())


def test_secrets_and_keys_are_private(demo):
    private = [os.path.join(folder, name) for folder, _, names in os.walk(demo.folder) for name in names if name.endswith((".key", ".password", ".json"))]
    assert len(private) > 12
    for path in private:
        assert stat.S_IMODE(os.stat(path).st_mode) in (0o600, 0o640), path
        if stat.S_IMODE(os.stat(path).st_mode) == 0o640:
            assert os.stat(path).st_gid in (LAN_UID, CLOUD_UID), path
    # A broker can read neither the other's key nor the authorities'.
    for uid, path in ((LAN_UID, "cloud/conf/cloud-broker.key"), (CLOUD_UID, "lan/conf/lan-broker.key"), (LAN_UID, "pki/home-ca.key"), (LAN_UID, "secrets/gateway-command.password")):
        reader = demo.lab.daemon("reader", ["cat", f"{demo.folder}/{path}"], uid=uid)
        assert reader.wait() != 0, path


def test_again_it_keeps_what_is_there(demo):
    def kept():
        names = [os.path.join(folder, name) for top in ("pki", "secrets") for folder, _, files in os.walk(f"{demo.folder}/{top}") for name in files]
        return {name: open(name, "rb").read() for name in [*names, demo.folder + "/lan/state/dynamic-security.json"]}
    before = kept()
    demo.lay_out()
    assert kept() == before and len(before) > 20


def test_ends_on_request(demo):
    for broker in demo.brokers:
        assert broker.stop() == 0
