# SPDX-License-Identifier: Apache-2.0
"""Values that cross a boundary: what the log says (`change`), what a zone is (`zone`). No I/O, no behaviour."""
