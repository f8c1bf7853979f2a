# SPDX-License-Identifier: Apache-2.0
"""The top's PostgreSQL: schema, connections, zone registry, positions, and the queries that the API serves."""
