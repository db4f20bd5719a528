"""What is left of secrets: a gateway lives a day with passwords, tokens, one-time codes and keys, and then its memory, its core image, its argument
vectors, environments and logs, and those of gatewayctl, are searched for each of them.

Passwords, tokens and codes are to be nowhere once they were used. Keys must stay somewhere: in guarded memory, which a core image does not hold.
"""

import base64
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from lib import keystore
from lib.house import BUILD, GUEST, House, Refused
from lib.link_core import LinkCore
from lib.netns import REPO, wait_until
from lib.parcel import unbase64

LINK = 64303
# Random, so that nothing but the household can have put them there.
WORDS = ("owner", "wrong", "gus", "changed", "recovered", "again")


def secret_word():
    return "Pw-" + base64.b32encode(os.urandom(15)).decode().lower()


def live_a_day(house, tracer=()):
    """Every verb that takes or gives a secret, right and wrong, by gatewayctl and at the door itself."""
    word = {name: secret_word() for name in WORDS}
    for name, value in word.items():
        house.keep("password " + name, value)

    def ctl(*words, **more):
        return house.ctl(*words, tracer=tracer, **more)

    ctl("setup", "anna", secret=word["owner"] + "\n")
    ctl("login", "anna", secret=word["wrong"] + "\n", code=1)
    ctl("login", "anna", secret=word["owner"] + "\n")
    ctl("login", "nobody", secret=word["wrong"] + "\n", code=1)
    ctl("user", "add", "gus", "guest", secret=word["gus"] + "\n")
    ctl("user", "password", "gus", secret=word["changed"] + "\n")
    ctl("login", "gus", secret=word["changed"] + "\n", uid=GUEST)
    ctl("user", "password", "gus", secret=f"{word['changed']}\n{word['again']}\n", uid=GUEST)

    door = house.door()
    door.login("anna", word["owner"])
    house.keep("token of the door", door.token)
    house.keep("token of the door, its bytes", base64.urlsafe_b64decode(door.token.split("_", 1)[1] + "="))
    wait_until(lambda: {d["state"] for d in door.call("device.list")["devices"]} == {"described"}, 15, "the simulated devices")
    for use in ("device", "window", "wrong"):
        code = door.call("bind.code")["code"]
        house.keep("code for a " + use, code)
        house.keep(f"code for a {use}, plain", code.replace("-", ""))
        if use == "window":
            door.call("join.open", adapter="sim", code=code, seconds=30)
            wait_until(lambda: door.call("claim.list")["devices"], 15, "a device that waits")
            device = door.call("claim.list")["devices"][0]["name"]
            door.call("claim.confirm", device=device)
            door.call("join.close", adapter="sim")
        elif use == "device":
            ctl("bind", "redeem", "simulated contact", secret=code + "\n")
        else:
            wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
            house.keep("code mistyped", wrong)
            with pytest.raises(Refused):
                door.call("join.open", adapter="sim", code=wrong)
    for on in (True, False):
        door.call("device.set", device=device, capability="on-off", value=on)
    with pytest.raises(Refused):
        door.call("user.set-password", user="anna", old=word["wrong"], password=word["again"])
    with pytest.raises(Refused):  # a client that says it all wrong
        door.call("login", user="anna", password=[word["owner"]])
    door.socket.send(b'{"id": 1, "method": "login", "params": {"user": "anna", "password": "' + word["owner"].encode() + b'"')
    with pytest.raises(Refused):
        door.call("device.set", device=device, capability=word["owner"], value=1)
    gone = house.door()  # asks and does not wait for the answer
    gone.socket.send(json.dumps({"id": 1, "method": "login", "params": {"user": "anna", "password": word["owner"]}}).encode())
    gone.close()
    follower = house.door()
    follower.login("anna", word["owner"])
    house.keep("token of a follower", follower.token)
    follower.call("events.subscribe")
    door.call("device.set", device=device, capability="on-off", value=True)
    key_verbs(house, door, ctl, word["owner"])
    radio_verbs(house, door, ctl, word["owner"])
    door.call("audit.export", name="the-day")
    ctl("recovery", "anna", secret=word["recovered"] + "\n")
    ctl("login", "anna", secret=word["recovered"] + "\n")
    ctl("logout")
    time.sleep(0.3)
    door.close()
    follower.close()
    assert len(house.secrets) > 18


def key_verbs(house, door, ctl, password):
    """What the vault can be told; and the seed of the record, which is shown and then nowhere."""
    keys_of_the_vault(house)
    seed = door.call("audit.seed")["seed"]
    house.keep("seed", bytes.fromhex(seed))
    private = house.folder + "/recovery.key"
    public = json.loads(ctl("recovery-key", "new", private, *(["sm2=yes"] if house.sm else [])))["key"]
    with open(private, encoding="ascii") as file:
        text = file.read().strip()
        house.keep("private half of the recovery key", text)
        house.keep("private half of the recovery key, its bytes", unbase64(text.split(":")[1]))
    ctl("recovery-key", "set", public, secret=password + "\n")
    ctl("backup", "the-day")
    made = door.call("key.create", purpose="files")["id"]
    door.call("key.activate", id=made)
    ctl("key", "distribute", str(made), public, secret=password + "\n")
    keys_of_the_vault(house)
    ctl("key", "compromise", str(made), secret=password + "\n")
    ctl("key", "destroy", str(made), "sure=yes", secret=password + "\n")
    for purpose in ("db", "audit", "files", "devices", "sign", "sign-sm2"):
        door.call("key.rotate", purpose=purpose)
    keys_of_the_vault(house)
    passphrase = secret_word()
    house.keep("passphrase", passphrase)
    ctl("key", "source", "passphrase", secret=f"{passphrase}\n{password}\n")
    ctl("key", "source", "file", secret=password + "\n")
    keys_of_the_vault(house)


def radio_verbs(house, door, ctl, password):
    """A radio's keys go out and in again; what is printed on a device goes to its adapter. The simulated radio has both in plain sight of its own process."""
    printed = os.urandom(18).hex().upper()
    house.keep("what is printed on a device", printed)
    house.keep("what is printed on a device, its bytes", bytes.fromhex(printed))
    door.call("join.open", adapter="sim", code=door.call("bind.code")["code"], seconds=30, secret=printed)
    ctl("join", "open", "sim", "seconds=30", "secret=-", secret=printed + "\n")
    door.call("join.close", adapter="sim")
    with tempfile.TemporaryDirectory() as folder:
        kept = folder + "/radio"
        ctl("radio", "backup", "sim", kept, secret=password + "\n")
        with open(kept, encoding="utf-8") as file:
            house.keep("a radio's network key", re.search(r'"key": "([0-9a-f]{30})', file.read())[1])
        ctl("radio", "restore", "sim", kept, "sure=yes", secret=password + "\n")
        ctl("radio", "form", "sim", "sure=yes", secret=password + "\n")


def keys_of_the_vault(house):
    for name, key in keystore.keys(house.folder + "/state").items():
        house.keep(name, key)


# Searching


def forms(name, value):
    """Raw, hexadecimal and base64, as somebody may have printed it."""
    if len(value) > 64 or "key of record" in name or "," in name:
        return {value}
    plain = base64.b64encode(value).rstrip(b"=")
    return {value, value.hex().encode(), value.hex().upper().encode(), plain, plain.translate(bytes.maketrans(b"+/", b"-_"))}


NOTHING = bytes(4096)


def dense(blob):
    """Without the pages that were never written to, which are most of them."""
    pages = (blob[at:at + 4096] for at in range(0, len(blob), 4096))
    return b"".join(page for page in pages if page != NOTHING)


def search(secrets, blob):
    return sorted({name for name, value in secrets.items() for form in forms(name, value) if form in blob})


def mappings(pid):
    """(first, last, rights, what, is it kept out of core images) of each that holds anything of the process's own."""
    found, row = [], None
    with open(f"/proc/{pid}/smaps", encoding="ascii") as smaps:
        for line in smaps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *(.*)\n", line)
            if head:
                row = [int(head[1], 16), int(head[2], 16), head[3], head[5], False, 0]
                # What is mapped from a file and cannot be written holds the file.
                if head[4] == "0" or "w" in head[3]:
                    found.append(row)
            elif line.startswith("VmFlags:"):
                row[4] = " dd" in line
            elif line.startswith(("Rss:", "Swap:")):
                row[5] += int(line.split()[1])
    return [row[:5] for row in found if row[5] and row[3] not in ("[vvar]", "[vsyscall]", "[vdso]")]


def memory(pid):
    """All that can be read of a living process, in core images or not: {what: bytes}. It stands still meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        with open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for first, last, rights, what, kept_out in mappings(pid):
                try:
                    mem.seek(first)
                    yield f"{rights} {what or 'anonymous'}", kept_out, dense(mem.read(last - first))
                except OSError:
                    assert rights.startswith("---") or kept_out, f"{rights} {what} cannot be read"
    finally:
        os.kill(pid, signal.SIGCONT)


def found_in_memory(house, pid):
    """(in memory that a core image has, in memory that is kept out of it)"""
    shown, hidden, seen = [], [], False
    for what, kept_out, data in memory(pid):
        seen = seen or b"simulated contact" in data
        (hidden if kept_out else shown).extend(f"{name}: {what}" for name in search(house.secrets, data))
    assert seen  # what must be there is found
    return shown, hidden


@pytest.fixture
def house():
    with House() as one:
        yield one


@pytest.fixture(params=["standard", "sm"])
def either_house(request):
    with House("" if request.param == "standard" else "vault: {suite: sm}\naudit: {hash: sm3}\n") as one:
        yield one


def test_memory_holds_no_secret_after_use(either_house):
    house = either_house
    house.start_all()
    keys_of_the_vault(house)
    live_a_day(house)
    pid = house.core.pid
    with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
        assert re.search(r"Max core file size +0 +0 ", limits.read())
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # not dumpable: nobody but root reads it
    shown, hidden = found_in_memory(house, pid)
    assert not shown
    # What the gateway must keep is in guarded memory, and nothing else is.
    assert {line.split(":")[0] for line in hidden} <= {name for name in house.secrets if "key" in name}
    assert any(line.startswith("key db") for line in hidden) and any(line.startswith("key audit") for line in hidden)
    assert not any(line.startswith("key file:") for line in hidden)
    core = subprocess.run(["gcore", "-o", house.folder + "/image", str(pid)], capture_output=True, text=True, check=True)
    with open(f"{house.folder}/image.{pid}", "rb") as image:
        blob = dense(image.read())
    assert b"simulated contact" in blob, core.stderr
    assert not search(house.secrets, blob)
    assert house.core.poll() is None


def test_a_passphrase_is_nowhere_after_unlocking(house):
    word, passphrase = secret_word(), secret_word()
    house.start_all()
    house.ctl("setup", "anna", secret=word + "\n")
    house.ctl("login", "anna", secret=word + "\n")
    keys_of_the_vault(house)
    house.ctl("key", "source", "passphrase", secret=f"{passphrase}\n{word}\n")
    house.stop_core()
    house.settings("vault: {source: passphrase}\n")
    house.start_core()
    wait_until(lambda: os.path.exists(house.folder + "/run/unlock.sock"), 10, "the core to ask for its passphrase")
    wrong = secret_word()
    house.ctl("unlock", secret=wrong + "\n", code=1)
    time.sleep(1.2)  # it makes whoever was wrong wait
    house.ctl("unlock", secret=passphrase + "\n")
    wait_until(house.answers, 10, "the door")
    house.ctl("login", "anna", secret=word + "\n")
    wait_until(lambda: "simulated contact" in house.ctl("device", "list"), 15, "the adapter to be back")
    for name, value in (("passphrase", passphrase), ("wrong passphrase", wrong), ("password", word)):
        house.keep(name, value)
    shown, hidden = found_in_memory(house, house.core.pid)
    assert not shown
    assert any(line.startswith("key db") for line in hidden) and not any("pass" in line for line in hidden)
    assert not search(house.secrets, house.log().encode())


class BrokerOfOne:
    """Says yes to whoever connects (MQTT 3.1.1 and 5) and to its pings; keeps what it heard."""

    def __init__(self, path):
        self.heard = b""
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(path)
        os.chmod(path, 0o666)
        self.server.listen(1)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        conn, _ = self.server.accept()
        while True:
            data = conn.recv(65536)
            if not data:
                return
            if not self.heard:
                conn.sendall(b"\x20\x03\x00\x00\x00" if data[data.index(b"MQTT") + 4] == 5 else b"\x20\x02\x00\x00")
            self.heard += data


def test_a_link_keeps_its_password_once(house):
    """libmosquitto keeps a copy of its own for when it must connect again; no other is to be found, and no core file is made."""
    folder = pathlib.Path(house.folder)
    secret = {"password": secret_word().encode()}
    (folder / "secrets").mkdir(mode=0o700)
    (folder / "secrets/password").write_bytes(secret["password"] + b"\n")
    for path in (folder / "secrets", folder / "secrets/password"):
        os.chown(path, LINK, LINK)
    broker = BrokerOfOne(str(folder / "broker.sock"))
    options = [("profile", "homeassistant"), ("endpoint", f"unix:{folder}/broker.sock"), ("username", "gateway-home"),
               ("password-file", f"{folder}/secrets/password")]
    with LinkCore(str(folder / "wire.sock"), options=options), open(folder / "log", "wb") as log:
        link = subprocess.Popen([BUILD + "/gatewayd-link", "home", "--socket", str(folder / "wire.sock")], stdout=log, stderr=log, env={}, user=LINK,
                                group=LINK, extra_groups=[])
        try:
            wait_until(lambda: secret["password"] in broker.heard, 10, "the link to connect")
            time.sleep(0.5)
            places = [data.count(secret["password"]) for _, kept_out, data in memory(link.pid) if not kept_out]
            assert sum(places) == 1, places
            assert sum(data.count(secret["password"]) for _, kept_out, data in memory(link.pid) if kept_out) <= 1
            assert os.stat(f"/proc/{link.pid}/mem").st_uid == 0
            with open(f"/proc/{link.pid}/limits", encoding="ascii") as limits:
                assert re.search(r"Max core file size +0 +0 ", limits.read())
        finally:
            link.kill()
            link.wait()


def test_arguments_environments_and_logs_hold_no_secret(house):
    """strace sees each argument vector and environment that a program is started with; the processes that stay show theirs."""
    calls = house.folder + "/calls"
    tracer = ("strace", "-f", "-A", "-v", "-s", "4096", "-e", "trace=execve,execveat", "-e", "signal=none", "-o", calls)
    house.start_all()
    with open(calls, "wb"):
        os.chmod(calls, 0o666)  # for the guest's, too
    live_a_day(house, tracer)
    with open(calls, "rb") as lines:
        starts = lines.read()
    assert starts.count(b"execve(") > 10 and b"XDG_RUNTIME_DIR" in starts and b"\"redeem\"" in starts
    assert not search(house.secrets, starts)
    for process in (house.core, house.adapter):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{process.pid}/{name}", "rb") as words:
                assert not search(house.secrets, words.read()), name
    house.ctl("login", "anna", secret=house.secrets["password recovered"].decode() + "\n", tracer=tracer)
    house.ctl("erase", "receipt=" + house.folder + "/receipt", secret="erase\n" + house.secrets["password recovered"].decode() + "\n", tracer=tracer)
    with open(calls, "rb") as lines:
        assert not search(house.secrets, lines.read())
    log = house.log().encode()
    assert b"serving" in log and not search(house.secrets, log)


def test_every_verb_that_takes_a_secret_is_in_that_day():
    with open(os.path.join(REPO, "docs/spec/door.md"), encoding="utf-8") as spec:
        rows = re.findall(r"^\| `([a-z.-]+)` \| [^|]* \| ([^|]*) \|", spec.read(), re.M)
    takes = {method for method, fields in rows if re.search(r"`(password|old|code|passphrase|seed|secret|recovery_key|pin)`", fields)}
    with open(__file__, encoding="utf-8") as own:
        told = own.read()
    verbs = {"recovery-key.set": '"recovery-key", "set"', "key.source": '"key", "source"', "key.destroy": '"key", "destroy"',
             "key.distribute": '"key", "distribute"', "key.compromise": '"key", "compromise"', "gateway.erase": '"erase"', "user.add": '"user", "add"', "user.set-password": '"user", "password"', "code.redeem": '"bind", "redeem"',
             "radio.backup": '"radio", "backup"', "radio.restore": '"radio", "restore"', "radio.form": '"radio", "form"'}
    missing = {method for method in takes if verbs.get(method, f'"{method}"') not in told}
    assert takes and not missing
