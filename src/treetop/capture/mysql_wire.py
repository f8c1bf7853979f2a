# SPDX-License-Identifier: Apache-2.0
"""The packets of a MariaDB or MySQL connection, read in big blocks: socket in, (block, start, end) out.

Made over the socket of a PyMySQL connection that is authenticated and idle: PyMySQL's own packet reader
costs several microseconds a packet, which neither a log nor a chunk of rows can afford. A packet over 16 MB
arrives in parts and is joined. Raises `Retry` when the connection ends or stays silent; `received_at` and
`is_waiting` let a caller tell when the bytes it reads were surely sent.

Facts: MySQL source documentation "Packets".
"""

import socket
import time
from collections.abc import Iterator

from treetop.errors import Retry

BLOCK_BYTES = 1 << 18
FULL_PACKET = 0xFFFFFF  # a packet of this size is followed by its continuation
WAITED_SECONDS = 0.0005  # a receive that took longer than this had to wait for the sender

Packet = tuple[bytes, int, int]


class PacketStream:
    """One connection's packets. Belongs to one thread; `shut` may be called from another."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self._socket = connection
        self._peer = peer
        self._silence_seconds = 0.0
        self._packets = self._read()
        self._received_at = time.time()
        #: time.time() at which the bytes of the current block had surely not been waiting for longer
        self.sent_at = self._received_at

    def send(self, command: int, payload: bytes) -> None:
        """Send a command. Raises `Retry`."""
        body = bytes((command,)) + payload
        try:
            self._socket.sendall(len(body).to_bytes(4, "little") + body)
        except OSError as error:
            raise Retry(f"the connection to {self._peer} broke: {error}") from error

    def packets(self) -> Iterator[Packet]:
        """Give packets for ever; always the same iterator: a reader goes on where the last stopped."""
        return self._packets

    def limit_silence(self, seconds: float) -> None:
        """Raise `Retry` from now on when nothing comes for so long."""
        self._socket.settimeout(seconds)
        self._silence_seconds = seconds

    def shut(self) -> None:
        """End the connection: a waiting reader gets `Retry`. Idempotent."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was not connected any more

    def _read(self) -> Iterator[Packet]:
        data, at = b"", 0
        joined = b""
        while True:
            end = len(data)
            while end - at >= 4:
                size = data[at] | data[at + 1] << 8 | data[at + 2] << 16
                after = at + 4 + size
                if after > end:
                    break
                if size == FULL_PACKET or joined:
                    joined += data[at + 4 : after]
                    if size < FULL_PACKET:
                        whole, joined = joined, b""
                        yield whole, 0, len(whole)
                else:
                    yield data, at + 4, after
                at = after
            missing = 1 if end - at < 4 else after - end
            data, at = self._receive(data[at:], missing), 0

    def _receive(self, rest: bytes, missing: int) -> bytes:
        """Return `rest` and at least `missing` bytes more."""
        parts = [rest]
        while missing > 0:
            began_at = time.time()
            try:
                part = self._socket.recv(max(BLOCK_BYTES, min(missing, 1 << 20)))
            except TimeoutError as error:
                raise Retry(f"{self._peer} was silent for {self._silence_seconds:g} s") from error
            except OSError as error:
                raise Retry(f"the connection to {self._peer} broke: {error}") from error
            if not part:
                raise Retry(f"{self._peer} closed the connection")
            now = time.time()
            self.sent_at = now if now - began_at > WAITED_SECONDS else self._received_at
            self._received_at = now
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)
