# SPDX-License-Identifier: Apache-2.0
"""`--password-file PATH | --password-env NAME`: where a password is, for every command that registers a database."""

import os
import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path

from treetop.errors import Refuse
from treetop.model.zone import PasswordReference, parse_password_reference


def add_password_arguments(parser: ArgumentParser) -> None:
    """Describe both; one of them may be given."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--password-file", metavar="PATH", help="file whose first line is the password")
    where.add_argument(
        "--password-env", metavar="NAME", help="environment variable of the worker with the password"
    )


def password_reference(arguments: Namespace) -> PasswordReference | None:
    """Read what was given; None: nothing. Raises `Refuse` for a file that is not there."""
    if arguments.password_env is not None:
        return parse_password_reference(f"env:{arguments.password_env}")
    if arguments.password_file is None:
        return None
    path = Path(arguments.password_file).absolute()
    reference = parse_password_reference(f"file:{path}")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise Refuse(
            f"cannot read the password file {path}",
            hint=f"ls -l {path}; its first line has to be the password",
        )
    return reference


def as_argument(reference: PasswordReference | None) -> str:
    """The option that gives this reference again, to paste; empty for none."""
    return "" if reference is None else f"--password-{reference.kind} {shlex.quote(reference.name)}"
