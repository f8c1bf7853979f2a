# SPDX-License-Identifier: Apache-2.0
"""What the number at the end of a command says; 0: done."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_PARTLY = 3  # something was done and something was not; each failure is named
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as a shell says it
EXIT_NO_READER = 141  # 128 + SIGPIPE
