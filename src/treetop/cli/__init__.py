# SPDX-License-Identifier: Apache-2.0
"""The command `treetop`: one file per noun, one class per command, errors turned into exit codes in `main`."""
