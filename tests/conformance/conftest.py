# SPDX-License-Identifier: Apache-2.0
"""Both sides for the tests of conformance, and what they answered to the part of the corpus that tests ask."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conformance.both import Asked, Both
from tests.conformance.corpus.matrix import sample
from treetop.store.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def both(servers_folder: Path, top_server: EmbeddedPostgres) -> Iterator[Both]:
    with psycopg.connect(top_server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE conformance")
    with Both(servers_folder / "conformance", top_server.conninfo("conformance")) as running:
        yield running


@pytest.fixture(scope="session")
def asked(both: Both) -> list[Asked]:
    """A sample of the corpus: every request, each time at another microversion."""
    return list(both.ask(sample()))
