# SPDX-License-Identifier: Apache-2.0
"""A real Keystone with fernet tokens, for tests: who is in it, tokens, catalog entries, `OS_*` for real clients.

    def test_lists(keystone):                            # the session's, running
        token = keystone.token("reader", project="alpha")
        keystone.register_service("compute", "http://127.0.0.1:8774/v2.1")
        subprocess.run(["openstack", "server", "list"], env=os.environ | keystone.environment("member", "alpha"))
    configuration = keystone.authtoken_options()         # [keystone_authtoken] of a treetop.conf

Projects: alpha and beta. Users: manager, member and reader have the role of that name in both; admin is admin in
both, of the domain and of the system; somebody has no role at all. All have `PASSWORD`. Roles imply each other as
Keystone makes them: admin > manager > member > reader. The service user `treetop` validates tokens.
"""

import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers import wait_until
from treetop.store.daemon import free_port, last_lines, spawn
from treetop.store.unprivileged import Account

PASSWORD = "keystone-secret"
REGION = "RegionOne"
PROJECTS = ("alpha", "beta")
USERS = ("admin", "manager", "member", "reader")
_TIME = "%Y-%m-%dT%H:%M:%S.%f"
_SERVE = Path(__file__).parent / "conformance" / "serve_keystone.py"


class KeystoneService:
    """One Keystone on 127.0.0.1, its data in `folder`. programs: of an environment that has Keystone.

    url: for clients, with /v3. project_ids, user_ids: by name.
    """

    def __init__(self, *, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._operator: str | None = None
        self._tokens: dict[tuple[str, str], str] = {}
        self.url = f"http://127.0.0.1:{self._port}/v3"
        self.project_ids: dict[str, str] = {}
        self.user_ids: dict[str, str] = {}

    def create(self) -> None:
        """Make the database and keys, start, and fill in projects and users."""
        self._folder.mkdir()
        self._configuration.write_text(
            f"[DEFAULT]\nlog_file = {self._folder}/keystone.log\n"
            f"[database]\nconnection = sqlite:///{self._folder}/keystone.db\n"
            f"[fernet_tokens]\nkey_repository = {self._folder}/fernet\n"
            # Without a cache a token takes ten times as long, a password with the default 0.3 s. Not plain memory:
            # Keystone changes what it reads from there.
            "[cache]\nenabled = true\nbackend = dogpile.cache.memory_pickle\n"
            "[identity]\npassword_hash_rounds = 4\n"
        )
        self._manage("db_sync")
        self._manage(
            *("fernet_setup", "--keystone-user", str(os.geteuid()), "--keystone-group", str(os.getegid()))
        )
        self._manage(
            *("bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-project-name", "operators"),
            *("--bootstrap-region-id", REGION, "--bootstrap-public-url", self.url),
            *("--bootstrap-internal-url", self.url),
        )
        self.start()
        self._fill()

    def start(self) -> None:
        """Serve; return when it answers."""
        log = self._folder / "server.log"
        self._process = spawn(
            [self._programs / "python", "-W", "ignore", _SERVE, str(self._port)],
            log=log,
            folder=self._folder,
            account=Account(),
            parent_death_signal="TERM",
            environment={"OS_KEYSTONE_CONFIG_FILES": str(self._configuration)},
        )
        wait_until("Keystone answers", self._answers, seconds=60)

    def stop(self) -> None:
        """Stop serving; idempotent. What it knows is kept."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def token(self, user: str, project: str) -> str:
        """A token of the session: made once."""
        if (user, project) not in self._tokens:
            self._tokens[user, project] = self.new_token(user, project)
        return self._tokens[user, project]

    def new_token(
        self, user: str, project: str | None = None, *, scope: Mapping[str, Any] | None = None
    ) -> str:
        """A fresh token. project: its name; scope: as in Keystone's API, instead; neither: unscoped."""
        identity = {"user": {"name": user, "domain": {"id": "default"}, "password": PASSWORD}}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": identity}}
        if project is not None:
            scope = {"project": {"name": project, "domain": {"id": "default"}}}
        auth["scope"] = scope or "unscoped"
        _, headers = self._ask("POST", "/auth/tokens", {"auth": auth})
        return headers["X-Subject-Token"]

    def application_token(
        self, user: str, project: str, *, seconds: float = 3_600, access_rules: Sequence[Any] | None = None
    ) -> str:
        """A token of a new application credential that expires in so many seconds. access_rules: as in its API."""
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        made: dict[str, Any] = {"name": secrets.token_hex(8), "expires_at": expires_at.strftime(_TIME)}
        if access_rules is not None:
            made["access_rules"] = list(access_rules)
        path = f"/users/{self.user_ids[user]}/application_credentials"
        document = {"application_credential": made}
        credential = self._ask("POST", path, document, token=self.new_token(user, project))[0]
        identity = {
            "methods": ["application_credential"],
            "application_credential": {
                name: credential["application_credential"][name] for name in ("id", "secret")
            },
        }
        return self._ask("POST", "/auth/tokens", {"auth": {"identity": identity}})[1]["X-Subject-Token"]

    def revoke(self, token: str) -> None:
        """Take a token back."""
        self._ask("DELETE", "/auth/tokens", subject=token)

    def register_service(self, kind: str, url: str, *, name: str | None = None) -> None:
        """Put an endpoint into the catalog, for every interface, in the place of the kind's last one.

        url may have %(project_id)s.
        """
        for former in self._found(f"/services?type={kind}")["services"]:
            self._ask("DELETE", f"/services/{former['id']}", token=self._operator_token())
        service = {"service": {"type": kind, "name": name or kind}}
        service_id = self._made("/services", service)["service"]["id"]
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service_id, "interface": interface, "url": url, "region_id": REGION}
            self._made("/endpoints", {"endpoint": endpoint})

    def environment(self, user: str, project: str) -> dict[str, str]:
        """The variables by which OpenStack's clients log in."""
        return {
            "OS_AUTH_URL": self.url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": user,
            "OS_PASSWORD": PASSWORD,
            "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_REGION_NAME": REGION,
        }

    def authtoken_options(self, *, memcached: str | None = None) -> str:
        """The group of a treetop.conf. memcached: its HOST:PORT."""
        return (
            f"[keystone_authtoken]\nwww_authenticate_uri = {self.url}\nauth_type = password\n"
            f"auth_url = {self.url}\nusername = treetop\npassword = {PASSWORD}\nproject_name = services\n"
            "user_domain_id = default\nproject_domain_id = default\n"
            + (f"memcached_servers = {memcached}\n" if memcached else "")
        )

    @property
    def _configuration(self) -> Path:
        return self._folder / "keystone.conf"

    def _manage(self, *words: str) -> None:
        command = [str(self._programs / "keystone-manage"), "--config-file", str(self._configuration), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._folder)
        assert done.returncode == 0, f"keystone-manage {words[0]} failed:\n{done.stderr[-3000:]}"

    def _fill(self) -> None:
        self.user_ids["admin"] = self._found("/users?name=admin")["users"][0]["id"]
        roles = {role["name"]: role["id"] for role in self._found("/roles")["roles"]}
        for name in (*PROJECTS, "services"):
            self.project_ids[name] = self._made("/projects", {"project": {"name": name}})["project"]["id"]
        for name in (*USERS[1:], "somebody", "treetop"):
            user = {"user": {"name": name, "password": PASSWORD, "domain_id": "default"}}
            self.user_ids[name] = self._made("/users", user)["user"]["id"]
        for project in PROJECTS:
            for user in USERS:
                self._grant(f"/projects/{self.project_ids[project]}", user, roles[user])
        self._grant(f"/projects/{self.project_ids['services']}", "treetop", roles["service"])
        self._grant("/domains/default", "admin", roles["admin"])

    def _grant(self, where: str, user: str, role_id: str) -> None:
        self._ask("PUT", f"{where}/users/{self.user_ids[user]}/roles/{role_id}", token=self._operator_token())

    def _operator_token(self) -> str:
        if self._operator is None:
            self._operator = self.new_token("admin", scope={"system": {"all": True}})
        return self._operator

    def _found(self, path: str) -> Any:
        return self._ask("GET", path, token=self._operator_token())[0]

    def _made(self, path: str, document: Mapping[str, Any]) -> Any:
        return self._ask("POST", path, document, token=self._operator_token())[0]

    def _answers(self) -> bool:
        assert self._process is None or self._process.poll() is None, last_lines(self._folder / "server.log")
        try:
            self._ask("GET", "")
        except OSError:
            return False
        return True

    def _ask(
        self,
        method: str,
        path: str,
        document: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        subject: str | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        """(document, headers) of the answer, which must not be a refusal."""
        sent = {"Content-Type": "application/json"}
        if subject is not None:
            sent |= {"X-Subject-Token": subject, "X-Auth-Token": subject}
        if token is not None:
            sent["X-Auth-Token"] = token
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.url + path, data=body, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), dict(answer.headers)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
