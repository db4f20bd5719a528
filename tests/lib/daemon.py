"""daemon - one program under test: started in a namespace of a Lab as its own user, logged into a file, killed and started again."""

import contextlib
import os
import re
import signal
import subprocess

from .netns import LabError, wait_until

STOP_SECONDS = 5.0


class Daemon:
    """argv as the program sees it. uid, gid, groups: who it runs as (default: root). env: added to a nearly empty environment.

    log() has what it wrote to standard output and error, of all its lives.
    """

    def __init__(self, lab, name, argv, place="gw", uid=None, gid=None, groups=(), env=None, **popen):
        self.lab, self.name, self.argv, self.place = lab, name, list(argv), place
        self._user = {"uid": uid, "gid": gid, "groups": groups}
        self._env = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "LANG": "C.UTF-8", **(env or {})}
        self._popen = popen
        self._path = f"{lab.folder}/{name}.log"
        self.process = None
        self.start()

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        with open(self._path, "ab") as log:
            self.process = self.lab.run_in(self.place, self.argv, stdout=log, stderr=subprocess.STDOUT, env=self._env, **self._user, **self._popen)
        return self

    def is_alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill9(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        return self.process.wait()

    def stop(self, timeout=STOP_SECONDS):
        """SIGTERM; returns the exit code. A program that does not stop in time is killed and LabError says so."""
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout=STOP_SECONDS):
        """Waits for its end; returns the exit code."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise LabError(f"{self.name} did not end in {timeout} s: {self.log()[-5:]}") from None

    def restart(self):
        self.stop()
        return self.start()

    def freeze(self):
        """SIGSTOP: hangs, with its sockets open."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def log(self):
        with open(self._path, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()

    def mark(self):
        """A place in the log, for after=."""
        return len(self.log())

    def wait_log(self, pattern, timeout=5.0, after=0):
        """The first line after that place that matches. LabError when there is none in time, or the program has ended without it."""
        want = re.compile(pattern)

        def found():
            line = next((line for line in self.log()[after:] if want.search(line)), None)
            if line is None and not self.is_alive():
                line = next((line for line in self.log()[after:] if want.search(line)), None)
                if line is None:
                    raise LabError(f"{self.name} ended ({self.process.returncode}) before /{pattern}/: {self.log()[-5:]}")
            return line
        try:
            return wait_until(found, timeout, f"/{pattern}/ in the log of {self.name}")
        except LabError as error:
            raise LabError(f"{error}; it ends with {self.log()[-5:]}") from None
