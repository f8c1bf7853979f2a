# SPDX-License-Identifier: Apache-2.0
"""From a zone's changes to rows of the aggregate table: `facets` and `plan` decide (pure), `writer` commits."""
