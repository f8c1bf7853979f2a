# SPDX-License-Identifier: Apache-2.0
"""The invariant of a pass over a zone's rows: beside any stream, read at any time, it ends with the zone's rows.

What the zone shows to a SELECT and what its log has given differ all the time (`zone_history`); a worker without
threads (`chunk_worker`) is taken through random interleavings of committing, becoming visible, applying, reading
and dying.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apply.claimed_top import claim_zone, empty_top, everything_at_top
from tests.apply.mirrored_rows import MIRRORED
from tests.sync.chunk_worker import OWNER, ChunkWorker, Sizes
from tests.sync.zone_history import ZoneHistory
from treetop.apply.chunks import load_chunk
from treetop.apply.writer import ZoneWriter
from treetop.model.zone import Zone
from treetop.nova.mirrored_tables import top_table
from treetop.nova.watched import segment_after
from treetop.sync.chunk_run import Pass

IN_FLIGHT = 4
SERVERS_BEFORE = 30  # transactions of the zone before its log is read
Doing = tuple[str, int]

DOINGS = st.tuples(
    st.sampled_from(
        [
            "commit",
            "commit",
            "commit",
            "show",
            "apply",
            "apply",
            "apply",
            "read",
            "read",
            "turn",
            "turn",
            "steps",
            "steps",
            "steps",
            "die",
        ]
    ),
    st.integers(0, 5),
)


@pytest.fixture
def zone(top_dsn: str) -> Zone:
    return claim_zone(top_dsn)


@contextmanager
def worker_of(dsn: str, zone: Zone, history: ZoneHistory, sizes: Sizes) -> Iterator[ChunkWorker]:
    empty_top(dsn)
    worker = ChunkWorker(dsn, zone, history, sizes)
    try:
        worker.begin()
        yield worker
    finally:
        worker.close()


def a_history(seed: int, *, like_postgres: bool) -> ZoneHistory:
    history = ZoneHistory(
        Random(seed), bare_deletes=like_postgres, compares=not like_postgres, most_in_flight=IN_FLIGHT
    )
    for _ in range(SERVERS_BEFORE):
        history.commit(at_once=True)
    return history


def do(worker: ChunkWorker, history: ZoneHistory, doings: Iterator[Doing], most: int) -> None:
    """Do the next of what was drawn; a read does some of what follows before and after its snapshot."""
    for _, (what, how) in zip(range(most), doings, strict=False):
        if what == "commit":
            for _ in range(how):
                history.commit(at_once=how % 2 == 0)
        elif what == "show":
            history.show(how)
        elif what == "apply":
            worker.give(how)
            worker.turn()
        elif what == "turn":
            worker.turn()
        elif what == "read" and not worker.is_reading:
            history.during_read = partial(do, worker, history, doings, how)
            worker.read()
            history.during_read = _nothing
        elif what == "steps" and not worker.is_reading:
            for _ in range(how):  # through the segments, while transactions are in flight
                worker.read()
                worker.give(1)
                worker.turn()
        elif what == "die" and not worker.is_reading:
            worker.open()


def _nothing() -> None:
    """Nothing happens during a read."""


def spoil(dsn: str, zone: Zone, random: Random) -> None:
    """Change, remove and add servers and mirrored rows at the top."""
    with psycopg.connect(dsn) as conn:
        uuids = [uuid for (uuid,) in conn.execute("SELECT uuid FROM server ORDER BY uuid")]
        for uuid in random.sample(uuids, len(uuids) // 2):
            conn.execute(
                random.choice(
                    [
                        "DELETE FROM server WHERE uuid = %s",
                        "UPDATE server SET display_name = 'wrong', tags = '{\"odd\": true}' WHERE uuid = %s",
                        "UPDATE server SET volumes = NULL, faults = NULL, user_data = 'odd' WHERE uuid = %s",
                        'UPDATE server SET source_id = 7, metadata = \'{"1": ["a", "b"]}\' WHERE uuid = %s',
                    ]
                ),
                (uuid,),
            )
        for _ in range(3):
            conn.execute(
                "INSERT INTO server (zone_id, uuid, source_id, deleted, vm_state)"
                " VALUES (%s, gen_random_uuid(), %s, false, 'odd')",
                (zone.id, random.randint(1, 200)),
            )
        for name in MIRRORED:
            table = top_table(name)
            conn.execute(f"DELETE FROM {table} WHERE id %% 3 = %s", (random.randint(0, 2),))
            conn.execute(
                f"UPDATE {table} SET created_at = '2000-01-01' WHERE id %% 2 = %s", (random.randint(0, 1),)
            )
            conn.execute(
                f"INSERT INTO {table} (zone_id, id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (zone.id, random.randint(1, 200)),
            )


def run_pass(dsn: str, zone: Zone, worker: ChunkWorker, kind: Pass, random: Random) -> None:
    if kind in (Pass.RELOAD, Pass.REPAIR):
        spoil(dsn, zone, random)
    if kind is Pass.RELOAD:
        worker.begin()
    elif kind is not Pass.LOAD:
        worker.start(kind)


@pytest.mark.parametrize("like_postgres", [False, True], ids=["like-mariadb", "like-postgres"])
def test_passes_beside_any_stream_end_with_the_rows_of_a_fresh_load(
    top_dsn: str, zone: Zone, like_postgres: bool
) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        seed=st.integers(0, 2**32),
        sizes=st.builds(
            Sizes,
            kept=st.integers(2 * IN_FLIGHT, 12),
            in_flight=st.just(IN_FLIGHT),
            servers=st.integers(1, 6),
            batch=st.sampled_from([1, 20, 1000]),
            pieces=st.sampled_from([1, 1, 3]),
            position_seconds=st.sampled_from([0.0, 3600.0]),
        ),
        passes=st.lists(
            st.tuples(
                st.sampled_from([Pass.VERIFY, Pass.RELOAD, Pass.REPAIR]), st.lists(DOINGS, max_size=40)
            ),
            max_size=2,
        ),
        loading=st.lists(DOINGS, max_size=40),
    )
    def check(seed: int, sizes: Sizes, passes: list[tuple[Pass, list[Doing]]], loading: list[Doing]) -> None:
        random = Random(seed)
        history = a_history(seed, like_postgres=like_postgres)
        with worker_of(top_dsn, zone, history, sizes) as worker:
            for kind, doings in [(Pass.LOAD, loading), *passes]:
                run_pass(top_dsn, zone, worker, kind, random)
                do(worker, history, iter(doings), len(doings))
                worker.drain()
        found = everything_at_top(top_dsn)
        empty_top(top_dsn)
        with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
            for chunk in history.chunks_at(len(history.log)):
                load_chunk(writer, chunk, ())
            writer.connection.commit()

        assert found == everything_at_top(top_dsn)

    check()


def commit_changes(history: ZoneHistory, count: int, *, at_once: bool) -> None:
    """Commit until this many transactions with changes are in the log."""
    wanted = sum(1 for changes in history.log if changes) + count
    while sum(1 for changes in history.log if changes) < wanted:
        history.commit(at_once=at_once)


def test_a_range_read_too_long_ago_is_read_again_and_nothing_is_left_out(top_dsn: str, zone: Zone) -> None:
    history = a_history(5, like_postgres=False)
    with worker_of(top_dsn, zone, history, Sizes(kept=3, servers=2, batch=1000)) as worker:
        history.ranges_read.clear()
        worker.read()
        commit_changes(history, 4, at_once=True)
        worker.give(1000)
        worker.turn()
        worker.read()
        worker.turn()
        worker.read()  # a second range waits while the first one is settled
        commit_changes(history, 4, at_once=True)
        worker.give(1000)
        worker.turn()

        worker.drain()

        first, again, second, *later = [
            segment_after(after, kind=zone.kind, trust=zone.trust) for after in history.ranges_read
        ]
        assert history.ranges_read[:2] == [0, 0]
        assert first == again
        assert second in later, "the waiting range was not read again"
        worker.require_equal_rows()


def test_what_was_in_flight_when_a_read_began_is_not_forgotten_before_its_chunk_is_used(
    top_dsn: str, zone: Zone
) -> None:
    kept = 6
    for seed in range(20):
        history = a_history(seed, like_postgres=True)
        with worker_of(
            top_dsn, zone, history, Sizes(kept=kept, in_flight=1, servers=100, batch=1000)
        ) as worker:
            commit_changes(history, 1, at_once=False)
            worker.give(1000)
            worker.turn()
            worker.read()  # does not see what the top has already
            commit_changes(history, kept, at_once=True)
            worker.give(1000)
            worker.turn()

            worker.drain()


@pytest.mark.parametrize("like_postgres", [False, True], ids=["like-mariadb", "like-postgres"])
def test_what_the_top_has_and_a_read_does_not_is_no_difference(
    top_dsn: str, zone: Zone, like_postgres: bool
) -> None:
    for seed in range(40):
        history = a_history(seed, like_postgres=like_postgres)
        with worker_of(top_dsn, zone, history, Sizes(kept=100, in_flight=IN_FLIGHT, servers=100)) as worker:
            worker.drain()
            for _ in range(IN_FLIGHT):
                history.commit(at_once=False)
            worker.give(1000)
            worker.turn()
            if not like_postgres:
                worker.open()  # what it applied before is still in flight
            worker.start(Pass.VERIFY)
            worker.read()
            worker.turn()

            worker.drain()


def test_a_range_read_ahead_is_dropped_when_the_one_before_it_is_read_again(top_dsn: str, zone: Zone) -> None:
    for seed in range(20):
        history = a_history(seed, like_postgres=True)
        with worker_of(top_dsn, zone, history, Sizes(kept=100, servers=8, pieces=2)) as worker:
            commit_changes(history, 1, at_once=True)
            worker.read()
            worker.turn()  # this range waits for the stream
            worker.read()
            history.commit(at_once=True)
            while len(history.log[-1]) < 2:  # one in pieces: every server counts as touched
                history.commit(at_once=True)
            worker.give(1000)
            worker.turn()

            worker.drain()


@pytest.mark.parametrize("like_postgres", [False, True], ids=["like-mariadb", "like-postgres"])
def test_every_segment_is_loaded_right_while_transactions_are_in_flight(
    top_dsn: str, zone: Zone, like_postgres: bool
) -> None:
    for seed in range(20):
        history = a_history(seed, like_postgres=like_postgres)
        with worker_of(top_dsn, zone, history, Sizes(kept=100, in_flight=IN_FLIGHT, servers=100)) as worker:
            while worker.is_busy and len(history.log) < 200:
                history.commit(at_once=False)
                worker.give(1000)
                worker.turn()
                worker.read()

            worker.drain()
