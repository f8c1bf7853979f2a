# SPDX-License-Identifier: Apache-2.0
"""Forgetting zones: ask first, take the rows out of the top, then clean up in the zone as far as it answers."""

import psycopg
from cliff.app import App

from treetop.capture import open_log, what_is_left
from treetop.errors import TreetopError
from treetop.store.zones import remove_zone, top_id


def is_confirmed(app: App, question: str) -> bool:
    """Ask a person; without a terminal there is nobody to say yes."""
    if not app.stdin.isatty():
        return False
    app.stdout.write(f"{question} [y/N] ")
    app.stdout.flush()
    return bool(app.stdin.readline().strip().lower() in ("y", "yes"))


def forget_zone(app: App, conn: psycopg.Connection, name: str) -> None:
    """Remove a zone from the registry with its rows, and what Treetop left in it (a PostgreSQL slot)."""
    zone = remove_zone(conn, name)
    suffix = top_id(conn)
    app.stdout.write(f"zone {zone.name} and its rows are gone from the top\n")
    source = open_log(zone, slot_suffix=suffix)
    try:
        source.forget()
    except TreetopError as error:
        left = what_is_left(zone, slot_suffix=suffix)
        if left is not None:
            app.stderr.write(
                f"Warning: the zone does not answer, and a slot of ours in it would keep its log: {error}\n"
                f"Try: in the zone's database, when it is back: {left}\n"
            )
    finally:
        source.close()
