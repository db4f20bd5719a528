"""broker - a real Mosquitto in a podman container, attached to a namespace of a Lab.

The image is the host's own mosquitto with the libraries it needs and nothing else, made in half a second and named by its content. A broker's files
live in one folder that has the same path inside and outside the container, so a configuration can name files by the path the test knows.
"""

import hashlib
import os
import re
import shutil
import tarfile
import tempfile

from . import netns
from .netns import REPO, LabError, podman_env, sh, wait_until

UID = 1883
PROGRAM = "/usr/sbin/mosquitto"
PLUGIN = "mosquitto_dynamic_security.so"
IMAGE = "localhost/gwlab-mosquitto"
READY = re.compile(r"^(\d+: )?mosquitto version \S+ running$")


def podman(*argv, **kwargs):
    return sh("podman", *argv, env=podman_env(), **kwargs)


def render(template, **values):
    """A shipped *.in file with its @NAME@ marks filled in; a mark without a value is an error."""
    with open(os.path.join(REPO, template), encoding="utf-8") as source:
        text = source.read()
    text = re.sub(r"@([A-Z_]+)@", lambda mark: str(values[mark.group(1)]), text)
    return text


def _plugin_path():
    for line in sh("ldconfig", "-v", check=False).splitlines():
        if line.endswith(":") or ": (" in line:
            path = os.path.join(line.split(":")[0], PLUGIN)
            if os.path.exists(path):
                return path
    raise LabError(f"{PLUGIN} is not installed")


def _closure():
    """The program, its plugin and every library they load: {path in the image: path on the host}."""
    plugin = _plugin_path()
    files = {PROGRAM: PROGRAM, plugin: plugin}
    for line in sh("ldd", PROGRAM).splitlines() + sh("ldd", plugin).splitlines():
        found = re.search(r"(/\S+) \(0x", line)
        if found:
            files[found.group(1)] = os.path.realpath(found.group(1))
    return files


def image():
    """Name of the broker image; made when the host's mosquitto has changed or there is none yet."""
    files = _closure()
    digest = hashlib.sha256()
    for inside, outside in sorted(files.items()):
        with open(outside, "rb") as data:
            digest.update(inside.encode() + b"\0" + hashlib.sha256(data.read()).digest())
    name = f"{IMAGE}:{digest.hexdigest()[:16]}"
    with netns.one_at_a_time("image"):
        if name not in podman("images", "--format", "{{.Repository}}:{{.Tag}}").split():
            with tempfile.TemporaryDirectory(prefix="gwlab-image") as work:
                with tarfile.open(work + "/image.tar", "w") as tar:
                    for inside, outside in files.items():
                        tar.add(outside, arcname=inside.lstrip("/"))
                podman("import", "-q", "--change", f"ENTRYPOINT [\"{PROGRAM}\"]", work + "/image.tar", name)
    return name


class Broker:
    """One broker.

    place    namespace it lives in ("lan" or "cloud")
    config   text of mosquitto.conf; or a function that gets this object and returns the text
    files    {name: content or path of a file to copy}: put beside mosquitto.conf, readable by the broker only
    group    group id that may reach the broker's sockets (run_dir is set-group-id)
    """

    def __init__(self, lab, name, place=None, config="", files=None, group=UID):
        self.lab, self.name = lab, name
        self.place = place or name
        self.container = f"{lab.run}-{name}"
        self.folder = f"{lab.folder}/{name}"
        self.conf_dir, self.state_dir, self.run_dir = (f"{self.folder}/{part}" for part in ("conf", "state", "run"))
        self._log = self.folder + "/log"
        self._made = False
        for path, mode, owner_group in ((self.folder, 0o755, 0), (self.conf_dir, 0o750, UID), (self.state_dir, 0o700, UID), (self.run_dir, 0o2750, group)):
            os.makedirs(path)
            os.chown(path, 0 if path in (self.folder, self.conf_dir) else UID, owner_group)
            os.chmod(path, mode)
        for file_name, content in (files or {}).items():
            self.put(file_name, content)
        self.put("mosquitto.conf", config(self) if callable(config) else config)

    @property
    def sock(self):
        """The unix socket of the shipped LAN configuration."""
        return self.run_dir + "/lan.sock"

    def put(self, name, content, folder=None):
        """Write (or copy, when content is a path that exists) a file for the broker, 0640; takes effect at the next start or reload."""
        target = os.path.join(folder or self.conf_dir, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if isinstance(content, str) and content.startswith("/") and os.path.exists(content):
            shutil.copyfile(content, target)
        else:
            with open(target, "wb") as out:
                out.write(content.encode() if isinstance(content, str) else content)
        if folder == self.state_dir:
            os.chown(target, UID, UID)
            os.chmod(target, 0o600)
        else:
            os.chown(target, 0, UID)
            os.chmod(target, 0o640)
        return target

    def start(self):
        """Start, the first time or again after stop() and kill9(); returns when it listens."""
        before = self._n_ready()
        if self._made:
            podman("start", self.container)
        else:
            podman("run", "-d", "--name", self.container, "--network", f"ns:{netns.NETNS_DIR}/{self.lab.netns(self.place)}",
                   "--user", f"{UID}:{UID}", "--log-opt", f"path={self._log}", "-v", f"{self.folder}:{self.folder}:rw",
                   "--entrypoint", PROGRAM, image(), "-c", self.conf_dir + "/mosquitto.conf")
            self._made = True
        self._wait_ready(before)

    def stop(self):
        """SIGTERM and wait: a clean shutdown that writes the database."""
        podman("stop", "-t", "5", self.container)

    def kill9(self):
        podman("kill", "-s", "KILL", self.container)
        podman("wait", self.container)

    def restart(self):
        self.stop()
        self.start()

    def pause(self):
        """Freeze the process: connections stand, nobody answers."""
        podman("pause", self.container)

    def unpause(self):
        podman("unpause", self.container)

    def reload(self):
        """SIGHUP: reads the configuration again."""
        podman("kill", "-s", "HUP", self.container)

    def log(self):
        """What the broker has logged, as lines without the container's stamp."""
        try:
            with open(self._log, encoding="utf-8", errors="replace") as log:
                return [line.rstrip("\n").split(" ", 3)[-1] for line in log]
        except FileNotFoundError:
            return []

    def wait_log(self, pattern, timeout=5.0):
        """The first line that matches; LabError when there is none in time."""
        want = re.compile(pattern)
        return wait_until(lambda: next((line for line in self.log() if want.search(line)), None), timeout, f"log line /{pattern}/ of {self.name}")

    def _n_ready(self):
        return sum(1 for line in self.log() if READY.match(line))

    def _wait_ready(self, before):
        def ready():
            return self._n_ready() > before
        try:
            wait_until(ready, 2.0, f"{self.name} to listen")
        except LabError:
            state = podman("inspect", "-f", "{{.State.Status}}", self.container).strip()
            if state != "running":
                raise LabError(f"broker {self.name} is {state}: {self.log()[-5:]}") from None
            wait_until(ready, 8.0, f"{self.name} to listen")
