"""A disk that is full, really: the state folder is a small file system of its own, and somebody fills it. Whoever has shown who he is can still do what keeps
the home safe, and it is on record; strangers' noise and telemetry get nothing of the reserve; when there is room again all is as before."""

import contextlib
import json
import os
import subprocess
import threading
import time

import pytest
from lib.house import UID, House, Refused
from lib.netns import sh, wait_until

MIB = 1024 * 1024
RESERVE = 4 * MIB
STRANGER = 64333
PASSWORD = "correct horse battery"
FAST = "audit: {bytes_max: 64 MiB}\n"


class FullHouse(House):
    def __init__(self, kind):
        super().__init__(FAST)
        state, image = self.folder + "/state", self.folder + "/image"
        if kind == "tmpfs":
            sh("mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", state)
        else:  # with a journal, which holds back what was freed until it has written that down
            sh("truncate", "-s", "20M", image)
            sh("mkfs.ext4", "-q", "-m", "0", image)
            sh("mount", "-o", "loop", image, state)
        os.chown(state, UID, UID)
        os.chmod(state, 0o700)

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()
        self.running = []
        subprocess.run(["umount", "-l", self.folder + "/state"], check=False)
        super().close()

    def reserve(self):
        return os.stat(self.folder + "/state/reserve").st_size

    def fill(self, leave=0):
        """To the last byte, or nearly."""
        with open(self.folder + "/state/somebody-elses", "ab", 0) as out:
            while leave and self.free() > leave:
                out.write(bytes(65536))
            for size in () if leave else (65536, 4096, 512):
                with contextlib.suppress(OSError):
                    while True:
                        out.write(bytes(size))

    def empty(self):
        os.unlink(self.folder + "/state/somebody-elses")

    def free(self):
        fs = os.statvfs(self.folder + "/state")
        return fs.f_bavail * fs.f_frsize

    def as_anna(self):
        door = self.door()
        door.login("anna", PASSWORD)
        return door


def records(door, kind=None):
    rows, after = [], 0
    while True:
        page = door.call("audit.tail", n=500, after=after)["records"]
        if not page:
            return [row for row in rows if kind in (None, row["kind"])]
        rows += page
        after = page[-1]["seq"]


def alarms(door):
    return {alarm["alarm"] for alarm in door.call("alarm.list")["alarms"]}


def noise(house, seconds):
    """Strangers at the door, as fast as it lets them: no JSON, no session, names that nobody has. A process of its own, with a user of its own."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(STRANGER)
            os.setuid(STRANGER)
            os.write(write, str(knock_and_guess(house, seconds)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        n = int(told.read() or 0)
    os.waitpid(child, 0)
    return n


def knock_and_guess(house, seconds):
    until = time.monotonic() + seconds
    counts = [0] * 6

    def knock(i):
        door = house.door()
        while time.monotonic() < until:
            counts[i] += 1
            try:
                if counts[i] % 3 == 0:
                    door.call("user.list")
                elif counts[i] % 3 == 1:
                    door.call("no.such." + str(counts[i]))
                else:
                    door.socket.send(b'{"id": 1, "method": ' + str(counts[i]).encode())
                    door.receive()
            except Refused:
                pass

    def guess(i):
        door = house.door()
        while time.monotonic() < until:
            counts[i] += 1
            with contextlib.suppress(Refused):
                door.call("login", user=f"stranger{i}-{counts[i]}", password="x" * 12)
    threads = [threading.Thread(target=knock if i < 4 else guess, args=(i,)) for i in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


@pytest.fixture(params=["ext4"])
def house(request):
    with FullHouse(request.param) as one:
        one.start_all()
        door = one.door()
        door.call("setup", name="anna", password=PASSWORD)
        door.login("anna", PASSWORD)
        wait_until(lambda: len(door.call("device.list")["devices"]) >= 2, 15, "the simulated devices")
        code = door.call("bind.code")["code"]
        door.call("code.redeem", device="simulated lamp", code=code)
        for name in ("gus", "eve", "tom"):
            door.call("user.add", name=name, role="member", password=PASSWORD)
        one.anna = door
        yield one


def test_a_full_disk_keeps_the_home_safe(house):
    door = house.anna
    assert house.reserve() == RESERVE
    before = len(records(door))
    house.fill(leave=5 * MIB // 2)
    wait_until(lambda: "space-low" in alarms(door), 10, "the first alarm")
    assert "space-out" not in alarms(door) and house.reserve() == RESERVE
    house.fill()
    assert house.free() < 4096
    # What keeps the home safe.
    other = house.door()
    other.login("gus", PASSWORD)
    door.call("user.disable", user="eve")
    door.call("device.quarantine", device="simulated lamp")
    door.call("user.set-role", user="gus", role="guest")
    for _ in range(6):
        with pytest.raises(Refused):
            house.door().call("login", user="tom", password="wrong" * 3)
    with pytest.raises(Refused):
        house.door().login("tom", PASSWORD)  # locked out
    waiting = door.call("key.create", purpose="files")["id"]
    door.call("key.disable", id=next(key["id"] for key in door.call("key.list")["keys"] if key["purpose"] == "files" and key["state"] == "active"))
    assert {key["id"]: key["state"] for key in door.call("key.list")["keys"]}[waiting] == "active"
    wait_until(lambda: any(row["kind"] == "lockout" for row in records(door)), 5, "the lock-out to be on record")
    told = [row["kind"] for row in records(door)][before:]
    for kind in ("login", "user-change", "device-state", "lockout", "key-create", "key-disable"):
        assert kind in told, (kind, told)
    assert RESERVE - MIB <= house.reserve() < RESERVE
    wait_until(lambda: "space-out" in alarms(door), 7, "the alarm")
    assert {device["name"]: device["state"] for device in door.call("device.list")["devices"]}["simulated lamp"] == "quarantined"
    # Strangers.
    left = house.reserve()
    n = noise(house, 4)
    assert n > 1000
    assert house.reserve() >= left - MIB // 2, f"{n} tries of strangers took {left - house.reserve()} bytes of the reserve"
    door.call("user.enable", user="eve")
    # It outlives a restart with the disk still full.
    house.core.kill()
    house.core.wait()
    house.fill()
    house.start_all()
    door = house.as_anna()
    assert {user["name"]: user["disabled"] for user in door.call("user.list")["users"]}["eve"] is False
    door.call("user.disable", user="eve")
    # And then there is room again.
    house.empty()
    wait_until(lambda: house.reserve() == RESERVE, 15, "the reserve to be whole")
    wait_until(lambda: not alarms(door) & {"space-out", "space-low", "store-failing"}, 15, "the alarms to clear")
    assert door.call("audit.verify")["verdict"] in ("ok", "no-anchor")
    assert len({row["seq"] for row in records(door)}) == records(door)[-1]["seq"]
    door.call("device.release", device="simulated lamp")


@pytest.mark.parametrize("house", ["tmpfs"], indirect=True)
def test_no_verb_answers_before_its_record_is_durable(house):
    """Nothing can be written, not even from the reserve: then nothing is done, and nobody is told that it was."""
    door = house.anna
    other = house.as_anna()
    number = next(s["number"] for s in door.call("session.list")["sessions"] if not s["this"])
    rule = door.call("policy.add", effect="deny", who="anybody", what="device:simulated lamp", actions=["command"])["id"]
    alarm = door.call("alarm.list")["alarms"]
    os.truncate(house.folder + "/state/reserve", 0)
    house.fill()
    with contextlib.suppress(Refused):
        door.call("user.disable", user="gus")  # what was left in a log that need not grow for it
    for _ in range(40):
        house.fill()
        try:
            door.call("user.enable", user="gus")
            door.call("user.disable", user="gus")
        except Refused:
            break
    house.fill()
    users, devices, rules, keys = (door.call(method) for method in ("user.list", "device.list", "policy.list", "key.list"))
    key = next(row["id"] for row in keys["keys"] if row["purpose"] == "files" and row["state"] == "active")
    verbs = [
        ("user.add", {"name": "new", "role": "guest", "password": PASSWORD}),
        ("user.enable", {"user": "gus"}), ("user.disable", {"user": "eve"}), ("user.set-role", {"user": "gus", "role": "guest"}),
        ("user.set-password", {"user": "gus", "password": "another long password"}), ("user.remove", {"user": "gus"}),
        ("device.quarantine", {"device": "simulated lamp"}), ("device.rename", {"device": "simulated lamp", "name": "x"}),
        ("device.retire", {"device": "simulated contact"}), ("bind.code", {}), ("bind.unbind", {"device": "simulated lamp"}),
        ("bind.transfer", {"device": "simulated lamp", "to": "gus"}), ("policy.remove", {"id": rule}), ("conf.reload", {}),
        ("policy.add", {"effect": "deny", "who": "anybody", "what": "*", "actions": ["command"]}), ("audit.export", {"name": "x"}),
        ("broker.client", {"verb": "add", "name": "x"}), ("user.unlock", {"user": "gus"}), ("recovery", {"user": "anna", "password": PASSWORD}),
        ("key.create", {"purpose": "files"}), ("key.disable", {"id": key}), ("key.rotate", {"purpose": "files"}), ("audit.seed", {}),
        ("key.compromise", {"id": key, "password": PASSWORD}), ("session.end", {"number": number}), ("alarm.ack", {"id": alarm[0]["id"]} if alarm else {"id": 1}),
    ]
    with pytest.raises(Refused):
        house.as_anna()
    for method, params in verbs:
        with pytest.raises(Refused) as refused:
            door.call(method, **params)
        assert refused.value.code in ("internal", "busy", "denied", "conflict", "not-found"), (method, refused.value)
    assert (door.call("user.list"), door.call("policy.list"), door.call("key.list")["keys"]) == (users, rules, keys["keys"])
    assert [(d["name"], d["state"]) for d in door.call("device.list")["devices"]] == [(d["name"], d["state"]) for d in devices["devices"]]
    with pytest.raises(Refused):  # it was ended at once; that nobody could record it is what its ender was told
        other.call("user.list")
    house.empty()
    wait_until(lambda: "store-failing" not in alarms(door), 20, "the store to be well")
    door.call("user.disable", user="eve")
    house.as_anna().call("logout")
    told = json.dumps(records(door))
    assert "stranger" not in told
