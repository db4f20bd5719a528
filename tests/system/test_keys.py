"""Keys in the running gateway: it starts locked and waits for its passphrase; its core is killed in the middle of rotations and goes on with them; what it gives
out proves the record to the verifier. About 20 s."""

import json
import os
import random
import shutil
import subprocess
import time

from lib.house import BUILD, UID, House, Refused
from lib.netns import wait_until

PASSWORD = "correct horse battery"
PASSPHRASE = "the passphrase of this keystore"


def keys(house, purpose=None):
    rows = json.loads(house.ctl("key", "list"))
    return [k for k in rows["keys"] if purpose in (None, k["purpose"])], rows["rotating"]


def is_settled(house):
    return not keys(house)[1]


def one_active(house):
    rows = keys(house)[0]
    return all(sum(k["state"] == "active" for k in rows if k["purpose"] == p) == 1 for p in ("db", "audit", "files", "devices", "sign", "sign-sm2"))


def login(house):
    wait_until(house.answers, 15, "the core's door")
    house.ctl("login", "anna", secret=PASSWORD + "\n")


def verify(house, *words):
    return subprocess.run([BUILD + "/gatewayd-audit-verify", *words], capture_output=True, text=True, timeout=60, check=False)


def test_locked():
    with House("vault: {source: passphrase}\n") as house:
        house.start_core()
        sock = house.folder + "/run/unlock.sock"
        wait_until(lambda: os.path.exists(sock), 10, "the core waits")
        assert not os.path.exists(house.folder + "/run/door.sock") and os.listdir(house.folder + "/state") in ([], ["reserve"])
        house.ctl("unlock", secret="too short\n", code=1)           # as a first passphrase
        house.ctl("unlock", secret=PASSPHRASE + "\n", code=1)       # a second has to be waited for
        time.sleep(1.1)
        house.ctl("unlock", secret=PASSPHRASE + "\n")
        wait_until(house.answers, 15, "the core's door")
        assert not os.path.exists(sock)
        house.ctl("setup", "anna", secret=PASSWORD + "\n")
        login(house)
        house.stop_core()

        house.start_core()
        wait_until(lambda: os.path.exists(sock), 10, "the core waits again")
        house.ctl("unlock", secret="another passphrase, wrong\n", code=1)
        time.sleep(1.1)
        house.ctl("unlock", secret=PASSPHRASE + "\n")
        login(house)
        tail = json.loads(house.ctl("audit", "tail", "last=50"))["records"]
        assert any(r["kind"] == "denial" and r["object"] == "keystore" for r in tail)
        # To a file: after this start no passphrase is asked for, when the settings leave it to the keystore.
        house.ctl("key", "source", "file", secret=PASSWORD + "\n")
        house.stop_core()
        house.settings("vault: {source: auto}\n")
        house.start_core()
        login(house)
        assert PASSPHRASE not in house.log() and "another passphrase" not in house.log()


def test_killed_while_rotating():
    random.seed(20261123)
    with House() as house:
        house.start_core()
        wait_until(house.answers, 15, "the core's door")
        house.ctl("setup", "anna", secret=PASSWORD + "\n")
        login(house)
        last = 0
        for _ in range(12):
            purpose = random.choice(("db", "db", "audit", "sign", "files"))
            door = house.door()
            door.login("anna", PASSWORD)
            try:
                door.socket.send(json.dumps({"id": 99, "method": "key.rotate", "token": door.token, "params": {"purpose": purpose}}).encode())
            finally:
                time.sleep(random.uniform(0, 0.06))
                house.core.kill()
                house.core.wait()
                door.close()
            house.start_core()
            login(house)
            wait_until(lambda: is_settled(house), 20, "the rotation ended")
            assert one_active(house)
            assert all(k["state"] in ("active", "destroyed") for k in keys(house, "db")[0])
            seq = json.loads(house.ctl("audit", "head"))["seq"]
            assert seq > last
            last = seq
        house.ctl("audit", "verify", code=2)  # whole in itself; nobody kept an anchor
        assert "damaged" not in house.log()


def test_what_it_gives_out():
    with House() as house:
        house.start_core()
        wait_until(house.answers, 15, "the core's door")
        house.ctl("setup", "anna", secret=PASSWORD + "\n")
        login(house)
        seed = json.loads(house.ctl("audit", "seed"))
        house.ctl("key", "rotate", "sign")
        house.ctl("key", "rotate", "sign-sm2")
        pubs = house.folder + "/pubs"
        with open(pubs, "w", encoding="ascii") as out:
            out.write("".join(k["key"] + "\n" for k in json.loads(house.ctl("audit", "keys"))["keys"]))
        assert len(open(pubs, encoding="ascii").readlines()) == 4
        proof = house.folder + "/proof"
        with open(proof, "w", encoding="ascii") as out:
            out.write(house.ctl("audit", "prove", str(seed["seq"])))
        done = verify(house, "--proof", proof, "--pub", pubs)
        assert done.returncode == 0, done.stdout + done.stderr
        # Somebody else's keys do not vouch for it; a changed leaf is seen.
        text = json.load(open(proof, encoding="ascii"))
        text["leaf"] = "00" * 32
        with open(proof, "w", encoding="ascii") as out:
            json.dump(text, out)
        assert verify(house, "--proof", proof, "--pub", pubs).returncode == 1
        path = json.loads(house.ctl("audit", "export", "whole"))["path"]
        copy = shutil.copy(path, house.folder + "/whole.audit")
        done = verify(house, "--pub", pubs, "--seed", f"{seed['seq']}:{seed['seed']}", copy)
        assert done.returncode == 2, done.stdout + done.stderr  # whole, and no anchor
        head = json.loads(house.ctl("audit", "head"))
        # The seed is in no file of the gateway.
        for folder, _, names in os.walk(house.folder + "/state"):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    assert bytes.fromhex(seed["seed"]) not in file.read()
        assert head["seq"] >= seed["seq"] and UID
        try:
            house.door().call("key.list")
        except Refused:
            pass
        else:
            raise AssertionError("the list of keys without a session")
