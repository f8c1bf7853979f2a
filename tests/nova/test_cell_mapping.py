# SPDX-License-Identifier: Apache-2.0
"""URLs as Nova's `cell_mappings` hold them: every spelling of SQLAlchemy's, templates; no password comes out."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treetop.errors import Refuse
from treetop.model.source_url import parse_source_url
from treetop.model.zone import Engine
from treetop.nova.cell_mapping import (
    CELL0_UUID,
    CellDatabase,
    CellMapping,
    read_cell_database,
    template_fields,
)

SECRET = "sw0rdfish"
REGION = template_fields(parse_source_url("mysql://nova@db.example.org:3307/nova_api"), has_path=False)


def a_mapping(connection, *, name="cell1", uuid="0d5f5d2a-8b0e-4d2b-8f2b-5a3e6d1c9b7e"):
    return CellMapping(uuid=uuid, name=name, is_disabled=False, connection=connection)


def read(connection, fields=REGION):
    return read_cell_database(a_mapping(connection), fields)


def refusal(connection, fields=REGION):
    with pytest.raises(Refuse) as error:
        read(connection, fields)
    assert SECRET not in str(error.value) + (error.value.hint or "")
    return str(error.value)


def at(engine, host, port, database, **more):
    return CellDatabase(engine=engine, host=host, port=port, database=database, **more)


@pytest.mark.parametrize(
    ("connection", "database"),
    [
        ("mysql+pymysql://nova:x@db1/nova_cell1", at(Engine.MYSQL, "db1", 3306, "nova_cell1")),
        ("mysql://nova:x@DB1.example.org:3310/c?charset=utf8", at(Engine.MYSQL, "db1.example.org", 3310, "c")),
        ("mysql+mysqldb://nova:x@192.0.2.7/c", at(Engine.MYSQL, "192.0.2.7", 3306, "c")),
        ("mariadb+pymysql://nova:x@db1/c", at(Engine.MARIADB, "db1", 3306, "c")),
        ("postgresql://nova:x@db1/c", at(Engine.POSTGRESQL, "db1", 5432, "c")),
        ("postgresql+psycopg2://nova@db1:6432/c", at(Engine.POSTGRESQL, "db1", 6432, "c")),
        ("mysql+pymysql://nova:x@[2001:db8::7]:3310/c", at(Engine.MYSQL, "2001:db8::7", 3310, "c")),
        ("postgresql://[::1]/c", at(Engine.POSTGRESQL, "::1", 5432, "c")),
        ("mysql://n:x@db1/nova%20cell", at(Engine.MYSQL, "db1", 3306, "nova cell")),
        ("mysql+pymysql:///c", at(Engine.MYSQL, "localhost", 3306, "c")),
        ("mysql+pymysql://n:x@localhost/c?unix_socket=/s", at(Engine.MYSQL, "localhost", 3306, "c", socket="/s")),
        ("postgresql://n@/c?host=/run&port=6432", at(Engine.POSTGRESQL, "localhost", 6432, "c", socket="/run")),
        ("postgresql://nova@/c?host=db7", at(Engine.POSTGRESQL, "db7", 5432, "c")),
        (" mysql+pymysql://nova:x@db1/c?read_timeout=5&plugin=dbcounter \n", at(Engine.MYSQL, "db1", 3306, "c")),
    ],
)  # fmt: skip
def test_every_spelling_of_a_place_is_read(connection, database):
    assert read(connection) == database


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("ssl_ca=/etc/ssl/ca.pem", {"ssl_ca": "/etc/ssl/ca.pem"}),
        ("ssl_ca=/a%20b&ssl_cert=/c&ssl_key=/k&charset=utf8", {"ssl_ca": "/a b", "ssl_cert": "/c", "ssl_key": "/k"}),
        ("ssl_verify_cert=true&ssl_verify_identity=true", {"ssl_verify": "on"}),
        ("ssl_ca=/a&ssl_verify_cert=false", {"ssl_ca": "/a", "ssl_verify": "off"}),
        ("ssl_verify_identity=0&ssl_verify_cert=1", {"ssl_verify": "on"}),
    ],
)  # fmt: skip
def test_the_tls_of_novas_client_is_kept(query, options):
    assert read(f"mysql+pymysql://nova@db1/c?{query}").options == options


def test_the_tls_of_novas_postgresql_client_is_kept():
    query = "sslmode=verify-full&sslrootcert=/etc/ca.pem&application_name=nova"
    assert read(f"postgresql://nova@db1/c?{query}").options == {
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.pem",
    }
    assert read(f"postgresql://nova@db1/c?{query}").tls_files == ("/etc/ca.pem",)


@given(
    user=st.text(min_size=1, max_size=10),
    password=st.text(max_size=10).map(lambda text: SECRET + text),
    is_quoted=st.booleans(),
)
def test_user_and_password_are_in_nothing_that_is_returned(user, password, is_quoted):
    """Quoted or not: what a password holds unquoted hides nothing and shows nothing."""
    account = f"{quote(user, safe='')}:{quote(password, safe='') if is_quoted else password}"
    mapping = a_mapping(f"mysql+pymysql://{account}@db1/nova_cell1?password={SECRET}&passwd={SECRET}")

    found = read_cell_database(mapping, REGION)

    assert found == at(Engine.MYSQL, "db1", 3306, "nova_cell1")
    assert SECRET not in repr(mapping)


@given(st.text(), st.sampled_from(["mysql://", "postgresql://u:", "mysql+pymysql://u:p@", "{scheme}://", ""]))
def test_any_text_is_a_place_or_refused(text, prefix):
    try:
        read(prefix + text)
    except Refuse:
        return


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("", "it has no database_connection"),
        (f"nova:{SECRET}@db1/nova", "no URL"),
        (f"sqlite:////{SECRET}.db", "reached by sqlite"),
        (f"{SECRET} x://db1/c", "reached by something else"),
        (f"mysql://nova:{SECRET}/nova_cell1", "a port that cannot be read"),
        (f"mysql://nova:{SECRET}@db1", "names no database"),
        ("mysql://nova@db1/", "names no database"),
        ("mysql://nova@db1/a/b", "names no database"),
        (f"mysql://[{SECRET}/c", "a host that cannot be read"),
        (f"mysql://[::1]{SECRET}/c", "a host that cannot be read"),
        ("mysql://nova@db1:0/c", "a port that cannot be read"),
        ("mysql://nova@db1:99999/c", "a port that cannot be read"),
        ("postgresql://nova@/c?host=a,b", "several hosts"),
        ("mysql://nova@db1,db2/c", "several hosts"),
        ("mysql://nova@db1/c?unix_socket=my.sock", "a socket that cannot exist"),
    ],
)
def test_what_cannot_be_used_is_told_without_a_secret(connection, said):
    assert said in refusal(connection)


def test_a_template_is_filled_from_the_regions_url():
    found = read("{scheme}://{username}:{password}@{hostname}:{port}/nova_cell1?{query}")

    assert found == at(
        Engine.MYSQL, "db.example.org", 3307, "nova_cell1", filled=("scheme", "hostname", "port", "query")
    )


def test_a_template_takes_the_regions_options_and_socket():
    url = parse_source_url("postgresql://u@localhost:6432/nova_api?socket=/run/pg&sslmode=require")
    found = read("{scheme}://{hostname}:{port}/c?{query}", template_fields(url, has_path=False))

    assert (found.socket, found.port, found.options) == ("/run/pg", 6432, {"sslmode": "require"})


def test_the_databases_name_is_not_taken_from_the_regions_url():
    """Nova fills it from another database's URL: its own, which is not the API database."""
    assert "{path} is not known here" in refusal("{scheme}://{username}:{password}@{hostname}/{path}?{query}")


def test_the_databases_name_is_taken_from_novas_own_url():
    own = template_fields(parse_source_url("mysql+pymysql://nova@db1/nova"), has_path=True)

    assert (
        read("{scheme}://{username}:{password}@{hostname}:{port}/{path}_cell0?{query}", own).database
        == "nova_cell0"
    )


@pytest.mark.parametrize("hostname", ["{hostname}", "[{hostname}]"])
def test_an_address_of_ipv6_fits_into_a_template(hostname):
    own = template_fields(parse_source_url("mysql://nova@[2001:db8::1]:3307/x"), has_path=False)

    found = read("mysql+pymysql://{username}:{password}@" + hostname + ":{port}/c", own)

    assert (found.host, found.port) == ("2001:db8::1", 3307)


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("mysql://{hostname1}/c", "{hostname1} is not known"),
        (f"mysql://{{{SECRET}}}/c", "one of its fields is not known"),
        ("mysql://{hostname.__class__}/c", "a host that cannot be read"),
        ("mysql://{}/c", "one of its fields is not known"),
    ],
)
def test_a_template_that_cannot_be_filled_is_told(connection, said):
    assert said in refusal(connection)


def test_cell0_is_known_by_its_uuid():
    assert a_mapping("", uuid=CELL0_UUID).is_cell0
    assert not a_mapping("", name="cell0").is_cell0
