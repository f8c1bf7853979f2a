# SPDX-License-Identifier: Apache-2.0
"""Demo zones: databases with Nova's real table layout, filled and changed for ever from a seed."""
