# SPDX-License-Identifier: Apache-2.0
"""Reading zones: log events and chunks of rows out of MariaDB, MySQL and PostgreSQL, as `model.change` values.

`open_log` and `open_rows` are the only places where a zone's engine becomes a class.
"""
