"""The door under load: requests without end, more clients than there is room for, clients that do not read. Whoever behaves is served meanwhile."""

import contextlib
import gc
import json
import select
import socket
import threading
import time

import pytest
from lib.home import Door, Home
from lib.netns import wait_until

CLIENTS_MAX, RATE_PER_S = 32, 200
BURSTS, BURST = 40, 12  # of the longest answers there are: more than is kept for one that does not read
CLIENTS, REQUESTS = 64, 10_000
GROWTH_KIB = 16 * 1024


@pytest.fixture(scope="module")
def home(shared_lab, pki):
    home = Home(shared_lab, pki)
    home.start("core", "sim")
    home.owner()
    home.claim("sim", "simulated lamp")
    return home


@pytest.fixture(autouse=True)
def still_well(home):
    before = home.door.call("map")["core"]
    yield
    gc.collect()  # of a test that failed, the connections
    wait_until(lambda: home.door.call("map")["core"]["door_clients"] == 1, 10, "the others to be gone", step=0.1)
    after = home.door.call("map")["core"]
    assert after["pid"] == before["pid"] and after["rss_kib"] - before["rss_kib"] < GROWTH_KIB
    assert home.processes["core"].is_alive()
    switch(home, True)
    switch(home, False)


def switch(home, value):
    home.door.call("device.set", device="simulated lamp", capability="on-off", value=value)
    assert home.value("simulated lamp", "on-off") is value


def connect(home):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    client.connect(home.folder + "/run/door.sock")
    return client


def say(client, method, number=1, **params):
    client.send(json.dumps({"id": number, "method": method, "params": params}).encode())


def answer(client):
    data = client.recv(65536)
    return json.loads(data) if data else None


class Flooder(threading.Thread):
    """Sends its share as fast as it is read, and reads what comes. A connection that is closed on it is opened again."""

    def __init__(self, home, share):
        super().__init__()
        self.home, self.left = home, share
        self.answers, self.turned_away = {}, 0

    def run(self):
        while self.left > 0:
            with contextlib.suppress(OSError), connect(self.home) as client:
                if self.flood(client):
                    continue
            self.turned_away += 1
            time.sleep(0.02)

    def flood(self, client):
        """False: turned away."""
        while self.left > 0:
            say(client, "hello", self.left)
            said = answer(client)
            if said is None:
                return False
            assert said["id"] == self.left
            word = said["error"]["code"] if "error" in said else "ok"
            self.answers[word] = self.answers.get(word, 0) + 1
            self.left -= 1
        return True


def test_ten_thousand_requests_of_sixty_four_clients(home):
    flooders = [Flooder(home, REQUESTS // CLIENTS + 1) for _ in range(CLIENTS)]
    for flooder in flooders:
        flooder.start()
    served = 0
    while any(flooder.is_alive() for flooder in flooders):
        switch(home, served % 2 == 0)
        served += 1
        time.sleep(0.05)
    for flooder in flooders:
        flooder.join()
    answers = {word: sum(flooder.answers.get(word, 0) for flooder in flooders) for flooder in flooders for word in flooder.answers}
    assert sum(answers.values()) == CLIENTS * (REQUESTS // CLIENTS + 1)
    assert set(answers) <= {"ok", "rate"} and answers["ok"]
    assert served > 3, "who behaves was not served"
    assert sum(flooder.turned_away for flooder in flooders), f"{CLIENTS} clients were let in"


def test_no_more_clients_than_there_is_room_for(home):
    others = [connect(home) for _ in range(CLIENTS_MAX - 1)]
    for client in others:
        say(client, "hello")
        assert answer(client)["result"]
    with connect(home) as one_too_many:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            say(one_too_many, "hello")
            assert answer(one_too_many) is None
    others.pop().close()
    wait_until(lambda: home.door.call("map")["core"]["door_clients"] == CLIENTS_MAX - 1, 5, "a place to be free")
    others.append(connect(home))
    say(others[-1], "hello")
    assert answer(others[-1])["result"]
    for client in others:
        client.close()


def test_too_many_requests_in_a_second(home):
    with connect(home) as client:
        said = []
        for number in range(3 * RATE_PER_S):
            say(client, "hello", number)
            said.append(answer(client))
        refused = [one for one in said if "error" in one]
        assert refused and all(one["error"]["code"] == "rate" and "requests a second" in one["error"]["message"] for one in refused)
        assert len(said) - len(refused) >= RATE_PER_S
        time.sleep(1.1)
        say(client, "hello")
        assert answer(client)["result"]


def test_one_that_never_reads_its_answers(home):
    """Its own answers are lost, nobody else's."""
    with connect(home) as client:
        client.setblocking(False)
        for number in range(REQUESTS):
            try:
                say(client, "hello", number)
            except BlockingIOError:
                break
        switch(home, True)
        client.setblocking(True)
        client.settimeout(2)
        seen = 0
        with contextlib.suppress(TimeoutError, OSError):
            while answer(client):
                seen += 1
        assert seen


def test_one_that_does_not_read_is_told_what_it_missed(home):
    """Who reads misses nothing meanwhile."""
    slow, quick = (Door(home.folder + "/run/door.sock") for _ in range(2))
    for door in (slow, quick):
        door.login("anna", "correct horse battery")
        door.call("events.subscribe")
    asked, wished = 0, []
    for _ in range(BURSTS):
        for _ in range(BURST):
            slow.socket.send(json.dumps({"id": asked, "method": "audit.tail", "params": {"n": 500}, "token": slow.token}).encode())
            asked += 1
        wished += [True, False]
        for value in wished[-2:]:
            home.door.call("device.set", device="simulated lamp", capability="on-off", value=value)
        time.sleep(0.1)
    assert heard_of(quick, "on-off", len(wished)) == wished
    # it reads at last; the next event tells it how much was not kept for it
    packets = drain(slow)
    home.door.call("device.set", device="simulated lamp", capability="on-off", value=True)
    packets += drain(slow)
    answers = sum(1 for packet in packets if "id" in packet)
    lost = sum(packet["data"]["count"] for packet in packets if packet.get("event") == "lost")
    assert 0 < answers < asked
    assert asked - answers <= lost <= asked - answers + 10 * len(wished)  # of events, too
    for door in (slow, quick):
        door.close()


def heard_of(door, capability, n):
    values = []
    while len(values) < n:
        event = door.next_event(timeout=5)
        if event["event"] == "report" and event["data"]["capability"] == capability:
            values.append(event["data"]["value"])
    return values


def drain(door):
    packets = []
    while select.select([door.socket], [], [], 1)[0]:
        packets.append(door.receive())
    return packets
