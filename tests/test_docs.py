# SPDX-License-Identifier: Apache-2.0
"""What the documents tell a reader to type exists: commands with their options, make's targets, linked files."""

import re
import shlex
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.options_page import PAGE, page
from treetop.cli.commands import COMMANDS
from treetop.model.zone import Trust, ZoneKind
from treetop.nova.watched import watched_tables

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
TYPED = re.compile(r"^    (treetop .*|make .*)$", re.MULTILINE)
QUOTED = re.compile(r"`(treetop (?!sync --|up\b)[a-z][^`]*|make [a-z]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def commands_of(document: Path) -> list[str]:
    text = document.read_text()
    return [found for pattern in (TYPED, QUOTED) for found in pattern.findall(text)]


LINES = sorted({(str(path.relative_to(ROOT)), line) for path in DOCUMENTS for line in commands_of(path)})


def test_every_option_is_documented_as_it_is() -> None:
    assert PAGE.read_text() == page(), "python -m tests.options_page writes it anew"


def test_there_is_something_to_check() -> None:
    assert len(LINES) > 15
    assert any(line.startswith("treetop zone add") for _, line in LINES)


@pytest.mark.parametrize(("document", "line"), LINES)
def test_a_command_in_a_document_can_be_typed(document: str, line: str) -> None:
    typed = re.sub(r"\bN\b", "20", line.partition("#")[0]).replace("…", "x").rstrip(" &")
    words = shlex.split(typed)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
        return
    names = [" ".join(words[1 : 1 + length]) for length in (2, 1)]
    name = next((name for name in names if name in COMMANDS), None)
    assert name is not None, f"{document}: {line} is no command"
    arguments = words[1 + len(name.split()) :]
    if not arguments and "`" + line + "`" in (ROOT / document).read_text():
        return  # a command that is spoken of, not typed
    module, _, command = COMMANDS[name].partition(":")
    factory = getattr(import_module(module), command)
    factory(SimpleNamespace(), None).get_parser(f"treetop {name}").parse_args(arguments)


@pytest.mark.parametrize("kind", ZoneKind)
def test_the_grants_of_a_region_name_every_table_that_is_read(kind: ZoneKind) -> None:
    text = (ROOT / "docs" / "howto" / "connect-a-region.md").read_text()
    granted = [set(re.findall(r"\w+", names)) for names in re.findall(r"GRANT SELECT ON ([^.;]*?) TO", text)]

    assert set(watched_tables(kind, Trust.FULL)) in granted


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_rights_that_a_zone_is_asked_for_are_of_the_tables_that_are_read() -> None:
    text = (ROOT / "docs/howto/connect-a-zone.md").read_text()
    granted = re.findall(r"GRANT SELECT ON ([a-z_,\s]+) TO treetop", text)
    tables = [set(listed.replace(",", " ").split()) for listed in granted]

    cell, hosts, api = tables
    assert cell == set(watched_tables(ZoneKind.CELL, Trust.SERVERS))
    assert cell | hosts == set(watched_tables(ZoneKind.CELL, Trust.FULL))
    assert api == set(watched_tables(ZoneKind.API, Trust.FULL))
