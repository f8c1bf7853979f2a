# SPDX-License-Identifier: Apache-2.0
"""The values of a server document that need more than pasting: image, flavor link, volumes, fault, name. Pure.

All but the name are JSON text. `bookmark_url` is `{base}/` with the project if the request named it, escaped for
JSON. Facts: Nova 34, api/openstack/compute/views/servers.py.
"""

from collections.abc import Mapping
from typing import Any, Final

from treetop.api.json_text import EMPTY, dumps, in_order, loads, moment, text
from treetop.nova.image_properties import IMAGE_PROPERTIES, SYSTEM_METADATA_PREFIX

FAULT_STATUSES: Final = frozenset({"ERROR", "DELETED"})
PROGRESS_STATUSES: Final = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
UNKNOWN_STATUS: Final = "UNKNOWN"
_INTERNAL_ERROR: Final = 500  # its details are for administrators


def image(image_ref: str | None, bookmark_url: str) -> str:
    """A link to the image; an empty text for a server that boots from a volume."""
    return '""' if not image_ref else f"{{{_image_members(image_ref, bookmark_url)}}}"


def image_with_properties(image_ref: str | None, system: Mapping[str, str | None], bookmark_url: str) -> str:
    """The same with the image's properties as they were when the server was made."""
    if not image_ref:
        return '""'
    cut = len(SYSTEM_METADATA_PREFIX)
    properties = {
        key[cut:]: value
        for key, value in system.items()
        if key.startswith(SYSTEM_METADATA_PREFIX) and key[cut:] in IMAGE_PROPERTIES and value is not None
    }
    shown = dumps(properties) if properties else EMPTY
    return f'{{{_image_members(image_ref, bookmark_url)},"properties":{shown}}}'


def flavor_link(flavor_id: str | None, bookmark_url: str) -> str:
    """The flavor as it is shown before 2.47; empty if the server lost its flavor."""
    if flavor_id is None:
        return EMPTY
    shown = text(flavor_id)
    return f'{{"id":{shown},"links":[{{"rel":"bookmark","href":"{bookmark_url}flavors/{shown[1:-1]}"}}]}}'


def flavor_without_extra_specs(flavor: str | None) -> str:
    """The embedded flavor for callers who may not see the extra specs."""
    return dumps({key: value for key, value in loads(flavor).items() if key != "extra_specs"})


def volume_ids(volumes: str | None) -> str:
    """The attached volumes before 2.3."""
    if volumes is None or volumes == EMPTY:
        return "[]"
    return dumps([{"id": volume["id"]} for volume in in_order(volumes)])


def volumes_attached(volumes: str | None) -> str:
    """The attached volumes, and whether they go with the server."""
    if volumes is None or volumes == EMPTY:
        return "[]"
    return dumps(
        [
            {"id": volume["id"], "delete_on_termination": bool(volume.get("delete_on_termination"))}
            for volume in in_order(volumes)
        ]
    )


def newest_fault(faults: str | None, *, is_admin: bool) -> str | None:
    """The fault with the highest id; None if there is none. Details of code 500 are for administrators."""
    rows = in_order(faults)
    if not rows:
        return None
    fault: Mapping[str, Any] = rows[-1]
    code, details = fault.get("code"), fault.get("details")
    shown = f'{{"code":{dumps(code)},"created":{moment(fault.get("created"))},"message":'
    shown += text(fault.get("message"))
    if details and (is_admin or code != _INTERNAL_ERROR):
        shown += f',"details":{text(details)}'
    return shown + "}"


def unknown_only(host_status: str | None) -> str | None:
    """The status of a host as those see it who may only learn that it is not known."""
    return f'"{UNKNOWN_STATUS}"' if host_status == UNKNOWN_STATUS else None


def instance_name(template: str, *, source_id: int, uuid: str) -> str:
    """The name on the hypervisor, made from the row's id or uuid as Nova's option `instance_name_template` says.

    Raises ValueError for a template that is none.
    """
    try:
        return template % source_id
    except TypeError:  # it has names, or nothing to fill in
        pass
    try:
        return template % {"id": source_id, "uuid": uuid}
    except KeyError:
        return uuid  # as Nova does when its template names what a server lacks


def _image_members(image_ref: str, bookmark_url: str) -> str:
    shown = text(image_ref.rsplit("/", 1)[-1])
    return f'"id":{shown},"links":[{{"rel":"bookmark","href":"{bookmark_url}images/{shown[1:-1]}"}}]'
