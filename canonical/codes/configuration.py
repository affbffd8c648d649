"""Codes of 4xxx: configuration of devices, of the site and of the hub itself."""

from canonical.errors import ErrorCode
