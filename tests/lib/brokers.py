"""brokers - the two brokers of a home, with the configuration that is shipped: "lan" for the small loop, "cloud" for the big one."""

import os

from .broker import REPO, render
from .lab import CLOUD_BROKER


def cloud_broker(lab, pki, name="cloud", certificate="cloud-broker", listen=CLOUD_BROKER):
    """The demo's cloud broker (conf/demo/mosquitto-cloud.conf) on TLS 1.3 with client certificates. certificate: another one to show."""
    return lab.broker(
        name, place="cloud",
        config=lambda broker: render("conf/demo/mosquitto-cloud.conf", LISTEN=listen, PKI_DIR=broker.conf_dir, CONF_DIR=broker.conf_dir,
                                     STATE_DIR=broker.state_dir),
        files={"mosquitto-cloud.acl": os.path.join(REPO, "conf/demo/mosquitto-cloud.acl"), "cloud-ca.crt": pki.path("cloud-ca.crt"),
               "cloud-broker.crt": pki.path(certificate + ".crt"), "cloud-broker.key": pki.path(certificate + ".key")})
