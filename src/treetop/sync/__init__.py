# SPDX-License-Identifier: Apache-2.0
"""Keeping zones in step: one worker process per zone (`pipeline`), and the supervisor that starts them."""
