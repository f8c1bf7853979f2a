# SPDX-License-Identifier: Apache-2.0
"""States and statuses agree with each other in both directions."""

import pytest

from treetop.nova.states import states_of, status_of


@pytest.mark.parametrize(
    ("vm_state", "task_state", "status"),
    [
        ("active", None, "ACTIVE"),
        ("active", "spawning", "ACTIVE"),
        ("active", "reboot_pending", "REBOOT"),
        ("active", "rebooting_hard", "HARD_REBOOT"),
        ("active", "updating_password", "PASSWORD"),
        ("active", "rebuild_spawning", "REBUILD"),
        ("active", "migrating", "MIGRATING"),
        ("active", "resize_finish", "RESIZE"),
        ("building", "networking", "BUILD"),
        ("stopped", "resize_prep", "RESIZE"),
        ("stopped", "rebuilding", "REBUILD"),
        ("stopped", "migrating", "SHUTOFF"),
        ("resized", None, "VERIFY_RESIZE"),
        ("resized", "resize_reverting", "REVERT_RESIZE"),
        ("paused", "migrating", "MIGRATING"),
        ("error", "rebuilding", "REBUILD"),
        ("soft-delete", None, "SOFT_DELETED"),
        ("shelved_offloaded", None, "SHELVED_OFFLOADED"),
        ("no such state", "rebooting", "UNKNOWN"),
        (None, None, "UNKNOWN"),
    ],
)
def test_status_follows_from_state_and_task(vm_state, task_state, status):
    assert status_of(vm_state, task_state, is_deleted=False) == status


def test_a_deleted_server_is_deleted_whatever_it_was_doing():
    assert status_of("active", "rebooting", is_deleted=True) == "DELETED"


def test_active_is_looked_for_without_regard_to_the_task():
    states = states_of(["active"])

    assert states.vm_states == {"active"}
    assert states.task_states is None


def test_reboot_is_looked_for_by_its_tasks():
    states = states_of(["REBOOT"])

    assert states.vm_states == {"active"}
    assert states.task_states == {"rebooting", "reboot_pending", "reboot_started"}


def test_one_status_without_a_task_lifts_the_tasks_of_the_others():
    states = states_of(["REBOOT", "BUILD"])

    assert states.vm_states == {"active", "building"}
    assert states.task_states is None


def test_resize_is_found_running_and_stopped():
    assert states_of(["resize"]).vm_states == {"active", "stopped"}


@pytest.mark.parametrize("asked", ["UNKNOWN", "ACTIVE,ERROR", "", "nonsense"])
def test_what_is_no_status_matches_nothing(asked):
    assert states_of([asked]).vm_states == frozenset()
