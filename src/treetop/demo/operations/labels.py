# SPDX-License-Identifier: Apache-2.0
"""What users write on servers: names, descriptions, metadata, tags. One transaction each, no action record.

Note what Nova does not do: deleting a metadata key and changing tags leave `instances` untouched, so that
`changes-since` never shows them.
"""

from typing import Final

from treetop.demo.catalogue import METADATA, TAGS
from treetop.demo.operations.session import Session
from treetop.demo.row import Row

_SUFFIXES: Final = ("-old", "-new", "-β", " (copy)", "-旧")


def rename(session: Session, uuid: str) -> None:
    """Give the server another name: one row event, the most common update of all."""
    name = str(session.server(uuid)["display_name"]).split("-")[0]
    suffix = session.random.choice(_SUFFIXES)
    session.save_server(uuid, display_name=f"{name}-{session.random.randrange(10_000):04d}{suffix}")


def describe(session: Session, uuid: str) -> None:
    """Change the description, or remove it."""
    texts = (None, "", "was moved\nask first", f"ticket #{session.random.randrange(10_000)}")
    session.save_server(uuid, display_description=session.random.choice(texts))


def set_metadata(session: Session, uuid: str) -> None:
    """Add a key, or change its value if the server has it."""
    key = session.random.choice(tuple(METADATA))
    with session.database.transaction():
        session.change_server(uuid)
        _set_key(session, uuid, key)


def replace_metadata(session: Session, uuid: str) -> None:
    """Put another set of keys in the place of all (soft delete of those that go)."""
    keys = session.random.sample(tuple(METADATA), k=2)
    with session.database.transaction():
        session.change_server(uuid)
        for row in session.database.select("instance_metadata", "key", instance_uuid=uuid, deleted=0):
            if row["key"] not in keys:
                _delete_key(session, uuid, row["key"])
        for key in keys:
            _set_key(session, uuid, key)


def delete_metadata(session: Session, uuid: str) -> None:
    """Delete one key, if there is one: its row is marked, and a later set makes a new row."""
    rows = session.database.select("instance_metadata", "key", instance_uuid=uuid, deleted=0)
    if rows:
        with session.database.transaction():
            _delete_key(session, uuid, session.random.choice(rows)["key"])


def replace_tags(session: Session, uuid: str) -> None:
    """Put two tags in the place of all: Nova deletes those that go and inserts those that come."""
    wanted = set(session.random.sample(TAGS, k=2))
    present = _tags(session, uuid)
    with session.database.transaction():
        for tag in sorted(present - wanted):
            session.database.delete("tags", resource_id=uuid, tag=tag)
        for tag in sorted(wanted - present):
            session.database.insert("tags", {"resource_id": uuid, "tag": tag})


def add_tag(session: Session, uuid: str) -> None:
    """Add a tag that the server does not have."""
    missing = sorted(set(TAGS) - _tags(session, uuid))
    if missing:
        with session.database.transaction():
            session.database.insert("tags", {"resource_id": uuid, "tag": session.random.choice(missing)})


def delete_tag(session: Session, uuid: str) -> None:
    """Delete one tag, if there is one."""
    present = sorted(_tags(session, uuid))
    if present:
        with session.database.transaction():
            session.database.delete("tags", resource_id=uuid, tag=session.random.choice(present))


def change_nothing(session: Session, uuid: str) -> None:
    """Write and roll back: a request that failed half-way."""
    with session.database.transaction():
        session.change_server(uuid, display_name="never seen")
        session.database.delete("tags", resource_id=uuid)
        session.database.abandon()


def change_half(session: Session, uuid: str) -> None:
    """Write, undo a part of it, and commit: a request whose second half was tried in a savepoint."""
    with session.database.transaction():
        session.change_server(uuid)
        with session.database.savepoint():
            session.change_server(uuid, display_name="never seen")
            session.database.delete("instance_metadata", instance_uuid=uuid)
            session.database.abandon()
        with session.database.savepoint():
            _set_key(session, uuid, "note")


def _set_key(session: Session, uuid: str, key: str) -> None:
    value = session.random.choice(METADATA[key])
    changes: Row = {"updated_at": session.now(), "value": value}
    found = session.database.update("instance_metadata", changes, instance_uuid=uuid, key=key, deleted=0)
    if not found:
        row: Row = {"key": key, "value": value, "instance_uuid": uuid}
        session.database.insert("instance_metadata", session.stamped(row))


def _delete_key(session: Session, uuid: str, key: object) -> None:
    session.database.soft_delete("instance_metadata", session.now(), instance_uuid=uuid, key=str(key))


def _tags(session: Session, uuid: str) -> set[str]:
    rows = session.database.select("tags", "tag", order_by="tag", resource_id=uuid)
    return {str(row["tag"]) for row in rows}
