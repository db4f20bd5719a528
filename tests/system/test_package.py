"""The Debian package on a machine with systemd: it builds, installs, starts; what hangs is restarted, and alone; nobody can leave his fence;
an upgrade keeps the home, a purge leaves nothing.

One machine for the file. The tests run in their order, because installing, upgrading and purging have one.
"""

import errno
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from lib import netns
from lib.machine import Machine
from lib.netns import REPO, compiled, sh, wait_until
from lib.pki import Pki

sys.path.insert(0, os.path.join(REPO, "conf/demo"))
from door import Door  # noqa: E402

sys.path.insert(0, os.path.join(REPO, "tests/lint"))
import keys  # noqa: E402

SOURCES = ["LICENSE", "conf", "debian", "docs", "gatewayd", "meson.build", "meson_options.txt", "plugins", "systemd", "tests/bench"]
CORE = "gatewayd.service"
CLOCK = "gatewayd-clock.service"
SIM, WIFI, TRIES = (f"gatewayd-adapter@{name}.service" for name in ("sim", "wifi", "tries"))
ZIGBEE, BLE, SHELLY = (f"gatewayd-adapter@{name}.service" for name in ("zigbee", "ble", "shelly"))
HOME, CLOUD = (f"gatewayd-link@{name}.service" for name in ("home", "cloud"))
BROKER = "gatewayd-broker.service"
OURS = [CORE, CLOCK, SIM, WIFI, HOME, CLOUD]
USER = {CORE: "gatewayd", CLOCK: "gw-clock", SIM: "gw-sim", WIFI: "gw-wifi", HOME: "gw-home", CLOUD: "gw-cloud"}
PASSWORD = "correct horse battery staple"

# Watchdogs that a test can wait for; the rest of the units is as shipped.
WATCHDOG_S = {CORE: 5, CLOCK: 4, SIM: 3, WIFI: 3, HOME: 3, CLOUD: 3}

SETTINGS = """\
adapters:
  sim:
    plugin: sim
    options:
      devices: lamp=1,contact=1
      period_ms: "1000"
  tries:
    plugin: /usr/lib/gatewayd-test/tries.so
    sha256: "{tries_hash}"
links:
  cloud:
    profile: native
    endpoints: ["mqtts://localhost:8884"]
    ca: /usr/lib/gatewayd-test/cloud-ca.crt
    cert: /usr/lib/gatewayd-test/link-cloud.crt
    key_file: /etc/gatewayd/secrets/cloud.key
    client_id: link-cloud
    share:
      - device: "*"
        class: ordinary
"""


# Building


def digest_of(paths):
    digest = hashlib.sha256()
    for top in paths:
        top = os.path.join(REPO, top)
        files = [top] if os.path.isfile(top) else sorted(os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names
                                                         if "__pycache__" not in folder)
        for path in files:
            with open(path, "rb") as data:
                digest.update(os.path.relpath(path, REPO).encode() + b"\0" + hashlib.sha256(data.read()).digest())
    return digest.hexdigest()[:16]


def build(work):
    """dpkg-buildpackage in a copy of the tree."""
    source = f"{work}/gatewayd"
    os.makedirs(source)
    for top in SOURCES:
        if os.path.isdir(os.path.join(REPO, top)):
            shutil.copytree(os.path.join(REPO, top), f"{source}/{top}", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(os.path.join(REPO, top), source)
    done = subprocess.run(["dpkg-buildpackage", "-us", "-uc", "-b", "-j2"], cwd=source, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=400)
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-40:])
    shutil.rmtree(source)


@pytest.fixture(scope="module")
def debs():
    """Folder with the packages of this very tree; built anew when a file of it has changed."""
    folder = os.path.join(REPO, "build/package", digest_of(SOURCES))
    with netns.one_at_a_time("package"):
        if not os.path.isdir(folder):
            shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
            os.makedirs(folder + ".new")
            build(folder + ".new")
            os.rename(folder + ".new", folder)
    return folder


def one(folder, pattern):
    found = [name for name in os.listdir(folder) if re.fullmatch(pattern, name)]
    assert len(found) == 1, found
    return os.path.join(folder, found[0])


@pytest.fixture(scope="module")
def deb(debs):
    return one(debs, r"gatewayd_[\d.]+_\w+\.deb")


def field(deb, name):
    return sh("dpkg-deb", "-f", deb, name).strip()


def depends(deb):
    """The first alternative of each dependency, without versions."""
    return [re.match(r"[\w.+-]+", term.strip())[0] for term in field(deb, "Depends").split(",")]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """What the tests bring along: certificates of a cloud broker, programs that try what is forbidden."""
    folder = str(tmp_path_factory.mktemp("bench"))
    os.chmod(folder, 0o755)
    pki = Pki(folder)
    pki.ca("cloud")
    pki.server("cloud", "cloud-broker", "DNS:localhost", "IP:127.0.0.1")
    pki.client("cloud", "link-cloud")
    shutil.copy(compiled("tests/system/fence_tries.c", "-static"), folder + "/tries")
    shutil.copy(compiled("tests/system/fence_tries.c", "-DFENCE_PLUGIN", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{REPO}/plugins"),
                folder + "/tries.so")
    return folder


@pytest.fixture(scope="module")
def machine(deb, debs, bench):
    with Machine(depends(deb), shared={"/usr/lib/gatewayd-test": bench, "/debs": debs}) as one_machine:
        yield one_machine


def test_lintian_has_nothing_to_say(debs):
    changes = one(debs, r"gatewayd_.*\.changes")
    done = subprocess.run(["lintian", "-I", "--pedantic", "--allow-root", changes], capture_output=True, text=True, timeout=120)
    assert done.stdout == "" and done.returncode == 0, done.stdout + done.stderr


def test_the_package_holds_no_secret_and_lists_its_plugins(debs, deb, tmp_path):
    sh("dpkg-deb", "-R", deb, str(tmp_path))
    with open(os.path.join(REPO, "plugins/zigbee/models.tsv"), "rb") as table:
        models = set(re.split(rb"[\t\n]", table.read()))  # some makers draw the names of their models
    files = [os.path.join(folder, name) for folder, _, names in os.walk(tmp_path) for name in names]
    for path in files:
        if os.path.islink(path):
            continue
        with open(path, "rb") as data:
            content = data.read()
        assert b"-----BEGIN" not in content.replace(b"-----BEGIN %s", b""), path
        if path.endswith(".gz"):
            content = gzip.decompress(content)
        content = re.sub(rb"[0-9a-f]{38}\.debug", b"", content)  # where the symbols lie is a hash, too
        # What is random in these two are the hashes of the files beside them.
        if not path.endswith(("/plugins.list", "/md5sums")):
            words = "\n".join(word.decode() for word in re.findall(rb"[\t -~]{16,}", content) if word not in models)
            assert not [words[at:at + 64] for at in keys.drawn(path, words)], path
        assert not re.search(r"\.(key|crt|pem|password)$", path), path
        assert os.stat(path).st_mode & 0o6022 == 0, path
    with open(tmp_path / "DEBIAN/conffiles") as conffiles:
        assert sorted(conffiles.read().split()) == ["/etc/gatewayd/broker/mosquitto.conf", "/etc/gatewayd/gatewayd.yaml"]
    with open(tmp_path / "usr/lib/gatewayd/plugins.list") as listing:
        listed = dict(reversed(line.split()) for line in listing if not line.startswith("#"))
    shipped = {}
    for name in os.listdir(tmp_path / "usr/lib/gatewayd/plugins"):
        with open(tmp_path / "usr/lib/gatewayd/plugins" / name, "rb") as data:
            shipped[name] = hashlib.sha256(data.read()).hexdigest()
    assert listed == shipped and set(shipped) == {name + ".so" for name in ("ble", "shelly", "sim", "wifi", "zigbee")}
    assert any(name.startswith("gatewayd-dbgsym_") for name in os.listdir(debs))
    assert re.search(r" \./usr/include/gatewayd/\S*gw_adapter\.h\n", sh("dpkg-deb", "-c", one(debs, r"gatewayd-plugin-dev_.*\.deb")))


# Installing


def start_cloud_broker(machine):
    """A platform's broker, as a unit of the test's own."""
    with open(os.path.join(REPO, "conf/demo/mosquitto-cloud.conf"), encoding="utf-8") as template:
        conf = template.read()
    for mark, value in (("PORT", "8884"), ("LISTEN", "127.0.0.1"), ("CONF_DIR", "/srv/cloud"), ("STATE_DIR", "/srv/cloud")):
        conf = conf.replace(f"@{mark}@", value)
    machine.write("/srv/cloud/mosquitto.conf", conf)
    with open(os.path.join(REPO, "conf/demo/mosquitto-cloud.acl"), encoding="utf-8") as acl:
        machine.write("/srv/cloud/mosquitto-cloud.acl", acl.read())
    machine.sh("""
        cp /usr/lib/gatewayd-test/cloud-ca.crt /usr/lib/gatewayd-test/cloud-broker.* /srv/cloud
        chown -R mosquitto /srv/cloud
        systemd-run -q --unit=cloud-broker -p User=mosquitto /usr/sbin/mosquitto -c /srv/cloud/mosquitto.conf
        """)


def door_of(machine):
    door = Door(machine.path("/run/gatewayd/door.sock"))
    door.login("anna", PASSWORD)
    return door


def test_it_installs_and_starts_what_is_shipped(machine, deb):
    """With the settings as they are shipped: core, clock watch, broker, adapter wifi, link home."""
    before = machine.sh("sha256sum /etc/mosquitto/mosquitto.conf; systemctl is-active mosquitto; systemctl show -p MainPID mosquitto")
    started = time.monotonic()
    machine.sh(f"dpkg -i /debs/{os.path.basename(deb)}", timeout=120)
    assert time.monotonic() - started < 60
    units = [CORE, CLOCK, BROKER, WIFI, HOME]
    wait_until(lambda: all(unit["ActiveState"] == "active" for unit in machine.show(units, "ActiveState").values()), 30, "the shipped units", step=0.3)
    assert machine.sh("sha256sum /etc/mosquitto/mosquitto.conf; systemctl is-active mosquitto; systemctl show -p MainPID mosquitto") == before
    assert machine.sh("systemctl is-enabled gatewayd.target").strip() == "enabled"
    # Later tests shorten the watchdogs; they are there as shipped.
    shipped = {unit: values["WatchdogUSec"] for unit, values in machine.show([CORE, CLOCK, WIFI, HOME], "WatchdogUSec").items()}
    assert shipped == {CORE: "30s", CLOCK: "30s", WIFI: "10s", HOME: "10s"}
    # Secrets were made here, each for the one who uses it.
    secrets = dict(reversed(line.split()) for line in machine.sh("cd /etc/gatewayd/secrets; stat -c '%a:%U %n' *.password").splitlines())
    assert secrets == {"gateway-broker-admin.password": "600:root", "gateway-command.password": "600:gw-wifi", "gateway-home.password": "600:gw-home",
                       "gateway-intake.password": "600:gw-wifi", "homeassistant.password": "600:root", "zigbee2mqtt.password": "600:root"}
    assert machine.sh("stat -c %a:%U /etc/gatewayd/secrets /etc/gatewayd/broker/lan-broker.key /var/lib/gatewayd /var/lib/gatewayd-broker").split() == [
        "711:root", "400:gw-broker", "700:gatewayd", "700:gw-broker"]
    assert machine.sh("openssl verify -CAfile /etc/gatewayd/broker/home-ca.crt /etc/gatewayd/broker/lan-broker.crt").strip().endswith("OK")


def test_everything_starts_and_status_says_so(machine, bench):
    """With sim, a foreign plugin and a cloud link as well, and watchdogs that a test can wait for."""
    start_cloud_broker(machine)
    with open(bench + "/tries.so", "rb") as plugin:
        machine.write("/etc/gatewayd/conf.d/10-test.yaml", SETTINGS.format(tries_hash=hashlib.sha256(plugin.read()).hexdigest()))
    for unit, seconds in WATCHDOG_S.items():
        machine.write(f"/run/systemd/system/{unit}.d/50-test.conf", f"[Service]\nWatchdogSec={seconds}s\n")
    # Long enough to see that its devices are gone.
    machine.write(f"/run/systemd/system/{SIM}.d/60-test.conf", "[Service]\nRestartSec=3s\n")
    machine.sh("""
        useradd --system --no-create-home gw-tries
        install -m 0400 -o gw-cloud -g gw-cloud /usr/lib/gatewayd-test/link-cloud.key /etc/gatewayd/secrets/cloud.key
        gatewayd --check-config
        systemctl daemon-reload
        systemctl -q enable gatewayd-adapter@sim gatewayd-link@cloud
        systemctl restart gatewayd.target
        """)
    all_run(machine)
    door = Door(machine.path("/run/gatewayd/door.sock"))
    door.call("setup", name="anna", password=PASSWORD)
    door.login("anna", PASSWORD)
    wait_until(lambda: all(link["connected"] for link in door.call("link.list")["links"]), 20, "both links to be connected")
    assert {link["name"] for link in door.call("link.list")["links"]} == {"home", "cloud"}
    claim_lamp(door)
    status = machine.sh(f"echo '{PASSWORD}' | gatewayctl login anna --password-stdin && gatewayctl status")
    for word in ("sim", "wifi", "home", "cloud"):
        assert word in status, status


def lamps(door):
    return [device for device in door.call("device.list")["devices"] if device["model"] == "SL-1"]


def lamp(door):
    return lamps(door)[0]


def claim_lamp(door):
    """anna becomes the owner of sim's lamp."""
    wait_until(lambda: lamps(door), 10, "the lamp to be known")
    code = door.call("bind.code")["code"]
    door.call("join.open", adapter="sim", code=code, seconds=60)
    wait_until(lambda: lamp(door)["state"] == "waiting", 10, "the lamp to wait for its claim")
    door.call("claim.confirm", device=lamp(door)["id"])
    door.call("join.close", adapter="sim")
    assert lamp(door)["state"] == "ours"


def test_each_process_says_how_its_fence_stands(machine):
    """Landlock is there, also under the unit that would forbid it if it were not named."""
    for unit in OURS:
        stands = [int(abi) for abi in re.findall(r"landlock=(\d+) seccomp=1", "\n".join(machine.journal(unit)))]
        assert stands and min(stands) > 0, (unit, machine.journal(unit))


def test_the_kernel_says_the_same_of_each_process(machine):
    """Of the real daemons while they serve: no capability, no new one, system calls filtered, a network of their own that is none."""
    outside = os.readlink(machine.path("/proc/1/ns/net"))
    for unit, values in machine.show(OURS, "MainPID").items():
        folder = machine.path(f"/proc/{values['MainPID']}")
        with open(folder + "/status", encoding="utf-8") as text:
            status = dict(line.split(":\t", 1) for line in text.read().splitlines())
        assert [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")] == [0] * 5, unit
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), unit
        assert (os.readlink(folder + "/ns/net") == outside) == (unit == CLOUD), unit
        assert "0" not in status["Uid"].split() and "0" not in status["Gid"].split() and "0" not in status["Groups"].split(), unit


def test_nobody_listens_beyond_loopback(machine):
    """Of ours, one does at all: the broker."""
    listening = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in machine.sh(f"cat /proc/net/{table}").splitlines()[1:]:
            words = line.split()
            if table.startswith("udp") or words[3] == "0A":
                address, port = words[1].split(":")
                listening.add((address, int(port, 16)))
    loopback = {"0100007F", "00000000000000000000000001000000"}
    assert {address for address, _ in listening} <= loopback, listening
    # 1883: Debian's own mosquitto; 8884: the test's platform.
    assert {port for _, port in listening} == {1883, 8883, 8884}


def test_systemd_finds_nothing_to_object_to(machine):
    units = [CORE, CLOCK, SIM, WIFI, ZIGBEE, BLE, SHELLY, HOME, CLOUD, BROKER, "gatewayd-broker-setup.service", "gatewayd.target"]
    assert machine.sh(f"systemd-analyze verify --man=no {' '.join(units)} 2>&1").strip() == ""


@pytest.mark.parametrize("unit, most", [(CORE, 0.4), (SIM, 0.4), (WIFI, 0.4), (ZIGBEE, 0.4), (BLE, 0.4), (SHELLY, 1.1), (HOME, 0.4), (CLOCK, 0.5), (CLOUD, 1.1), (BROKER, 1.1)])
def test_exposure(machine, unit, most):
    text = machine.sh(f"systemd-analyze security --offline=yes --no-pager {unit}")
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text)[1])
    assert level <= most, text


def test_the_core_hears_whether_the_clock_is_right(machine):
    """It may not ask the kernel; gatewayd-clock's file is there when the kernel says yes, and only then."""
    synced = machine.sh("python3 -c 'import ctypes; b = ctypes.create_string_buffer(512); c = ctypes.CDLL(None); c.adjtimex(b);"
                        " print(not ctypes.c_int.from_buffer(b, 40).value & 64)'").strip() == "True"
    assert os.path.exists(machine.path("/run/gatewayd-clock/synchronized")) == synced
    said = [line for line in machine.journal(CLOCK) if "the clock is" in line]
    assert said and ("is synchronised" in said[-1]) == synced


def test_the_core_believes_that_file_and_nothing_else(machine):
    """Under the real unit the call itself is denied, so the file is all that the core has."""
    machine.sh(f"systemctl stop {CLOCK}")
    door = door_of(machine)

    def trusted():
        return door.call("status")["clock"]["trusted"]
    try:
        wait_until(lambda: not trusted(), 15, "the clock to be unproven", step=0.2)
        machine.sh("mkdir /run/gatewayd-clock; touch /run/gatewayd-clock/synchronized")
        wait_until(trusted, 15, "the clock to be believed", step=0.2)
        machine.sh("rm -r /run/gatewayd-clock")
        wait_until(lambda: not trusted(), 15, "the clock to be unproven again", step=0.2)
    finally:
        machine.sh(f"rm -rf /run/gatewayd-clock; systemctl start {CLOCK}")


# Hanging and dying


def lives(machine):
    return {unit: (values["MainPID"], values["NRestarts"]) for unit, values in machine.show([*OURS, BROKER], "MainPID", "NRestarts").items()}


def all_run(machine):
    wait_until(lambda: all(unit["SubState"] == "running" for unit in machine.show([*OURS, BROKER], "SubState").values()), 30, "all units to run", step=0.3)


@pytest.mark.parametrize("unit", OURS)
def test_what_hangs_is_restarted_alone(machine, unit):
    all_run(machine)
    before = lives(machine)
    machine.sh(f"kill -STOP {before[unit][0]}")

    def anew():
        shown = machine.show([unit], "MainPID", "SubState")[unit]
        return shown["SubState"] == "running" and shown["MainPID"] not in ("0", before[unit][0])
    wait_until(anew, WATCHDOG_S[unit] + 12, f"{unit} to be restarted", step=0.2)
    # Adapters and links find a new core by themselves, and need a moment for it.
    time.sleep(4 if unit == CORE else 0)
    after = lives(machine)
    assert int(after[unit][1]) == int(before[unit][1]) + 1
    assert {name: life for name, life in after.items() if name != unit} == {name: life for name, life in before.items() if name != unit}
    assert any("Watchdog timeout" in line for line in machine.journal(unit))


def test_devices_of_a_killed_adapter_are_unreachable_and_come_back(machine):
    door = door_of(machine)
    wait_until(lambda: lamp(door)["state"] == "ours", 15, "the lamp to be there")
    machine.sh(f"kill -9 {machine.show([SIM], 'MainPID')[SIM]['MainPID']}")
    wait_until(lambda: lamp(door)["state"] == "unreachable", 2, "the lamp to be unreachable")
    wait_until(lambda: lamp(door)["state"] == "ours", 15, "the lamp to be back")


# The fence. /etc/shadow is made readable for all, so that it is not its mode that says no.


def tried(lines):
    return {what: int(error) for what, error in re.findall(r"tried (\w+) (\d+)", "\n".join(lines))}


@pytest.fixture(scope="module")
def open_shadow(machine):
    machine.sh("chmod 0644 /etc/shadow")
    yield
    machine.sh("chmod 0640 /etc/shadow")


@pytest.fixture(scope="module")
def tries_by_unit(machine, open_shadow):
    """What a program meets that each real unit starts in place of the daemon."""
    for unit in OURS:
        machine.write(f"/run/systemd/system/{unit}.d/90-tries.conf",
                      "[Service]\nType=exec\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart=/usr/lib/gatewayd-test/tries\n")
    machine.sh(f"systemctl daemon-reload; systemctl stop {' '.join(OURS)}")
    place = machine.mark()
    machine.sh(f"systemctl start {' '.join(OURS)}")
    try:
        wait_until(lambda: all("all" in tried(machine.journal(unit, place)) for unit in OURS), 15, "the tries", step=0.3)
        return {unit: tried(machine.journal(unit, place)) for unit in OURS}
    finally:
        machine.sh(f"rm /run/systemd/system/*/90-tries.conf; systemctl daemon-reload; systemctl start {' '.join(OURS)}")


NO_NETWORK = {"inet": errno.EAFNOSUPPORT, "inet6": errno.EAFNOSUPPORT}


@pytest.mark.parametrize("unit", OURS)
def test_units_deny(machine, tries_by_unit, unit):
    user = USER[unit]
    control = tried(machine.sh(f"setpriv --reuid={user} --regid={user} --clear-groups /usr/lib/gatewayd-test/tries").splitlines())
    assert control == {"shadow": 0, "write": errno.EACCES, "inet": 0, "inet6": 0, "execve": 0, "ptrace": 0, "all": 0}
    network = {"inet": 0, "inet6": 0} if unit == CLOUD else NO_NETWORK
    assert tries_by_unit[unit] == {"shadow": errno.EACCES, "write": errno.EROFS, "execve": errno.EACCES, "ptrace": errno.EPERM, "all": 0, **network}


def test_a_plugin_in_the_real_host_under_the_real_unit_is_denied(machine, open_shadow):
    """Once while it opens, once when it is open. EPERM for a socket is our own fence's word; the unit's would be EAFNOSUPPORT."""
    place = machine.mark()
    machine.sh(f"systemctl start {TRIES}")
    lines = wait_until(lambda: (lambda found: found if sum("tried all" in line for line in found) == 2 else None)(machine.journal(TRIES, place)),
                       20, "both tries", step=0.3)
    middle = next(n for n, line in enumerate(lines) if "when it is open" in line)
    denied = {"inet": errno.EPERM, "inet6": errno.EPERM, "execve": errno.EPERM, "ptrace": errno.EPERM, "fork": errno.EPERM}
    opening, opened = tried(lines[:middle]), tried(lines[middle:])
    assert opening == {"shadow": errno.EACCES, "write": opening["write"], **denied}
    assert opening["write"] in (errno.EACCES, errno.EROFS)
    # Behind the second stage no file can be opened, whatever it is.
    assert opened == {"shadow": errno.EPERM, "write": errno.EPERM, **denied}
    machine.sh(f"systemctl stop {TRIES}")


# Upgrade and purge


def newer(deb, folder):
    """The same package with a higher version."""
    sh("dpkg-deb", "-R", deb, f"{folder}/tree")
    control = f"{folder}/tree/DEBIAN/control"
    with open(control) as text:
        changed = re.sub(r"(?m)^Version: (.*)$", r"Version: \1+next", text.read())
    with open(control, "w") as out:
        out.write(changed)
    sh("dpkg-deb", "--root-owner-group", "-b", f"{folder}/tree", f"{folder}/next.deb")
    return f"{folder}/next.deb"


def test_an_upgrade_keeps_the_home_and_restarts_in_order(machine, deb, tmp_path):
    all_run(machine)
    door = door_of(machine)
    ours = lamp(door)["id"]
    secrets = machine.sh("cat /etc/gatewayd/secrets/*.password /var/lib/gatewayd-broker/dynamic-security.json | sha256sum")
    before = lives(machine)
    shutil.copy(newer(deb, str(tmp_path)), machine.path("/root/next.deb"))
    machine.sh("dpkg -i /root/next.deb", timeout=120)
    assert machine.sh("dpkg-query -W -f '${Version}' gatewayd").endswith("+next")

    def anew():
        return all(values["SubState"] == "running" and values["MainPID"] != before[unit][0]
                   for unit, values in machine.show([*OURS, BROKER], "SubState", "MainPID").items())
    wait_until(anew, 40, "all units to be restarted", step=0.3)
    began = {unit: int(values["ExecMainStartTimestampMonotonic"]) for unit, values in machine.show([*OURS, BROKER], "ExecMainStartTimestampMonotonic").items()}
    assert began[BROKER] < began[CORE] and began[CLOCK] < began[CORE]
    assert all(began[CORE] < began[unit] for unit in (SIM, WIFI, HOME, CLOUD))
    door = door_of(machine)
    wait_until(lambda: lamp(door)["state"] == "ours", 15, "the lamp to be back")
    assert lamp(door)["id"] == ours
    assert machine.sh("cat /etc/gatewayd/secrets/*.password /var/lib/gatewayd-broker/dynamic-security.json | sha256sum") == secrets


def test_wrong_settings_are_refused_and_reload_changes_nothing(machine):
    machine.write("/etc/gatewayd/conf.d/90-wrong.yaml", "site:\n  nam: Home\n")
    place = machine.mark()
    pid = machine.show([CORE], "MainPID")[CORE]["MainPID"]
    machine.sh(f"systemctl reload {CORE}")
    wait_until(lambda: any("90-wrong.yaml:2:" in line for line in machine.journal(CORE, place)), 5, "the refusal in the journal", step=0.2)
    assert machine.show([CORE], "MainPID")[CORE]["MainPID"] == pid
    os.remove(machine.path("/etc/gatewayd/conf.d/90-wrong.yaml"))
    machine.sh(f"systemctl reload {CORE}")
    wait_until(lambda: any("settings applied" in line for line in machine.journal(CORE, place)), 5, "the reload", step=0.2)


def leftovers(machine):
    found = machine.sh("find / -xdev -path /proc -prune -o -path /usr/lib/gatewayd-test -prune -o -name '*gatewayd*' -print; ls -d /run/gatewayd* 2>/dev/null || true")
    # dpkg and systemd keep their own notes of what was; the drop-ins in /run are the test's.
    return [path for path in found.split() if not re.match(r"/(var/lib/dpkg|var/log|var/lib/systemd|run/systemd|sys)/|/usr/lib/gatewayd-test|/run/gatewayd-lab", path)]


def test_removal_keeps_and_purge_leaves_nothing(machine):
    machine.sh("dpkg -r gatewayd", timeout=120)
    running = machine.sh("ps -eo user:20,comm 2>/dev/null || for p in /proc/[0-9]*; do stat -c %U $p || true; done")
    assert not re.search(r"\bgatewayd\b|gw-", running), running
    assert os.path.exists(machine.path("/var/lib/gatewayd/gateway.db"))
    machine.sh("dpkg --purge gatewayd", timeout=120)
    assert leftovers(machine) == []
    assert machine.sh("systemctl is-active mosquitto").strip() == "active"
