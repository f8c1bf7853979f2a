# SPDX-License-Identifier: Apache-2.0
"""A document as the body of an answer."""

import falcon
import orjson


def answer_json(response: falcon.Response, document: object) -> None:
    """Write the document."""
    response.data = orjson.dumps(document)
    response.content_type = "application/json"
