# SPDX-License-Identifier: Apache-2.0
"""The hand-over between the reader of a log and its applier: order, bounds, errors, ends."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.servers import wait_until
from treetop.errors import Retry, StopZone
from treetop.model.change import Heartbeat, LogEvent, Op, Position, RowChange, Transaction
from treetop.sync.event_queue import CHANGE_BYTES, EventQueue

AT = datetime(2026, 3, 1, tzinfo=UTC)


def a_transaction(number: int, *, changes: int = 1) -> Transaction:
    change = RowChange(Op.INSERT, "tags", ("a", "b"))
    return Transaction(
        position=Position(str(number)), mark=number, committed_at=AT, changes=[change] * changes
    )


def a_heartbeat(number: int) -> Heartbeat:
    return Heartbeat(position=Position(str(number)), at=AT)


def taken(queue: EventQueue, *, most: int = 1000, seconds: float = 0.0) -> list[str]:
    return [event.position for event in queue.take(most_changes=most, timeout_seconds=seconds)]


def put_in_thread(pool: ThreadPoolExecutor, queue: EventQueue, event: LogEvent) -> "Future[None]":
    future = pool.submit(queue.put, event)
    time.sleep(0.05)
    return future


def test_events_come_in_order_and_all_that_are_there_at_once() -> None:
    queue = EventQueue()
    for number in range(5):
        queue.put(a_transaction(number))
    queue.put(a_heartbeat(5))

    assert taken(queue) == ["0", "1", "2", "3", "4", "5"]
    assert taken(queue) == []


def test_take_gives_at_most_about_as_many_changes_as_asked_but_always_one_event() -> None:
    queue = EventQueue()
    for number, changes in enumerate((3, 3, 50, 1)):
        queue.put(a_transaction(number, changes=changes))

    assert [taken(queue, most=8) for _ in range(3)] == [["0", "1"], ["2"], ["3"]]


def test_a_full_queue_holds_its_writer_until_something_is_taken() -> None:
    queue = EventQueue(changes=10)
    queue.put(a_transaction(0, changes=8))
    with ThreadPoolExecutor() as pool:
        waiting = put_in_thread(pool, queue, a_transaction(1, changes=5))
        assert not waiting.done()

        assert taken(queue) == ["0"]

        waiting.result(timeout=5)
    assert taken(queue) == ["1"]


def test_few_changes_of_many_bytes_fill_a_queue_too() -> None:
    queue = EventQueue(changes=100)
    large = replace(a_transaction(1), size_bytes=99 * CHANGE_BYTES)
    queue.put(large)

    with ThreadPoolExecutor(1) as pool:
        held = put_in_thread(pool, queue, a_transaction(2))
        assert not held.done()
        assert taken(queue) == ["1"]
        held.result(timeout=5)


def test_an_event_over_the_bound_fits_into_an_empty_queue() -> None:
    queue = EventQueue(changes=10)

    queue.put(a_transaction(0, changes=5000))

    assert taken(queue) == ["0"]


def test_an_error_comes_after_the_events_before_it_and_the_first_one_stays() -> None:
    queue = EventQueue()
    queue.put(a_transaction(0))
    queue.fail(StopZone("first"))
    queue.fail(Retry("second"))

    assert taken(queue) == ["0"]
    for _ in range(2):
        with pytest.raises(StopZone, match="first"):
            taken(queue)


def test_close_releases_a_held_writer_and_refuses_further_events() -> None:
    queue = EventQueue(changes=1)
    queue.put(a_transaction(0))
    with ThreadPoolExecutor() as pool:
        waiting = put_in_thread(pool, queue, a_transaction(1))

        queue.close()

        with pytest.raises(Retry, match="stopping"):
            waiting.result(timeout=5)
    with pytest.raises(Retry):
        queue.put(a_transaction(2))


def test_a_waiting_taker_gets_an_event_at_once_and_can_be_woken_without_one() -> None:
    queue = EventQueue()
    with ThreadPoolExecutor() as pool:
        for bring, expected in ((lambda: queue.put(a_transaction(7)), ["7"]), (queue.wake, [])):
            began = time.monotonic()
            waiting = pool.submit(taken, queue, seconds=30.0)
            bring()
            assert waiting.result(timeout=5) == expected
            assert time.monotonic() - began < 5


def test_take_returns_nothing_after_its_time() -> None:
    assert taken(EventQueue(), seconds=0.05) == []


def test_what_is_taken_frees_its_room() -> None:
    queue = EventQueue(changes=100)
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(lambda: [queue.put(a_transaction(n, changes=9)) for n in range(500)])
        seen: list[str] = []

        def take_some() -> bool:
            seen.extend(taken(queue, most=30, seconds=0.1))
            return len(seen) == 500

        wait_until("everything came through", take_some)
        writing.result(timeout=5)
    assert seen == [str(number) for number in range(500)]


def test_waiting_for_a_wake_takes_nothing() -> None:
    queue = EventQueue()
    queue.put(a_transaction(1))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(queue.await_wake, 30.0)
        queue.put(a_transaction(2))
        time.sleep(0.05)
        assert not waiting.done()

        queue.wake()

        waiting.result(timeout=5)
    assert taken(queue) == ["1", "2"]


def test_waiting_for_a_wake_ends_with_the_readers_error() -> None:
    queue = EventQueue()
    queue.fail(StopZone("the end"))

    with pytest.raises(StopZone, match="the end"):
        queue.await_wake(0.01)
