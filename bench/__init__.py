# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: each prints a figure beside a reference measured in the same run. Not tests: nothing fails by time."""
