"""The door and gatewayctl against the running daemons: a household's first day by the command line, exit codes, clients of the LAN broker, tokens of
others."""

import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest
from lib.home import PASSWORD, Home, Refused
from lib.netns import wait_until
from lib.platform import NO_SUBSCRIBERS, NOT_AUTHORISED, Peer
from lib.platform import Refused as PeerRefused

STRANGER = 64299


class Ctl:
    """gatewayctl as a person uses it, with a folder for sessions of its own."""

    def __init__(self, home, folder, uid=None):
        self.home, self.uid = home, uid
        self.runtime = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if uid is not None:
            os.chown(folder, uid, uid)

    def command(self, *words, json_=False):
        argv = [self.home.folder + "/gatewayctl", "--socket", self.home.folder + "/run/door.sock"]
        return argv + (["--json"] if json_ else []) + list(words)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": self.runtime}

    def run(self, *words, secret=None, code=0, json_=False):
        stdin = ["--password-stdin"] if secret is not None else []
        user = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        done = subprocess.run(self.command(*stdin, *words, json_=json_), env=self.environment(), input=secret or "", capture_output=True, text=True, timeout=60, **user)
        assert done.returncode == code, f"{words}: exit {done.returncode}, wanted {code}\n{done.stdout}{done.stderr}"
        return done.stdout if code == 0 or not done.stderr else done.stdout + done.stderr

    def ask(self, *words):
        return json.loads(self.run(*words, json_=True))


@pytest.fixture(scope="module")
def home(shared_lab, pki):
    home = Home(shared_lab, pki)
    home.settings(extra="broker:\n  socket: {0}\n  user: gateway-broker-admin\n  password_file: {1}/gateway-broker-admin.password\n".format(
        home.lan.sock, home.lan.secrets.folder))
    return home.start("core", "sim")


@pytest.fixture(scope="module")
def root(home, tmp_path_factory):
    """anna, by the command line."""
    ctl = Ctl(home, str(tmp_path_factory.mktemp("run")))
    assert ctl.ask("hello")["has_owner"] is False
    ctl.run("status", code=4)
    ctl.run("setup", "anna", secret="12345678\n", code=1)
    ctl.run("setup", "anna", secret=PASSWORD + "\n")
    assert ctl.ask("hello")["has_owner"] is True
    ctl.run("setup", "eve", secret=PASSWORD + "\n", code=4)  # once there is an owner root is nobody here
    ctl.run("login", "anna", secret="wrong\n", code=1)
    assert "anna" in ctl.run("login", "anna", secret=PASSWORD + "\n")
    home.owner()
    return ctl


def test_the_first_day(home, root):
    wait_until(lambda: "simulated lamp" in root.run("device", "list"), 20, "the simulated lamp")
    root.run("join", "open", "sim", "seconds=60")
    wait_until(lambda: "simulated lamp" in root.run("claim", "list"), 20, "the lamp to wait")
    root.run("claim", "confirm", "simulated lamp")
    root.run("join", "close", "sim")
    root.run("device", "rename", "simulated lamp", "lamp")
    root.run("device", "room", "lamp", "Hall")
    root.run("device", "set", "lamp", "on-off", "on")
    lamp = root.ask("device", "show", "lamp")
    assert lamp["room"] == "Hall" and lamp["owner"] == "anna"
    assert {cap["name"]: cap["value"] for cap in lamp["capabilities"]}["on-off"] is True
    assert "Hall" in root.run("room", "list")
    for words in (("status",), ("map",), ("diagnose",), ("diagnose", "lamp"), ("link", "list"), ("spool",), ("alarm", "list"), ("policy", "list"), ("rule", "list"),
                  ("user", "list"), ("session", "list"), ("audit", "tail", "last=5"), ("audit", "head"), ("conf", "show"), ("join", "status")):
        assert root.run(*words).strip(), words
        assert isinstance(root.ask(*words), dict), words
    number = root.ask("rule", "add", "night", "time", "at=22:30", "days=mon-fri", "then=lamp/on-off", "set=off")["id"]
    root.run("rule", "remove", str(number))
    number = root.ask("policy", "add", "deny", "anybody", "device:lamp", "actions=command")["id"]
    assert f"rule {number}" in root.run("device", "set", "lamp", "on-off", "off", code=1)
    assert root.ask("policy", "explain", "user:anna", "lamp", "on-off")["rule"] == number
    root.run("policy", "remove", str(number))


def test_exit_codes(home, root, tmp_path):
    assert "usage: gatewayctl device set DEVICE CAPABILITY VALUE" in root.run("device", "set", "lamp", code=2)
    root.run("no", "such", "command", code=2)
    root.run("status", "--no-such-option", code=2)
    root.run("device", "show", "nothing", code=1)
    nowhere = subprocess.run([home.folder + "/gatewayctl", "--socket", str(tmp_path / "none.sock"), "status"], capture_output=True, text=True, check=False)
    assert nowhere.returncode == 3 and "no gateway answers" in nowhere.stderr
    head = root.ask("audit", "head")
    assert "whole" in root.run("audit", "verify", f"anchor={head['seq']}:{head['head']}")
    root.run("audit", "verify", code=2)
    root.run("audit", "verify", f"anchor={head['seq']}:" + "0" * 64, code=1)


def test_the_session_lies_where_only_its_user_reads_it(home, root, tmp_path):
    ctl = Ctl(home, str(tmp_path / "run"))
    ctl.run("login", "anna", secret=PASSWORD + "\n")
    folder = ctl.runtime + "/gatewayctl"
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    files = os.listdir(folder)
    assert len(files) == 1 and stat.S_IMODE(os.stat(f"{folder}/{files[0]}").st_mode) == 0o600
    ctl.run("session", "list")
    ctl.run("logout")
    assert os.listdir(folder) == []
    ctl.run("session", "list", code=4)


def test_a_token_from_elsewhere_ends(home, root, tmp_path):
    mine = Ctl(home, str(tmp_path / "mine"))
    mine.run("login", "anna", secret=PASSWORD + "\n")
    folder = mine.runtime + "/gatewayctl"
    token = open(f"{folder}/{os.listdir(folder)[0]}", encoding="ascii").read()
    ask = "import json,socket,sys; s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); s.connect(sys.argv[1]);" \
          "s.send(json.dumps({'id':1,'method':'device.list','token':sys.stdin.read()}).encode()); print(s.recv(65536).decode())"
    answer = subprocess.run(["python3", "-c", ask, home.folder + "/run/door.sock"], input=token, user=STRANGER, group=STRANGER, extra_groups=[],
                            capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["error"]["code"] == "no-session"
    mine.run("session", "list", code=4)  # it ended for everybody
    assert any(f"uid:{STRANGER}" in json.dumps(row) for row in home.audit("session"))


def test_events_are_followed(home, root):
    follow = subprocess.Popen(root.command("events"), env=root.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        time.sleep(0.5)
        root.run("device", "set", "lamp", "on-off", "off")
        root.run("device", "set", "lamp", "on-off", "on")
        line = next(line for line in follow.stdout if "on-off" in line)
        assert re.search(r"report +lamp +on-off = (on|off)", line)
    finally:
        follow.send_signal(signal.SIGINT)
        follow.wait(5)


def test_clients_of_the_lan_broker(home, root):
    name = "shed"
    told = root.ask("broker", "client", "add", name)
    assert told["name"] == name and len(told["password"]) >= 32
    assert any(name in json.dumps(row) for row in home.audit("broker-client"))
    with Peer(home.lan.sock, user=name, password=told["password"], client_id=name) as shed:
        assert shed.publish(f"{name}/state", "on") in (0, NO_SUBSCRIBERS)
        assert shed.publish(f"{name}/set", "on") == NOT_AUTHORISED
        assert shed.publish("garden/state", "on") == NOT_AUTHORISED
    assert "already exists" in root.run("broker", "client", "add", name, code=1)
    root.run("broker", "client", "remove", name)
    with pytest.raises(PeerRefused), Peer(home.lan.sock, user=name, password=told["password"], client_id=name):
        pass
    for fixed in ("gateway-command", "homeassistant", "zigbee2mqtt"):
        root.run("broker", "client", "add", fixed, code=1)
        root.run("broker", "client", "remove", fixed, code=1)
    assert told["password"] not in root.run("audit", "tail", "last=100")


def test_a_second_person(home, root):
    """A guest sees what is hers to see; what she may not know looks like nothing."""
    root.run("user", "add", "gus", "guest", secret="a guest's long word\n")
    gus = Ctl(home, home.folder + "/sessions-gus", uid=STRANGER)  # where that user may look
    gus.run("login", "gus", secret="a guest's long word\n")
    assert gus.run("device", "set", "simulated lock", "lock-state", "unlocked", code=1).splitlines()[-1].replace("simulated lock", "X") == \
        gus.run("device", "set", "no such lock", "lock-state", "unlocked", code=1).splitlines()[-1].replace("no such lock", "X")
    gus.run("user", "list", code=1)
    gus.run("audit", "tail", code=1)
    gus.run("user", "password", "gus", secret="a guest's long word\nanother long word\n")
    gus.run("device", "list", code=4)
    gus.run("login", "gus", secret="another long word\n")
    root.run("user", "disable", "gus")
    gus.run("device", "list", code=4)
    root.run("user", "remove", "gus")


def test_recovery_by_root(home, root):
    root.run("recovery", "anna", secret="recovered long word\n")
    root.run("status", code=4)
    root.run("login", "anna", secret="recovered long word\n")
    root.run("user", "password", "anna", secret=f"recovered long word\n{PASSWORD}\n")
    root.run("login", "anna", secret=PASSWORD + "\n")
    home.owner()
    assert len(home.audit("recovery")) == 1
    with pytest.raises(Refused):
        home.door.call("recovery", user="nobody", password="x")
