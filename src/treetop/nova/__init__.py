# SPDX-License-Identifier: Apache-2.0
"""Facts about Nova, pure: which tables and columns are read, what a zone may share, what its values mean."""
