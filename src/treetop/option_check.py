# SPDX-License-Identifier: Apache-2.0
"""Options read strictly: what nobody would ever read is refused with the nearest name, and so is what cannot be used.

A misspelt option is otherwise silently without effect. Works on files as they are written and on the environment;
oslo.config then reads the values. Raises `Refuse`; no message repeats the value of a secret option.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from oslo_config import cfg

from treetop.errors import Refuse

#: Options by the name of their group, as written in the file.
Groups = Mapping[str, Sequence[cfg.Opt]]


def refuse_unknown(file: str, groups: Groups, *, passed_over: Collection[str] = ()) -> None:
    """Refuse a file with a group or an option that is not in `groups`. passed_over: groups that others check."""
    known = {group.lower(): group for group in groups}
    for section, values in _sections(file).items():
        if section.lower() in [group.lower() for group in passed_over]:
            continue
        if section.lower() not in known:
            raise Refuse(
                f"{file}: there is no group [{section}]", hint=_nearest(section, [*groups, *passed_over])
            )
        options = groups[known[section.lower()]]
        accepted = {name for option in options for name in _names(option)}
        for name in values:
            if name not in accepted:
                names = [option.dest for option in options]
                raise Refuse(f"{file}: [{section}] has no option {name!r}", hint=_nearest(name, names))


def refuse_unknown_variables(groups: Groups) -> None:
    """Refuse a variable that looks like an option of one of the groups and is none."""
    for group in groups.keys() - {"DEFAULT"}:
        names = [f"OS_{group}__{option.dest}".upper() for option in groups[group]]
        for variable in os.environ:
            if variable.startswith(f"OS_{group.upper()}__") and variable not in names:
                raise Refuse(f"no option is set by {variable}", hint=_nearest(variable, names))


def require_usable(conf: cfg.ConfigOpts, group: str, option: cfg.Opt) -> None:
    """Refuse a value that the option's type does not take, and an empty one where there is a default."""
    name, variable = f"[{group}] {option.dest}", f"OS_{group}__{option.dest}".upper()
    hint = f"set {name} in the configuration file, or {variable} in the environment: {option.help}"
    try:
        value = (conf if group == "DEFAULT" else conf[group])[option.dest]
    except (cfg.NoSuchOptError, cfg.NoSuchGroupError, cfg.TemplateSubstitutionError):
        raise Refuse(
            f"{name} holds a $ that is not followed by an option's name",  # but by a part of a password
            hint=f"write $$ for every $ in {name}",
        ) from None
    except (cfg.Error, ValueError) as error:
        reason = str(error).rpartition("is not valid: ")[2]
        raise Refuse(f"{name} cannot be used: {reason}", hint=hint) from None
    if value is None and option.default is not None:  # an empty variable
        raise Refuse(f"{name} is empty", hint=hint)


def _sections(file: str) -> dict[str, dict[str, list[str]]]:
    sections: dict[str, dict[str, list[str]]] = {}
    hint = "check the path after --config-file and its rights"
    try:
        cfg.ConfigParser(file, sections).parse()
    except cfg.ParseError as error:  # its text repeats the line, which may be a password
        raise Refuse(
            f"{file}, line {error.lineno}: {error.msg}",
            hint="write [GROUP] lines and NAME = VALUE lines below them",
        ) from None
    except UnicodeDecodeError:
        raise Refuse(f"{file} is not UTF-8 text", hint=hint) from None
    except OSError as error:
        raise Refuse(f"cannot read {file}: {error.strerror}", hint=hint) from None
    return sections


def _names(option: cfg.Opt) -> set[str]:
    """Every name by which oslo.config finds the option in a file."""
    return {option.dest} | {former.name for former in option.deprecated_opts if former.name}


def _nearest(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(names)}"
