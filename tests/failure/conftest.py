# SPDX-License-Identifier: Apache-2.0
"""The fixtures of tests/sync, for what zones have to survive."""

from tests.sync.conftest import cell, mariadb_cell, postgres_cell, top

__all__ = ["cell", "mariadb_cell", "postgres_cell", "top"]
