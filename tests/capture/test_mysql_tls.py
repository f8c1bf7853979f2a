# SPDX-License-Identifier: Apache-2.0
"""A MariaDB zone over TLS: log and rows come through, certificates are verified when asked."""

import pytest

from tests.capture.mariadb_zone import a_zone, add_server, follow, make_cell, one_change
from tests.capture.test_postgres_tls import a_certificate
from tests.servers import create_mariadb_database
from treetop.capture.mysql import MysqlLog
from treetop.capture.mysql_rows import MysqlRows
from treetop.errors import Refuse, StopZone


@pytest.fixture
def secure(own_mariadb, tmp_path):
    """A cell on a server that speaks nothing but TLS over TCP, and the path of its certificate."""
    for name, content in zip(("server.crt", "server.key"), a_certificate(), strict=True):
        (tmp_path / name).write_bytes(content)
    settings = {"ssl_cert": str(tmp_path / "server.crt"), "ssl_key": str(tmp_path / "server.key")}
    server = own_mariadb(settings=settings)
    database = make_cell(create_mariadb_database(server, "nova_cell1"))
    database.execute("CREATE USER secure IDENTIFIED BY 'pw' REQUIRE SSL")
    database.execute("GRANT SELECT, REPLICATION SLAVE ON *.* TO secure")
    return database, str(tmp_path / "server.crt")


def test_log_and_rows_come_over_verified_tls(secure):
    database, authority = secure
    url = database.source_url(ssl_ca=authority, ssl_verify="on")
    log = MysqlLog(a_zone(database, url=url))
    log.check()
    events = log.stream(log.begin())

    add_server(database, "s", user_data="x" * 60_000)

    assert one_change(follow(database, events)).row[1] == "s"
    assert ciphers_in_use(database) > 0
    rows = MysqlRows(a_zone(database, url=url))
    assert len(rows.read_range(after=0, rows=5).rows["instances"]) == 1
    rows.close()


def ciphers_in_use(database):
    return int(database.execute("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")[0][1])


def test_certificate_of_someone_else_stops_the_zone(secure, tmp_path):
    database, _ = secure
    other, _ = a_certificate()
    (tmp_path / "other.crt").write_bytes(other)
    url = database.source_url(ssl_ca=str(tmp_path / "other.crt"))

    with pytest.raises(StopZone) as stop:
        MysqlLog(a_zone(database, url=url)).check()

    assert "ssl_ca" in stop.value.hint


def test_tls_without_verification_takes_any_certificate(secure):
    database, _ = secure

    MysqlLog(a_zone(database, url=database.source_url(ssl_verify="off"))).check()


def test_missing_certificate_file_stops_the_zone(secure, tmp_path):
    database, _ = secure
    url = database.source_url(ssl_ca=str(tmp_path / "absent.pem"))

    with pytest.raises(StopZone) as stop:
        MysqlLog(a_zone(database, url=url)).check()

    assert "ssl_ca" in stop.value.hint


def test_malformed_option_is_refused(secure):
    database, _ = secure

    with pytest.raises(Refuse, match="ssl_verify=perhaps"):
        MysqlLog(a_zone(database, url=database.source_url(ssl_verify="perhaps"))).check()
