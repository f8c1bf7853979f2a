# SPDX-License-Identifier: Apache-2.0
"""Read arguments; what argparse says about wrong ones, as a `Refuse` like every other error, without secrets.

argparse repeats arguments it does not know, and `-p PASSWORD` or a URL with a password may be among them.
"""

import math
import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import NoReturn

from treetop.errors import Refuse


def refuse_wrong_usage(parser: ArgumentParser) -> ArgumentParser:
    """Make the parser raise `Refuse` where it would print its usage and exit; return it."""

    def refuse(message: str) -> NoReturn:
        raise Refuse(_without_secrets(message), hint=f"{parser.prog} --help")

    parser.error = refuse  # type: ignore[method-assign]  # argparse's own way to say that arguments are wrong
    return parser


def port(text: str) -> int:
    """Read a TCP port, 1 to 65535, for argparse."""
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 65536:
        raise ArgumentTypeError(f"{text!r} is no port: use a number from 1 to 65535")
    return int(text)


def above_zero(text: str) -> float:
    """Read a finite number above zero, for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return number


def count(text: str) -> int:
    """Read a whole number of 1 or more, for argparse."""
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _without_secrets(message: str) -> str:
    message = re.sub(r"(--?[\w-]+)=.*?(?= could match |$)", r"\1=…", message)
    head, mark, arguments = message.partition("unrecognized arguments: ")
    if not mark:
        return message
    words = [
        word.partition("=")[0] if re.fullmatch(r"--?[\w-]+(=…)?", word) else "…" for word in arguments.split()
    ]
    return head + mark + " ".join(words)
