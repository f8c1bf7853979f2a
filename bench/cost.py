# SPDX-License-Identifier: Apache-2.0
"""What requests to a server cost: wall time, bytes, and CPU of the processes that answer."""

import statistics
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one request. wall_ms: the median; size: bytes of the body; cpu_ms: the mean, by group of processes."""

    wall_ms: float
    size: int
    cpu_ms: Mapping[str, float]


def measure(
    request: urllib.request.Request,
    processes: Mapping[str, Sequence[int]],
    *,
    times: int,
    warm_up: int,
    timeout_seconds: float = 30.0,
) -> Cost:
    """Ask one request after the other. processes: ids by the name of their group."""
    size = 0
    for _ in range(warm_up):
        size = len(get(request, timeout_seconds))
    cpu = {name: -sum(map(_cpu_seconds, pids)) for name, pids in processes.items()}
    walls = []
    for _ in range(times):
        begun = time.perf_counter()
        size = len(get(request, timeout_seconds))
        walls.append(time.perf_counter() - begun)
    for name, pids in processes.items():
        cpu[name] += sum(map(_cpu_seconds, pids))
    return Cost(
        wall_ms=statistics.median(walls) * 1000,
        size=size,
        cpu_ms={name: seconds / times * 1000 for name, seconds in cpu.items()},
    )


def get(request: urllib.request.Request, timeout_seconds: float = 30.0) -> bytes:
    """The body of the answer; raises unless it is 200."""
    with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:
        body: bytes = answer.read()
    return body


def backends(conninfo: str) -> list[int]:
    """The processes by which PostgreSQL serves the API."""
    with psycopg.connect(conninfo) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'treetop api'"
        return [pid for (pid,) in connection.execute(query)]


def _cpu_seconds(pid: int) -> float:
    """CPU of a process so far; the number is how Linux names another process's CPU clock."""
    return time.clock_gettime((~pid << 3) | 2)
