"""Identifiers that the hub mints: the same business key gives the same id, in every run and on every machine."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from canonical.names import normal_serial

NAMESPACE = UUID("6f5ad1a8-0c4c-5d0e-9f0e-2f3a54f0c9d1")
"""Namespace of every id that the hub mints. Never change it: ids already sent would change."""


def mint(kind: str, *fields: str | int | datetime) -> str:
    """Return the id of the `kind` of thing that `fields` (its business key, in a fixed order) name.

    uuid5 of kind and fields joined by U+001F; instants count as UTC ISO seconds.
    """
    parts = [kind]
    for field in fields:
        if isinstance(field, datetime):
            parts.append(field.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        else:
            parts.append(str(field))
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def meter_mrid(manufacturer: str, serial: str) -> str:
    """Return the mRID of the meter with this manufacturer and serial (a serial alone is not unique)."""
    return mint("meter", manufacturer.strip().upper(), normal_serial(serial))
