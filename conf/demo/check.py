"""check - one command through each loop of the demo home, and how long it took there and back (./dev run --check)."""

import json
import time

from mqtt import Client, tls_socket

BASE = "gatewayd/link-cloud"


class Platform(Client):
    """The cloud's side: tells the gateway the time, sends an order, hears the answer."""

    def __init__(self, home):
        self.answers, self.events = [], []
        super().__init__(tls_socket("localhost", 8884, home.path("pki/cloud-ca.crt"), home.path("pki/platform.crt"), home.path("pki/platform.key")), "platform")
        self.subscribe(f"{BASE}/answers")
        self.subscribe(f"{BASE}/events")
        self.turn(1)

    def on_message(self, topic, payload):
        if topic.endswith("/answers"):
            self.answers.append(json.loads(payload))
        else:
            self.events += json.loads(payload)

    def tell_time(self):
        self.publish(f"{BASE}/time", json.dumps({"now": int(time.time() * 1000)}))

    def order(self, device, capability, value, timeout=10):
        now = int(time.time() * 1000)
        order = {"id": f"check-{now}", "sender": "check", "issued_at": now, "not_after": now + 10000, "counter": now, "device": device,
                 "capability": capability, "value": value}
        self.publish(f"{BASE}/commands", json.dumps(order))
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for answer in self.answers:
                if answer["id"] == order["id"]:
                    return answer
            self.turn(end - time.monotonic())
        return {"result": "none", "reason": "no answer came"}


def small_loop(family):
    started = time.monotonic()
    family.door.call("device.set", device="Kettle", capability="on-off", value=True)
    print(f"small loop: the kettle is on, over the LAN broker and back in {(time.monotonic() - started) * 1000:.1f} ms", flush=True)
    return True


def big_loop(home, family):
    platform = Platform(home)
    platform.tell_time()
    wait = time.monotonic() + 10
    while not family.door.call("status")["clock"]["trusted"]:
        if time.monotonic() > wait:
            print("big loop: the gateway does not trust its clock", flush=True)
            return False
        platform.turn(0.05)
    started = time.monotonic()
    answer = platform.order(family.devices()["lamp-1"]["id"], "on-off", True)
    took = (time.monotonic() - started) * 1000
    if answer["result"] != "ok":
        print(f"big loop: {answer['result']}: {answer.get('reason')}", flush=True)
        return False
    print(f"big loop: the lamp is on, from the cloud and back in {took:.1f} ms", flush=True)
    return True
