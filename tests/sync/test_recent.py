# SPDX-License-Identifier: Apache-2.0
"""What was applied lately, and which servers of a chunk must be read again because of it."""

from treetop.apply.plan import Touched
from treetop.model.change import Chunk, Mark, Position
from treetop.nova.tables import CELL_TABLES
from treetop.sync.chunk_run import _OWNER_PLACES
from treetop.sync.recent import RecentTransactions, Unseen

EXTRA = CELL_TABLES["instance_extra"]


class UpTo:
    """A snapshot that holds the transactions up to a number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def contains(self, mark: Mark) -> bool:
        assert isinstance(mark, int)
        return mark <= self._number

    def is_covered_by(self, position: Position) -> bool:
        return int(position) >= self._number


def touching(*servers: str, rows: tuple[tuple[str, int], ...] = (), everything: bool = False) -> Touched:
    return Touched(frozenset(servers), frozenset(rows), everything)


def extra_row(number: int, owner: str) -> tuple[int | str | None, ...]:
    values = {"id": number, "instance_uuid": owner}
    return tuple(values.get(name) for name in EXTRA.shared_columns)


def a_chunk(*extras: tuple[int, str]) -> Chunk:
    rows = {"instance_extra": [extra_row(number, owner) for number, owner in extras]}
    return Chunk(after=0, upto=10, only=None, snapshot=UpTo(0), rows=rows)


def test_only_transactions_outside_the_snapshot_count() -> None:
    recent = RecentTransactions()
    for number, server in enumerate("abcd", start=1):
        recent.add(number, touching(server))

    unseen = recent.unseen_by(UpTo(2))

    assert unseen.servers == {"c", "d"}
    assert not unseen.everything


def test_a_truncate_outside_the_snapshot_touches_everything() -> None:
    recent = RecentTransactions()
    recent.add(1, touching(everything=True))

    assert recent.unseen_by(UpTo(0)).everything
    assert not recent.unseen_by(UpTo(1)).everything


def test_owners_of_bare_deletes_are_found_in_the_chunk() -> None:
    unseen = Unseen()
    unseen.add(touching("named", rows=(("instance_extra", 7), ("instance_extra", 99))))

    assert unseen.resolve(a_chunk((7, "owner"), (8, "other")), _OWNER_PLACES) == {"named", "owner"}


def test_a_chunk_of_a_mirrored_table_has_its_own_rows_to_leave_alone() -> None:
    unseen = Unseen()
    unseen.add(touching("named", rows=(("services", 7), ("migrations", 8), ("instance_extra", 9))))
    chunk = Chunk(after=0, upto=None, only=None, snapshot=UpTo(0), rows={"services": []}, table="services")

    assert unseen.resolve(chunk, _OWNER_PLACES) == {7}
    assert unseen.resolve(a_chunk((9, "owner")), _OWNER_PLACES) == {"named", "owner"}


def test_old_transactions_are_forgotten_and_that_is_known() -> None:
    recent = RecentTransactions(kept=3)
    for number in range(1, 6):
        recent.add(number, touching(str(number)))

    assert recent.count == 5
    assert recent.unseen_by(UpTo(0)).servers == {"3", "4", "5"}
    assert recent.reaches_back_to(2)
    assert not recent.reaches_back_to(1)


def test_memory_is_bounded_by_what_transactions_touched() -> None:
    recent = RecentTransactions(kept_rows=100)
    for number in range(1, 50):
        recent.add(number, touching(*(f"{number}/{n}" for n in range(30))))

    assert len(recent.unseen_by(UpTo(0)).servers) <= 100
    assert recent.reaches_back_to(46)
    assert not recent.reaches_back_to(45)


def test_one_transaction_over_the_bound_is_forgotten_as_a_whole() -> None:
    recent = RecentTransactions(kept_rows=10)
    recent.add(1, touching(*(str(n) for n in range(11))))

    assert not recent.reaches_back_to(0)
    assert recent.reaches_back_to(1)
