"""door - a client of gatewayd's door in a page of Python (docs/spec/door.md): one JSON document a packet."""

import json
import socket


class Refused(Exception):
    def __init__(self, method, error):
        super().__init__(f"{method}: {error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.error = error


class Door:
    PACKET = 65536

    def __init__(self, path, timeout=15):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.token = None
        self.last = 0
        self.events = []

    def close(self):
        self.socket.close()

    def receive(self):
        data = self.socket.recv(self.PACKET)
        if not data:
            raise ConnectionError("the gateway closed the door")
        return json.loads(data)

    def call(self, method, **params):
        self.last += 1
        request = {"id": self.last, "method": method, "params": params}
        if self.token:
            request["token"] = self.token
        self.socket.send(json.dumps(request).encode())
        while True:
            answer = self.receive()
            if "event" in answer:
                self.events.append(answer)
            elif answer.get("id") in (self.last, None):  # None: it could not even read which request this was
                if "error" in answer:
                    raise Refused(method, answer["error"])
                return answer["result"]

    def login(self, user, password):
        self.token = self.call("login", user=user, password=password)["token"]

    def next_event(self, timeout=None):
        if self.events:
            return self.events.pop(0)
        self.socket.settimeout(timeout)
        while True:
            packet = self.receive()
            if "event" in packet:
                return packet
