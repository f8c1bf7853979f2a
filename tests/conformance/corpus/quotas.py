# SPDX-License-Identifier: Apache-2.0
"""Quotas of projects and users."""

from typing import Final

from tests.conformance.corpus.request import once

REQUESTS: Final = (
    *once(
        "/os-quota-sets/{member_project}",
        "/os-quota-sets/{member_project}/detail",
        also=("reader", "other member"),
    ),
    *once(
        "/os-quota-sets/{member_project}?user_id={member_user}",
        "/os-quota-sets/{member_project}/detail?user_id={member_user}",
        "/os-quota-sets/{member_project}/detail?user_id={other_user}",
        "/os-quota-sets/{member_project}/defaults",
        "/os-quota-sets/{other_project}",
        "/os-quota-sets/{other_project}/detail",
        "/os-quota-sets/{other_project}/defaults",
        "/os-quota-sets/{third_project}/detail",
        "/os-quota-sets/{fourth_project}",
        "/os-quota-sets/{member_project}?unknown=1",
        "/os-quota-sets/{member_project}/defaults?unknown=1",
        "/os-quota-sets/{member_project}?user_id=",
    ),
)
