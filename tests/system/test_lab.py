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
        assert platform.subscribe("gatewayd/+/devices/#") == [1]
        assert gw.subscribe("gatewayd/link-cloud/commands/#") == [1]
        assert gw.publish("gatewayd/link-cloud/devices/hello", {"n": 1}) == 0
        assert platform.wait_for("gatewayd/+/devices/hello").json == {"n": 1}
        assert platform.publish("gatewayd/link-cloud/commands/cmd", "x") == 0
        assert gw.wait_for("gatewayd/link-cloud/commands/#").payload == b"x"


def test_cut_hangs_the_publisher(net, pki):
    with gateway(net, pki) as gw:
        assert gw.publish("gatewayd/link-cloud/devices/a", "1") == 0
        net.wan.cut()
        with pytest.raises(LabError, match="PUBACK"):
            gw.publish("gatewayd/link-cloud/devices/a", "2", timeout=1)
        with pytest.raises(TimeoutError):
            tcp_seconds(net, timeout=0.5)
        net.wan.restore()
        assert gw.publish("gatewayd/link-cloud/devices/a", "3") == 0


@pytest.mark.parametrize("way", ["up", "down"])
def test_one_way_cut(net, pki, way):
    """Upwards lost: the broker never sees it. Downwards lost: the broker has it and the publisher cannot know."""
    with Platform(net, pki) as platform, gateway(net, pki) as gw:
        platform.subscribe("gatewayd/+/devices/#")
        net.wan.cut_one_way(way)
        with pytest.raises(LabError, match="PUBACK"):
            gw.publish("gatewayd/link-cloud/devices/one-way", "x", timeout=0.7)
        assert platform.nothing_on("gatewayd/link-cloud/devices/one-way", 0.1) == (way == "up")


def test_reset_refuses_at_once(net):
    with net.inside("gw"):
        stands = socket.create_connection(CLOUD, timeout=1)
    with stands:
        net.wan.reset()
        start = time.monotonic()
        with pytest.raises(ConnectionRefusedError):
            tcp_seconds(net)
        stands.send(b"\x10")
        with pytest.raises(ConnectionResetError):
            stands.recv(1)
        assert time.monotonic() - start < 0.5
    net.wan.restore()
    assert works(net)


def test_kill_connections(net, pki):
    with gateway(net, pki) as gw:
        before = gw.n_connects
        net.wan.kill_connections()
        wait_until(lambda: gw.n_connects > before, 5, "paho to connect again")
        assert gw.publish("gatewayd/link-cloud/devices/a", "1") == 0


def test_link_down_tells_the_gateway(net):
    net.wan.link_down()
    with pytest.raises(OSError, match="unreachable"):
        tcp_seconds(net)
    net.wan.restore()
    assert works(net)


def test_delay_is_measured(net, pki):
    """Connecting takes one round trip: twice the delay."""
    near = min(tcp_seconds(net) for _ in range(5))
    net.wan.slow(delay_ms=80, jitter_ms=10)
    far = sorted(tcp_seconds(net) for _ in range(5))[2]
    assert 0.12 < far - near < 0.5
    with gateway(net, pki) as gw:
        start = time.monotonic()
        assert gw.publish("gatewayd/link-cloud/devices/a", "1") == 0
        assert time.monotonic() - start > 0.13
    net.wan.restore()
    assert min(tcp_seconds(net) for _ in range(5)) < 0.1


def test_loss_is_counted(net):
    net.wan.slow(loss_percent=50)
    out = net.output_in("gw", ["ping", "-q", "-c", "200", "-i", "0.002", "-W", "1", CLOUD_BROKER], check=False)
    lost = float(out.split("% packet loss")[0].split()[-1])
    assert 60 < lost < 90  # half of the requests, and half of the answers to the rest: 75


def test_order_is_kept_under_jitter(net, pki):
    net.wan.slow(delay_ms=5, jitter_ms=5)
    with Platform(net, pki) as platform, gateway(net, pki) as gw:
        platform.subscribe("gatewayd/+/devices/#")
        assert set(gw.publish_many(("gatewayd/link-cloud/devices/n", str(n)) for n in range(300))) == {0}
        platform.wait_for(match=lambda m: m.payload == b"299", timeout=10)
        assert [int(m.payload) for m in platform.events("gatewayd/+/devices/n")] == list(range(300))


def test_pause_freezes_the_broker(net, cloud, pki):
    with gateway(net, pki) as gw:
        cloud.pause()
        try:
            with pytest.raises(LabError, match="PUBACK"):
                gw.publish("gatewayd/link-cloud/devices/a", "1", timeout=0.7)
            assert works(net)  # the kernel still accepts connections
        finally:
            cloud.unpause()
        assert gw.publish("gatewayd/link-cloud/devices/a", "2") == 0


def test_kill9_start_and_restart(net, cloud):
    cloud.kill9()
    with pytest.raises(ConnectionRefusedError):
        tcp_seconds(net)
    cloud.start()
    assert works(net)
    cloud.restart()
    assert works(net)
    cloud.reload()
    cloud.wait_log("[Rr]eloading config")


def test_lan_cable_has_the_same_faults(net):
    from lib.lab import LAN_BROKER
    broker = net.broker("plain", place="lan", config=f"listener 1883 {LAN_BROKER}\nallow_anonymous true\nlog_dest stderr\n")
    lan = (LAN_BROKER, 1883)

    def connect(timeout=0.5):
        with net.inside("gw"):
            socket.create_connection(lan, timeout=timeout).close()

    try:
        connect()
        net.lan.cut()
        with pytest.raises(TimeoutError):
            connect()
        net.lan.reset()
        with pytest.raises(ConnectionRefusedError):
            connect()
        net.lan.slow(delay_ms=60)
        start = time.monotonic()
        connect()
        assert time.monotonic() - start > 0.11
        net.lan.link_down()
        with pytest.raises(OSError):
            connect()
        assert works(net)  # the other cable is not touched
    finally:
        net.lan.restore()
    connect(timeout=5)  # a line that has just come up looks for its neighbour first
    broker.kill9()


def tls_answer(lab, pki, certificate=None, newest=ssl.TLSVersion.TLSv1_3, say=b""):
    """What the cloud broker says to a client hello, and to a first packet; in TLS 1.3 a bad certificate is told only after the handshake."""
    context = ssl.create_default_context(cafile=pki.path("cloud-ca.crt"))
    context.maximum_version = newest
    if certificate:
        context.load_cert_chain(pki.path(certificate + ".crt"), pki.path(certificate + ".key"))
    with lab.inside("gw"), socket.create_connection(CLOUD, timeout=2) as raw:
        with context.wrap_socket(raw, server_hostname="cloud.test") as tls:
            if say:
                tls.send(say)
            return tls.recv(1)


def test_cloud_broker_believes_only_certificates(net, pki):
    pingreq = bytes([0xC0, 0])  # before CONNECT: the broker closes
    assert tls_answer(net, pki, "link-cloud", say=pingreq) == b""
    with pytest.raises(ssl.SSLError, match="(?i)unknown.ca"):
        tls_answer(net, pki, "stranger")
    with pytest.raises(ssl.SSLError, match="(?i)certificate.required"):
        tls_answer(net, pki)
    with pytest.raises(ssl.SSLError, match="(?i)version"):
        tls_answer(net, pki, "link-cloud", newest=ssl.TLSVersion.TLSv1_2)


def test_cloud_broker_keeps_clients_apart(net, pki):
    with gateway(net, pki) as gw:
        assert gw.publish("gatewayd/other/devices/a", "x") == NOT_AUTHORISED
        assert gw.publish("gatewayd/link-cloud/commands/a", "x") == NOT_AUTHORISED
        gw.subscribe("#")
        with Platform(net, pki) as platform:
            assert platform.publish("gatewayd/other/commands/a", "x") == 0
            assert platform.publish("gatewayd/link-cloud/devices/a", "x") == NOT_AUTHORISED
        assert gw.nothing_on("gatewayd/other/commands/a", 0.3)


@pytest.mark.parametrize("certificate", ["wrong-name", "expired"])
def test_bad_server_certificates_are_bad(net, cloud, pki, certificate):
    """The certificates that gatewayd-link must refuse are refused by a client that checks."""
    spare = cloud_broker(net, pki, name=certificate, certificate=certificate, listen="10.91.3.3")
    tls = {"ca": pki.path("cloud-ca.crt"), "cert": pki.path("link-cloud.crt"), "key": pki.path("link-cloud.key"), "name": "cloud.test"}
    with pytest.raises(ssl.SSLCertVerificationError):
        Peer(("10.91.3.3", 8883), tls=tls, inside=lambda: net.inside("gw")).connect()
    spare.kill9()


def test_pin_is_the_hash_of_the_public_key(pki):
    import base64
    import hashlib
    pem = subprocess.run(["openssl", "x509", "-in", pki.path("cloud-broker.crt"), "-noout", "-pubkey"], check=True, capture_output=True).stdout
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    assert pki.pin("cloud-broker") == base64.b64encode(hashlib.sha256(der).digest()).decode()
    assert pki.pin("cloud-broker") != pki.pin("wrong-name")


def test_keys_are_private(pki):
    keys = [name for name in os.listdir(pki.folder) if name.endswith(".key")]
    assert len(keys) > 8
    assert {os.stat(pki.path(name)).st_mode & 0o777 for name in keys} == {0o600}


def test_programs_in_the_gateway_find_names(net):
    assert CLOUD_BROKER in net.output_in("gw", ["getent", "hosts", "cloud.test"])
    process = net.run_in_gw(["sleep", "30"])
    wait_until(lambda: process.pid in netns.pids_in(net.netns("gw")), 2, "sleep to be in the gateway's namespace")
    wait_until(lambda: "sleep" in open(f"/proc/{process.pid}/comm").read(), 2, "the pid to be the program's own")
    process.kill()
    process.wait()


def test_daemon_has_a_user_a_log_and_several_lives(net):
    daemon = net.daemon("probe", ["/bin/sh", "-c", "id -u; id -g; id -G; echo life $WHICH; exec sleep 60"], uid=61001, gid=61002, groups=(61003,),
                        env={"WHICH": "first"})
    daemon.wait_log("^life first$")
    assert daemon.log()[:3] == ["61001", "61002", "61002 61003"]
    assert daemon.stop() == -signal.SIGTERM
    mark = daemon.mark()
    daemon.start().wait_log("^life", after=mark)
    daemon.kill9()
    with pytest.raises(LabError, match="ended .* before"):
        daemon.wait_log("^never$")


def test_daemon_that_hangs_is_frozen_thawed_and_found_out(net):
    daemon = net.daemon("deaf", ["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do echo alive; sleep 0.05; done"])
    daemon.wait_log("^deaf$")
    daemon.freeze()
    mark = daemon.mark()
    with pytest.raises(LabError, match="waited"):
        daemon.wait_log("^alive$", timeout=0.3, after=mark + 1)
    daemon.thaw()
    daemon.wait_log("^alive$", after=mark + 1)
    with pytest.raises(LabError, match="did not end"):
        daemon.stop(timeout=0.3)
    assert not daemon.is_alive()


def test_small_disk_gets_full(net):
    folder = net.small_disk("disk", size="256k")
    with pytest.raises(OSError, match="No space"), open(folder + "/file", "wb", buffering=0) as out:
        for _ in range(200):
            out.write(bytes(4096))


def leftovers(run):
    return (netns.names_of(run) + netns.mounts_under(f"/run/{run}")
            + [name for name in os.listdir("/run") if name == run]
            + netns.sh("podman", "ps", "-aq", "--filter", f"name=^{run}-", env=netns.podman_env()).split())


def test_nothing_is_left_behind_after_an_exception(pki):
    with pytest.raises(ZeroDivisionError), Lab() as lab:
        cloud_broker(lab, pki)
        lab.wan.slow(delay_ms=10)
        process = lab.run_in_gw(["sleep", "60"])
        lab.small_disk("disk")
        assert len(leftovers(lab.run)) >= 7
        1 / 0
    assert leftovers(lab.run) == []
    assert process.poll() is not None


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"  # an orphan's remains are for init to collect
    except FileNotFoundError:
        return False


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from lib.lab import Lab
lab = Lab().__enter__()
lab.broker("cloud", config="listener 1883\\nlog_dest stderr\\n")
lab.run_in_gw(["sleep", "60"])
lab.small_disk("disk")
lab.wan.slow(delay_ms=10)
print(lab.run, flush=True)
time.sleep(60)
"""


def test_what_a_killed_run_leaves_is_swept(shared_lab):
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    victim = subprocess.Popen([sys.executable, "-c", KILLED, tests], stdout=subprocess.PIPE, text=True)
    run = victim.stdout.readline().strip()
    assert run.startswith(netns.PREFIX)
    netns.sweep()
    assert len(leftovers(run)) >= 7  # alive: a sweep by someone else leaves it alone
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    pids = [pid for name in netns.names_of(run) for pid in netns.pids_in(name)]
    assert len(pids) >= 3  # sleep, nfqd, mosquitto
    netns.sweep()
    assert leftovers(run) == []
    wait_until(lambda: not any(is_running(pid) for pid in pids), 2, f"{pids} to end")
    assert len(leftovers(shared_lab.run)) >= 6  # ours stands


def test_refused_login_has_its_reason(net):
    broker = net.broker("closed", place="lan", config="listener 1884 10.91.1.2\nallow_anonymous false\nlog_dest stderr\n")
    with pytest.raises(Refused) as refused:
        Peer(("10.91.1.2", 1884), inside=lambda: net.inside("gw")).connect()
    assert refused.value.code == NOT_AUTHORISED
    broker.kill9()
