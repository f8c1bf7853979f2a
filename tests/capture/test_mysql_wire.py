# SPDX-License-Identifier: Apache-2.0
"""Packets of a MySQL connection: pieces, joined packets, silence, the end."""

import itertools
import socket
import threading
import time

import pytest

from treetop.capture.mysql_wire import FULL_PACKET, PacketStream
from treetop.errors import Retry


@pytest.fixture
def pair():
    """A stream and the server's end of its socket."""
    client, server = socket.socketpair()
    yield PacketStream(client, "zone z"), server
    client.close()
    server.close()


def packet(payload, number=0):
    return len(payload).to_bytes(3, "little") + bytes([number % 256]) + payload


def payloads(stream, count):
    return [data[start:end] for data, start, end in itertools.islice(stream.packets(), count)]


def sending(server, data):
    sender = threading.Thread(target=server.sendall, args=(data,))
    sender.start()
    return sender


def test_packets_come_whole_from_single_bytes(pair):
    stream, server = pair
    sent = [b"a", b"", b"b" * 300]

    def send():
        for byte in b"".join(map(packet, sent)):
            server.sendall(bytes([byte]))

    sender = threading.Thread(target=send)
    sender.start()

    assert payloads(stream, 3) == sent
    sender.join()


@pytest.mark.parametrize("size", [FULL_PACKET - 1, FULL_PACKET, FULL_PACKET + 1, 2 * FULL_PACKET])
def test_packet_of_16_mb_and_more_is_joined(pair, size):
    stream, server = pair
    whole = b"0123456789abcdef" * (size // 16) + b"x" * (size % 16)
    parts = [whole[at : at + FULL_PACKET] for at in range(0, size + 1, FULL_PACKET)]
    sender = sending(server, b"".join(map(packet, parts)) + packet(b"next"))

    assert payloads(stream, 2) == [whole, b"next"]
    sender.join()


def test_reader_goes_on_where_the_last_one_stopped(pair):
    stream, server = pair
    server.sendall(packet(b"one") + packet(b"two") + packet(b"three"))

    assert payloads(stream, 1) == [b"one"]
    assert payloads(stream, 2) == [b"two", b"three"]


def test_silence_is_an_error(pair):
    stream, _ = pair
    stream.limit_silence(0.1)

    with pytest.raises(Retry, match=r"zone z was silent for 0.1 s"):
        payloads(stream, 1)


def test_end_in_the_middle_of_a_packet_is_an_error(pair):
    stream, server = pair
    server.sendall(packet(b"whole") + packet(b"cut off")[:-1])
    server.close()

    assert payloads(stream, 1) == [b"whole"]
    with pytest.raises(Retry, match="closed the connection"):
        payloads(stream, 1)


def test_shut_wakes_a_waiting_reader(pair):
    stream, _ = pair
    stream.limit_silence(20)
    timer = threading.Timer(0.1, stream.shut)
    timer.start()

    with pytest.raises(Retry):
        payloads(stream, 1)

    timer.join()
    stream.shut()


def test_bytes_that_had_waited_are_dated_by_the_read_before(pair):
    stream, server = pair
    server.sendall(packet(b"one"))
    payloads(stream, 1)
    first_read_at = time.time()
    server.sendall(packet(b"two"))
    time.sleep(0.2)

    payloads(stream, 1)

    assert stream.sent_at <= first_read_at


def test_bytes_that_were_waited_for_are_dated_now(pair):
    stream, server = pair
    began_at = time.time()
    timer = threading.Timer(0.2, server.sendall, args=(packet(b"late"),))
    timer.start()

    payloads(stream, 1)

    assert stream.sent_at >= began_at + 0.1
    timer.join()
