"""Codes of 6xxx: readings and billing."""

from canonical.errors import ErrorCode  # noqa: F401
