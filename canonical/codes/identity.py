"""Codes of 2xxx identity and 3xxx linkage."""

from canonical.errors import ErrorCode  # noqa: F401
