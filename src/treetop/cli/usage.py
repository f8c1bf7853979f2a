# SPDX-License-Identifier: Apache-2.0
"""What argparse says about wrong arguments, as a `Refuse` like every other error, without what may be a secret.

argparse repeats arguments it does not know, and `-p PASSWORD` or a URL with a password may be among them.
"""

import re
from argparse import ArgumentParser
from typing import NoReturn

from treetop.errors import Refuse


def refuse_wrong_usage(parser: ArgumentParser) -> ArgumentParser:
    """Make the parser raise `Refuse` where it would print its usage and exit; return it."""

    def refuse(message: str) -> NoReturn:
        raise Refuse(_without_secrets(message), hint=f"{parser.prog} --help")

    parser.error = refuse  # type: ignore[method-assign]  # argparse's own way to say that arguments are wrong
    return parser


def _without_secrets(message: str) -> str:
    message = re.sub(r"(--?[\w-]+)=.*?(?= could match |$)", r"\1=…", message)
    head, mark, arguments = message.partition("unrecognized arguments: ")
    if not mark:
        return message
    words = [
        word.partition("=")[0] if re.fullmatch(r"--?[\w-]+(=…)?", word) else "…" for word in arguments.split()
    ]
    return head + mark + " ".join(words)
