# SPDX-License-Identifier: Apache-2.0
"""Begin a transaction of which it is known exactly which transactions it sees, without locks.

MariaDB: `START TRANSACTION WITH CONSISTENT SNAPSHOT` fixes `binlog_snapshot_file` and `_position` together
with what InnoDB shows; `BINLOG_GTID_POS` turns them into the GTID set. That function reads the log file
from its beginning (measured: 17 ms per 100 MB on MariaDB 10.11), so its last answer is kept for a log that
stands still.

MySQL: `performance_schema.log_status` (needs BACKUP_ADMIN) gives `gtid_executed` while commits are held for
an instant; it is asked before and after the snapshot, and the snapshot is taken again until both agree.
This follows the documentation and was not tried: no MySQL server could be had.
"""

import json
import time
from dataclasses import dataclass

from treetop.capture.gtid import MariadbGtidSet, MysqlGtidSet
from treetop.capture.mysql_session import Session
from treetop.errors import Retry, StopZone
from treetop.model.change import Mark, Position

MOST_ATTEMPTS = 300  # on MySQL: at 1,000 commits a second about one of three is expected to succeed

GtidSet = MariadbGtidSet | MysqlGtidSet


@dataclass(frozen=True, slots=True)
class GtidSnapshot:
    """The transactions that a chunk's rows reflect: see `model.change.Snapshot`."""

    gtids: GtidSet

    def contains(self, mark: Mark) -> bool:
        """Say whether the chunk's rows already reflect this transaction."""
        return self.gtids.contains(mark)

    def is_covered_by(self, position: Position) -> bool:
        """Say whether a stream standing at `position` has given every transaction of the snapshot."""
        if isinstance(self.gtids, MariadbGtidSet):
            return MariadbGtidSet.parse(position).covers(self.gtids)
        return MysqlGtidSet.parse(position).covers(self.gtids)

    def reaches(self, position: Position) -> bool:
        """Say whether the snapshot holds everything that a stream standing at `position` has given."""
        if isinstance(self.gtids, MariadbGtidSet):
            return self.gtids.covers(MariadbGtidSet.parse(position))
        return self.gtids.covers(MysqlGtidSet.parse(position))


class SnapshotMaker:
    """Begins snapshot transactions on one session; the caller ends each by COMMIT."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: tuple[tuple[str, str], GtidSnapshot] | None = None
        session.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def begin(self) -> GtidSnapshot:
        """Begin a transaction and return what it sees. Raises `Retry`, `StopZone`."""
        return self._begin_mariadb() if self._session.is_mariadb else self._begin_mysql()

    def _begin_mariadb(self) -> GtidSnapshot:
        query = self._session.query
        query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        status = dict(
            query("SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')")
        )
        place = (status.get("Binlog_snapshot_file", ""), status.get("Binlog_snapshot_position", ""))
        if not place[0]:
            raise StopZone(
                f"zone {self._session.zone.name}: the server writes no binary log",
                hint="start it with log_bin; mysql.cnf: [mariadb] log_bin, server_id=1",
            )
        if self._known is not None and self._known[0] == place:
            return self._known[1]
        ((text,),) = query("SELECT BINLOG_GTID_POS(%s, %s)", place[0], int(place[1]))
        if text is None:
            raise Retry(
                f"zone {self._session.zone.name}: the server cannot tell which transactions are in {place[0]} up to"
                f" {place[1]}: the file was removed, or holds an event over max_allowed_packet",
                hint="if it stays so: FLUSH BINARY LOGS in the zone's MariaDB begins a file that it can read",
            )
        snapshot = GtidSnapshot(MariadbGtidSet.parse(text))
        self._known = (place, snapshot)
        return snapshot

    def _begin_mysql(self) -> GtidSnapshot:
        for attempt in range(MOST_ATTEMPTS):
            before = self._executed()
            self._session.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            after = self._executed()
            if before == after:
                return GtidSnapshot(MysqlGtidSet.parse(after))
            self._session.query("COMMIT")
            time.sleep(min(0.001 * attempt, 0.02))  # commits come in bursts: let one pass
        raise Retry(
            f"zone {self._session.zone.name}: no instant without a commit in {MOST_ATTEMPTS} attempts"
        )

    def _executed(self) -> str:
        ((text,),) = self._session.query("SELECT LOCAL FROM performance_schema.log_status")
        return str(json.loads(text)["gtid_executed"])
