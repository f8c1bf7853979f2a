# SPDX-License-Identifier: Apache-2.0
"""Demo zones: databases with Nova's real table layout, filled and then changed for ever, all made from a seed."""
