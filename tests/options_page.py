# SPDX-License-Identifier: Apache-2.0
"""`docs/reference/options.md`, made from `treetop.config`: `python -m tests.options_page` writes it."""

from pathlib import Path

from treetop.config import GROUPS

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "options.md"

_HEAD = """# Options

In `/etc/treetop/treetop.conf` (or `--config-file PATH`), or in the environment as `OS_GROUP__OPTION`, which counts
more (`OS_STORE__CONNECTION=…`). A misspelt option is refused. With `auth_strategy = keystone` the groups
`keystone_authtoken`, `oslo_policy`, `oslo_middleware`, `cors` and `healthcheck` take what they take in nova.conf.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for group, options in GROUPS.items():
        rows = [
            f"| `{option.name}` | {_default(option.default)} | {_cell(option.help)} |" for option in options
        ]
        parts.append(
            "\n".join(
                [f"## [{group}]", "", "| option | default | what it does |", "|---|---|---|", *rows, ""]
            )
        )
    return "\n".join(parts)


def _default(value: object) -> str:
    if value is None or value in ("", {}, []):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
