"""house - the core with a simulated adapter and gatewayctl, each under a user of its own, without a network: starts in a blink.

    with House() as house:
        house.start_all()
        house.ctl("setup", "anna", secret="...\\n")
        door = house.door(); door.login("anna", "...")
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

from .netns import REPO, wait_until

sys.path.insert(0, os.path.join(REPO, "conf/demo"))
from door import Door, Refused  # noqa: E402,F401

UID, ADAPTER, GUEST = 64300, 64301, 64302
BUILD = os.environ.get("GW_BUILD") or os.path.join(REPO, "build/release")
SETTINGS = """\
site: {{name: Test home, timezone: UTC, maker: "00d3a0", product: "000001"}}
state_dir: {folder}/state
run_dir: {folder}/run
door: {{mode: "0666"}}
adapters:
  sim:
    plugin: sim
    user: "{adapter}"
    options: {{{options}}}
"""


class House:
    """The core with a simulated adapter, each with a user of its own, and gatewayctl; nothing of it needs a network."""

    def __init__(self, extra="", options='devices: "lamp=1,contact=1", period_ms: "500", spare: lamp'):
        """extra: more settings; options: of the simulated home."""
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="gw-residue-")
        os.chmod(self.folder, 0o755)
        self.secrets = {}
        self.sm = "suite: sm" in extra
        self.running = []
        for name in ("gatewayd/gatewayd", "gatewayd-adapter", "gatewayctl"):
            shutil.copy(os.path.join(BUILD, name), self.folder)
        os.mkdir(self.folder + "/plugins")
        shutil.copy(BUILD + "/sim.so", self.folder + "/plugins")
        listing = subprocess.run([REPO + "/plugins/host/list.sh", self.folder + "/plugins/sim.so"], capture_output=True, text=True, check=True).stdout
        self._write("plugins/plugins.list", listing)
        self.settings(extra)
        for sub, mode, uid in (("state", 0o700, UID), ("run", 0o755, UID), ("ctl", 0o700, 0), ("ctl-guest", 0o700, GUEST)):
            os.mkdir(f"{self.folder}/{sub}")
            os.chown(f"{self.folder}/{sub}", uid, uid)
            os.chmod(f"{self.folder}/{sub}", mode)

    def settings(self, extra):
        self._write("gatewayd.yaml", SETTINGS.format(folder=self.folder, adapter=ADAPTER, options=self.options) + extra)

    def _write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def door(self):
        return Door(self.folder + "/run/door.sock")

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, name, value):
        """A secret, as bytes or text; the same one again is no new one."""
        value = value if isinstance(value, bytes) else value.encode()
        if value not in self.secrets.values():
            self.secrets[name if name not in self.secrets else f"{name} {len(self.secrets)}"] = value

    def start(self, name, argv, uid, tracer=()):
        log = open(f"{self.folder}/{name}.log", "ab")
        process = subprocess.Popen([*tracer, *argv], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"},
                                   **({"user": uid, "group": uid, "extra_groups": []} if not tracer else {}))
        self.running.append(process)
        return process

    def start_core(self, fence=True):
        """Does not wait for it."""
        self.core = self.start("core", [self.folder + "/gatewayd", "--config", self.folder + "/gatewayd.yaml"] + ([] if fence else ["--no-fence"]), UID)

    def stop_core(self):
        self.core.terminate()
        assert self.core.wait(20) == 0

    def start_all(self, fence=True):
        self.start_core(fence)
        wait_until(self.answers, 15, "the core's door")
        self.adapter = self.start("sim", [self.folder + "/gatewayd-adapter", "sim", "--socket", self.folder + "/run/wire.sock", "--plugin-dir",
                                          self.folder + "/plugins"], ADAPTER)

    def answers(self):
        assert self.core.poll() is None, self.log()
        try:
            Door(self.folder + "/run/door.sock").close()
        except OSError:
            return False
        return True

    def log(self):
        return "".join(open(path, encoding="utf-8", errors="replace").read() for path in glob.glob(self.folder + "/*.log"))

    def ctl(self, *words, secret=None, uid=0, code=0, tracer=()):
        runtime = self.folder + ("/ctl" if uid == 0 else "/ctl-guest")
        done = subprocess.run([*tracer, self.folder + "/gatewayctl", "--socket", self.folder + "/run/door.sock", "--json",
                               *(["--password-stdin"] if secret else []), *words],
                              env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": runtime}, input=secret or "", capture_output=True, text=True, timeout=60,
                              check=False, **({"user": uid, "group": uid, "extra_groups": []} if uid else {}))
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        for path in glob.glob(runtime + "/gatewayctl/session-*"):
            with open(path, encoding="ascii") as kept:
                self.keep("token of gatewayctl", kept.read().strip())
        return done.stdout
