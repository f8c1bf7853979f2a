# SPDX-License-Identifier: Apache-2.0
"""URLs of zones: what is read is written back the same, and a password never comes out again."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treetop.errors import Refuse
from treetop.model.source_url import parse_source_url
from treetop.model.zone import Engine, SourceUrl

SECRET = "sw0rdfish"

printable = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn", "Zs"]), min_size=1
)
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
hosts = st.one_of(
    st.lists(labels, min_size=1, max_size=4).map(".".join),
    st.ip_addresses().map(str),
)
option_names = st.sampled_from(["ssl_ca", "ssl_cert", "sslmode", "slot", "a.b"]) | printable.filter(
    lambda name: (
        not any(word in name.lower() for word in ("pass", "pwd", "secret", "token"))
        and name not in ("charset", "socket", "unix_socket")
    )
)
urls = st.builds(
    SourceUrl,
    engine=st.sampled_from(Engine),
    user=printable,
    host=hosts,
    port=st.integers(1, 65535),
    database=printable.filter(lambda name: "/" not in name),
    socket=st.none() | printable.map(lambda path: f"/{path}"),
    options=st.dictionaries(option_names, st.just("") | printable, max_size=3),
)


@given(urls)
def test_a_url_is_read_back_as_it_was_written(url):
    assert parse_source_url(str(url)) == url


@given(st.text())
def test_any_text_is_a_url_or_refused(text):
    try:
        url = parse_source_url(text)
    except Refuse:
        return
    assert parse_source_url(str(url)) == url


@given(
    prefix=st.sampled_from(
        ["mysql://", "postgresql://", "postgres://", "oracle://", "mysql+pymysql://", "", "://"]
    ),
    user=st.text(max_size=5),
    before=st.text(st.sampled_from("@:/?#[]%&=+ aZ0é\n\\'\""), max_size=5),
    after=st.text(st.sampled_from("@:/?#[]%&=+ aZ0é\n\\'\""), max_size=5),
    rest=st.sampled_from(["@h/d", "@h:3306/d", "@[::1]:5432/d", "", "@h", "/d", "@h/d?ssl_ca=/x"]),
)
def test_a_password_behind_a_users_name_is_never_repeated(prefix, user, before, after, rest):
    """Quoted or not: with any of the letters that end a part of a URL around it."""
    with pytest.raises(Refuse) as refused:
        parse_source_url(f"{prefix}{quote(user, safe='')}:{before}{SECRET}{after}{rest}")

    error = refused.value
    assert SECRET not in f"{error} {error.hint} {error!r}"
    assert error.__suppress_context__ or error.__context__ is None  # a traceback shows no other message


@pytest.mark.parametrize("name", ["password", "passwd", "sslpassword", "PWD", "auth_token", "client_secret"])
def test_a_password_among_the_options_is_refused(name):
    with pytest.raises(Refuse, match="holds a password") as refused:
        parse_source_url(f"mysql://u@h/d?{name}={SECRET}")

    assert SECRET not in str(refused.value)
    assert "--password-file" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "what was given as URL does not name a database"),
        ("west", "what was given as URL does not name"),
        ("/var/lib/mysql", "what was given as URL does not name"),
        ("http://h/d", "http://h/d does not name a database"),
        ("sqlite:///d.db", "sqlite:///d.db does not name"),
        ("mysql:u@h/d", "lacks a user, a host"),
        ("mysql://", "lacks a user, a host"),
        ("mysql://h/d", "mysql://h/d lacks a user"),
        ("mysql://u@/d", "lacks a user, a host"),
        ("mysql://u@h", "mysql://u@h lacks a user"),
        ("mysql://u@h/", "lacks a user"),
        ("mysql://u@h/a/b", "lacks a user"),
        ("mysql://u@h:0/d", "has a part that cannot be used"),
        ("mysql://u@h:70000/d", "its host or port cannot be read"),
        ("mysql://u@h:http/d", "its host or port cannot be read"),
        ("mysql://u@[::1/d", "its host or port cannot be read"),
        ("mysql://u@[h]/d", "cannot be read"),
        ("mysql://u@h h/d", "names no host"),
        ("mysql://u@-h/d", "names no host"),
        ("mysql://u@h%2fx/d", "names no host"),
        ("mysql://u@h/d#part", "has a part that cannot be used"),
        ("mysql://u@h/d%00", "has a part that cannot be used"),
        ("mysql://%0a@h/d", "has a part that cannot be used"),
        ("mysql://u@h/d\n", "cannot be printed"),
        ("mysql://u@h/\udcff", "cannot be printed"),
        ("mysql://u@h/d?ssl_ca=/a&ssl_ca=/b", "gives an option twice"),
        ("mysql://u@/d?socket=a.sock", "names no host or socket"),
        ("mysql://u@h/d?socket=", "names no host or socket"),
        ("mysql://u@/d?socket=/a&unix_socket=/b", "gives an option twice"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused_with_what_is_wrong(text, said):
    with pytest.raises(Refuse) as refused:
        parse_source_url(text)

    assert said in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("mysql+pymysql://nova@10.0.0.1/nova?charset=utf8", "mysql://nova@10.0.0.1:3306/nova"),
        ("mariadb://n%40x@h/d", "mariadb://n%40x@h:3306/d"),
        ("postgres://u@H.example/d", "postgresql://u@h.example:5432/d"),
        ("postgresql+psycopg2://u@[2001:DB8::1]:6432/d", "postgresql://u@[2001:db8::1]:6432/d"),
        ("mysql://u@/d?unix_socket=/run/my.sock", "mysql://u@localhost:3306/d?socket=/run/my.sock"),
        (
            "mysql://u@h/d?ssl_verify=off&ssl_ca=/a%20b.pem",
            "mysql://u@h:3306/d?ssl_ca=/a%20b.pem&ssl_verify=off",
        ),
    ],
)
def test_what_nova_writes_into_its_configuration_is_understood(text, url):
    assert str(parse_source_url(text)) == url


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("mysql://a@h/d", "mariadb://b@h:3306/d?ssl_ca=/x", True),
        ("mysql://a@localhost/d", "mysql://a@127.0.0.1/d", True),
        ("mysql://a@/d?socket=/s", "mysql://a@h/d?socket=/s", True),
        ("mysql://a@h:3306/d", "postgresql://a@h:3306/d", False),
        ("mysql://a@h/d", "mysql://a@h:3307/d", False),
        ("mysql://a@h/d", "mysql://a@h/e", False),
        ("mysql://a@h/d", "mysql://a@i/d", False),
        ("mysql://a@/d?socket=/s", "mysql://a@localhost/d", False),
    ],
)
def test_two_urls_of_one_database_are_known_as_such(one, other, is_same):
    one, other = parse_source_url(one), parse_source_url(other)

    assert one.is_same_database(other) is is_same
    assert other.is_same_database(one) is is_same
