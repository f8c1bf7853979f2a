# SPDX-License-Identifier: Apache-2.0
"""Values to ask the API with: good ones of both projects, and those that an attacker or a broken client sends."""

from tests.api.two_projects import SIDES

_GOOD = (
    *(
        "0",
        "1",
        "2",
        "true",
        "False",
        "None",
        "",
        "asc",
        "desc",
        "created_at",
        "display_name",
        "uuid",
        "updated_at",
    ),
    *("ACTIVE", "ERROR", "DELETED", "SOFT_DELETED", "BUILD", "active", "error", "nova-compute"),
    *(
        "2026-01-01T00:00:00Z",
        "2026-01-01",
        "10.",
        "10.1.0",
        "10.2.0.10",
        "a1a1",
        "az-1",
        "/dev/vda",
        "vm-",
        ".",
    ),
)
_OF_A_SIDE = tuple(
    value
    for side in SIDES
    for value in (
        side.project,
        side.user,
        *map(side.uuid, (1, 2, 3, 10, 11, 13, 14, 20, 77, 910)),
        *map(side.text, ("compute-host", "tag", "key_name", "flavors-flavorid", "display_name", "network")),
        side.word[:-1],  # a part, for patterns
    )
)
#: Good values, of everybody.
VALUES = (*_GOOD, *_OF_A_SIDE)

_LONG = 100_000
_PATTERNS = (
    *(
        "(a+)+$",
        "(a*)*b",
        "(x+x+)+y",
        "^((a+)\\2)+$",
        "((((a{1,99}){1,99}){1,99}){1,99})",
        "[",
        "(",
        "*",
        "a{9999}",
    ),
    *(
        "(?P<x>a)",
        "(?<=a)b",
        "\\",
        "\\Z",
        "\\K",
        "***=a",
        "***:a",
        "(?i)a",
        "[[:alpha:]]",
        "[[.a.]]",
        "[[=a=]]",
    ),
    *(
        "[a-\\d]",
        "a|b",
        "\\|",
        "(?#",
        "\\x{110000}",
        "\\u0041",
        "\\777",
        "\\1",
        "a{1,0}",
        "[z-a]",
        "(?:)" * 500,
    ),
    *("(" * 200 + ")" * 200, "((" * 5000, "[" * 5000, "a?" * 500, "(a|" * 300, "." * 3000, "\\d" * 3000),
)
_NUMBERS = (
    *(
        "-1",
        "+1",
        "1.5",
        "1e3",
        " 1",
        "1_0",
        "\u0663",
        "0x1",
        "NaN",
        "inf",
        "9" * 20,
        "9" * 5000,
        "2147483648",
    ),
    *("-9223372036854775809", "0" * 5000 + "1", "00000000-0000-0000-0000-000000000000"),
)
_TIMES = (
    *(
        "yesterday",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "infinity",
        "2026-02-30",
        "2026-W01",
    ),
    *("2026-01-01T00:00:00.123456789Z", "2026-01-01T24:00:00", "20260101T000000Z", "0000-00-00", "-infinity"),
)
_TEXTS = (
    *(
        "\0",
        "a\0b",
        "\u202e",
        "\U0001f600",
        "\ufffd",
        "\ud7ff",
        "e\u0301",
        "\r\n",
        "X: y\r\nZ: 1",
        "\x7f",
        "\x1b[31m",
    ),
    *(
        "'",
        '"',
        "\\'",
        "'; DROP TABLE server; --",
        "%",
        "%s",
        "%(p0)s",
        "{0}",
        "{column}",
        "${x}",
        "{{",
        "$1",
        "::text",
    ),
    *(
        "../..",
        "/",
        "//",
        ".",
        "..",
        "servers",
        "detail",
        "null",
        "[]",
        "{}",
        "<script>",
        "_",
        "__class__",
        "a" * _LONG,
    ),
    *("é" * 3000, "%00", "%FF", "a,b", ",", ",,", ";", "&", "=", "a=b", "#"),
)
#: What nobody sane sends.
HOSTILE = (*_PATTERNS, *_NUMBERS, *_TIMES, *_TEXTS)

#: Query strings as they come over the wire, not made from pairs.
RAW_QUERIES = (
    *(
        "%",
        "%zz",
        "%C3%28",
        "%FF=1",
        "name=%FF",
        "name=%00",
        "&&&&",
        "=",
        "==",
        "=1",
        "a",
        "a;b",
        "?",
        "??",
        "+",
        "%2B",
    ),
    *(
        "limit",
        "limit=",
        "limit=1&limit=x",
        "sort_key",
        "a[]=1",
        "a[b]=1",
        "name=%E2%82",
        "name=%ed%a0%80",
        "_",
        "_=",
    ),
    *(
        "&".join(f"p{number}=1" for number in range(2000)),
        "sort_key=uuid&" * 200,
        "name=a&" * 3000,
        "x" * _LONG,
    ),
)

#: Headers that a request may carry besides the microversion, by what they are about.
HEADERS = (
    *(("X-Project-Id", value) for value in ("", "a b", "\xe9", "a" * 300, "../..", "'", "*")),
    *(
        ("Host", value)
        for value in ("", "x:y", "a" * 5000, "\xe9", '"', "[::1]:1", "a,b", "x/y", "x?y#z", "a:99999")
    ),
    *(("X-Forwarded-Proto", value) for value in ("", "https", "javascript", "\xe9", "a,b")),
    *(("X-Forwarded-Host", value) for value in ("", "evil.example.org", "\xe9", "a,b")),
    *(("Forwarded", value) for value in ("", "for=x;proto=https;host=y", "=;=;", '"', "a" * 5000)),
    *(("X-Auth-Token", value) for value in ("", "x", "\xe9", "a" * 60_000, "gAAAAA", "a,b", '"')),
    *(("X-Service-Token", value) for value in ("", "x")),
    *((name, "admin") for name in ("X-Roles", "X-User-Id", "X-Is-Admin-Project", "X-Identity-Status")),
    *(("X-OpenStack-Request-ID", value) for value in ("", "req-x", "\xe9", "a" * 60_000, "req-" + "0" * 36)),
    *(
        ("Accept", value)
        for value in ("", "application/xml", "text/html", "*/*;q=x", ",", "\xe9", "a" * 5000)
    ),
    *(("Accept-Encoding", value) for value in ("gzip", "*;q=0", "\xe9")),
    *(
        ("Content-Type", value)
        for value in ("", "application/xml", "\xe9", "application/json; charset=x", ";")
    ),
    *(
        ("Cache-Control", value)
        for value in (
            "no-cache",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=x",
            "max-age=" + "9" * 5000,
            "\xe9",
        )
    ),
    *(
        ("Treetop-Max-Lag", value)
        for value in ("", "-1", "x", "nan", "inf", "9" * 5000, "1e400", "\xe9", "99999")
    ),
    *(("Treetop-Stale-Zones", value) for value in ("", "x", "omit", "unknown", "last-known", "\xe9")),
    *(("If-None-Match", "*"), ("If-Modified-Since", "x"), ("Range", "bytes=0-"), ("Expect", "100-continue")),
    *(("Cookie", value) for value in ("", "a=b", "\xe9", ";=;")),
    *(("Origin", value) for value in ("", "null", "https://evil.example.org", "\xe9")),
)

#: Values of the microversion header, and of the older one after `compute`.
MICROVERSIONS = (
    *(
        "2.1",
        "2.26",
        "2.75",
        "2.100",
        "latest",
        "2.0",
        "2.999",
        "1.1",
        "3.0",
        "2.01",
        "02.1",
        "2",
        "2.",
        ".1",
        "-2.1",
    ),
    *(
        "",
        " ",
        "x",
        "2.1.1",
        "2.x",
        "\xb2.1",
        "2.1\t",
        "LATEST",
        "2." + "9" * 5000,
        "9" * 5000 + ".1",
        "2.1, 2.2",
        "2 1",
    ),
)
#: Bodies, which a GET has no use for.
BODIES = (b"", b"{", b'{"server": null}', b"\0", b"\xff" * 1000, b"<xml/>", b"a" * _LONG)

METHODS = (
    "GET",
    "HEAD",
    "OPTIONS",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "FOO",
    "get",
    "G E",
)
