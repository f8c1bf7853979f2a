# SPDX-License-Identifier: Apache-2.0
"""GTID sets of MariaDB and MySQL: text, order, containment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treetop.capture.gtid import MariadbGtidSet, MysqlGtidSet
from treetop.errors import StopZone

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "4e11fa47-71ca-11e1-9e33-c80aa9429562"


@pytest.mark.parametrize("text", ["", "0-1-105", "0-1-105,3-1-7", "0-4294967295-18446744073709551615"])
def test_mariadb_set_prints_what_it_read(text):
    assert MariadbGtidSet.parse(text).text() == text


def test_mariadb_set_is_printed_in_one_order():
    assert MariadbGtidSet.parse(" 3-1-7, 0-1-105").text() == "0-1-105,3-1-7"


def test_mariadb_domain_of_two_servers_keeps_the_later_number():
    assert MariadbGtidSet.parse("0-1-105,0-2-90").text() == "0-1-105"


def test_mariadb_set_contains_all_up_to_the_last_of_each_domain():
    seen = MariadbGtidSet.parse("0-1-105,3-1-7")

    assert seen.contains((0, 105))
    assert seen.contains((0, 1))
    assert not seen.contains((0, 106))
    assert not seen.contains((1, 1))


def test_mariadb_set_advances_one_domain_and_keeps_the_others():
    before = MariadbGtidSet.parse("0-1-105,3-1-7")

    assert before.advance(0, 2, 106).text() == "0-2-106,3-1-7"
    assert before.advance(9, 1, 1).text() == "0-1-105,3-1-7,9-1-1"
    assert before.text() == "0-1-105,3-1-7"


def test_mariadb_set_covers_one_with_fewer_or_earlier_domains():
    seen = MariadbGtidSet.parse("0-1-105,3-1-7")

    assert seen.covers(MariadbGtidSet.parse("0-2-105"))
    assert seen.covers(MariadbGtidSet())
    assert not seen.covers(MariadbGtidSet.parse("0-1-105,3-1-8"))
    assert not seen.covers(MariadbGtidSet.parse("4-1-1"))


@pytest.mark.parametrize("text", ["0-1", "x-1-2", f"{A}:1-5", "0-1-2-3", "0/16B3748"])
def test_text_of_another_kind_is_not_a_mariadb_position(text):
    with pytest.raises(StopZone, match="not a MariaDB GTID position") as stop:
        MariadbGtidSet.parse(text)
    assert "treetop zone resync" in stop.value.hint


@pytest.mark.parametrize("text", ["", f"{A}:1-77", f"{A}:5", f"{A}:1-77:80-90,{B}:1-5"])
def test_mysql_set_prints_what_it_read(text):
    assert MysqlGtidSet.parse(text).text() == text


def test_mysql_set_is_read_as_the_server_prints_it():
    assert MysqlGtidSet.parse(f"{A.upper()}:1-5:6:4-8,\n{B}:2").text() == f"{A}:1-8,{B}:2"


def test_mysql_set_has_gaps():
    seen = MysqlGtidSet.parse(f"{A}:1-77:80-90")

    assert seen.contains((A, 77))
    assert not seen.contains((A, 78))
    assert seen.contains((A, 80))
    assert not seen.contains((A, 91))
    assert not seen.contains((B, 1))


def test_mysql_set_closes_a_gap_when_it_advances():
    seen = MysqlGtidSet.parse(f"{A}:1-77:79")

    assert seen.advance(A, 78).text() == f"{A}:1-79"
    assert seen.advance(A, 80).text() == f"{A}:1-77:79-80"
    assert seen.advance(B, 3).text() == f"{A}:1-77:79,{B}:3"


def test_mysql_set_covers_a_subset():
    seen = MysqlGtidSet.parse(f"{A}:1-77:80-90")

    assert seen.covers(MysqlGtidSet.parse(f"{A}:2-5:85"))
    assert not seen.covers(MysqlGtidSet.parse(f"{A}:77-80"))
    assert not seen.covers(MysqlGtidSet.parse(f"{B}:1"))


@pytest.mark.parametrize("text", ["0-1-105", A, f"{A}:tag:1-5", f"{A}:x"])
def test_text_of_another_kind_is_not_a_mysql_position(text):
    with pytest.raises(StopZone, match="not a MySQL GTID set"):
        MysqlGtidSet.parse(text)


def test_mysql_set_has_the_protocols_form():
    encoded = MysqlGtidSet.parse(f"{A}:1-77:80").encode()

    assert encoded.hex() == (
        "0100000000000000"
        "3e11fa4771ca11e19e33c80aa9429562"
        "0200000000000000"
        "01000000000000004e00000000000000"
        "50000000000000005100000000000000"
    )


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(1, 40)), max_size=60))
def test_mysql_set_holds_just_what_it_was_given_in_any_order(marks):
    seen = MysqlGtidSet()
    for mark in marks:
        seen = seen.advance(*mark) if not seen.contains(mark) else seen

    assert {
        (uuid, number) for uuid in (A, B) for number in range(1, 42) if seen.contains((uuid, number))
    } == set(marks)
    assert MysqlGtidSet.parse(seen.text()) == seen
