# SPDX-License-Identifier: Apache-2.0
"""A cell of a table that holds several texts: a list for programs, a line each for people."""

from cliff.columns import FormattableColumn


class Lines(FormattableColumn[list[str]]):
    """Made of a list of texts; cliff's formatters ask for the form they need."""

    def human_readable(self) -> str:
        """Return a line for each."""
        return "\n".join(self._value)
