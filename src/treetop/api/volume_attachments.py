# SPDX-License-Identifier: Apache-2.0
"""`GET /servers/{id}/os-volume_attachments` and `/os-volume_attachments/{volume_id}`.

Facts: Nova 34, api/openstack/compute/volume_attachments.py: the volume's id is the attachment's before 2.89.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import falcon
from psycopg_pool import ConnectionPool

from treetop.api.asked import Asked, read_request
from treetop.api.fault import not_found
from treetop.api.found_server import server_of_path
from treetop.api.json_answer import answer_json
from treetop.api.json_text import in_order
from treetop.api.options import ApiOptions
from treetop.api.parameters import ANY_PARAMETERS, Kind, Parameter, query_schema
from treetop.api.permission import Permission
from treetop.store.pool import reading

_TAG_SINCE: Final = 70
_DELETED_WITH_SERVER_SINCE: Final = 79
_ATTACHMENT_SINCE: Final = 89
_LIST: Final = query_schema(
    Parameter(name="limit", kind=Kind.NUMBER), Parameter(name="offset", kind=Kind.NUMBER)
)
_MOST_DIGITS: Final = 9

_Volume = Mapping[str, Any]  # Any: JSON as apply stored it


class VolumeAttachments:
    """All attached volumes, or one."""

    def __init__(self, pool: ConnectionPool, options: ApiOptions) -> None:
        self._pool = pool
        self._options = options

    def on_get(
        self,
        request: falcon.Request,
        response: falcon.Response,
        server_id: str,
        volume_id: str | None = None,
        project_id: str | None = None,
    ) -> None:
        """Answer them. volume_id: of the one, if the path names it."""
        asked = read_request(request, _LIST if volume_id is None else ANY_PARAMETERS)
        with reading(self._pool) as connection:
            server = server_of_path(connection, request, self._options, server_id, ("volumes",))
        show = Permission.VOLUME_ATTACHMENTS_SHOW
        permission = Permission.VOLUME_ATTACHMENTS_INDEX if volume_id is None else show
        asked.caller.require(permission, project_id=server.project_id)
        volumes = in_order(server.columns["volumes"])
        if volume_id is None:
            page = self._page(volumes, asked)
            attachments = [
                _shown(volume, server.uuid, asked.minor) for volume in _attached(page, asked.minor)
            ]
            answer_json(response, {"volumeAttachments": attachments})
            return
        for volume in _attached(volumes, asked.minor):
            if volume["id"] == volume_id:
                answer_json(response, {"volumeAttachment": _shown(volume, server.uuid, asked.minor)})
                return
        raise not_found(f"Instance {server_id} is not attached to volume {volume_id}")

    def _page(self, volumes: Sequence[_Volume], asked: Asked) -> Sequence[_Volume]:
        most = self._options.page_rows_max
        begin = _number(asked.last("offset"))
        limit = min(_number(asked.last("limit")) or most, most)
        return volumes[begin : begin + limit]


def _attached(volumes: Sequence[_Volume], minor: int) -> Sequence[_Volume]:
    """Those that are shown: without an attachment's id, which Nova gives later, not where that is shown."""
    if minor < _ATTACHMENT_SINCE:
        return volumes
    return [volume for volume in volumes if volume.get("attachment_id") is not None]


def _shown(volume: _Volume, server_id: str, minor: int) -> dict[str, Any]:
    document = {"volumeId": volume["id"], "serverId": server_id}
    if volume.get("device"):
        document["device"] = volume["device"]
    if minor >= _TAG_SINCE:
        document["tag"] = volume.get("tag")
    if minor >= _DELETED_WITH_SERVER_SINCE:
        document["delete_on_termination"] = bool(volume.get("delete_on_termination"))
    if minor < _ATTACHMENT_SINCE:
        return document | {"id": volume["id"]}
    return document | {"attachment_id": volume["attachment_id"], "bdm_uuid": volume.get("bdm_uuid")}


def _number(text: str | None) -> int:
    """A checked number; one that no server has so many volumes as to reach is cut short."""
    return int((text or "0").lstrip("0")[:_MOST_DIGITS] or "0")
