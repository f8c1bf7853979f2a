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
from treetop.store.session import open_session
from treetop.sync.applier import Applier, Limits
from treetop.sync.event_queue import EventQueue
from treetop.sync.lifecycle import setback
from treetop.sync.log_reader import LogReader
from treetop.sync.passes import Passes

log = logging.getLogger(__name__)

CAUGHT_UP_SECONDS = 1.0  # a zone this close behind, or confirmed idle, is live
BEHIND_SECONDS = 10.0  # a live zone this far behind is catching up again
LOOK_SECONDS = 1.0  # how often requests are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know. suffix: tells this top's replication slots from another's."""

    conninfo: str
    owner: str
    suffix: str
    servers_per_chunk: int
    limits: Limits


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
            reload = isinstance(error, Resnapshot)
            wait_seconds = 0.0 if reload else _record(zone, settings, error, attempts)
            if reload:
                log.warning("the zone's log is lost before our position: %s; loading it again", error)
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


def _record(zone: Zone, settings: WorkerSettings, error: TreetopError, attempts: int) -> float:
    """Write down what an error makes of the zone; return how long to wait."""
    after = setback(error, attempts=attempts)
    log.warning("%s: %s", after.state, after.reason, extra={"hint": after.hint})
    try:
        with open_session(settings.conninfo, name=f"state of {zone.name}") as conn:
            conn.autocommit = True
            leases.set_state(
                conn,
                zone.id,
                after.state,
                reason=after.reason,
                hint=after.hint,
                attempts=after.attempts,
                retry_at=datetime.now(UTC) + timedelta(seconds=after.retry_in_seconds),
            )
    except TreetopError as unreachable:
        log.warning("cannot record the zone's state: %s", unreachable)
    return after.retry_in_seconds


class _Worker:
    """One opening of a zone: connections, threads, and the loop."""

    def __init__(self, zone: Zone, settings: WorkerSettings, stop: Event) -> None:
        self.was_live = False
        self._zone = zone
        self._settings = settings
        self._stop = stop
        self._state: ZoneState | None = None
        self._events = EventQueue()
        self._closers: list[Callable[[], None]] = []

    def run(self, *, reload: bool) -> None:
        """Open everything and apply until told to stop."""
        settings, zone = self._settings, self._zone
        control = open_session(settings.conninfo, name=f"control of {zone.name}")
        self._closers.append(control.close)
        control.autocommit = True
        stored = leases.claim(control, zone.id, owner=settings.owner)
        self._closers.append(lambda: leases.release(control, zone.id, owner=settings.owner))
        source = open_log(zone, slot_suffix=settings.suffix)
        self._closers.append(source.close)
        facts = source.check()
        offset = timedelta(seconds=facts.clock_offset_seconds) + (datetime.now(UTC) - stored.now)
        position = self._starting_position(control, source, facts, stored, reload=reload)
        writer = ZoneWriter(settings.conninfo, zone.id, settings.owner)
        self._closers.append(writer.close)
        reader = LogReader(source, self._events)
        self._closers.append(reader.stop)
        applier = Applier(
            events=self._events,
            writer=writer,
            position=position,
            clock_offset=offset,
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
        reader.start(position)
        if not (stored.is_loaded and position == stored.position):
            passes.start_load(after=stored.loaded_upto if position == stored.position else None)
        self._loop(control, applier, passes)

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
        position = source.begin()
        leases.begin_load(
            control, self._zone.id, owner=self._settings.owner, identity=facts.identity, position=position
        )
        return position

    def _loop(self, control: psycopg.Connection, applier: Applier, passes: Passes) -> None:
        looked_at = 0.0
        while not self._stop.is_set():
            applier.turn()
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
        lag = applier.lag_seconds
        if applier.last_heartbeat_at is not None or (lag is not None and lag <= CAUGHT_UP_SECONDS):
            return ZoneState.LIVE
        if self._state is ZoneState.LIVE and (lag is None or lag <= BEHIND_SECONDS):
            return ZoneState.LIVE
        return ZoneState.CATCHING_UP

    def _move(self, control: psycopg.Connection, state: ZoneState) -> None:
        if state is self._state:
            return
        leases.set_state(control, self._zone.id, state)
        log.info("the zone is %s", state)
        self._state = state
        self.was_live = self.was_live or state is ZoneState.LIVE
