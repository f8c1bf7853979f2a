# SPDX-License-Identifier: Apache-2.0
"""Check answers against the response schemas that Nova ships. Runs in `.venv-nova` only.

Standard input: a line of JSON `[path, minor, body]` per answer; path is below /v2.1, without a query. Standard
output: a line of JSON `[path, minor, what is wrong]` per answer that Nova's own schema refuses, then the
number of those that were checked. The schema is the one that Nova's decorators name for that path and
microversion; an answer whose path has none (or only one that takes everything) is not counted.
"""

import json
import sys

from nova import monkey_patch

monkey_patch.patch(backend="threading")

from nova import config, exception, objects  # noqa: E402 - Nova wants to be patched first
from nova.api.openstack import api_version_request  # noqa: E402
from nova.api.openstack.compute import APIRouterV21  # noqa: E402
from nova.api.validation import validators  # noqa: E402


class _Asked:
    """As much of a request as Nova's choice of a schema looks at."""

    def __init__(self, minor: int) -> None:
        self.api_version_request = api_version_request.APIVersionRequest(f"2.{minor}")


def main() -> None:
    config.parse_args(["check"], default_config_files=[])
    objects.register_all()
    routes = APIRouterV21().map
    checked = 0
    for line in sys.stdin:
        path, minor, body = json.loads(line)
        found = routes.match(path, {"REQUEST_METHOD": "GET"})
        method = getattr(found["controller"].controller, found["action"])
        schemas = getattr(method, "response_body_schemas", None)
        schema = schemas(_Asked(minor)) if schemas else None
        if not schema:
            continue
        checked += 1
        try:
            validators._SchemaValidator(schema, False, True).validate(body)
        except exception.ValidationError as error:
            sys.stdout.write(json.dumps([path, minor, str(error)]) + "\n")
    sys.stdout.write(f"{checked}\n")


if __name__ == "__main__":
    main()
