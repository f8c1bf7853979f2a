# SPDX-License-Identifier: Apache-2.0
"""The fields that docs/reference/cli-json.md promises, read from the document."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "cli-json.md"


def documented_fields(command):
    """Return the field names of the table below the heading of `command`, in order."""
    sections = re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)
    (section,) = [text for text in sections if text.startswith(f"`treetop {command}")]
    return re.findall(r"^\| `([\w.]+)` \|", section, flags=re.MULTILINE)


def field_names(document):
    """Return the names of a document's fields, inner ones as `outer.inner`, each once, in order."""
    names = {}
    for name, value in document.items():
        names[name] = None
        for inner in value if isinstance(value, list) else [value]:
            names |= (
                {f"{name}.{below}": None for below in field_names(inner)} if isinstance(inner, dict) else {}
            )
    return list(names)
