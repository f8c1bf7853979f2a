# SPDX-License-Identifier: Apache-2.0
"""Treetop rolls the zones of a Nova deployment up into one table and lists every server from it."""

__version__ = "0.1.0"
