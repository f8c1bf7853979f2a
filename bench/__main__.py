# SPDX-License-Identifier: Apache-2.0
"""`python -m bench [--only NAME] [--json]`: run the benchmarks and print each figure beside its reference.

A benchmark is a module of this folder with `NAME` and `run() -> list[Figure]`. Exit status 0 whatever was measured.
"""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from importlib import import_module

from bench.figure import Figure

MODULES = ("binlog", "pgoutput", "apply", "load", "latency", "memory", "listing", "nova")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure Treetop, each figure beside its reference."
    )
    parser.add_argument("--only", choices=MODULES, action="append", help="run just this one (repeatable)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    if not arguments.json:
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
        print(_line("figure", "measured", "target", "reference", "ratio"))
    for name in arguments.only or MODULES:
        for figure in import_module(f"bench.{name}").run():
            figures.append(figure)
            if not arguments.json:
                print(_row(figure), flush=True)
    if arguments.json:
        json.dump([asdict(figure) for figure in figures], sys.stdout, indent=1)
        print()
    return 0


def _row(figure: Figure) -> str:
    ratio = figure.value / figure.reference_value if figure.reference_value else float("nan")
    reference = f"{_number(figure.reference_value)} {figure.reference_name}"
    target = "" if figure.target is None else _number(figure.target)
    line = _line(figure.name, f"{_number(figure.value)} {figure.unit}", target, reference, _number(ratio))
    return f"{line}\n    {figure.note}" if figure.note else line


def _number(value: float) -> str:
    """Without more digits than a measurement has."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _line(name: str, value: str, target: str, reference: str, ratio: str) -> str:
    return f"{name:52} {value:>32} {target:>8}  {ratio:>7} x {reference}"


if __name__ == "__main__":
    raise SystemExit(main())
