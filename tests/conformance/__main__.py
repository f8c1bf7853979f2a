# SPDX-License-Identifier: Apache-2.0
"""`make conformance`: ask Nova and Treetop the whole corpus and print every difference.

`python -m tests.conformance [--noun NOUN]... [--minor N]... [--asker NAME]...`. The last line is
`N equal, M on purpose, K different`; the exit status is 1 if K is not 0, or if a listed difference was never seen.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import psycopg

from tests.conformance.both import Both
from tests.conformance.comparing import Outcome, compare
from tests.conformance.corpus.matrix import CORPUS, EVERY_MINOR, Matrix, questions
from tests.conformance.differences import DIFFERENCES
from treetop.store.embedded import EmbeddedPostgres

_SETTINGS: Final = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    matrix = _matrix()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="treetop-conformance-") as name:
        folder = Path(name)
        top = EmbeddedPostgres(folder=folder / "postgres", settings=_SETTINGS, dies_with_parent=True)
        top.start()
        try:
            with psycopg.connect(top.conninfo(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE conformance")
            with Both(folder, top.conninfo("conformance")) as both:
                _say(f"ready after {time.monotonic() - began:.0f} s")
                return _report(both, matrix, began)
        finally:
            top.remove()


def _report(both: Both, matrix: Matrix, began: float) -> int:
    outcomes: Counter[Outcome] = Counter()
    needed: Counter[str] = Counter()
    noun = ""
    for asked in both.ask(questions(matrix)):
        if asked.noun != noun:
            noun = asked.noun
            _say(f"{time.monotonic() - began:5.0f} s  {noun}")
        verdict = compare(asked.exchange, DIFFERENCES)
        outcomes[verdict.outcome] += 1
        if verdict.outcome is Outcome.ON_PURPOSE:
            needed.update(set(verdict.headings))
        if verdict.outcome is Outcome.DIFFERENT:
            _say(f"\n{verdict.question}", *(f"    {line}" for line in verdict.lines), "")
    _say(f"{time.monotonic() - began:5.0f} s  done; on purpose:")
    for difference in DIFFERENCES:
        _say(f"{needed[difference.heading]:7}  {difference.heading}")
    is_whole = matrix == Matrix()
    unneeded = [each.heading for each in DIFFERENCES if is_whole and not needed[each.heading]]
    _say(*(f"no longer needed: {heading}" for heading in unneeded))
    equal, on_purpose, different = (outcomes[each] for each in Outcome)
    _say(f"{equal} equal, {on_purpose} on purpose, {different} different")
    return 1 if different or unneeded else 0


def _matrix() -> Matrix:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--noun", action="append", choices=sorted(CORPUS), help="only this noun")
    parser.add_argument("--minor", action="append", type=int, help="only at microversion 2.MINOR")
    parser.add_argument("--asker", action="append", choices=("admin", "member"), help="only as this asker")
    given = parser.parse_args()
    return Matrix(
        nouns=tuple(given.noun or CORPUS),
        minors=tuple(given.minor or EVERY_MINOR),
        askers=tuple(given.asker or ("admin", "member")),
    )


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
