# SPDX-License-Identifier: Apache-2.0
"""The API as it is deployed behind Keystone, in-process, and a client that asks with tokens."""

import json

import falcon.testing

from treetop.api.deploy import deploy
from treetop.config import load_settings


class TokenClient:
    """Asks as a user of a project of the tests' Keystone. options: lines added to treetop.conf."""

    def __init__(self, keystone, pool, folder, *, options="", memcached=None, proxy=None):
        configuration = folder / "treetop.conf"
        configuration.write_text(
            f"[api]\nauth_strategy = keystone\n{keystone.authtoken_options(memcached=memcached)}{options}"
        )
        self._keystone = keystone
        application = deploy(pool, load_settings([str(configuration)]), proxy).application

        def plain(
            environ, start_response
        ):  # falcon's client looks at the signature, which webob's objects hide
            return application(environ, start_response)

        self._client = falcon.testing.TestClient(plain)

    def ask(self, path, user=None, project=None, *, token=None, method="GET", headers=None, body=None):
        """The answer. user and project by name: with their token; token: with this one; neither: without."""
        path, _, query = path.partition("?")
        sent = {"OpenStack-API-Version": "compute 2.100"} | (headers or {})
        token = token or (user and self._keystone.token(user, project))
        if token:
            sent["X-Auth-Token"] = token
        return self._client.simulate_request(method, path, query_string=query, headers=sent, body=body)

    def names(self, path, user, project):
        """The names of the listed servers."""
        answer = self.ask(path, user, project)
        assert answer.status_code == 200, answer.text
        return {server["name"] for server in json.loads(answer.content)["servers"]}

    def refusal(self, path, user, project):
        """(status, message) of a fault."""
        answer = self.ask(path, user, project)
        ((_, fault),) = json.loads(answer.content).items()
        assert fault["code"] == answer.status_code
        return answer.status_code, fault["message"]
