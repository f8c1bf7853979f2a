# SPDX-License-Identifier: Apache-2.0
"""`python -m treetop` is the command `treetop`."""

from treetop.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
