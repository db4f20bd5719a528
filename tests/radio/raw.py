"""raw - a Bluetooth controller without BlueZ: advertising by HCI commands on a raw socket (Core 5.3, Vol 4 Part E, 7.8).

    radio = Raw(2)                                   hci2, turned on
    radio.advertise("c1:22:33:44:55:66", b"...")     one report goes out; again for another one
    radio.silence()

btvirt is driven by events: a report goes out when advertising is enabled, not each interval. So one controller can play
any number of beacons, one after the other, and each call is one advertisement on the air.

btvirt numbers connections at each end by itself, from 42, and hands packets on without translating: a connection works only when both
ends happen to have the same number. A central's second one needs a second one at the other end as well: connect() from a spare one.
"""

import fcntl
import socket
import struct

HCIDEVUP, HCIDEVDOWN = 0x400448C9, 0x400448CA
ALREADY = 114
SOL_HCI, HCI_FILTER = 0, 2
COMMAND, EVENT = 1, 4
COMMAND_COMPLETE, COMMAND_STATUS = 0x0E, 0x0F
SET_RANDOM_ADDRESS, SET_PARAMETERS, SET_DATA, SET_RESPONSE, ENABLE = 0x2005, 0x2006, 0x2008, 0x2009, 0x200A
CONNECT = 0x200D
PUBLIC, RANDOM = 0, 1
CONNECTABLE, SCANNABLE, SILENT = 0, 2, 3


class Raw:
    def __init__(self, index):
        self.index = index
        self.socket = socket.socket(socket.AF_BLUETOOTH, socket.SOCK_RAW, socket.BTPROTO_HCI)
        try:
            fcntl.ioctl(self.socket, HCIDEVUP, index)
        except OSError as error:
            if error.errno != ALREADY:
                raise
        self.socket.bind((index,))
        self.socket.setsockopt(SOL_HCI, HCI_FILTER, struct.pack("<IIIHxx", 1 << EVENT, 1 << COMMAND_COMPLETE | 1 << COMMAND_STATUS, 0, 0))
        self.socket.settimeout(2.0)
        self.enabled = False

    def close(self):
        self.socket.close()

    def command(self, opcode, data=b""):
        self.socket.send(struct.pack("<BHB", COMMAND, opcode, len(data)) + data)
        while True:
            event = self.socket.recv(260)
            if len(event) >= 7 and event[1] == COMMAND_STATUS and struct.unpack_from("<H", event, 5)[0] == opcode:
                assert event[3] == 0, f"hci{self.index}: command {opcode:#06x} has status {event[3]:#04x}"
                return b""
            if len(event) >= 7 and event[1] == COMMAND_COMPLETE and struct.unpack_from("<H", event, 4)[0] == opcode:
                assert event[6] == 0, f"hci{self.index}: command {opcode:#06x} was answered {event[6]:#04x}"
                return event[7:]

    def advertise(self, address, data, response=b"", kind=SILENT):
        """address: of a random kind, or None for the controller's own."""
        assert len(data) <= 31 and len(response) <= 31, f"{len(data)} and {len(response)} bytes in an advertisement of 31"
        self.silence()
        if response:
            kind = SCANNABLE
        if address:
            self.command(SET_RANDOM_ADDRESS, bytes.fromhex(address.replace(":", ""))[::-1])
        self.command(SET_PARAMETERS, struct.pack("<HHBBB6sBB", 0x20, 0x20, kind, RANDOM if address else PUBLIC, 0, bytes(6), 7, 0))
        self.command(SET_DATA, bytes([len(data)]) + data.ljust(31, b"\0"))
        self.command(SET_RESPONSE, bytes([len(response)]) + response.ljust(31, b"\0"))
        self.command(ENABLE, b"\1")
        self.enabled = True

    def connect(self, address):
        """To a public one, that advertises at this moment."""
        where = bytes.fromhex(address.replace(":", ""))[::-1]
        self.command(CONNECT, struct.pack("<HHBB6sBHHHHHH", 0x60, 0x30, 0, PUBLIC, where, PUBLIC, 0x18, 0x28, 0, 0x2A, 0, 0))

    def silence(self):
        if self.enabled:
            self.command(ENABLE, b"\0")
            self.enabled = False


# AD structures (Supplement to the Core Specification, part A).

def part(kind, data):
    return bytes([len(data) + 1, kind]) + data


def flags(value=6):
    return part(0x01, bytes([value]))


def name(text):
    return part(0x09, text.encode())


def service(uuid, data):
    return part(0x16, struct.pack("<H", uuid) + data)


def maker(company, data):
    return part(0xFF, struct.pack("<H", company) + data)
