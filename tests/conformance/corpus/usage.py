# SPDX-License-Identifier: Apache-2.0
"""What projects used in a time: `os-simple-tenant-usage`."""

from typing import Final

from tests.conformance.corpus.request import once, walks

_FEBRUARY: Final = "start=2026-02-01T00:00:00&end=2026-02-28T00:00:00"
_OF_ONE: Final = "/os-simple-tenant-usage/{member_project}"

REQUESTS: Final = (
    *once(f"/os-simple-tenant-usage?{_FEBRUARY}", f"{_OF_ONE}?{_FEBRUARY}", also=("reader", "other member")),
    *once(
        f"/os-simple-tenant-usage?detailed=1&{_FEBRUARY}",
        f"/os-simple-tenant-usage?detailed=0&{_FEBRUARY}",
        f"/os-simple-tenant-usage?detailed=True&{_FEBRUARY}",
        f"/os-simple-tenant-usage?limit=3&{_FEBRUARY}",
        f"{_OF_ONE}?limit=5&{_FEBRUARY}",
        f"{_OF_ONE}?limit=5&marker={{tagged}}&{_FEBRUARY}",
        f"{_OF_ONE}?marker={{nobody}}&{_FEBRUARY}",
        f"/os-simple-tenant-usage/{{other_project}}?{_FEBRUARY}",
        f"/os-simple-tenant-usage/none?{_FEBRUARY}",
        "/os-simple-tenant-usage?start=2026-02-20T00:00:00.5&end=2026-02-21T00:00:00",
        "/os-simple-tenant-usage?start=2026-02-20%2000:00:00&end=2026-02-21%2000:00:00",
        "/os-simple-tenant-usage?start=2026-02-28T00:00:00&end=2026-02-01T00:00:00",
        "/os-simple-tenant-usage?start=2026-02-01&end=2026-02-20",
        "/os-simple-tenant-usage?start=x",
        f"/os-simple-tenant-usage?unknown=1&{_FEBRUARY}",
        "/os-simple-tenant-usage?start=2020-01-01T00:00:00&end=2020-02-01T00:00:00",
    ),
    *walks(16, f"{_OF_ONE}?limit=20&{_FEBRUARY}", f"/os-simple-tenant-usage?limit=40&detailed=1&{_FEBRUARY}"),
)
