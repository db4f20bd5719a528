"""bed - what runs inside the machine: virtual controllers, the system bus, bluetoothd; and the words in which a scenario says what it found.

    with Bed(controllers=13) as bed:
        beacons = Beacons(bed.free(0)); ...
        bed.check("ten beacons are seen", lambda: len(seen) == 10)
    sys.exit(bed.verdict())

One bluetoothd owns every controller. It is told not to turn any on: the scanner is hci0, GATT peripherals take the next ones through
BlueZ, and beacons are sent on the last ones behind its back (raw.py).
"""

import os
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
BLUETOOTHD = "/usr/libexec/bluetooth/bluetoothd"
CONF = "/run/bluetooth.conf"


class Bed:
    def __init__(self, controllers):
        self.controllers = controllers
        self.running = []
        self.bluetoothd = None
        self.passed = self.failed = 0

    def __enter__(self):
        with open(CONF, "w", encoding="ascii") as out:
            out.write("[Policy]\nAutoEnable=false\n[GATT]\nChannels=1\n")
        os.makedirs("/run/dbus", exist_ok=True)
        os.makedirs("/var/lib/dbus", exist_ok=True)
        subprocess.run(["dbus-daemon", "--system", "--fork", "--nopidfile", "--nosyslog"], check=True)
        self.start("btvirt", ["btvirt", "-L", f"-l{self.controllers}"])
        wait_until(lambda: os.path.exists(f"/sys/class/bluetooth/hci{self.controllers - 1}"), 30, "the controllers")
        self.start_bluetoothd()
        return self

    def __exit__(self, *error):
        if error[0]:
            traceback.print_exception(*error)
            self._say(False, "the scenario came to its end", str(error[1]))
        for process in reversed(self.running):
            process.terminate()
        return True

    def start(self, name, argv, **popen):
        log = open(f"/run/out/{name}.log", "ab")
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **popen)
        self.running.append(process)
        return process

    def peripheral(self, kind, adapter):
        return self.start(f"peripheral-{kind}", ["/usr/bin/python3", "-B", f"{HERE}/peripheral.py", kind, adapter])

    def power(self, adapter, on=True):
        busctl("set-property", "org.bluez", f"/org/bluez/{adapter}", "org.bluez.Adapter1", "Powered", "b", "true" if on else "false")

    def is_powered(self, adapter):
        return busctl("get-property", "org.bluez", f"/org/bluez/{adapter}", "org.bluez.Adapter1", "Powered") == "b true"

    def turn_off(self, number):
        """Behind BlueZ's back."""
        subprocess.run(["hciconfig", f"hci{number}", "down"], check=True)

    def reset(self, number):
        self.turn_off(number)
        subprocess.run(["hciconfig", f"hci{number}", "up"], check=True)

    def connections(self, number):
        """None of an adapter that is off."""
        done = subprocess.run(["hcitool", "-i", f"hci{number}", "con"], capture_output=True, text=True, check=False)
        return [line for line in done.stdout.splitlines() if "handle" in line]

    def start_bluetoothd(self):
        self.bluetoothd = self.start("bluetoothd", [BLUETOOTHD, "-n", "-f", CONF] + (["-d"] if os.environ.get("RADIO_DEBUG") else []))
        wait_until(lambda: all(busctl("get-property", "org.bluez", f"/org/bluez/hci{n}", "org.bluez.Adapter1", "Address") for n in range(self.controllers)),
                   60, "bluetoothd to know the controllers")

    def kill_bluetoothd(self):
        self.bluetoothd.send_signal(signal.SIGKILL)
        self.bluetoothd.wait()

    def stop_bluetoothd(self):
        """It turns its adapters off."""
        self.bluetoothd.terminate()
        self.bluetoothd.wait(20)

    # What was found.

    def check(self, what, found, timeout=10.0):
        """found: a value, or a function that is asked until it answers yes or the time is over."""
        detail = ""
        try:
            good = wait_until(found, timeout, what) if callable(found) else found
        except (AssertionError, LateError) as error:
            good, detail = False, str(error)
        self._say(bool(good), what, detail)
        return good

    def wait(self, seconds):
        """Of the machine's clock."""
        time.sleep(seconds)

    def _say(self, good, what, detail):
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"{'ok' if good else 'not ok'} {self.passed + self.failed} - {what}" + (f" # {detail}" if detail and not good else ""), flush=True)

    def verdict(self):
        print(f"1..{self.passed + self.failed}", flush=True)
        return 0 if self.passed and not self.failed else 1


class LateError(Exception):
    pass


def wait_until(found, timeout, what):
    end = time.monotonic() + timeout
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise LateError(f"{timeout} s were not enough for {what}")
        time.sleep(0.05)


def busctl(*words):
    """Its output, or empty when the bus said no."""
    done = subprocess.run(["busctl", "--system", *words], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def main(scenario, controllers):
    with Bed(controllers) as bed:
        scenario(bed)
    sys.exit(bed.verdict())
