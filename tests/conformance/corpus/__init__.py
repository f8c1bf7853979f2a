# SPDX-License-Identifier: Apache-2.0
"""What both sides are asked: requests as data, a file per noun.

Paths are below `/v2.1` unless they say otherwise. `{name}` in a path is an id of the region (`names`). Each
request is sent at every microversion by every asker of a matrix (`questions`), each page of a walk is one
question.
"""
