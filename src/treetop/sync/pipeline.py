# SPDX-License-Identifier: Apache-2.0
"""One zone, from opening to stopping: claim it, find where to read on, apply, and answer requests beside it.

`run_zone` is the body of a worker process. It never gives up by itself: an error becomes the zone's state
(`lifecycle.setback`), and after a while everything is opened again from the stored position. It ends when told to
stop, when the zone was removed, or when another worker took it over.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event

import psycopg

from treetop.apply.writer import ZoneWriter
from treetop.capture import open_log, open_rows
from treetop.capture.source import LogSource, SourceFacts
from treetop.errors import LostLease, NotFound, Resnapshot, Retry, TreetopError
from treetop.model.change import Position
from treetop.model.zone import Engine, Zone, ZoneState
from treetop.store import leases
from treetop.store.migrate import check_schema
from treetop.store.session import open_session
from treetop.sync.applier import Applier, ClockOffsets, Limits
from treetop.sync.event_queue import EventQueue
from treetop.sync.hastener import Hastener
from treetop.sync.lifecycle import can_move, setback
from treetop.sync.log_reader import LogReader
from treetop.sync.passes import Passes

log = logging.getLogger(__name__)

CAUGHT_UP_SECONDS = 1.0  # a zone this close behind, or confirmed idle, is live
BEHIND_SECONDS = 10.0  # a live zone this far behind is catching up again
LOOK_SECONDS = 1.0  # how often requests are looked for
BEGIN_SECONDS = 60.0  # the lease while a zone prepares a new reading: a slot waits for open transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know. suffix: tells this top's replication slots from another's."""

    conninfo: str
    owner: str
    suffix: str
    servers_per_chunk: int
    limits: Limits
    stopped_seconds: float  # how long a zone that needs a person rests before it is looked at again


def run_zone(zone: Zone, settings: WorkerSettings, stop: Event) -> None:
    """Keep one zone in step until `stop`. Raises `LostLease` or `NotFound` when it is not ours any more."""
    attempts = 0
    reload = False
    while not stop.is_set():
        worker = _Worker(zone, settings, stop)
        try:
            worker.run(reload=reload)
            break
        except (LostLease, NotFound):
            raise
        except Exception as fault:
            error = fault if isinstance(fault, TreetopError) else _unexpected(fault)
            if worker.was_live:
                attempts = 0
            reload = isinstance(error, Resnapshot) or (reload and not worker.has_begun)
            wait_seconds = worker.record(error, attempts=attempts)
            attempts += 1
        finally:
            worker.close()
        stop.wait(wait_seconds)


def _unexpected(fault: Exception) -> TreetopError:
    log.error("a fault in Treetop itself", exc_info=fault)
    return Retry(
        f"a fault in Treetop itself ({type(fault).__name__}: {fault})",
        hint="report it with the worker's log; the zone is tried again meanwhile",
    )


class _Worker:
    """One opening of a zone: connections, threads, and the loop.

    was_live: the zone was live for a moment. has_begun: a new position to read from was stored.
    """

    def __init__(self, zone: Zone, settings: WorkerSettings, stop: Event) -> None:
        self.was_live = False
        self.has_begun = False
        self._zone = zone
        self._settings = settings
        self._stop = stop
        self._state: ZoneState | None = None  # as stored; None: the zone is not ours (yet)
        self._events = EventQueue()
        self._closers: list[Callable[[], None]] = []

    def run(self, *, reload: bool) -> None:
        """Open everything and apply until told to stop."""
        settings, zone = self._settings, self._zone
        control = open_session(settings.conninfo, name=f"control of {zone.name}")
        self._closers.append(control.close)
        control.autocommit = True
        check_schema(control)  # at each opening: it may have been migrated while the zone waited
        stored = leases.claim(control, zone.id, owner=settings.owner)
        here_from_top = datetime.now(UTC) - stored.now
        self._state = stored.state
        self._closers.append(lambda: leases.release(control, zone.id, owner=settings.owner))
        source = open_log(zone, slot_suffix=settings.suffix)
        self._closers.append(source.close)
        facts = source.check()
        zone_from_here = timedelta(seconds=facts.clock_offset_seconds)
        position = self._starting_position(control, source, facts, stored, reload=reload)
        writer = ZoneWriter(settings.conninfo, zone.id, settings.owner)
        self._closers.append(writer.close)
        reader = LogReader(source, self._events)
        self._closers.append(reader.stop)
        applier = Applier(
            events=self._events,
            writer=writer,
            position=position,
            clocks=ClockOffsets(from_top=zone_from_here + here_from_top, from_here=zone_from_here),
            limits=settings.limits,
            acknowledge=source.acknowledge,
            nudge=source.nudge,
        )
        passes = Passes(
            zone=zone,
            control=control,
            writer=writer,
            applier=applier,
            open_rows=lambda: open_rows(zone),
            wake=self._events.wake,
            servers_per_chunk=settings.servers_per_chunk,
        )
        self._closers.append(passes.stop)
        hastener = Hastener(settings.conninfo, zone, applier.hasten)
        self._closers.append(hastener.stop)
        reader.start(position)
        hastener.start()
        if self.has_begun or not stored.is_loaded:
            passes.start_load(after=None if self.has_begun else stored.loaded_upto)
        self._loop(control, applier, passes)

    def record(self, error: TreetopError, *, attempts: int) -> float:
        """Write down what an error makes of the zone, if it is ours; return how long to wait.

        Raises `LostLease` when it is another worker's by now.
        """
        after = setback(error, attempts=attempts, stopped_seconds=self._settings.stopped_seconds)
        log.warning("%s: %s", after.state, after.reason, extra={"hint": after.hint})
        if self._state is None:
            return after.retry_in_seconds
        self._require_move(after.state)
        try:
            with open_session(self._settings.conninfo, name=f"state of {self._zone.name}") as conn:
                conn.autocommit = True
                leases.set_state(
                    conn,
                    self._zone.id,
                    after.state,
                    owner=self._settings.owner,
                    reason=after.reason,
                    hint=after.hint,
                    attempts=after.attempts,
                    retry_at=datetime.now(UTC) + timedelta(seconds=after.retry_in_seconds),
                )
        except LostLease:
            raise
        except TreetopError as unwritten:
            log.warning("cannot record the zone's state: %s", unwritten)
        return after.retry_in_seconds

    def close(self) -> None:
        """Close everything, last opened first; what fails to close does not keep the rest open."""
        for close in reversed(self._closers):
            try:
                close()
            except Exception as error:  # closing must go on
                log.debug("closing: %s", error)
        self._closers.clear()

    def _starting_position(
        self,
        control: psycopg.Connection,
        source: LogSource,
        facts: SourceFacts,
        stored: leases.StoredPosition,
        *,
        reload: bool,
    ) -> Position:
        known = stored.position is not None and not reload
        if known and stored.identity != facts.identity and self._zone.url.engine is Engine.POSTGRESQL:
            log.warning("the zone's history changed from %s to %s", stored.identity, facts.identity)
            known = False  # LSNs of another timeline mean nothing; GTIDs name their origin themselves
        if known:
            assert stored.position is not None
            return stored.position
        leases.renew(control, self._zone.id, owner=self._settings.owner, seconds=BEGIN_SECONDS)
        position = source.begin()
        leases.begin_load(
            control, self._zone.id, owner=self._settings.owner, identity=facts.identity, position=position
        )
        self.has_begun = True
        return position

    def _loop(self, control: psycopg.Connection, applier: Applier, passes: Passes) -> None:
        looked_at = 0.0
        while not self._stop.is_set():
            applier.turn()
            if applier.has_heard or self._state not in (ZoneState.WAITING, ZoneState.STOPPED):
                self._move(control, self._state_of(applier, passes))
            now = time.monotonic()
            if now - looked_at >= LOOK_SECONDS:
                looked_at = now
                leases.renew(control, self._zone.id, owner=self._settings.owner)
                passes.look(may_start=self._state in (ZoneState.LIVE, ZoneState.CATCHING_UP))
            else:
                passes.settle()

    def _state_of(self, applier: Applier, passes: Passes) -> ZoneState:
        if passes.is_loading:
            return ZoneState.LOADING
        if self._state not in (ZoneState.CATCHING_UP, ZoneState.LIVE) or not applier.has_heard:
            return ZoneState.CATCHING_UP
        lag = applier.lag_seconds
        if applier.last_heartbeat_at is not None or (lag is not None and lag <= CAUGHT_UP_SECONDS):
            return ZoneState.LIVE
        if self._state is ZoneState.LIVE and (lag is None or lag <= BEHIND_SECONDS):
            return ZoneState.LIVE
        return ZoneState.CATCHING_UP

    def _move(self, control: psycopg.Connection, state: ZoneState) -> None:
        if state is self._state:
            return
        self._require_move(state)
        leases.set_state(control, self._zone.id, state, owner=self._settings.owner)
        log.info("the zone is %s", state)
        self._state = state
        self.was_live = self.was_live or state is ZoneState.LIVE

    def _require_move(self, state: ZoneState) -> None:
        assert self._state is not None
        assert can_move(self._state, state), f"from {self._state} to {state}"
