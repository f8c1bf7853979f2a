# SPDX-License-Identifier: Apache-2.0
"""The decoder alone, with messages written here: forms that a server gives rarely or never."""

import struct

import pytest

from treetop.capture.lsn import end_of_last_record, parse_lsn, print_lsn
from treetop.capture.pgoutput import Decoder, widen_transaction_id
from treetop.errors import StopZone
from treetop.model.change import UNCHANGED, Op, RowChange, Transaction
from treetop.model.zone import Trust
from treetop.nova.tables import CELL_TABLES

TAGS, METADATA, OTHER = 7, 8, 9
TEXT, INTEGER, BOOLEAN = 25, 23, 16
UNSENT = object()


def begin(lsn: int = 100, xid: int = 5) -> bytes:
    return b"B" + struct.pack(">QqI", lsn, 1_000_000, xid)


def commit(end: int = 110) -> bytes:
    return b"C" + struct.pack(">BQQq", 0, end - 10, end, 1_000_000)


def relation(number: int, name: str, *columns: tuple[str, int, bool], schema: str = "public") -> bytes:
    message = (
        b"R" + struct.pack(">I", number) + f"{schema}\0{name}\0d".encode() + struct.pack(">H", len(columns))
    )
    for column, type_id, is_key in columns:
        message += bytes([is_key]) + column.encode() + b"\0" + struct.pack(">II", type_id, 0xFFFFFFFF)
    return message


def tuple_of(*values: object) -> bytes:
    data = struct.pack(">H", len(values))
    for value in values:
        if value is None:
            data += b"n"
        elif value is UNSENT:
            data += b"u"
        else:
            text = str(value).encode()
            data += b"t" + struct.pack(">I", len(text)) + text
    return data


def insert(number: int, *values: object) -> bytes:
    return b"I" + struct.pack(">I", number) + b"N" + tuple_of(*values)


TAGS_RELATION = relation(TAGS, "tags", ("resource_id", TEXT, True), ("tag", TEXT, True))
METADATA_COLUMNS = [
    ("id", INTEGER, True),
    ("instance_uuid", TEXT, False),
    ("key", TEXT, False),
    ("value", TEXT, False),
]
METADATA_RELATION = relation(METADATA, "instance_system_metadata", *METADATA_COLUMNS)


def a_decoder(*, after: int = 0, near: int = 0) -> Decoder:
    return Decoder(trust=Trust.FULL, after=after, near_transaction_id=near, tables=CELL_TABLES)


def decode(*messages: bytes, decoder: Decoder | None = None) -> list[Transaction]:
    decoder = decoder or a_decoder()
    return [given for message in messages if (given := decoder.decode(message)) is not None]


def changes(*messages: bytes) -> list[RowChange]:
    (transaction,) = decode(begin(), TAGS_RELATION, METADATA_RELATION, *messages, commit())
    return list(transaction.changes)


def test_columns_are_found_by_name_whatever_their_order():
    swapped = relation(TAGS, "tags", ("extra", TEXT, False), ("tag", TEXT, True), ("resource_id", TEXT, True))

    assert changes(swapped, insert(TAGS, "x" * 300, "t", "r")) == [RowChange(Op.INSERT, "tags", ("r", "t"))]


def test_transaction_at_or_before_the_position_is_not_given():
    messages = [
        begin(100),
        TAGS_RELATION,
        insert(TAGS, "r", "old"),
        commit(110),
        begin(110),
        insert(TAGS, "r", "new"),
        commit(120),
    ]

    (transaction,) = decode(*messages, decoder=a_decoder(after=110))

    assert transaction.position == "0/78"
    assert [change.row for change in transaction.changes] == [("r", "new")]


def test_messages_that_carry_no_rows_are_passed_over():
    origin = b"O" + struct.pack(">Q", 1) + b"name\0"
    kind = b"Y" + struct.pack(">I", 600) + b"public\0mood\0"
    message = b"M" + struct.pack(">BQ", 0, 1) + b"prefix\0" + struct.pack(">I", 1) + b"x"

    assert changes(origin, kind, message, insert(TAGS, "r", "t")) == [
        RowChange(Op.INSERT, "tags", ("r", "t"))
    ]


def test_tables_of_other_schemas_and_names_are_left_out():
    archive = relation(OTHER, "tags", ("resource_id", TEXT, True), ("tag", TEXT, True), schema="archive")

    assert changes(archive, insert(OTHER, "r", "t")) == []


def test_row_that_stops_being_shared_is_deleted():
    old, new = tuple_of(1, "u", "image_os", "x"), tuple_of(1, "u", "internal", "x")

    (change,) = changes(b"U" + struct.pack(">I", METADATA) + b"O" + old + b"N" + new)

    assert change == RowChange(Op.DELETE, "instance_system_metadata", (1, "u", "image_os", "x"))


def test_value_left_out_of_the_new_row_is_taken_from_a_full_old_row():
    old, new = tuple_of(1, "u", "image_os", "kept"), tuple_of(1, "u", "image_os", UNSENT)

    (change,) = changes(b"U" + struct.pack(">I", METADATA) + b"O" + old + b"N" + new)

    assert (change.row[3], change.old_row) == ("kept", None)


def test_delete_by_key_leaves_other_columns_unchanged():
    (change,) = changes(b"D" + struct.pack(">I", METADATA) + b"K" + tuple_of(1, None, None, None))

    assert change.row == (1, UNCHANGED, UNCHANGED, UNCHANGED)


def test_new_description_of_a_table_holds_from_there_on():
    changed = relation(TAGS, "tags", ("tag", TEXT, True), ("note", TEXT, False), ("resource_id", TEXT, True))

    rows = [change.row for change in changes(insert(TAGS, "r", "1"), changed, insert(TAGS, "2", None, "r"))]

    assert rows == [("r", "1"), ("r", "2")]


@pytest.mark.parametrize("length", range(1, len(insert(TAGS, "resource", "tag"))))
def test_message_cut_short_stops_the_zone(length):
    with pytest.raises(StopZone, match="transaction 5, commit 0/64"):
        changes(insert(TAGS, "resource", "tag")[:length])


@pytest.mark.parametrize(
    "message",
    [
        insert(TAGS, "r", "t") + b"n",  # longer than its columns
        insert(TAGS, "r", "t", "more"),
        insert(99, "r"),  # never described
        insert(TAGS, "r", "t").replace(b"t\0\0\0\1r", b"b\0\0\0\1r"),  # binary was not asked for
        insert(METADATA, "one", "u", "image_os", "x"),  # no integer
        b"I" + struct.pack(">I", TAGS) + b"N" + tuple_of("r", "t").replace(b"r", b"\xff"),  # no UTF-8
        b"U" + struct.pack(">I", TAGS) + b"X" + tuple_of("r", "t"),
        b"S" + struct.pack(">IB", 5, 1),  # a piece of an open transaction: protocol 2
    ],
    ids=[
        "too long",
        "too many",
        "unknown relation",
        "binary",
        "not a number",
        "bad text",
        "bad kind",
        "protocol 2",
    ],
)
def test_message_in_another_form_stops_the_zone(message):
    with pytest.raises(StopZone):
        changes(message)


def test_missing_column_stops_the_zone_only_where_a_row_would_need_it():
    without = relation(TAGS, "tags", ("resource_id", TEXT, True))

    with pytest.raises(StopZone, match="table tags has no column tag"):
        changes(without)


def test_column_of_an_unfit_type_stops_the_zone():
    columns = [("id", TEXT, True), *METADATA_COLUMNS[1:]]

    with pytest.raises(StopZone, match=r"instance_system_metadata\.id should hold integer"):
        changes(relation(METADATA, "instance_system_metadata", *columns))


@pytest.mark.parametrize(
    ("narrow", "near", "wide"),
    [
        (5, 3, 5),
        (3, 5, 3),
        (7, (3 << 32) + 9, (3 << 32) + 7),
        (0xFFFFFFF0, 4 << 32, (4 << 32) - 16),  # committed just after the counter went round
        (16, (4 << 32) - 16, (4 << 32) + 16),
        (0x7FFFFFFF, 5 << 32, (5 << 32) + 0x7FFFFFFF),
    ],
)
def test_transaction_ids_are_widened_to_the_nearest(narrow, near, wide):
    assert widen_transaction_id(narrow, near) == wide


def test_marks_follow_the_counter_round():
    messages = [begin(100, 0xFFFFFFFF), commit(110), begin(120, 3), commit(130)]

    assert [each.mark for each in decode(*messages, decoder=a_decoder(near=(2 << 32) - 5))] == [
        (2 << 32) - 1,
        (2 << 32) + 3,
    ]


def test_positions_are_ordered_as_numbers_not_as_texts():
    assert parse_lsn("0/9") < parse_lsn("0/10") < parse_lsn("A/0")
    assert print_lsn(parse_lsn("16/B374D848")) == "16/B374D848"
    with pytest.raises(StopZone, match="0-1-105"):
        parse_lsn("0-1-105")


@pytest.mark.parametrize(
    ("insert_at", "end"), [(0x2000, 0x2000), (0x2018, 0x2000), (0x2028, 0x2000), (0x2030, 0x2030)]
)
def test_insert_position_behind_a_page_header_is_the_end_of_the_page_before(insert_at, end):
    assert end_of_last_record(insert_at) == end
