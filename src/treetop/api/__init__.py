# SPDX-License-Identifier: Apache-2.0
"""The HTTP API: Nova's own (`/v2.1`, read-only) and Treetop's (`/v1`). Answers from the top alone."""
