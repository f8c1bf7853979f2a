# SPDX-License-Identifier: Apache-2.0
"""`treetop db sync|version`: the top's schema."""

from argparse import Namespace

from cliff.command import Command

from treetop.cli.top import settings_of
from treetop.store.migrate import migrations, schema_version, sync_schema
from treetop.store.session import open_session, store_errors


class SyncDatabase(Command):
    """Bring the top's schema up to date. Safe to repeat; refuses a schema newer than this program."""

    def take_action(self, parsed_args: Namespace) -> int:
        """Apply the migrations that are missing."""
        applied = sync_schema(settings_of(self).required_connection())
        for name in applied:
            self.app.stdout.write(f"applied {name}\n")
        if not applied:
            self.app.stdout.write("the schema is up to date\n")
        return 0


class ShowVersion(Command):
    """Show the top's schema version and the one this program needs."""

    def take_action(self, parsed_args: Namespace) -> int:
        """Print both numbers."""
        with open_session(settings_of(self).required_connection(), name="command") as conn, store_errors():
            self.app.stdout.write(f"schema {schema_version(conn)}, needed {len(migrations())}\n")
        return 0
