# SPDX-License-Identifier: Apache-2.0
"""What a zone does not share is gone when a row has passed `sharing`."""

from hashlib import sha224

from treetop.model.change import UNCHANGED, Row, Value
from treetop.model.zone import Trust
from treetop.nova.mirrored_tables import (
    BUILD_REQUESTS,
    INSTANCE_ACTIONS_EVENTS,
    MIGRATIONS,
    MIRRORED_TABLES,
    REQUEST_SPECS,
)
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCE_FAULTS, INSTANCE_SYSTEM_METADATA, INSTANCES
from treetop.nova.trust import sharing

MOVES = ("source_compute", "source_node", "dest_compute", "dest_node", "dest_host")


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
        for table in (*CELL_TABLES.values(), *MIRRORED_TABLES.values())
        if table.trust is not Trust.FULL
        for column in table.column_names
        if "host" in column or "node" in column or "compute" in column or column == "launched_on"
    }

    assert names == {
        *(("instances", name) for name in ("host", "node", "hostname")),
        *(("migrations", name) for name in MOVES),
        ("instance_actions_events", "host"),
    }


def test_an_untrusted_zone_does_not_say_where_a_server_moved() -> None:
    named = dict.fromkeys(MOVES, "compute-7")

    untrusted = shared(MIGRATIONS, Trust.SERVERS, id=1, status="done", **named)
    trusted = shared(MIGRATIONS, Trust.FULL, id=1, status="done", **named)

    assert untrusted is not None
    assert trusted is not None
    assert "compute-7" not in untrusted.values()
    assert untrusted["status"] == "done"
    assert {trusted[name] for name in MOVES} == {"compute-7"}


def test_an_untrusted_zone_does_not_say_where_an_action_failed() -> None:
    named = dict.fromkeys(("host", "traceback", "details"), "on compute-7")

    row = shared(INSTANCE_ACTIONS_EVENTS, Trust.SERVERS, id=1, event="e", result="Error", **named)

    assert row is not None
    assert "on compute-7" not in row.values()
    assert (row["event"], row["result"]) == ("e", "Error")


def test_an_untrusted_zone_names_no_host_in_a_build_request() -> None:
    instance = '{"nova_object.data": {"host": "compute-7", "uuid": "u"}}'

    untrusted = shared(BUILD_REQUESTS, Trust.SERVERS, id=1, instance=instance, tags="{}")
    trusted = shared(BUILD_REQUESTS, Trust.FULL, id=1, instance=instance)
    left_out = shared(BUILD_REQUESTS, Trust.SERVERS, id=1, instance=UNCHANGED)

    assert untrusted is not None
    assert trusted is not None
    assert left_out is not None
    assert "compute-7" not in str(untrusted["instance"])
    assert untrusted["tags"] == "{}"
    assert trusted["instance"] == instance
    assert left_out["instance"] is UNCHANGED


def test_of_a_request_spec_only_what_servers_show_leaves_a_zone() -> None:
    spec = '{"nova_object.data": {"availability_zone": "az1", "force_hosts": ["compute-7"]}}'
    for trust in Trust:
        assert shared(REQUEST_SPECS, trust, id=1, instance_uuid="u", spec=spec) == {
            "id": 1,
            "instance_uuid": "u",
            "availability_zone": "az1",
            "scheduler_hints": None,
        }


def test_a_spec_that_the_log_left_out_leaves_what_was_asked_for_as_it_is() -> None:
    row = shared(REQUEST_SPECS, Trust.FULL, id=1, instance_uuid="u", spec=UNCHANGED)

    assert row is not None
    assert row["availability_zone"] is row["scheduler_hints"] is UNCHANGED
