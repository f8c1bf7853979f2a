# SPDX-License-Identifier: Apache-2.0
"""Which zones a region's cell mappings ask for: a name and a URL for each cell, or why it has none. Pure.

Cell mappings and the zones that are registered -> one `Proposal` per mapping, in the order of the mappings. User,
password and trust are not Nova's: whoever registers a proposal says them. What was registered before is found again
by its database, or by name and database where it was registered at another address of the same server.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from treetop.errors import Refuse, TreetopError
from treetop.model.source_url import parse_source_url
from treetop.model.zone import Engine, SourceUrl, Zone, ZoneKind, ZoneName
from treetop.nova.cell_mapping import CellDatabase, CellMapping, read_cell_database, template_fields

_MOST_CHARACTERS: Final = 63
_LOOPBACK: Final = re.compile(r"localhost|127\.[0-9.]+|::1")


class Standing(StrEnum):
    """What can be done about a cell."""

    NEW = "new"  # it can be registered
    REGISTERED = "registered"
    ADDED = "added"  # registered just now
    UNUSABLE = "unusable"  # a person has to say more, or to change something


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A cell and the zone to register for it.

    zone: the name it has, or would get. url: None if that cannot be told. reason: why it is unusable.
    notes: what a person should know, one sentence each. is_guess: the host is not what Nova says; look first.
    """

    cell: CellMapping
    zone: ZoneName
    standing: Standing
    url: SourceUrl | None = None
    reason: str | None = None
    notes: tuple[str, ...] = field(default=())
    is_guess: bool = False

    def unusable(self, error: TreetopError) -> "Proposal":
        """The same cell, with why it cannot be registered."""
        reason = f"{error}; {error.hint}" if error.hint else str(error)
        return replace(self, standing=Standing.UNUSABLE, reason=reason)


def propose_zones(
    mappings: Iterable[CellMapping],
    zones: Sequence[Zone],
    *,
    api_zone: Zone,
    user: str,
    template_url: SourceUrl | None = None,
) -> list[Proposal]:
    """Propose a zone for every cell.

    zones: all that are registered, of other regions too. api_zone: where the mappings were read; its URL fills
    templates, but for the database's name, unless `template_url` (Nova's own database connection) is given.
    user: who reads the cells.
    """
    asked = _Asked(
        fields=template_fields(template_url or api_zone.url, has_path=template_url is not None),
        origin="the region's URL" if template_url is None else "--template-url",
        zones=zones,
        api_zone=api_zone,
        user=user,
    )
    taken = {zone.name for zone in zones}
    proposals = []
    for mapping in mappings:
        proposal = _propose(mapping, _free_name(_name(mapping), api_zone.region, taken), asked)
        taken.add(proposal.zone)
        proposals.append(proposal)
    return proposals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What all mappings of a call are seen with. fields, origin: what fills templates, and whose that is."""

    fields: Mapping[str, str]
    origin: str
    zones: Sequence[Zone]
    api_zone: Zone
    user: str


def _propose(mapping: CellMapping, free: ZoneName, asked: _Asked) -> Proposal:
    new = Proposal(cell=mapping, zone=free, standing=Standing.NEW)
    api = asked.api_zone
    try:
        database = read_cell_database(mapping, asked.fields)
        url, moved = _seen_from_here(_source_url(database, api.url, asked.user), api.url)
        parse_source_url(str(url))  # what the registry keeps has to be readable
    except Refuse as refusal:
        return new.unusable(refusal)
    known = next((zone for zone in asked.zones if zone.url.is_same_database(url)), None) or next(
        (zone for zone in asked.zones if _is_same_cell(zone, _name(mapping), url, api.region)), None
    )
    if known is None:
        notes = (*_disabled(mapping), *_notes(database, asked.origin), *moved)
        return replace(new, url=url, notes=notes, is_guess=bool(moved))
    if known.kind is not ZoneKind.CELL:
        return new.unusable(Refuse(f"its database is that of zone {known.name}, which is no cell"))
    return replace(
        new, zone=known.name, standing=Standing.REGISTERED, url=known.url, notes=_disabled(mapping)
    )


def _name(mapping: CellMapping) -> ZoneName:
    """The cell's name as a zone's: what a zone's name cannot hold becomes a dash."""
    if mapping.is_cell0:
        return ZoneName("cell0")
    return ZoneName(
        _word(mapping.name or "", _MOST_CHARACTERS) or _word(f"cell-{mapping.uuid}", _MOST_CHARACTERS)
    )


def _free_name(name: ZoneName, region: str, taken: set[ZoneName]) -> ZoneName:
    """The name, else with its region before it, else with a number behind."""
    if name not in taken:
        return name
    prefix = region_word(region)
    longer = f"{prefix}-{name}"[:_MOST_CHARACTERS].strip("-_")
    number = 1
    free = longer
    while free in taken:
        number += 1
        free = f"{longer[: _MOST_CHARACTERS - 6]}-{number}"
    return ZoneName(free)


def region_word(region: str) -> str:
    """A region's name as the beginning of a zone's."""
    return _word(region, 40) or "region"


def _word(text: str, most: int) -> str:
    """What of a text can be in a zone's name: accents go, all else becomes a dash."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:most].strip("-_")


def _source_url(database: CellDatabase, api: SourceUrl, user: str) -> SourceUrl:
    here, there = (database.host, database.port, database.socket), (api.host, api.port, api.socket)
    is_mariadb = here == there and (database.engine, api.engine) == (Engine.MYSQL, Engine.MARIADB)
    return SourceUrl(
        engine=Engine.MARIADB if is_mariadb else database.engine,  # SQLAlchemy's mysql:// is either
        user=user,
        host=database.host,
        port=database.port,
        database=database.database,
        socket=database.socket,
        options=database.options,
    )


def _seen_from_here(url: SourceUrl, api: SourceUrl) -> tuple[SourceUrl, tuple[str, ...]]:
    """The URL, its host replaced where it means Nova's own machine and that is not this one; and what to say of it.

    Where the region's database is reached over the network, a loopback address or a socket in a mapping is one of
    the machine that Nova runs on. The region's database is the only host of that machine that is known.
    """
    if not is_local(url) or is_local(api):
        return url, ()
    where = f"socket {url.socket}" if url.socket is not None else url.host
    said = f"Nova has it at {where}, on Nova's own machine: taken to be {api.host}, as in the region's URL"
    return replace(url, host=api.host, socket=None), (said,)


def is_local(url: SourceUrl) -> bool:
    """Say whether the URL leads to the machine it is used on."""
    return url.socket is not None or _LOOPBACK.fullmatch(url.host) is not None


def _disabled(mapping: CellMapping) -> tuple[str, ...]:
    return ("disabled in Nova: its servers are listed, no new ones go there",) if mapping.is_disabled else ()


def _notes(database: CellDatabase, origin: str) -> tuple[str, ...]:
    notes = []
    if database.filled:
        notes.append(f"a template: {', '.join(database.filled)} filled in from {origin}")
    if database.tls_files:
        notes.append(f"these have to be files here, too: {', '.join(database.tls_files)}")
    return tuple(notes)


def _is_same_cell(zone: Zone, name: ZoneName, url: SourceUrl, region: str) -> bool:
    """Say whether a zone of the region is this cell at another address, by the names of both."""
    names = (name, f"{region_word(region)}-{name}"[:_MOST_CHARACTERS].strip("-_"))
    return zone.region == region and zone.name in names and zone.url.database == url.database
