# SPDX-License-Identifier: Apache-2.0
"""What a zone shares: a decoded row in, the row that may leave `capture` out. Pure.

For every zone: hostId is computed here (Nova's API shows a hash of project and host to everybody), and system
metadata that no API answer uses is dropped. For a zone with trust `servers`: host, node and the tracebacks of
faults, which name hosts, are emptied. Applied by both decoders and both chunk readers, so that there is no way
around it.
"""

from collections.abc import Callable
from hashlib import sha224

from treetop.model.change import UNCHANGED, Row, Value
from treetop.model.zone import Trust
from treetop.nova.table import Table
from treetop.nova.tables import INSTANCE_FAULTS, INSTANCE_SYSTEM_METADATA, INSTANCES

#: A row of `Table.column_names` -> a row of `Table.shared_columns`, or None: the row does not leave the zone.
Sharing = Callable[[Row], Row | None]

_PROJECT = INSTANCES.index("project_id")
_HOST = INSTANCES.index("host")
_NODE = INSTANCES.index("node")
_KEY = INSTANCE_SYSTEM_METADATA.index("key")
_DETAILS = INSTANCE_FAULTS.index("details")


def sharing(table: Table, trust: Trust) -> Sharing | None:
    """The function to put every decoded row of `table` through; None: rows leave as they are.

    An UNCHANGED host or project gives an UNCHANGED hostId; a system metadata row whose key the log did not
    carry (a bare DELETE) is kept, because only the top knows whether it holds it.
    """
    if table is INSTANCES:
        return _instance if trust is Trust.FULL else _instance_without_host
    if table is INSTANCE_SYSTEM_METADATA:
        return _used_system_metadata
    if table is INSTANCE_FAULTS and trust is not Trust.FULL:
        return _fault_without_details
    return None


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


def _fault_without_details(row: Row) -> Row:
    shared = list(row)
    shared[_DETAILS] = None
    return tuple(shared)
