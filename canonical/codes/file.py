"""Codes of 7xxx: files and how they travel."""

from canonical.errors import ErrorCode
