# SPDX-License-Identifier: Apache-2.0
"""How large the next chunk is to be, so that memory is bounded whatever rows servers have."""

import pytest

from treetop.model.change import Chunk, Mark, Position
from treetop.sync.chunk_reader import MIRRORED_ROWS, ROWS_WANTED, next_size


class Anything:
    """A snapshot nobody asks."""

    def contains(self, mark: Mark) -> bool:
        raise NotImplementedError

    def is_covered_by(self, position: Position) -> bool:
        raise NotImplementedError


def a_chunk(servers: int, rows_each: int) -> Chunk:
    rows = {"instances": [()] * servers, "tags": [()] * (servers * (rows_each - 1))}
    return Chunk(after=0, upto=None, only=None, snapshot=Anything(), rows=rows)


@pytest.mark.parametrize(("rows_each", "expected"), [(1, 1000), (40, 1000), (500, 120), (60_000, 1)])
def test_the_next_chunk_has_about_the_rows_wanted(rows_each: int, expected: int) -> None:
    assert next_size(a_chunk(10, rows_each), most=1000) == expected
    assert next_size(a_chunk(1, rows_each), most=1000) == expected


def test_a_server_with_more_rows_than_wanted_is_a_chunk_by_itself() -> None:
    assert next_size(a_chunk(1, 10 * ROWS_WANTED), most=1000) == 1


def test_an_empty_chunk_says_nothing_against_large_ones() -> None:
    assert next_size(a_chunk(0, 1), most=1000) == 1000


def test_a_chunk_of_mirrored_rows_has_some_for_each_server_that_a_chunk_may_have() -> None:
    chunk = Chunk(
        after=0, upto=None, only=None, snapshot=Anything(), rows={"services": [()] * 3}, table="services"
    )

    assert next_size(chunk, most=7) == 7 * MIRRORED_ROWS


def test_the_setting_is_never_exceeded() -> None:
    assert next_size(a_chunk(50, 1), most=7) == 7
