# SPDX-License-Identifier: Apache-2.0
"""What a statement in the log (a QUERY event) means for the watched tables. Pure.

With `binlog_format=ROW` statements in the log are transaction brackets and DDL. In: the statement's text
and its default database. Out: a `Statement`. This is no SQL parser: it knows the beginnings that cannot
change rows behind the row events' back, and names as CHANGES whatever else comes in the watched database;
the decoder stops the zone there.

Facts: MariaDB and MySQL write DDL as typed by the user, comments included; tried on MariaDB 10.11.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto


class Meaning(Enum):
    """What the decoder has to do."""

    BEGIN = auto()
    COMMIT = auto()
    ROLLBACK = auto()  # of the whole transaction or to a savepoint: row events given before may be undone
    HARMLESS = auto()
    TRUNCATE = auto()  # of the watched table `table`
    LAYOUT = auto()  # DDL on the watched table `table`: what was known of its columns may be wrong now
    GONE = auto()  # the rows of the watched table `table` went away without row events
    CHANGES = auto()  # may change rows of the watched database: statement format, or unknown


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement's meaning; table: the watched table it names, or ""."""

    meaning: Meaning
    table: str = ""


_COMMENT = re.compile(r"/\*M?!\d*|/\*(?!M?!).*?\*/|\*/|(?m:^\s*(?:--\s|#).*$)", re.DOTALL)
_NAME = r"(?:`(?:[^`]|``)+`|\"[^\"]+\"|[\w$\u0080-\uffff]+)"
_QUALIFIED = re.compile(rf"(?:({_NAME})\s*\.\s*)?({_NAME})")
_TRUNCATE = re.compile(rf"TRUNCATE\s+(?:TABLE\s+)?(?={_NAME})", re.IGNORECASE)
_DROP = re.compile(r"DROP\s+TABLES?\s+(?:IF\s+EXISTS\s+)?", re.IGNORECASE)
_DROP_DATABASE = re.compile(r"DROP\s+(?:DATABASE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?", re.IGNORECASE)
_RENAME = re.compile(r"RENAME\s+TABLES?\s+(?:IF\s+EXISTS\s+)?", re.IGNORECASE)
_ALTER = re.compile(r"ALTER\s+(?:ONLINE\s+)?(?:IGNORE\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?", re.IGNORECASE)
_CREATE = re.compile(r"CREATE\s+(OR\s+REPLACE\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?", re.IGNORECASE)
_LOSES_ROWS = re.compile(
    r"\bRENAME\s+(?!COLUMN\b|INDEX\b|KEY\b)|\b(?:TRUNCATE|DROP|EXCHANGE)\s+PARTITION\b|\b(?:IMPORT|DISCARD)\s+TABLESPACE\b",
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(r"[\s(;]*([A-Za-z]+)")
_HARMLESS_WORDS = frozenset(
    word
    for line in (
        "CREATE ALTER DROP RENAME TRUNCATE GRANT REVOKE ANALYZE OPTIMIZE REPAIR CHECK FLUSH INSTALL",
        "UNINSTALL SAVEPOINT RELEASE XA START LOCK UNLOCK CHANGE PURGE KILL RESET SHUTDOWN",
    )
    for word in line.split()
)
_HARMLESS_SET = re.compile(r"SET\s+(?:PASSWORD|DEFAULT\s+ROLE|ROLE)\b", re.IGNORECASE)


def read_statement(text: str, *, default: str, database: str, tables: Collection[str]) -> Statement:
    """Say what `text`, run with the default database `default`, means for `tables` of `database`."""
    if "/*" in text or "--" in text or "#" in text:
        text = _COMMENT.sub(" ", text)
    text = text.strip()
    first = _FIRST_WORD.match(text)
    word = first.group(1).upper() if first else ""
    bracket = {"BEGIN": Meaning.BEGIN, "COMMIT": Meaning.COMMIT, "ROLLBACK": Meaning.ROLLBACK}.get(word)
    if bracket is not None:
        return Statement(bracket)
    if word not in _HARMLESS_WORDS and not _HARMLESS_SET.match(text):
        is_ours = default == database or database in text
        return Statement(Meaning.CHANGES if is_ours else Meaning.HARMLESS)
    return _read_ddl(text, _Names(default, database, tables))


@dataclass(frozen=True, slots=True)
class _Names:
    """Finds watched tables in a piece of a statement."""

    default: str
    database: str
    tables: Collection[str]

    def first(self, text: str, at: int) -> str:
        """Return the watched table named at `at`, or ""."""
        found = _QUALIFIED.match(text, at)
        return self._watched(found) if found else ""

    def all(self, text: str) -> list[str]:
        """Return the watched tables that a comma-separated list names ("" for others)."""
        found = (_QUALIFIED.match(part.strip()) for part in text.split(","))
        return [self._watched(match) if match else "" for match in found]

    def _watched(self, match: "re.Match[str]") -> str:
        schema, table = (_unquoted(part) for part in match.groups(default=""))
        return table if (schema or self.default) == self.database and table in self.tables else ""


def _read_ddl(text: str, names: _Names) -> Statement:
    if match := _TRUNCATE.match(text):
        table = names.first(text, match.end())
        return Statement(Meaning.TRUNCATE, table) if table else Statement(Meaning.HARMLESS)
    if match := _DROP.match(text):
        gone = next(filter(None, names.all(text[match.end() :])), "")
        return Statement(Meaning.GONE, gone) if gone else Statement(Meaning.HARMLESS)
    if match := _DROP_DATABASE.match(text):
        dropped = _QUALIFIED.match(text, match.end())
        is_ours = dropped is not None and _unquoted(dropped.group(2)) == names.database
        return Statement(Meaning.GONE, names.database) if is_ours else Statement(Meaning.HARMLESS)
    if match := _RENAME.match(text):
        return _read_rename(text[match.end() :], names)
    return _read_alter_or_create(text, names)


def _read_alter_or_create(text: str, names: _Names) -> Statement:
    if match := _ALTER.match(text):
        table = names.first(text, match.end())
        loses_rows = table and _LOSES_ROWS.search(text, match.end())
        meaning = Meaning.GONE if loses_rows else Meaning.LAYOUT if table else Meaning.HARMLESS
        return Statement(meaning, table)
    if match := _CREATE.match(text):
        table = names.first(text, match.end())
        meaning = Meaning.HARMLESS if not table else Meaning.GONE if match.group(1) else Meaning.LAYOUT
        return Statement(meaning, table)
    return Statement(Meaning.HARMLESS)


def _read_rename(pairs: str, names: _Names) -> Statement:
    """Tell a swap (an online schema change puts a copy with the same rows in place) from a loss."""
    sides = [re.split(r"\s+TO\s+", pair, maxsplit=1, flags=re.IGNORECASE) for pair in pairs.split(",")]
    sources = {table for side in sides for table in names.all(side[0]) if table}
    targets = {table for side in sides if len(side) == 2 for table in names.all(side[1]) if table}
    if lost := sorted(sources - targets):
        return Statement(Meaning.GONE, lost[0])
    if targets:
        return Statement(Meaning.LAYOUT, min(targets))
    return Statement(Meaning.HARMLESS)


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name[:1] in ("`", '"') else name
