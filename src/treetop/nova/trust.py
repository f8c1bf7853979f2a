# SPDX-License-Identifier: Apache-2.0
"""What a zone shares: a decoded row in, the row that may leave `capture` out. Pure.

For every zone: hostId is computed here (Nova's API shows a hash of project and host to everybody), system metadata
that no API answer uses is dropped, and of a request spec only what servers show is kept. For a zone with trust
`servers`: what names hosts (of servers, migrations, action events and build requests, and the tracebacks of faults
and events) is emptied; tables that are about hosts are not read at all (`nova.watched`). Applied by both decoders
and both chunk readers, so that there is no way around it.
"""

from collections.abc import Callable, Mapping
from hashlib import sha224
from types import MappingProxyType
from typing import Final

from treetop.model.change import UNCHANGED, Row, Value
from treetop.model.zone import Trust
from treetop.nova import mirrored_tables as mirrored
from treetop.nova.request_spec import decode_request_spec, without_hosts
from treetop.nova.table import Table
from treetop.nova.tables import INSTANCE_FAULTS, INSTANCE_SYSTEM_METADATA, INSTANCES

#: A row of `Table.column_names` -> a row of `Table.shared_columns`, or None: the row does not leave the zone.
Sharing = Callable[[Row], Row | None]

_PROJECT = INSTANCES.index("project_id")
_HOST = INSTANCES.index("host")
_NODE = INSTANCES.index("node")
_KEY = INSTANCE_SYSTEM_METADATA.index("key")
_INSTANCE = mirrored.BUILD_REQUESTS.index("instance")

#: Columns that name hosts, emptied for zones with trust `servers`.
_EMPTIED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        INSTANCE_FAULTS.name: ("details",),
        mirrored.MIGRATIONS.name: ("source_compute", "source_node", "dest_compute", "dest_node", "dest_host"),
        mirrored.INSTANCE_ACTIONS_EVENTS.name: ("host", "traceback", "details"),
    }
)


def sharing(table: Table, trust: Trust) -> Sharing | None:
    """The function to put every decoded row of `table` through; None: rows leave as they are.

    An UNCHANGED host or project gives an UNCHANGED hostId; a system metadata row whose key the log did not
    carry (a bare DELETE) is kept, because only the top knows whether it holds it.
    """
    if table is INSTANCES:
        return _instance if trust is Trust.FULL else _instance_without_host
    if table is INSTANCE_SYSTEM_METADATA:
        return _used_system_metadata
    if table is mirrored.REQUEST_SPECS:
        return _request_spec
    if trust is Trust.FULL:
        return None
    if table is mirrored.BUILD_REQUESTS:
        return _build_request_without_host
    return _emptying(table, _EMPTIED[table.name]) if table.name in _EMPTIED else None


def host_id(project_id: Value, host: Value) -> Value:
    """Nova's hostId: SHA-224 of project id and host, '' without a host (nova/objects, `generate_hostid`)."""
    if host is UNCHANGED or project_id is UNCHANGED:
        return UNCHANGED
    if not host:
        return ""
    return sha224(f"{project_id}{host}".encode()).hexdigest()


def _instance(row: Row) -> Row:
    return (*row, host_id(row[_PROJECT], row[_HOST]))


def _instance_without_host(row: Row) -> Row:
    shared = list(row)
    shared[_HOST] = shared[_NODE] = None
    shared.append(host_id(row[_PROJECT], row[_HOST]))
    return tuple(shared)


def _used_system_metadata(row: Row) -> Row | None:
    key = row[_KEY]
    if key is UNCHANGED or key == "locked_reason" or (isinstance(key, str) and key.startswith("image_")):
        return row
    return None


def _request_spec(row: Row) -> Row:
    row_id, uuid, spec = row
    if spec is UNCHANGED:
        return row_id, uuid, UNCHANGED, UNCHANGED
    return row_id, uuid, *decode_request_spec(_text(spec))


def _build_request_without_host(row: Row) -> Row:
    instance = row[_INSTANCE]
    if instance is UNCHANGED:
        return row
    return *row[:_INSTANCE], without_hosts(_text(instance)), *row[_INSTANCE + 1 :]


def _emptying(table: Table, columns: tuple[str, ...]) -> Sharing:
    places = [table.index(column) for column in columns]

    def share(row: Row) -> Row:
        shared = list(row)
        for place in places:
            shared[place] = None
        return tuple(shared)

    return share


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
