# SPDX-License-Identifier: Apache-2.0
"""Reading one's own writes: a caller whose write was passed through to Nova sees it in the next list.

After the write it is noted which zones it may have touched; the same caller's reads wait until the top shows those
zones as of then, at most until so many seconds after the write. A caller is a user in a project, as each command of
the openstack client fetches a token of its own; what is kept is a hash. Without Keystone it is whoever sends the
same token, or none. If the top cannot be written, a write stays a write, and reads do not wait for it.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.credentials import credentials_of
from treetop.api.patience import Patience
from treetop.api.proxy import Proxy
from treetop.errors import TreetopError
from treetop.model.zone import ZoneId
from treetop.store.pool import reading
from treetop.store.write_marks import mark_write, unseen_writes

log = logging.getLogger(__name__)


class OwnWrites:
    """Middleware for reads, and where writes are noted."""

    def __init__(self, pool: ConnectionPool, patience: Patience, proxy: Proxy) -> None:
        self._pool = pool
        self._marks = proxy.marks
        self._patience = patience
        self._within = timedelta(seconds=proxy.read_your_writes_seconds)

    def note(self, request: falcon.Request, zones: Callable[[], Sequence[ZoneId]]) -> None:
        """Remember that this request, which Nova carried out, may have changed these zones."""
        if not self._within:
            return
        try:
            zone_ids = zones()
            with reading(self._marks) as connection:
                mark_write(connection, _caller(request), zone_ids)
        except TreetopError as error:
            log.warning(
                "the caller's next reads may not show its write: %s", error, extra={"hint": error.hint}
            )

    def process_resource(
        self,
        request: falcon.Request,
        _response: falcon.Response,
        resource: object,
        _params: Mapping[str, Any],
    ) -> None:
        """Wait until the caller's writes are seen, or no longer."""
        if getattr(resource, "is_public", False) or not self._within:
            return
        caller = _caller(request)
        self._patience.until(lambda: self._is_seen(caller), seconds=self._within.total_seconds())

    def _is_seen(self, caller: bytes) -> bool:
        with reading(self._pool) as connection:
            return not unseen_writes(connection, caller, within=self._within)


def _caller(request: falcon.Request) -> bytes:
    who = credentials_of(request.env)
    name = request.get_header("X-Auth-Token") or "" if who is None else f"{who.user_id} {who.project_id}"
    return hashlib.sha256(name.encode()).digest()
