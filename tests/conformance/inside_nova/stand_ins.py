# SPDX-License-Identifier: Apache-2.0
"""What stands in for Keystone and Neutron in the Nova that answers as the oracle. Runs in `.venv-nova` only.

`auth`: a paste filter in keystonemiddleware's place; the token says role, project and user in clear.
`Neutron`: a client that finds ports in the cells' info caches, as Neutron would find them in its own tables.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pymysql

_ROLES = {"admin": "admin,manager,member,reader", "member": "member,reader", "reader": "reader"}
_EXTENSIONS = [{"name": "IP address substring filtering", "alias": "ip-substring-filtering"}]


def auth(_global_conf: Any, **_local_conf: Any) -> Callable[[Any], Any]:
    """Return the filter: a WSGI application around another one."""

    def around(application: Any) -> Any:
        def check(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            role, _, rest = environ.get("HTTP_X_AUTH_TOKEN", "").partition(":")
            project, _, user = rest.partition(":")
            if role not in _ROLES:
                start_response("401 Unauthorized", [("Content-Length", "0")])
                return [b""]
            environ |= {
                "HTTP_X_IDENTITY_STATUS": "Confirmed",
                "HTTP_X_USER_ID": user,
                "HTTP_X_PROJECT_ID": project,
                "HTTP_X_ROLES": _ROLES[role],
                "HTTP_X_USER_DOMAIN_ID": "default",
                "HTTP_X_PROJECT_DOMAIN_ID": "default",
                "HTTP_X_SERVICE_CATALOG": "[]",
            }
            found: Iterable[bytes] = application(environ, start_response)
            return found

        return check

    return around


class Neutron:
    """The calls that Nova's lists make. databases: (host, port, user, password, name) of every cell."""

    def __init__(self, databases: Iterable[dict[str, Any]]) -> None:
        self._addresses = [found for database in databases for found in _read_addresses(database)]

    def list_extensions(self) -> dict[str, Any]:
        return {"extensions": _EXTENSIONS}

    def list_ports(self, fixed_ips: str = "", **_: Any) -> dict[str, Any]:
        """Ports with a part of an address (`ip_address_substr=…`); no port has a security group."""
        wanted = fixed_ips.partition("=")[2].lower()
        if not wanted:
            return {"ports": []}
        return {"ports": [{"device_id": uuid} for uuid, ip in self._addresses if wanted in ip.lower()]}

    def list_security_groups(self, **_: Any) -> dict[str, Any]:
        return {"security_groups": []}


def _read_addresses(database: dict[str, Any]) -> list[tuple[str, str]]:
    """(server, fixed address) of every port of a cell."""
    with pymysql.connect(**database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT instance_uuid, network_info FROM instance_info_caches WHERE deleted = 0")
        return [
            (uuid, ip["address"])
            for uuid, text in cursor.fetchall()
            for interface in json.loads(text or "[]")
            for subnet in interface["network"]["subnets"]
            for ip in subnet["ips"]
            if ip["type"] == "fixed"
        ]
