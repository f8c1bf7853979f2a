# SPDX-License-Identifier: Apache-2.0
"""Values to ask the API with: good ones of both projects, and those that an attacker or a broken client sends."""

from tests.api.two_projects import SIDES

_LONG = 100_000
_GOOD = """
    0 1 2 true False None asc desc created_at display_name uuid updated_at
    ACTIVE ERROR DELETED SOFT_DELETED BUILD active error nova-compute
    2026-01-01T00:00:00Z 2026-01-01 10. 10.1.0 10.2.0.10 a1a1 az-1 /dev/vda vm- .
"""
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
VALUES = ("", *_GOOD.split(), *_OF_A_SIDE)

_PATTERNS = r"""
    (a+)+$ (a*)*b (x+x+)+y ^((a+)\2)+$ ((((a{1,99}){1,99}){1,99}){1,99}) [ ( * a{9999}
    (?P<x>a) (?<=a)b \ \Z \K ***=a ***:a (?i)a [[:alpha:]] [[.a.]] [[=a=]]
    [a-\d] a|b \| (?# \x{110000} \u0041 \777 \1 a{1,0} [z-a]
"""
_LARGE_PATTERNS = (
    *("(?:)" * 500, "(" * 200 + ")" * 200, "((" * 5000, "[" * 5000),
    *("a?" * 500, "(a|" * 300, "." * 3000, r"\d" * 3000),
)
_NUMBERS = "-1 +1 1.5 1e3 1_0 \u0663 0x1 NaN inf 2147483648 -9223372036854775809"
_LARGE_NUMBERS = ("9" * 20, "9" * 5000, "0" * 5000 + "1", " 1", "00000000-0000-0000-0000-000000000000")
_TIMES = """
    yesterday 0001-01-01T00:00:00+23:59 9999-12-31T23:59:59-23:59 infinity -infinity 2026-02-30 2026-W01
    2026-01-01T00:00:00.123456789Z 2026-01-01T24:00:00 20260101T000000Z 0000-00-00
"""
_TEXTS = r"""
    ' " \' % %s %(p0)s {0} {column} ${x} {{ $1 ::text ../.. / // . .. servers detail null [] {} <script> _
    __class__ %00 %FF a,b , ,, ; & = a=b #
"""
_STRANGE_TEXTS = (
    *("\0", "a\0b", "\u202e", "\U0001f600", "\ufffd", "\ud7ff", "e\u0301", "\r\n", "X: y\r\nZ: 1", "\x7f"),
    *("\x1b[31m", "'; DROP TABLE server; --", "a" * _LONG, "é" * 3000),
)
#: What nobody sane sends.
HOSTILE = (
    *(_PATTERNS.split() + _NUMBERS.split() + _TIMES.split() + _TEXTS.split()),
    *(_LARGE_PATTERNS + _LARGE_NUMBERS + _STRANGE_TEXTS),
)

_QUERIES = """
    % %zz %C3%28 %FF=1 name=%FF name=%00 &&&& = == =1 a a;b ? ?? + %2B limit limit= limit=1&limit=x
    sort_key a[]=1 a[b]=1 name=%E2%82 name=%ed%a0%80 _ _=
"""
#: Query strings as they come over the wire, not made from pairs.
RAW_QUERIES = (
    *_QUERIES.split(),
    "&".join(f"p{number}=1" for number in range(2000)),
    *("sort_key=uuid&" * 200, "name=a&" * 3000, "x" * _LONG),
)

_ODD = ("", "\xe9", "a,b", "a" * 5000, '"', "*")
_OF_HEADERS = {
    "X-Project-Id": ("a b", "../..", "'", "a" * 300),
    "Host": ("x:y", "[::1]:1", "x/y", "x?y#z", "a:99999"),
    "X-Forwarded-Proto": ("https", "javascript"),
    "X-Forwarded-Host": ("evil.example.org",),
    "Forwarded": ("for=x;proto=https;host=y", "=;=;"),
    "X-Auth-Token": ("x", "a" * 60_000, "gAAAAA"),
    "X-Service-Token": ("x",),
    **dict.fromkeys(("X-Roles", "X-User-Id", "X-Is-Admin-Project", "X-Identity-Status"), ("admin",)),
    "X-OpenStack-Request-ID": ("req-x", "a" * 60_000, "req-" + "0" * 36),
    "Accept": ("application/xml", "text/html", "*/*;q=x", ","),
    "Accept-Encoding": ("gzip", "*;q=0"),
    "Content-Type": ("application/xml", "application/json; charset=x", ";"),
    "Cache-Control": ("no-cache", "max-age", "max-age=", "max-age=-1", "max-age=x", "max-age=" + "9" * 5000),
    "Treetop-Max-Lag": ("-1", "x", "nan", "inf", "9" * 5000, "1e400", "99999"),
    "Treetop-Stale-Zones": ("x", "omit", "unknown", "last-known"),
    "If-Modified-Since": ("x",),
    "If-None-Match": (),
    "Range": ("bytes=0-",),
    "Expect": ("100-continue",),
    "Cookie": ("a=b", ";=;"),
    "Origin": ("null", "https://evil.example.org"),
}
#: Headers that a request may carry besides the microversion.
HEADERS = tuple((name, value) for name, values in _OF_HEADERS.items() for value in (*_ODD, *values))

_VERSIONS = "2.1 2.26 2.75 2.100 latest 2.0 2.999 1.1 3.0 2.01 02.1 2 2. .1 -2.1 x 2.1.1 2.x \xb2.1 LATEST"
#: Values of the microversion header after `compute`, and of the older one; the first four are good.
MICROVERSIONS = (
    *_VERSIONS.split(),
    *("", " ", "2.1\t", "2.1, 2.2", "2 1", "2." + "9" * 5000, "9" * 5000 + ".1"),
)
#: Bodies, which a GET has no use for.
BODIES = (b"", b"{", b'{"server": null}', b"\0", b"\xff" * 1000, b"<xml/>", b"a" * _LONG)

_METHODS = "GET HEAD OPTIONS POST PUT DELETE PATCH TRACE CONNECT PROPFIND FOO get"
METHODS = tuple(_METHODS.split())
