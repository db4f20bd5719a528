"""platform - the far end of the big loop, played by a second MQTT library (paho), MQTT 5.

Peer is any MQTT client of a test: a device, Home Assistant, an intruder. Platform is the Peer that holds the platform's certificate and speaks to the
gateway through the cloud broker. Both may live in a namespace of a Lab while the test itself runs outside.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .netns import LabError

CONNECT_TIMEOUT = 5.0
WINDOW = 1000  # messages on the way at once
KEEPALIVE = 30
NOT_AUTHORISED = 135  # MQTT 5, 3.4.2.1
NO_SUBSCRIBERS = 16  # same place: accepted, and nobody listens


class Refused(LabError):
    """The broker answered CONNECT with a reason code of 0x80 or more."""

    def __init__(self, code, text):
        super().__init__(f"connection refused: {code} {text}")
        self.code = code


class Message:
    """What arrived, and when (monotonic seconds)."""

    def __init__(self, packet):
        self.topic, self.payload, self.qos, self.retain, self.dup = packet.topic, packet.payload, packet.qos, packet.retain, packet.dup
        self.properties = packet.properties
        self.at = time.monotonic()

    @property
    def json(self):
        return json.loads(self.payload)

    def __repr__(self):
        return f"<{self.topic} {self.payload[:200]!r} q{self.qos}{' retained' if self.retain else ''}>"


class _Client(paho.Client):
    """paho with three things it lacks: a choice of namespace, unix sockets, and the reason code of PUBACK."""

    def __init__(self, peer, **kwargs):
        super().__init__(**kwargs)
        self.peer = peer

    def _create_socket_connection(self):
        return self.peer.make_socket()

    def _handle_pubackcomp(self, cmd):
        packet = self._in_packet["packet"]
        self.peer.on_puback(struct.unpack("!H", packet[:2])[0], packet[2] if len(packet) > 2 else 0)
        return super()._handle_pubackcomp(cmd)


class Peer:
    """One MQTT 5 client.

    address   (host, port), or the path of a unix socket
    inside    function that gives a context in which the socket is made: lambda: lab.inside("cloud")
    tls       None, or {"ca": path, "cert": path, "key": path, "name": name to check the broker's certificate against}
    """

    def __init__(self, address, client_id="", user=None, password=None, tls=None, inside=contextlib.nullcontext, will=None,
                 clean_start=True, session_expiry=0, receive_maximum=None):
        self._address, self._inside = address, inside
        self._state = threading.Condition()
        self.messages = []
        self._pubacks, self._subacks = {}, {}
        self._connack = None
        self.n_connects = 0
        self.client = _Client(self, client_id=client_id, protocol=paho.MQTTv5)
        self.client.on_connect, self.client.on_message = self._on_connect, self._on_message
        self.client.on_subscribe, self.client.on_disconnect = self._on_subscribe, self._on_disconnect
        self.client.max_inflight_messages_set(WINDOW)
        self._name = "localhost" if isinstance(address, str) else address[0]
        self._clean_start = clean_start
        self._properties = Properties(PacketTypes.CONNECT)
        if session_expiry:
            self._properties.SessionExpiryInterval = session_expiry
        if receive_maximum:
            self._properties.ReceiveMaximum = receive_maximum
        if user:
            self.client.username_pw_set(user, password)
        if will:
            self.client.will_set(*will)
        if tls:
            self.client.tls_set(ca_certs=tls["ca"], certfile=tls.get("cert"), keyfile=tls.get("key"), tls_version=ssl.PROTOCOL_TLS_CLIENT)
            self._name = tls.get("name", self._name)

    def __enter__(self):
        return self.connect()

    def __exit__(self, *exc):
        self.close()

    def connect(self, timeout=CONNECT_TIMEOUT):
        """Returns self when CONNACK has come. Refused, or the socket's or TLS's own error, otherwise."""
        self._connack = None
        # paho wants a host and a port; make_socket() ignores them, TLS checks the certificate against the host.
        self.client.connect(self._name, 8883, KEEPALIVE, clean_start=self._clean_start, properties=self._properties)
        self.client.loop_start()
        try:
            code = self._wait(lambda: self._connack, timeout, "CONNACK")
        except LabError:
            self.close()
            raise
        if code.value >= 0x80:
            self.close()
            raise Refused(code.value, str(code))
        return self

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self):
        """Drop the socket without a DISCONNECT, as a program killed would; the broker publishes the will."""
        self.client.loop_stop()
        if self.client.socket():
            self.client.socket().close()

    def subscribe(self, *topics, qos=1, timeout=CONNECT_TIMEOUT):
        """Returns the reason code for each topic filter (0..2 granted, 0x80 and more refused)."""
        _, mid = self.client.subscribe([(topic, paho.SubscribeOptions(qos=qos)) for topic in topics])
        return self._wait(lambda: self._subacks.get(mid), timeout, f"SUBACK for {topics}")

    def publish(self, topic, payload=b"", qos=1, retain=False, timeout=CONNECT_TIMEOUT, expiry=None, user_properties=()):
        """Publish bytes, text or (for a dict) JSON. Returns the reason code of PUBACK: 0 accepted, whether anybody listens or not. At QoS 0 always 0."""
        info = self._send(topic, payload, qos, retain, expiry, user_properties)
        if qos == 0:
            info.wait_for_publish(timeout)
            return 0
        return self._acknowledgements([info.mid], timeout)[0]

    def publish_many(self, items, qos=1, timeout=60.0):
        """items: (topic, payload) pairs, sent a window at a time; returns the list of reason codes."""
        items, codes = list(items), []
        for start in range(0, len(items), WINDOW):
            mids = [self._send(topic, payload, qos, False, None, ()).mid for topic, payload in items[start:start + WINDOW]]
            codes += [0] * len(mids) if qos == 0 else self._acknowledgements(mids, timeout)
        return codes

    def _acknowledgements(self, mids, timeout):
        codes = []

        def collected():
            while len(codes) < len(mids) and mids[len(codes)] in self._pubacks:
                codes.append(self._pubacks.pop(mids[len(codes)]))
            return len(codes) == len(mids)
        self._wait(collected, timeout, f"{len(mids)} PUBACK")
        return codes

    def wait_for(self, topic=None, match=None, timeout=5.0, after=0):
        """The first message from messages[after:] on that topic (a filter with + and # is fine) for which match(message) is true."""
        looked_at = after

        def found():
            nonlocal looked_at
            while looked_at < len(self.messages):
                message = self.messages[looked_at]
                looked_at += 1
                if (topic is None or paho.topic_matches_sub(topic, message.topic)) and (match is None or match(message)):
                    return message
            return None
        return self._wait(found, timeout, f"a message on {topic}; last seen {self.messages[-3:]}")

    def nothing_on(self, topic, seconds=0.5, after=0):
        """True when no such message has come in that time."""
        try:
            self.wait_for(topic, timeout=seconds, after=after)
        except LabError:
            return True
        return False

    def mark(self):
        """A place in the stream of messages, for after=."""
        return len(self.messages)

    def events(self, topic="#"):
        with self._state:
            return [message for message in self.messages if paho.topic_matches_sub(topic, message.topic)]

    def is_connected(self):
        return self.client.is_connected()

    def make_socket(self):
        with self._inside():
            if isinstance(self._address, str):
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                sock.settimeout(CONNECT_TIMEOUT)
                sock.connect(self._address)
                return sock
            sock = socket.create_connection(self._address, timeout=CONNECT_TIMEOUT)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock

    def on_puback(self, mid, code):
        with self._state:
            self._pubacks[mid] = 0 if code == NO_SUBSCRIBERS else code
            self._state.notify_all()

    def _send(self, topic, payload, qos, retain, expiry, user_properties):
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        properties = Properties(PacketTypes.PUBLISH)
        if expiry is not None:
            properties.MessageExpiryInterval = expiry
        for pair in user_properties:
            properties.UserProperty = pair
        return self.client.publish(topic, payload, qos, retain, properties)

    def _wait(self, value, timeout, what):
        """Until value() is true; returns it. Looks again whenever something has come."""
        with self._state:
            end = time.monotonic() + timeout
            while True:
                result = value()
                if result:
                    return result
                left = end - time.monotonic()
                if left <= 0:
                    raise LabError(f"waited {timeout} s for {what}")
                self._state.wait(left)

    def _on_connect(self, _client, _userdata, _flags, code, _properties=None):
        with self._state:
            self._connack = code
            self.n_connects += 1
            self._state.notify_all()

    def _on_disconnect(self, *_):
        with self._state:
            self._state.notify_all()

    def _on_subscribe(self, _client, _userdata, mid, codes, _properties=None):
        with self._state:
            self._subacks[mid] = [code.value for code in codes]
            self._state.notify_all()

    def _on_message(self, _client, _userdata, packet):
        with self._state:
            self.messages.append(Message(packet))
            self._state.notify_all()


class Platform(Peer):
    """The cloud platform: a Peer with the certificate "platform", at home in the lab's cloud namespace, so that faults of the wan cable do not touch it."""

    def __init__(self, lab, pki, address=("10.91.3.2", 8883), certificate="platform", name="cloud.test", **kwargs):
        tls = {"ca": pki.path("cloud-ca.crt"), "cert": pki.path(certificate + ".crt"), "key": pki.path(certificate + ".key"), "name": name}
        kwargs.setdefault("client_id", certificate)
        super().__init__(address, tls=tls, inside=lambda: lab.inside("cloud"), **kwargs)
