# SPDX-License-Identifier: Apache-2.0
"""The rules of ARCHITECTURE.md that import-linter cannot check: who commits, speaks SQL, sleeps, remembers.

Each rule names its exceptions in full, so that a new one is a decision and not an accident. Read from the source.
"""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "treetop"
TREES = {str(path.relative_to(SOURCE)): ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}

STATEMENT = re.compile(
    r"\s*(SELECT|INSERT INTO|UPDATE \S+ SET|DELETE FROM|CREATE (TABLE|INDEX|DATABASE|ROLE|USER)|ALTER|DROP|TRUNCATE"
    r"|LOCK|COPY|LOAD DATA|BEGIN$|COMMIT$|ROLLBACK|SET [a-z_]+ =|SHOW [a-z]|START TRANSACTION)\b"
)
MUTATING = {
    "append",
    "add",
    "update",
    "pop",
    "popitem",
    "clear",
    "extend",
    "insert",
    "remove",
    "discard",
    "setdefault",
}
CONTAINERS = {"list", "dict", "set", "defaultdict", "Counter", "deque", "OrderedDict", "count", "cycle"}
SHARED = {"Lock", "RLock", "Event", "Condition", "Semaphore", "Queue", "local", "ContextVar"}


def calls(tree, name):
    """The calls of anything called `name`: a function or a method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if name == (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)):
                yield node


def texts(tree):
    """The string constants that are no docstrings, an f-string's beginning among them."""
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.value


def part_of(path):
    return path.split("/")[0]


def test_the_source_is_there():
    assert {"api", "apply", "capture", "cli", "demo", "model", "nova", "store", "sync"} <= set(
        map(part_of, TREES)
    )


def test_rows_and_positions_are_committed_in_one_place():
    """Whoever else opens a transaction at the top does so in `store`, one commit a function."""
    commits = {path for path, tree in TREES.items() if any(not call.args for call in calls(tree, "commit"))}
    transactions = {path for path, tree in TREES.items() if any(calls(tree, "transaction"))}

    assert {path for path in commits if part_of(path) not in ("demo",)} <= {
        "apply/writer.py",
        "sync/applier.py",
    }
    assert {part_of(path) for path in transactions} <= {"store", "capture", "demo"}
    in_zones = {path for path in transactions if part_of(path) == "capture"}
    assert in_zones == {"capture/postgres_publication.py"}  # the one thing that is written to a zone


def test_only_the_parts_that_own_a_database_speak_sql():
    speakers = {path: text for path, tree in TREES.items() for text in texts(tree) if STATEMENT.match(text)}

    assert {
        path: text
        for path, text in speakers.items()
        if part_of(path) not in ("store", "apply", "capture", "demo")
    } == {}
    assert len(speakers) > 15


def test_nobody_sleeps_but_who_waits_for_another_process():
    """Everything else waits for an event or a socket, which a stop reaches at once."""
    sleepers = {path for path, tree in TREES.items() if any(calls(tree, "sleep"))}

    assert sleepers == {
        "api/patience.py",  # 20 ms, for a zone's worker; with a deadline
        "capture/mysql_snapshot.py",  # at most 20 ms, between tries to find the zone between two commits
        "capture/postgres_slot.py",  # 50 ms, until a slot's last reader is gone; with a deadline
        "cli/verify.py",  # for the zone's worker; with a deadline
        "demo/run.py",  # for the daemons; with a deadline
        "demo/top.py",
        "store/daemon.py",  # for a database server; with a deadline
        "store/embedded.py",
    }


def test_no_module_keeps_state():
    """Module-level containers are tables of constants: full when the module is imported, and never written to."""
    found = [f"{path}: {fault}" for path, tree in TREES.items() for fault in state_of(tree)]

    assert found == []


def state_of(tree):
    names = set()
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
        value = node.value
        called = getattr(
            getattr(value, "func", None), "id", getattr(getattr(value, "func", None), "attr", "")
        )
        is_empty = (isinstance(value, ast.List | ast.Set) and not value.elts) or (
            isinstance(value, ast.Dict) and not value.keys
        )
        if is_empty or called in SHARED or (called in CONTAINERS and not value.args):
            yield ast.unparse(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield ast.unparse(node)
        owner = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATING:
            owner = node.func.value
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = node.value
        if isinstance(owner, ast.Name) and owner.id in names and owner.id.isupper():
            yield ast.unparse(node)


@pytest.mark.parametrize(
    "text",
    [
        *("A = []", "A: dict[str, int] = {}", "A = dict()", "lock = Lock()"),
        *(
            "def f():\n  global A",
            "A = {1: 2}\nA[3] = 4",
            "A = [1]\ndef f():\n  A.append(2)",
            "A = [1]\ndel A[0]",
        ),
    ],
)
def test_the_rule_about_state_sees_it(text):
    assert list(state_of(ast.parse(text)))


def test_the_drivers_of_zones_are_known_to_capture_and_the_demo_alone():
    users = {
        path
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
        + ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        if name.split(".")[0] in ("pymysql", "pymysqlreplication")
    }

    assert users
    assert {part_of(path) for path in users} == {"capture", "demo"}


def test_every_error_class_says_what_its_catcher_does():
    classes = [node for node in TREES["errors.py"].body if isinstance(node, ast.ClassDef)]

    assert all(ast.get_docstring(node) for node in classes)
    elsewhere = {
        f"{path}: {node.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if path != "errors.py"
        and isinstance(node, ast.ClassDef)
        and node.name.endswith(("Error", "Exception"))
    }
    assert elsewhere <= {"capture/pgoutput_rows.py: MalformedTupleError"}  # a StopZone at its only caller's


def test_anything_is_caught_in_few_places():
    """`except Exception` answers for what nobody thought of: at the edges, where it becomes an answer or a status."""
    catchers = {
        path
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) == "Exception")
    }

    assert catchers <= {
        *("api/app.py", "api/faults.py", "api/middleware.py", "cli/main.py", "sync/pipeline.py"),
        *("api/envelope.py", "api/token_gate.py"),  # around the API, where it becomes an answer too
        *(
            "sync/chunk_reader.py",
            "sync/log_reader.py",
        ),  # threads, which hand it to the one that waits for them
    }
