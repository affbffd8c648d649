"""Codes of 1xxx: messages, XML, SOAP and delivery."""

from canonical.errors import ErrorCode  # noqa: F401
