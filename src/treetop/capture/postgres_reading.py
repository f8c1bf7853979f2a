# SPDX-License-Identifier: Apache-2.0
"""One reading of a PostgreSQL zone's log: messages and sightings in, transactions and heartbeats out.

Joins the wire (`WalStream`), the decoder and the `Watch`; belongs to one thread; neither opens nor closes
connections. Raises psycopg's errors of the connections, `Retry` for silence, `StopZone` for what cannot be
decoded or when the publication was changed under the reading.
"""

import select
import struct
import time
from collections.abc import Callable, Iterator

from treetop.capture.lsn import print_lsn
from treetop.capture.pgoutput import Decoder
from treetop.capture.postgres_publication import PUBLICATION
from treetop.capture.postgres_stream import WalStream
from treetop.capture.postgres_watch import ASK_SECONDS, Sighting, Watch
from treetop.errors import Retry, StopZone
from treetop.model.change import Heartbeat, LogEvent
from treetop.model.zone import Zone

_WAIT_SECONDS = 0.25  # how soon a `close` from another thread is noticed
_BEAT_SECONDS = 0.02
_LOG_DATA = ord("w")
_LOG_DATA_HEADER = 25  # 'w', start, end, server's clock
_KEEPALIVE = struct.Struct(">cQq?")  # 'k', how far the walsender is, its clock, reply wanted


class Reading:
    """Everything that follows the stream's start, until an error ends it."""

    def __init__(
        self,
        zone: Zone,
        stream: WalStream,
        watch: Watch,
        decoder: Decoder,
        *,
        is_closed: Callable[[], bool],
        silence_seconds: float,
    ) -> None:
        self._zone = zone
        self._stream = stream
        self._watch = watch
        self._decoder = decoder
        self._is_closed = is_closed
        self._silence_seconds = silence_seconds
        self._reached = decoder.end_lsn
        self._heard_at = time.monotonic()
        self._beaten: Sighting | None = None  # the newest heartbeat: for which sighting, where, when
        self._beaten_lsn = 0
        self._beaten_at = 0.0
        self._owes_beat = False
        self._publication: str | None = None

    def events(self) -> Iterator[LogEvent]:
        """Yield transactions as they complete, and a heartbeat per sighting that the stream has reached."""
        poll = select.poll()
        poll.register(self._stream.fileno, select.POLLIN)
        self._watch.register(poll)
        while True:
            payloads = self._stream.receive(poll, _BEAT_SECONDS if self._owes_beat else _WAIT_SECONDS)
            if payloads:
                self._heard_at = time.monotonic()
            for payload in payloads:
                if payload[0] == _LOG_DATA:
                    transaction = self._decoder.decode(payload, _LOG_DATA_HEADER)
                    if transaction is not None:
                        yield transaction
                        self._heard_at = time.monotonic()  # the consumer's time is not the server's silence
                else:
                    self._keepalive(payload)
            if self._watch.look():
                self._require_publication()
            heartbeat = self._heartbeat()
            if heartbeat is not None:
                yield heartbeat
                self._heard_at = time.monotonic()
            self._require_life()

    def _keepalive(self, payload: bytes) -> None:
        _, lsn, _, wants_reply = _KEEPALIVE.unpack(payload)
        if not self._decoder.is_inside:
            self._reached = max(self._reached, lsn)
        self._stream.written(lsn, reply=wants_reply)

    def _heartbeat(self) -> Heartbeat | None:
        """A heartbeat if the stream has given all that the newest sighting saw.

        Once per sighting, and again (not too often) when the stream gets further without a transaction: a
        chunk may wait for that position.
        """
        self._reached = max(self._reached, self._decoder.end_lsn)
        self._owes_beat = False
        seen = self._watch.latest
        if seen is None or self._decoder.is_inside or self._reached < seen.end_lsn:
            return None
        if seen is self._beaten and self._reached == self._beaten_lsn:
            return None
        now = time.monotonic()
        if seen is self._beaten and now < self._beaten_at + _BEAT_SECONDS:
            self._owes_beat = True
            return None
        self._beaten, self._beaten_lsn, self._beaten_at = seen, self._reached, now
        return Heartbeat(position=print_lsn(self._reached), at=seen.at)

    def _require_publication(self) -> None:
        """Stop when a table was taken out of the publication: its rows would be missing without a word."""
        assert self._watch.latest is not None
        now = self._watch.latest.publication
        if self._publication is not None and now != self._publication:
            raise StopZone(
                f"zone {self._zone.name}: publication {PUBLICATION} was changed while its stream was read",
                hint="treetop zone resync NAME: rows may be missing",
            )
        self._publication = now

    def _require_life(self) -> None:
        if self._is_closed():
            raise Retry(f"zone {self._zone.name}: the reading was closed")
        silence = time.monotonic() - self._heard_at
        if silence < self._silence_seconds:
            return
        seen = self._watch.latest
        is_answering = seen is not None and time.monotonic() - seen.answered_at < 3 * ASK_SECONDS
        if seen is not None and is_answering and not seen.is_sender_waiting:
            return  # it decodes a large transaction of tables that are not ours
        raise Retry(
            f"zone {self._zone.name}: the log's connection has been silent for {silence:.1f} s, though asked",
            hint="the network between the worker and the zone loses packets or the server hangs",
        )
