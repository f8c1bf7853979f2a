# SPDX-License-Identifier: Apache-2.0
"""A whole Nova region for tests: four cells, cell0 and the API database, seeded, with everything a row may say.

`plan` says who lives where and what names tests use; `servers`, `special_servers`, `hosts`, `history` and
`api_rows` make table rows of it (pure); `databases` writes them. Every instant is fixed: only `now` in an
answer depends on when it is asked.
"""
