"""pki - certificates for tests, made by the demo's own pki.sh, so that the tests also prove the script."""

import os
import shutil

from .broker import REPO
from .netns import sh

SCRIPT = os.path.join(REPO, "conf/demo/pki.sh")
EXPIRED = {"PKI_FROM": "20200101000000Z", "PKI_UNTIL": "20210101000000Z"}
NOT_YET = {"PKI_FROM": "20900101000000Z", "PKI_UNTIL": "20910101000000Z"}


class Pki:
    """A folder of authorities and certificates. ca(), server() and client() return the path without the ending: add .crt or .key."""

    def __init__(self, folder):
        self.folder = str(folder)

    def path(self, name):
        return f"{self.folder}/{name}"

    def ca(self, name):
        self._run("ca", self.folder, name)
        return self.path(name + "-ca.crt")

    def server(self, ca, name, *sans, life=None):
        """sans: "DNS:cloud.test", "IP:10.91.3.2". life: EXPIRED, NOT_YET or None."""
        self._run("server", self.folder, ca, name, *sans, life=life)
        return self.path(name)

    def client(self, ca, name, life=None):
        self._run("client", self.folder, ca, name, life=life)
        return self.path(name)

    def pin(self, name):
        """base64(SHA-256(SubjectPublicKeyInfo)) of NAME.crt."""
        return self._run("pin", self.path(name) + ".crt").strip()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _run(*argv, life=None):
        return sh(SCRIPT, *argv, env={**os.environ, **(life or {})})


def house(folder, lan_ip="10.91.1.2", cloud_ip="10.91.3.2", spare_ip="10.91.3.3"):
    """Everything the system tests need, for the addresses of lab.py.

    home-ca   lan-broker
    cloud-ca  cloud-broker, spare-broker, and two that must be refused: wrong-name (for another host) and expired
              link-cloud, platform; stranger-ca issues "stranger", which the cloud broker must refuse
    """
    pki = Pki(folder)
    pki.ca("home")
    pki.ca("cloud")
    pki.ca("stranger")
    pki.server("home", "lan-broker", "DNS:lan.test", "DNS:localhost", f"IP:{lan_ip}", "IP:127.0.0.1")
    pki.server("cloud", "cloud-broker", "DNS:cloud.test", f"IP:{cloud_ip}")
    pki.server("cloud", "spare-broker", "DNS:spare.test", f"IP:{spare_ip}")
    pki.server("cloud", "wrong-name", "DNS:elsewhere.test", "IP:192.0.2.1")
    pki.server("cloud", "expired", "DNS:cloud.test", f"IP:{cloud_ip}", life=EXPIRED)
    for name in ("link-cloud", "platform"):
        pki.client("cloud", name)
    pki.client("stranger", "stranger")
    return pki
