"""An older image of the whole state put back: it agrees with itself, and yet the gateway finds out, from its own last word at the cloud's broker."""

import shutil
import time

import pytest
from lib.home import BASE, PASSWORD, UID, Home, Refused, ask, order, trust_time
from lib.netns import sh, wait_until
from lib.platform import Platform


@pytest.fixture
def home(lab, pki):
    home = Home(lab, pki)
    home.start("core", "sim", "cloud")
    home.owner()
    return home


def stop(home):
    """The core last but first told: it seals its record at the end."""
    for name in ("cloud", "sim", "core"):
        home.processes[name].stop()


def put(home, source, target):
    shutil.rmtree(target, ignore_errors=True)
    sh("cp", "-a", source, target)


def rollback(home):
    return [alarm for alarm in home.door.call("alarm.list")["alarms"] if alarm["alarm"] == "rollback"]


def newest_point(platform):
    points = platform.events(BASE + "/anchor")
    return points[-1].json if points else None


def test_an_older_image_is_found_out_by_what_was_said_outside(home, lab, pki):
    with Platform(lab, pki) as platform:
        platform.subscribe(BASE + "/#")
        home.claim("sim", "simulated lamp")
        home.wait_links("cloud")
        trust_time(home, platform)
        home.allow_link("cloud")
        lamp = home.devices()["simulated lamp"]["id"]
        assert ask(platform, order(lamp, "on-off", True, 1)) == "ok"

        stop(home)
        state, image = home.folder + "/state", home.folder + "/image"
        put(home, state, image)
        home.start("core", "sim", "cloud")
        home.again()
        assert not rollback(home), "the same state again is no doubt"
        home.wait_links("cloud")
        # what the thief wants undone
        home.door.call("user.add", name="thief", role="member", password=PASSWORD + "!")
        home.door.call("user.disable", user="thief")
        before = newest_point(platform)
        # each start is told outside, with all that is on record by then
        home.processes["core"].stop()
        home.start("core")
        home.again()
        wait_until(lambda: newest_point(platform) != before, 10, "its point at the broker")
        before = newest_point(platform)
        stop(home)
        put(home, image, state)
        sh("chown", "-R", f"{UID['core']}:{UID['core']}", state)

        home.start("core", "sim", "cloud")
        home.again()
        home.wait_links("cloud")
        wait_until(lambda: rollback(home), 10, "the alarm")
        assert "point" in rollback(home)[0]["detail"]
        assert "point" in home.door.call("status")["doubt"]
        trust_time(home, platform)
        answer = order(lamp, "on-off", False, 5000, id="o-50")
        assert ask(platform, answer) == "denied"
        # the people at home are not what was put back
        home.door.call("device.set", device="simulated lamp", capability="on-off", value=True)
        # and it lasts over a restart
        home.processes["core"].stop()
        home.start("core")
        home.again()
        assert rollback(home)
        home.wait_links("cloud")
        time.sleep(1.1)  # the link passes the time on once a second
        trust_time(home, platform)
        assert ask(platform, order(lamp, "on-off", False, 5001, id="o-51")) == "denied"

        home.door.call("freshness.confirm")
        assert not rollback(home)
        with pytest.raises(Refused):
            home.door.call("freshness.confirm")
        assert ask(platform, order(lamp, "on-off", False, 5002, id="o-52")) == "ok"
        assert [row["object"] for row in home.audit("freshness") if row.get("object")] == ["doubt", "confirmed"]
        wait_until(lambda: newest_point(platform) != before, 10, "its new point at the broker")
