"""The drill: a gateway with devices, people, rules and a record is backed up while it works, and made again on other hardware, which has another key. What is
newer, for somebody else, or changed in any byte is refused. Then the end of a gateway: keys destroyed, a receipt that holds. About 15 s."""

import glob
import json
import os
import shutil
import subprocess
import tempfile

import pytest
from lib import repack
from lib.house import UID, House, Refused
from lib.netns import wait_until

PASSWORD = "correct horse battery"
CANARIES = ("zvqx-the-lamp", "zvqx-the-room", "zvqx-gus", "zvqx-rule", "zvqx-note")


class Stick:
    """What the person has: the recovery key, and copies of backups."""

    def __init__(self, house):
        self.folder = tempfile.mkdtemp(prefix="gw-stick-")
        self.key = self.folder + "/recovery.key"
        self.public = json.loads(house.ctl("recovery-key", "new", self.key))["key"]
        with open(self.key, encoding="ascii") as file:
            self.private = file.read()
        assert os.stat(self.key).st_mode & 0o777 == 0o600 and self.private.startswith("gw-x25519-key:")

    def keep(self, path, name):
        shutil.copy(path, f"{self.folder}/{name}")
        return f"{self.folder}/{name}"


def restore(house, backup, key, code=0, said=""):
    done = subprocess.run([house.folder + "/gatewayd", "--config", house.folder + "/gatewayd.yaml", "--restore", backup, "--recovery-key", key],
                          input=said, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    if code:
        assert os.listdir(house.folder + "/state") == [] and not os.path.exists(house.folder + "/state.restoring")
    return done.stdout if code == 0 else done.stderr


def live(house):
    """anna's household: a lamp of hers with a name and a room, gus, a rule, an access rule."""
    house.ctl("setup", "anna", secret=PASSWORD + "\n")
    house.ctl("login", "anna", secret=PASSWORD + "\n")
    door = house.door()
    door.login("anna", PASSWORD)
    wait_until(lambda: {d["state"] for d in door.call("device.list")["devices"]} == {"described"}, 15, "the simulated devices")
    code = door.call("bind.code")["code"]
    door.call("code.redeem", device="simulated lamp", code=code)
    door.call("device.rename", device="simulated lamp", name="zvqx-the-lamp")
    door.call("device.room", device="zvqx-the-lamp", room="zvqx-the-room")
    door.call("user.add", name="zvqx-gus", role="guest", password=PASSWORD)
    door.call("policy.add", effect="deny", who="user:zvqx-gus", what="*", note="zvqx-note")
    door.call("rule.add", name="zvqx-rule", trigger="time", at="07:30", then={"device": "zvqx-the-lamp", "capability": "on-off"}, set=True)
    door.call("device.set", device="zvqx-the-lamp", capability="on-off", value=True)
    return door


def facts(door):
    """What must be the same afterwards."""
    devices = [{key: d[key] for key in ("id", "name", "room", "owner", "state")} for d in door.call("device.list")["devices"]]
    return {"devices": sorted(devices, key=lambda d: d["id"]), "users": door.call("user.list")["users"], "rules": [r["name"] for r in door.call("rule.list")["rules"]],
            "policies": [r.get("note") for r in door.call("policy.list")["rules"]]}


def nothing_in_the_clear(folder):
    for path in glob.glob(folder + "/**", recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                data = file.read()
            for canary in CANARIES:
                assert canary.encode() not in data, f"{canary} in {path}"


@pytest.fixture(scope="module")
def made():
    """The old gateway, its backup, and what it knew."""
    with House() as house:
        house.start_all()
        door = live(house)
        stick = Stick(house)
        house.ctl("backup", "early", code=1)  # there is no recovery key yet
        with pytest.raises(Refused) as refused:
            door.call("recovery-key.set", key=stick.public, password="wrong")
        assert refused.value.code == "denied"
        house.ctl("recovery-key", "set", stick.public, secret=PASSWORD + "\n")
        assert json.loads(house.ctl("recovery-key", "show"))["key"] == stick.public
        before = facts(door)
        head = door.call("audit.head")["seq"]
        path = json.loads(house.ctl("backup", "monday"))["path"]
        house.ctl("backup", "monday", code=1)
        nothing_in_the_clear(house.folder + "/state")
        assert os.listdir(house.folder + "/state/backups") == ["monday.gwb"]
        yield {"house": house, "door": door, "stick": stick, "backup": stick.keep(path, "monday.gwb"), "facts": before, "head": head, "token": door.token}
        shutil.rmtree(stick.folder)


def test_what_is_in_it(made):
    """Read by a second implementation: every part, and no gateway's name in the clear outside of sealed pages."""
    parts = dict(repack.read(made["backup"], made["stick"].private))
    manifest, sums = json.loads(parts["manifest"]), json.loads(parts["sums"])
    assert manifest["format"] == 1 and manifest["schemas"]["gateway.db"] == 2 and manifest["starts"] >= 1
    assert {"keys", "audit.key", "gateway.db", "spool.db"} <= set(parts) and any(name.startswith("audit-20") for name in parts)
    assert {row["name"]: row["bytes"] for row in sums["parts"]} == {name: len(data) for name, data in parts.items() if name not in ("manifest", "sums")}
    for name, data in parts.items():
        assert not any(canary.encode() in data for canary in CANARIES), name


def test_refused(made):
    stick = made["stick"]
    with House() as house:
        # For somebody else; a public half in the place of the private one.
        other = json.loads(house.ctl("recovery-key", "new", stick.folder + "/other.key"))["key"]
        assert "another recovery key" in restore(house, made["backup"], stick.folder + "/other.key", code=1)
        with open(stick.folder + "/public.key", "w", encoding="ascii") as file:
            file.write(other)
        assert "not the private half" in restore(house, made["backup"], stick.folder + "/public.key", code=1)
        # A changed byte, anywhere; cut, anywhere.
        with open(made["backup"], "rb") as file:
            good = file.read()
        bad = stick.folder + "/bad.gwb"
        for at in [0, 8, 10, 14, 47, 60, 130, len(good) - 1] + [i * len(good) // 8 for i in range(1, 8)]:
            with open(bad, "wb") as file:
                file.write(good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1:])
            restore(house, bad, stick.key, code=1)
        for size in (0, 100, len(good) // 2, len(good) - 1):
            with open(bad, "wb") as file:
                file.write(good[:size])
            restore(house, bad, stick.key, code=1)
        # Of a gateway that is newer: by its format, by a schema.
        parts = repack.read(made["backup"], stick.private)
        for change in ({"format": 2}, {"schemas": {"gateway.db": 3}}):
            manifest = {**json.loads(parts[0][1]), **change, "gatewayd": "9.9"}
            repack.write(bad, [("manifest", json.dumps(manifest).encode())] + parts[1:], stick.public)
            said = restore(house, bad, stick.key, code=1)
            assert "newer" in said and "9.9" in said
        # What the list of sums does not name as it is.
        repack.write(bad, [(name, data[:-1] + b"x" if name == "spool.db" else data) for name, data in parts], stick.public)
        restore(house, bad, stick.key, code=1)
        repack.write(bad, [part for part in parts if part[0] != "spool.db"], stick.public)
        restore(house, bad, stick.key, code=1)
        # And written anew as it was it is taken.
        repack.write(bad, parts, stick.public)
        assert "Restored" in restore(house, bad, stick.key)
        # Not over what is there.
        done = subprocess.run([house.folder + "/gatewayd", "--config", house.folder + "/gatewayd.yaml", "--restore", bad, "--recovery-key", stick.key],
                              capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 1 and "not empty" in done.stderr


def test_other_hardware(made):
    with House() as house:
        # Its key-encryption key lies elsewhere than its state.
        os.mkdir(house.folder + "/kek", mode=0o700)
        os.chown(house.folder + "/kek", UID, UID)
        with open(house.folder + "/gatewayd.yaml", "a", encoding="utf-8") as settings:
            settings.write(f"vault: {{key_file: {house.folder}/kek/kek.key}}\n")
        restore(house, made["backup"], made["stick"].key)
        nothing_in_the_clear(house.folder + "/state")
        with open(made["house"].folder + "/state/kek.key", "rb") as old, open(house.folder + "/kek/kek.key", "rb") as new:
            assert old.read() != new.read()  # this machine's own
        house.start_all()
        door = house.door()
        # Whoever was logged in at the old one is not here.
        door.token = made["token"]
        with pytest.raises(Refused) as refused:
            door.call("user.list")
        assert refused.value.code == "no-session"
        door.token = None
        door.login("anna", PASSWORD)
        wait_until(lambda: facts(door) == made["facts"], 15, f"all to be as it was: {facts(door)}")
        verdict = door.call("audit.verify")
        assert verdict["verdict"] == "no-anchor" and verdict["records"] > made["head"], verdict
        kinds = [row["kind"] for row in door.call("audit.tail", n=500, after=0)["records"]]
        assert "restore" in kinds and "backup" in kinds
        assert "doubt" in door.call("status")  # links wait for the owner's word
        house.ctl("login", "anna", secret=PASSWORD + "\n")
        house.ctl("freshness", "confirm")
        assert not door.call("status").get("doubt")
        # It works: the lamp is there again, and a backup of this one goes to the same key.
        wait_until(lambda: any(d["name"] == "zvqx-the-lamp" and d["ways"][0]["up"] for d in door.call("device.list")["devices"]), 15, "the lamp")
        door.call("device.set", device="zvqx-the-lamp", capability="on-off", value=False)
        door.call("backup.make", name="tuesday")
        door.close()
        the_end(house, made["stick"].folder + "/receipt")


def test_a_passphrase_of_this_machine(made):
    with House(extra="vault: {source: passphrase}\n") as house:
        assert "passphrase" in restore(house, made["backup"], made["stick"].key, code=1)
        assert "passphrase" in restore(house, made["backup"], made["stick"].key, code=1, said="short\n")
        restore(house, made["backup"], made["stick"].key, said="a passphrase of this machine\n")
        assert not os.path.exists(house.folder + "/state/kek.key")
        house.core = house.start("core", [house.folder + "/gatewayd", "--config", house.folder + "/gatewayd.yaml"], UID)
        wait_until(lambda: os.path.exists(house.folder + "/run/unlock.sock"), 15, "the core to wait for its passphrase")
        house.ctl("unlock", secret="a passphrase of this machine\n")
        wait_until(house.answers, 15, "the core's door")
        door = house.door()
        door.login("anna", PASSWORD)
        now = facts(door)  # no adapter runs here: nothing is reachable
        assert [{**d, "state": None} for d in now["devices"]] == [{**d, "state": None} for d in made["facts"]["devices"]]
        assert now["users"] == made["facts"]["users"] and now["rules"] == made["facts"]["rules"]


def test_the_service_managers_key(made):
    """The restoring process gets no credential; the gateway that is started afterwards does."""
    with House() as house:
        credentials = house.folder + "/credentials"
        os.mkdir(credentials)
        for path, owner in ((house.folder + "/kek.key", 0), (credentials + "/gatewayd.kek", UID)):
            with open(path, "wb") as file:
                file.write(b"k" * 32)
            os.chmod(path, 0o400)
            os.chown(path, owner, owner)
        restore(house, made["backup"], made["stick"].key)
        assert not os.path.exists(house.folder + "/state/kek.key")
        argv = [house.folder + "/gatewayd", "--config", house.folder + "/gatewayd.yaml"]
        assert house.start("core", argv, UID).wait(timeout=15) == 1  # without it nothing opens
        house.core = house.start("core", ["/usr/bin/env", "CREDENTIALS_DIRECTORY=" + credentials, *argv], UID)
        wait_until(house.answers, 15, "the core's door")
        door = house.door()
        door.login("anna", PASSWORD)
        assert {d["name"] for d in facts(door)["devices"]} == {d["name"] for d in made["facts"]["devices"]}


def the_end(house, receipt):
    house.ctl("erase", "receipt=" + receipt, secret="no\n", code=1)
    house.ctl("erase", "receipt=" + receipt, secret="erase\nwrong\n", code=1)
    house.ctl("erase", "receipt=" + receipt, secret=f"erase\n{PASSWORD}\n")
    assert house.core.wait(timeout=15) == 3  # of which the service manager knows that it is to stay so
    assert os.listdir(house.folder + "/kek") == []
    left = os.listdir(house.folder + "/state")
    assert len(left) == 1 and left[0].startswith("erased-"), left
    with open(receipt, encoding="ascii") as mine, open(f"{house.folder}/state/{left[0]}", encoding="ascii") as theirs:
        text = mine.read()
        assert text == theirs.read()
    assert "\nkey: 1 " in text and "\ncheckpoint: " in text and "\nsignature sm2 " in text
    house.ctl("receipt", "check", receipt)
    with open(receipt, "w", encoding="ascii") as file:
        file.write(text.replace("key: 1 ", "key: 2 "))
    house.ctl("receipt", "check", receipt, code=1)
    house.adapter.kill()
    house.adapter.wait()
    house.start_all()  # a new gateway, of nobody
    assert house.door().call("hello")["has_owner"] is False
