# SPDX-License-Identifier: Apache-2.0
"""The rules of CONTRIBUTING.md that no linter knows: sizes, names, docstrings, licence lines."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_LINES = 300
MOST_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base"}


def files(*folders):
    """Return {path below the root: text} of the Python files in these folders that hold anything."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): text for path in paths if (text := path.read_text())}


def test_there_are_files_to_look_at():
    assert len(files("src")) > 20
    assert len(files("tests")) > 3


def test_no_source_file_is_over_300_lines():
    lines = {path: len(text.splitlines()) for path, text in files("src").items()}
    assert {path: n for path, n in lines.items() if n > MOST_LINES} == {}


def test_no_source_function_is_over_60_lines():
    lines = {
        f"{path}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, text in files("src").items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in lines.items() if n > MOST_FUNCTION_LINES} == {}


def test_modules_are_named_after_what_they_hold():
    assert [path for path in files("src") if VAGUE_NAMES & set(Path(path).with_suffix("").parts)] == []


def test_every_file_begins_with_its_licence():
    found = files("src", "tests", "bench")
    without = [
        path
        for path, text in found.items()
        if "# SPDX-License-Identifier: Apache-2.0" not in text.splitlines()[:2]
    ]
    assert without == []


def test_every_file_says_what_it_is_for():
    first = {
        path: (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
        for path, text in files("src", "tests", "bench").items()
    }
    assert {path: said for path, said in first.items() if not said.endswith((".", ":"))} == {}


def test_the_lock_names_versions_only():
    text = (ROOT / "requirements.lock").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) > 50
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[a-z0-9.]+( ; [a-zA-Z0-9_ .'<>=!]+)?", line), line
