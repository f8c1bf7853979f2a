# SPDX-License-Identifier: Apache-2.0
"""A row of one of Nova's tables as the demo makes, writes and reads it: column -> value."""

from datetime import datetime
from typing import TypeAlias

Value: TypeAlias = int | str | bool | datetime | None
Row: TypeAlias = dict[str, Value]
