"""The laboratory itself: every fault does what it says, restore() undoes it, and nothing is left behind."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest

from lib import netns
from lib.brokers import cloud_broker
from lib.lab import CLOUD_BROKER, Lab, LabError, wait_until
from lib.platform import NOT_AUTHORISED, Peer, Platform, Refused

CLOUD = (CLOUD_BROKER, 8883)


@pytest.fixture(scope="module")
def cloud(shared_lab, pki):
    return cloud_broker(shared_lab, pki)


@pytest.fixture
def net(shared_lab, cloud):
    """The shared lab with a working cloud broker; restored after each test whatever happened."""
    yield shared_lab
    shared_lab.wan.restore()


def gateway(lab, pki, **kwargs):
    """A client where the gateway would be, with the cloud link's certificate."""
    tls = {"ca": pki.path("cloud-ca.crt"), "cert": pki.path("link-cloud.crt"), "key": pki.path("link-cloud.key"), "name": "cloud.test"}
    return Peer(CLOUD, tls=tls, inside=lambda: lab.inside("gw"), **kwargs)


def tcp_seconds(lab, timeout=1.0):
    """How long connecting from the gateway to the cloud takes; the socket's own error when it fails."""
    with lab.inside("gw"):
        start = time.monotonic()
        with socket.create_connection(CLOUD, timeout=timeout):
            return time.monotonic() - start


def works(lab):
    return tcp_seconds(lab) < 0.5


def test_message_crosses_wan(net, pki):
    with Platform(net, pki) as platform, gateway(net, pki) as gw:
        assert platform.subscribe("gatewayd/+/up/#") == [1]
        assert gw.subscribe("gatewayd/link-cloud/down/#") == [1]
        assert gw.publish("gatewayd/link-cloud/up/hello", {"n": 1}) == 0
        assert platform.wait_for("gatewayd/+/up/hello").json == {"n": 1}
        assert platform.publish("gatewayd/link-cloud/down/cmd", "x") == 0
        assert gw.wait_for("gatewayd/link-cloud/down/#").payload == b"x"
