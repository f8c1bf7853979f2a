# SPDX-License-Identifier: Apache-2.0
"""What a zone does not share is gone when a row has passed `sharing`."""

from hashlib import sha224

from treetop.model.change import UNCHANGED, Row, Value
from treetop.model.zone import Trust
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCE_FAULTS, INSTANCE_SYSTEM_METADATA, INSTANCES
from treetop.nova.trust import sharing


def a_row(table: Table, **values: Value) -> Row:
    return tuple(values.get(name) for name in table.column_names)


def shared(table: Table, trust: Trust, **values: Value) -> dict[str, Value] | None:
    share = sharing(table, trust)
    row = share(a_row(table, **values)) if share else a_row(table, **values)
    return None if row is None else dict(zip(table.shared_columns, row, strict=True))


def test_an_untrusted_zone_shares_a_hash_instead_of_its_host() -> None:
    row = shared(INSTANCES, Trust.SERVERS, project_id="p", host="compute-7", node="node-7")

    assert row is not None
    assert row["host"] is None
    assert row["node"] is None
    assert row["host_id"] == sha224(b"pcompute-7").hexdigest()


def test_a_trusted_zone_shares_its_host() -> None:
    row = shared(INSTANCES, Trust.FULL, project_id="p", host="compute-7", node="node-7")

    assert row is not None
    assert (row["host"], row["node"]) == ("compute-7", "node-7")
    assert row["host_id"] == sha224(b"pcompute-7").hexdigest()


def test_a_server_without_host_has_an_empty_hash() -> None:
    row = shared(INSTANCES, Trust.SERVERS, project_id="p", host=None)

    assert row is not None
    assert row["host_id"] == ""


def test_a_host_that_the_log_left_out_leaves_the_hash_as_it_is() -> None:
    row = shared(INSTANCES, Trust.FULL, project_id="p", host=UNCHANGED)

    assert row is not None
    assert row["host_id"] is UNCHANGED


def test_only_system_metadata_that_answers_show_leaves_a_zone() -> None:
    for trust in Trust:
        assert shared(INSTANCE_SYSTEM_METADATA, trust, key="image_os_distro", value="debian")
        assert shared(INSTANCE_SYSTEM_METADATA, trust, key="locked_reason", value="why")
        assert shared(INSTANCE_SYSTEM_METADATA, trust, key=UNCHANGED, id=7)
        assert shared(INSTANCE_SYSTEM_METADATA, trust, key="shelved_host", value="compute-7") is None


def test_an_untrusted_zone_keeps_the_tracebacks_of_its_hosts() -> None:
    untrusted = shared(INSTANCE_FAULTS, Trust.SERVERS, message="no", details="compute-7 said")
    trusted = shared(INSTANCE_FAULTS, Trust.FULL, message="no", details="compute-7 said")

    assert untrusted is not None
    assert trusted is not None
    assert (untrusted["message"], untrusted["details"]) == ("no", None)
    assert trusted["details"] == "compute-7 said"


def test_no_column_that_names_a_host_is_read_but_those_that_trust_hides() -> None:
    names = {
        (table.name, column)
        for table in CELL_TABLES.values()
        for column in table.column_names
        if "host" in column or "node" in column or column == "launched_on"
    }

    assert names == {("instances", "host"), ("instances", "node"), ("instances", "hostname")}
