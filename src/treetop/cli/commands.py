# SPDX-License-Identifier: Apache-2.0
"""The commands by name, each imported when it is asked for, so that `zone list` waits for no server's modules.

Words of a command line -> cliff's command, or `Refuse` with the nearest ones. The table is here and not among the
package's entry points because cliff imports every entry point it finds to look up one.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint

from cliff.commandmanager import CommandManager

from treetop.errors import Refuse

COMMANDS = {
    "db sync": "treetop.cli.database:SyncDatabase",
    "db version": "treetop.cli.database:ShowVersion",
    "region add": "treetop.cli.region:AddRegion",
    "region list": "treetop.cli.region:ListRegions",
    "region show": "treetop.cli.region:ShowRegion",
    "region remove": "treetop.cli.region:RemoveRegion",
    "zone add": "treetop.cli.zone:AddZone",
    "zone list": "treetop.cli.zone:ListZones",
    "zone show": "treetop.cli.zone:ShowZone",
    "zone remove": "treetop.cli.zone:RemoveZone",
    "zone discover": "treetop.cli.discover:DiscoverZones",
    "zone verify": "treetop.cli.verify:VerifyZone",
    "zone resync": "treetop.cli.resync:ResyncZone",
    "sync": "treetop.cli.daemon:Sync",
    "serve": "treetop.cli.daemon:Serve",
    "demo": "treetop.cli.demo:Demo",
}


def command_manager() -> CommandManager:
    """Return cliff's table of our commands, nothing of them imported."""
    manager = CommandManager()
    for name, value in COMMANDS.items():
        manager.commands[name] = EntryPoint(name=name, value=value, group="treetop.cli")
    return manager


def unknown_command(words: Sequence[str]) -> Refuse:
    """Return what to say about words that are no command; only a command's own words are repeated."""
    first = words[0]
    if first.startswith("-"):
        return Refuse(f"there is no option {first.partition('=')[0]} before a command", hint="treetop --help")
    group = [name for name in COMMANDS if name.split()[0] == first]
    wanted = " ".join(word for word in words[:2] if word.isalpha())
    near = get_close_matches(wanted, COMMANDS, n=2, cutoff=0.5)
    if group and (wanted == first or not near):
        return Refuse(f"treetop {first} needs one more word", hint=_either(group))
    shown = f"treetop {wanted}" if wanted else "what was given"
    return Refuse(f"{shown} is no command", hint=_either(near or group) or "treetop help")


def _either(names: Sequence[str]) -> str:
    return " or: ".join(f"treetop {name}" for name in names)
