# SPDX-License-Identifier: Apache-2.0
"""The body of `treetop sync --zone NAME`: one zone in this process, until a signal.

Exit status 0: told to stop, or the zone is another worker's or was removed; 1 is for the supervisor to start anew.
"""

import logging
import os
import signal
import sys
import uuid
from threading import Event

from treetop.config import Settings
from treetop.errors import LostLease, NotFound
from treetop.store.session import open_session
from treetop.store.zones import find_zone, top_id
from treetop.sync.applier import Limits
from treetop.sync.heap import share_one_heap
from treetop.sync.pipeline import WorkerSettings, run_zone

log = logging.getLogger(__name__)


def work(settings: Settings, zone_name: str, *, supervisor: str | None) -> int:
    """Keep one zone in step. supervisor: the name of the one that started us, None: nobody did."""
    stop = stop_on_signals()
    share_one_heap()
    conninfo = settings.required_connection()
    with open_session(conninfo, name=f"worker of {zone_name}") as conn:
        zone = find_zone(conn, zone_name)
        suffix = top_id(conn)
    worker = worker_settings(settings, suffix=suffix, supervisor=supervisor)
    sys.setswitchinterval(0.001)  # the applier must not wait 5 ms for a reader that is decoding
    try:
        run_zone(zone, worker, stop)
    except (LostLease, NotFound) as error:
        log.info("%s: this worker ends", error)
    return 0


def worker_settings(settings: Settings, *, suffix: str, supervisor: str | None = None) -> WorkerSettings:
    """Return what a worker of this process needs, with a name that no other worker has."""
    return WorkerSettings(
        conninfo=settings.required_connection(),
        owner=f"{supervisor or uuid.uuid4().hex[:12]}/{os.getpid()}-{uuid.uuid4().hex[:6]}",
        suffix=suffix,
        servers_per_chunk=settings.chunk_servers,
        limits=Limits(batch_changes=settings.batch_changes),
        stopped_seconds=settings.stopped_retry_seconds,
    )


def stop_on_signals() -> Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
