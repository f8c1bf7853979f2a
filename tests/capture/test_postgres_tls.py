# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL zone over TLS: certificate checked, large values and many messages come through."""

import base64
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.capture.postgres_zone import a_zone, add_server, changes_of, follow, make_cell, started, value
from tests.servers import PostgresDatabase, create_postgres_database, wait_until
from treetop.capture.postgres import PostgresLog
from treetop.errors import StopZone
from treetop.store.embedded import EmbeddedPostgres


def a_certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "zone")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), secret


@pytest.fixture
def secure(own_postgres: Callable[..., EmbeddedPostgres], tmp_path: Path) -> tuple[PostgresDatabase, str]:
    """A cell on a server that speaks TLS, and the path of its certificate."""
    database = create_postgres_database(own_postgres(), "cell")
    certificate, key = a_certificate()
    for name, content in (("server.crt", certificate), ("server.key", key)):
        text = base64.b64encode(content).decode()
        # written by the server itself, into its data folder: the key must belong to its account
        database.execute(f"COPY (SELECT '{text}') TO PROGRAM 'umask 077; base64 -d > {name}'")
    database.execute("ALTER SYSTEM SET ssl = on")
    database.execute("SELECT pg_reload_conf()")
    wait_until("the server speaks TLS", lambda: database.execute("SHOW ssl") == [("on",)])
    make_cell(database)
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificate)
    return database, str(authority)


def test_stream_over_tls_gives_large_values_and_many_messages(secure):
    database, authority = secure
    log, _, events = started(database, sslmode="verify-full", sslrootcert=authority)
    next(events)
    ((count,),) = database.execute("SELECT count(*) FROM pg_stat_ssl WHERE ssl AND pid <> pg_backend_pid()")
    for size in (1, 16_000, 16_384, 100_000, 3_000_000):
        add_server(database, f"of {size}", user_data="x" * size)
    database.execute("INSERT INTO tags SELECT 'a', g::text FROM generate_series(1, 20000) g")

    changes = changes_of(follow(database, events))
    log.close()

    assert count >= 2  # the stream and its watch
    sizes = [
        len(str(value("instances", change.row, "user_data")))
        for change in changes
        if change.table == "instances"
    ]
    assert sizes == [1, 16_000, 16_384, 100_000, 3_000_000]
    assert sum(change.table == "tags" for change in changes) == 20_000


def test_certificate_of_another_authority_needs_a_person(secure, tmp_path):
    database, _ = secure
    other = tmp_path / "other.pem"
    other.write_bytes(a_certificate()[0])

    with pytest.raises(StopZone, match="certificate"):
        PostgresLog(a_zone(database, sslmode="verify-full", sslrootcert=str(other))).check()
