# SPDX-License-Identifier: Apache-2.0
"""One condition on servers: a piece of SQL with its values, never a string glued from input.

`server_filters` makes them, `servers` joins them. Column names come from this program, values travel as
parameters.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import errors, sql

from treetop.errors import Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """template: SQL with `{column}` for the column and `{0}`, `{1}`… for the values.

    uses_pattern: the values hold a regular expression of the caller, which PostgreSQL may refuse.
    """

    template: LiteralString
    values: tuple[object, ...] = ()
    column: str | None = None
    uses_pattern: bool = False


@dataclass(slots=True)
class Conditions:
    """Clauses under construction: SQL pieces and the parameters they name (what psycopg can send)."""

    pieces: list[sql.Composable] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    def add(self, clauses: Iterable[Clause]) -> None:
        """Append each clause, giving its values parameter names of their own."""
        for clause in clauses:
            self.pieces.append(self._compose(clause))

    def joined(self) -> sql.Composable:
        """All of them must hold; `true` if there is none."""
        return sql.SQL("\n  AND ").join(self.pieces) if self.pieces else sql.SQL("true")

    def _compose(self, clause: Clause) -> sql.Composable:
        names = [f"p{len(self.parameters) + offset}" for offset in range(len(clause.values))]
        self.parameters.update(zip(names, clause.values, strict=True))
        columns: Mapping[str, sql.Composable] = (
            {} if clause.column is None else {"column": sql.Identifier(clause.column)}
        )
        return sql.SQL(clause.template).format(*map(sql.Placeholder, names), **columns)


@contextmanager
def readable_patterns(clauses: Iterable[Clause]) -> Iterator[None]:
    """Around the statement with these clauses: raise `Refuse` for a pattern that PostgreSQL cannot read, or not
    match in the time that a statement has.
    """
    patterns = ", ".join(repr(value) for clause in clauses if clause.uses_pattern for value in clause.values)
    try:
        yield
    except errors.InvalidRegularExpression as error:
        raise Refuse(
            f"the database cannot read the pattern {patterns}: {error.diag.message_primary}",
            hint="write it without look-behind and other signs that PostgreSQL's expressions lack",
        ) from error
    except errors.QueryCanceled as error:
        if not patterns:
            raise
        raise Refuse(
            f"the pattern {patterns} takes the database longer than a request may take",
            hint="write a simpler pattern, without repetitions of repetitions, or ask for fewer servers",
        ) from error
