# SPDX-License-Identifier: Apache-2.0
"""Availability zones."""

from typing import Final

from tests.conformance.corpus.request import once

REQUESTS: Final = (
    *once("/os-availability-zone", "/os-availability-zone/detail", also=("reader",)),
    *once("/os-availability-zone?unknown=1", "/os-availability-zone/detail?unknown=1"),
)
