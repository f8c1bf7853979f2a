# SPDX-License-Identifier: Apache-2.0
"""What a page costs: CPU of the API for `/servers/detail?limit=1000`, 100,000 servers over 10 zones.

Beside it the same bytes from memory through the same server: what HTTP alone costs. The API runs as a process
of its own under waitress, over a private PostgreSQL; the client asks one page after the other.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.request import Request

import psycopg

from bench.api_process import ApiProcess, Application
from bench.cost import Cost, backends, get, measure
from bench.figure import Figure
from treetop.model.zone import ZoneId
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.migrate import sync_schema
from treetop.store.partition import create_partition

NAME = "listing"
SERVERS = 100_000
ZONES = 10
REQUESTS = 30
PAGE = "/v2.1/servers/detail?all_tenants=1&limit=1000"

_FILL = """
    INSERT INTO server (
        zone_id, uuid, source_id, created_at, updated_at, launched_at, power_state, progress, launch_index,
        memory_mb, vcpus, root_gb, ephemeral_gb, deleted, hidden, locked, auto_disk_config,
        project_id, user_id, display_name, hostname, vm_state, host, node, host_id, availability_zone,
        image_ref, kernel_id, ramdisk_id, reservation_id, root_device_name, config_drive,
        flavor_id, flavor_name, flavor, addresses, fixed_ips,
        metadata, system_metadata, tags, volumes
    )
    SELECT 1 + n %% %(zones)s, md5(n::text)::uuid, n,
           timestamp '2026-01-01' + n * interval '7 seconds',
           timestamp '2026-01-01' + n * interval '8 seconds',
           timestamp '2026-01-01' + n * interval '7 seconds',
           1, 0, 0, 2048, 2, 20, 0, false, false, false, true,
           md5((n %% 200)::text), md5((n %% 500)::text), 'server-' || n, 'server-' || n, 'active',
           'compute-' || n %% 1000, 'compute-' || n %% 1000, md5(n::text) || md5('host'), 'az-' || n %% 3,
           md5((n %% 20)::text)::uuid::text, '', '', 'r-' || md5(n::text), '/dev/vda', '',
           md5((n %% 12)::text), 'm1.medium',
           '{"vcpus":2,"ram":2048,"disk":20,"ephemeral":0,"swap":0,"original_name":"m1.medium",'
               || '"extra_specs":{"hw:cpu_policy":"shared"}}',
           '{"private":[{"version":4,"addr":"10.1.2.3","OS-EXT-IPS:type":"fixed",'
               || '"OS-EXT-IPS-MAC:mac_addr":"fa:16:3e:00:00:01"},{"version":4,"addr":"192.0.2.7",'
               || '"OS-EXT-IPS:type":"floating","OS-EXT-IPS-MAC:mac_addr":"fa:16:3e:00:00:01"}]}',
           ' 10.1.2.3 ',
           CASE WHEN n %% 2 = 0 THEN jsonb_build_object(n, jsonb_build_array('role', 'web')) END,
           jsonb_build_object(
               n, '["image_os_distro", "debian"]'::jsonb, n + 1, '["image_hw_disk_bus", "virtio"]'::jsonb
           ),
           CASE WHEN n %% 3 = 0 THEN '{"production": true}'::jsonb END,
           CASE WHEN n %% 4 = 0
                THEN jsonb_build_object(n, '{"id": "v", "delete_on_termination": false}'::jsonb) END
    FROM generate_series(1, %(servers)s) AS n
"""


def run() -> list[Figure]:
    """Measure at the oldest and the newest microversion; the figure with the target is the newest one's."""
    folder = Path(tempfile.mkdtemp(prefix="treetop-bench-"))
    top = EmbeddedPostgres(folder=folder / "top", settings={"fsync": "off"}, dies_with_parent=True)
    try:
        top.start()
        _fill(top.conninfo("postgres"))
        figures = [_figure(top.conninfo("postgres"), minor) for minor in (100, 1)]
    finally:
        top.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return figures


def _figure(conninfo: str, minor: int) -> Figure:
    api = _measure(conninfo, minor, from_memory=False)
    memory = _measure(conninfo, minor, from_memory=True)
    return Figure(
        name=f"/servers/detail?limit=1000 at 2.{minor}, CPU of the API",
        value=api.cpu_ms["api"],
        unit="ms",
        target=40.0,
        reference_name="same bytes from memory",
        reference_value=memory.cpu_ms["api"],
        note=f"{SERVERS:,} servers, {ZONES} zones, {api.size / 1e6:.2f} MB a page; "
        f"until the client has it {api.wall_ms:.0f} ms (median), PostgreSQL {api.cpu_ms['database']:.1f} ms CPU",
    )


def _fill(conninfo: str) -> None:
    sync_schema(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for number in range(1, ZONES + 1):
            connection.execute(
                "INSERT INTO zone (id, name, region, trust, url) VALUES (%s, %s, 'bench', 'full', %s)",
                (number, f"cell{number}", f"postgresql://u@h/cell{number}"),
            )
            connection.execute(
                "INSERT INTO zone_position (zone_id, as_of, is_loaded) VALUES (%s, now(), true)", (number,)
            )
            connection.execute("INSERT INTO zone_status (zone_id, state) VALUES (%s, 'live')", (number,))
            connection.execute(create_partition(ZoneId(number)))
        connection.execute(_FILL, {"zones": ZONES, "servers": SERVERS})
        connection.execute("VACUUM ANALYZE server")


def _measure(conninfo: str, minor: int, *, from_memory: bool) -> Cost:
    with ApiProcess(conninfo, partial(_from_memory, minor=minor) if from_memory else None) as api:
        request = Request(f"{api.url}{PAGE}", headers={"OpenStack-API-Version": f"compute 2.{minor}"})
        get(request)  # so that there is a backend
        processes = {"api": [api.pid], "database": backends(conninfo)}
        return measure(request, processes, times=REQUESTS, warm_up=5)


def _from_memory(app: Application, minor: int) -> Application:
    """An application that answers with the bytes that `app` answers the page with."""
    path, _, query = PAGE.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(os.getpid()),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_OPENSTACK_API_VERSION": f"compute 2.{minor}",
        "wsgi.url_scheme": "http",
        "wsgi.input": None,
        "wsgi.errors": None,
    }
    answers: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(app(environ, lambda status, headers: answers.append((status, headers))))
    status, headers = answers[0]

    def answer(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response(status, headers)
        return [body]

    return answer


if __name__ == "__main__":
    for figure in run():
        print(figure)
