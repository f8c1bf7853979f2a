# SPDX-License-Identifier: Apache-2.0
"""What Nova writes to a cell for each thing a user or host does: one committed transaction after the other.

The order of the transactions and the columns in each are those of a real Nova 34 (fake driver), read from its
binary log. A function here is one operation on one server; `workload` decides which and when.
"""
