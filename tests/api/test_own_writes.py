# SPDX-License-Identifier: Apache-2.0
"""Reading one's own writes: after a write that was passed through, its caller's reads wait until the top shows it."""

import hashlib
import threading

import pytest

from tests.api.nova_upstream import Reply
from tests.api.passing import ask
from tests.servers import wait_until
from tests.store.builders import a_server, a_zone, uuid_of
from treetop.store.write_marks import mark_write

MINE, OTHERS = ({"X-Auth-Token": token} for token in ("mine", "others"))
LONG = 60.0
CATCH_UP = "UPDATE zone_position SET as_of = clock_timestamp() + interval '1 second'"


def write(port, target="/v2.1/servers", headers=MINE, method="POST"):
    assert ask(port, method, target, b"{}", headers)[0] in (202, 409)


def marked(top):
    return [
        (bytes(caller), zone_id)
        for caller, zone_id in top.execute("SELECT caller, zone_id FROM write_mark ORDER BY 1, 2")
    ]


class Reading:
    """A read in a thread of its own."""

    def __init__(self, port, headers, target="/v2.1/servers"):
        self.status = None
        self._thread = threading.Thread(target=self._ask, args=(port, headers, target))
        self._thread.start()

    def _ask(self, port, headers, target):
        self.status = ask(port, "GET", target, headers=headers)[0]

    def finish(self):
        self._thread.join(50)
        return self.status


def is_waiting(top):
    """Whether some request looks for marks again and again: two looks, a moment apart."""
    looks = "SELECT max(query_start) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
    pattern = ["%FROM write_mark%JOIN%"]
    first = top.execute(looks, pattern).fetchone()
    wait_until("it is looked again", lambda: top.execute(looks, pattern).fetchone() != first)
    return True


def test_a_read_waits_until_the_write_is_shown(fronting, nova, top):
    port = fronting(nova.url, read_your_writes_seconds=LONG)
    write(port)

    reading = Reading(port, MINE)
    assert is_waiting(top)
    assert reading.status is None
    top.execute(CATCH_UP)

    assert reading.finish() == 200


def test_every_process_knows_of_the_write(fronting, nova, top):
    write(fronting(nova.url, read_your_writes_seconds=LONG))

    reading = Reading(fronting(nova.url, read_your_writes_seconds=LONG), MINE)
    assert is_waiting(top)
    assert reading.status is None
    top.execute(CATCH_UP)

    assert reading.finish() == 200


def test_nobody_else_waits(fronting, nova, top):
    port = fronting(nova.url, read_your_writes_seconds=LONG)
    write(port)

    assert Reading(port, OTHERS).finish() == 200
    assert Reading(port, {}).finish() == 200
    assert Reading(port, MINE, "/v2.1").finish() == 200


def test_a_read_waits_no_longer_than_allowed(fronting, nova, top):
    port = fronting(nova.url, read_your_writes_seconds=0.3)
    write(port)

    assert Reading(port, MINE).finish() == 200
    assert top.execute("SELECT count(*) FROM zone_position WHERE as_of > now()").fetchone() == (0,)


def test_a_create_may_appear_in_every_zone_of_its_region(fronting, nova, top):
    a_zone(top, 2)
    a_zone(top, 3)
    top.execute("UPDATE zone SET region = 'far' WHERE id = 3")
    port = fronting(f"lab:{nova.url}", "far:http://127.0.0.1:1")

    assert ask(port, "POST", "/v2.1/servers", b"{}", MINE | {"Treetop-Region": "lab"})[0] == 202

    caller = hashlib.sha256(b"mine").digest()
    assert marked(top) == [(caller, 1), (caller, 2)]


def test_a_write_that_names_a_server_is_in_its_zone(fronting, nova, top):
    a_zone(top, 2)
    a_server(top, 1, zone_id=2)
    port = fronting(nova.url)

    write(port, f"/v2.1/servers/{uuid_of(1)}/action")
    write(port, f"/v2.1/servers/{uuid_of(1)}", method="DELETE")

    assert [zone_id for _, zone_id in marked(top)] == [2]


def test_no_token_is_kept(fronting, nova, top):
    write(fronting(nova.url), headers={"X-Auth-Token": "sw0rdfish"})

    (row,) = top.execute("SELECT write_mark::text FROM write_mark").fetchall()
    assert "sw0rdfish" not in row[0]
    assert b"sw0rdfish".hex() not in row[0]


@pytest.mark.parametrize(("method", "status"), [("POST", 409), ("GET", 200)])
def test_what_changed_nothing_is_not_waited_for(fronting, nova, top, method, status):
    nova.replies.append(Reply(status, "So"))

    assert ask(fronting(nova.url), method, "/v2.1/servers/1/os-interface", headers=MINE)[0] == status

    assert marked(top) == []


def test_a_zone_that_nobody_reads_is_not_waited_for(fronting, nova, top):
    a_zone(top, 2, state="stopped", lag_seconds=3600)
    port = fronting(nova.url, read_your_writes_seconds=LONG)
    write(port)
    top.execute(f"{CATCH_UP} WHERE zone_id = 1")

    assert Reading(port, MINE).finish() == 200


def test_it_can_be_switched_off(fronting, nova, top):
    port = fronting(nova.url, read_your_writes_seconds=0)
    write(port)

    assert marked(top) == []
    assert Reading(port, MINE).finish() == 200


def test_a_top_that_takes_no_marks_does_not_undo_the_write(fronting, nova, top, caplog):
    top.execute("ALTER TABLE write_mark RENAME TO out_of_reach")
    try:
        write(fronting(nova.url))
    finally:
        top.execute("ALTER TABLE out_of_reach RENAME TO write_mark")

    assert "may not show its write" in caplog.text


def test_old_marks_are_removed_by_new_ones(top):
    mark_write(top, b"somebody", [1])
    top.execute("UPDATE write_mark SET written_at = now() - interval '2 hours'")

    mark_write(top, b"somebody else", [1])

    assert marked(top) == [(b"somebody else", 1)]
