# SPDX-License-Identifier: Apache-2.0
"""One measured figure, with its target and the reference measured in the same run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """target: None where none is set. reference_name, reference_value: what was measured beside it, same
    unit.
    """

    name: str
    value: float
    unit: str
    target: float | None
    reference_name: str
    reference_value: float
    note: str
