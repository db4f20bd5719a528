"""brokers - the two brokers of a home, with the configuration that is shipped: "lan" for the small loop, "cloud" for the big one."""

import os

from .broker import REPO, UID, render
from .lab import CLOUD_BROKER, LAN_BROKER
from .netns import compiled, sh
from .platform import Peer


def cloud_broker(lab, pki, name="cloud", certificate="cloud-broker", listen=CLOUD_BROKER):
    """The demo's cloud broker (conf/demo/mosquitto-cloud.conf) on TLS 1.3 with client certificates. certificate: another one to show."""
    return lab.broker(
        name, place="cloud",
        config=lambda broker: render("conf/demo/mosquitto-cloud.conf", PORT=8883, LISTEN=listen, CONF_DIR=broker.conf_dir, STATE_DIR=broker.state_dir),
        files={"mosquitto-cloud.acl": os.path.join(REPO, "conf/demo/mosquitto-cloud.acl"), "cloud-ca.crt": pki.path("cloud-ca.crt"),
               "cloud-broker.crt": pki.path(certificate + ".crt"), "cloud-broker.key": pki.path(certificate + ".key")})


DEVICES = ("plug1:tasmota:AABBCCDDEEFF", "garden:prefix", "porch:prefix", "hall:discovery", "shellyplus1pm-a8032abe54dc:shelly")


class Secrets:
    """Passwords that dynsec-init made, by account."""

    def __init__(self, folder):
        self.folder = folder

    def __getitem__(self, name):
        with open(f"{self.folder}/{name}.password", encoding="utf-8") as text:
            return text.read()


def lan_broker(lab, pki, devices=DEVICES, listen=LAN_BROKER, extra="", group=UID):
    """The shipped LAN broker (conf/broker) with accounts made by dynsec-init: broker.secrets["gateway-intake"], broker.sock.

    The home's own listener, which an administrator adds in conf.d, is TLS 8883 on listen. extra: more lines for conf.d.
    """
    def config(broker):
        broker.secrets = Secrets(broker.folder + "/secrets")
        sh(os.path.join(REPO, "conf/broker/dynsec-init"), "--state", broker.state_dir, "--secrets", broker.secrets.folder,
           *(f"--device={device}" for device in devices))
        os.chown(broker.state_dir + "/dynamic-security.json", UID, UID)
        broker.put("conf.d/home.conf", render("tests/lib/lan-listener.conf", LISTEN=listen, CONF_DIR=broker.conf_dir) + extra)
        broker.put("gatewayd_denied.so", compiled("conf/broker/denied.c", "-shared", "-fPIC", "-fvisibility=hidden"))
        return render("conf/broker/mosquitto.conf.in", CONF_DIR=broker.conf_dir, STATE_DIR=broker.state_dir, RUN_DIR=broker.run_dir,
                      LIB_DIR=broker.conf_dir)
    return lab.broker("lan", config=config, group=group,
                      files={"home-ca.crt": pki.path("home-ca.crt"), "lan-broker.crt": pki.path("lan-broker.crt"),
                             "lan-broker.key": pki.path("lan-broker.key")})


def lan_peer(broker, user, **kwargs):
    """A client of the LAN broker's unix socket with the password of its account."""
    kwargs.setdefault("client_id", user)
    return Peer(broker.sock, user=user, password=broker.secrets[user], **kwargs)
