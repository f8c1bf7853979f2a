# SPDX-License-Identifier: Apache-2.0
"""The invariant of apply: any batches, any crashes and replays of a history give the rows of a fresh load."""

from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apply.claimed_top import OWNER, empty_top, everything_at_top, progress_at
from tests.apply.zone_model import ZoneModel
from treetop.apply.chunks import compare_chunk, load_chunk
from treetop.apply.plan import Plan
from treetop.apply.writer import LoadProgress, ZoneWriter
from treetop.errors import LostLease
from treetop.model.change import RowChange
from treetop.model.zone import Zone
from treetop.store import leases


def commit(writer: ZoneWriter, number: int, history: list[list[RowChange]]) -> None:
    plan = Plan()
    for changes in history:
        plan.add(changes)
    writer.write(plan.steps())
    writer.commit(progress_at(number))


@pytest.mark.parametrize("bare_deletes", [False, True], ids=["whole-rows", "bare-deletes"])
def test_any_batches_crashes_and_replays_give_the_rows_of_a_fresh_load(
    top_dsn: str, zone: Zone, bare_deletes: bool
) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32), length=st.integers(1, 40), data=st.data())
    def check(seed: int, length: int, data: st.DataObject) -> None:
        model = ZoneModel(Random(seed), bare_deletes=bare_deletes)
        history = [model.transaction() for _ in range(length)]
        empty_top(top_dsn)
        load_whole(top_dsn, zone, model)
        expected = everything_at_top(top_dsn)
        empty_top(top_dsn)

        replay_with_crashes(top_dsn, zone, history, data)

        assert everything_at_top(top_dsn) == expected
        with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
            differences = [compare_chunk(writer, chunk, ())[1] for chunk in model.chunks()]
        assert not any(differences)

    check()


def load_whole(dsn: str, zone: Zone, model: ZoneModel) -> None:
    with ZoneWriter(dsn, zone.id, OWNER) as writer:
        for chunk in model.chunks():
            load_chunk(writer, chunk, ())
        writer.commit(progress_at(0), LoadProgress(upto=None, is_loaded=True))


def replay_with_crashes(dsn: str, zone: Zone, history: list[list[RowChange]], data: st.DataObject) -> None:
    """Apply in random batches; sometimes die before the commit, sometimes go back to an earlier position."""
    done, replays = 0, 0
    while done < len(history):
        size = data.draw(st.integers(1, 12), label="batch")
        what = data.draw(st.sampled_from(["commit", "commit", "commit", "die", "replay"]), label="then")
        with ZoneWriter(dsn, zone.id, OWNER) as writer:
            if what == "die":
                plan = Plan()
                for changes in history[done : done + size]:
                    plan.add(changes)
                writer.write(plan.steps())
                continue
            commit(writer, done + size, history[done : done + size])
        done += size
        if what == "replay" and replays < 3:
            replays += 1
            done = data.draw(st.integers(0, min(done, len(history))), label="from")


def test_a_worker_that_lost_its_zone_changes_nothing(top_dsn: str, zone: Zone) -> None:
    model = ZoneModel(Random(1), bare_deletes=False)
    history = [model.transaction() for _ in range(10)]
    with ZoneWriter(top_dsn, zone.id, OWNER) as old:
        commit(old, 1, history[:5])
        before = everything_at_top(top_dsn)
        with psycopg.connect(top_dsn, autocommit=True) as conn:
            conn.execute("UPDATE zone_position SET lease_until = now() - interval '1 second'")
            leases.claim(conn, zone.id, owner="other/2")

        with pytest.raises(LostLease):
            commit(old, 2, history[5:])

    assert everything_at_top(top_dsn) == before


def test_a_source_id_that_a_restored_zone_gives_again_is_no_collision(top_dsn: str, zone: Zone) -> None:
    first, second = ZoneModel(Random(1), bare_deletes=False), ZoneModel(Random(2), bare_deletes=False)
    while not first.tables["instances"]:
        first.transaction()
    history = []
    while not second.tables["instances"]:
        history.append(second.transaction())
    load_whole(top_dsn, zone, first)

    with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
        commit(writer, 1, history)  # the stream is ahead of the re-load that removes the old rows
        load_chunk(writer, second.chunk(), ())
        writer.commit(progress_at(2))

    with ZoneWriter(top_dsn, zone.id, OWNER) as writer:
        _, differences = compare_chunk(writer, second.chunk(), ())
    assert differences == []
