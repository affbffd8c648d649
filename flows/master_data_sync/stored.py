"""Versions of one thing as the rows of its master, and back."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from flows.master_data_sync.timeline import ENDS, Version
from store.rows import Row

TIMES = frozenset({"row", "valid_from", "valid_to", "said", "stated_at", "version", "known_at", "replaced_at"})
"""Columns that are no content."""


def versions_of(rows: Iterable[Row]) -> tuple[Version, ...]:
    """Return current rows as versions; one that came by file counts as said whole when it was stated, or known."""
    found = []
    for row in sorted(rows, key=lambda one: one["valid_from"]):
        fields = {name: value for name, value in row.items() if name not in TIMES}
        found.append(Version(row["valid_from"], row["valid_to"], fields, _said_of(row, fields)))
    return tuple(found)


def _said_of(row: Row, fields: Iterable[str]) -> Mapping[str, str]:
    """Return when each field of a row was said; a snapshot states the end too."""
    if row["said"] is not None:
        return dict(row["said"])
    return dict.fromkeys((*fields, ENDS) if row["stated_at"] else fields, whole(row))


def whole(row: Row) -> str:
    """Return the stamp of a row that was said whole."""
    return stamp_of(row["stated_at"] or row["known_at"])


def stamp_of(instant: datetime) -> str:
    """Return the stamp of what a file says that is true up to an instant: every message said then or later is newer."""
    return f"{instant.astimezone(UTC).isoformat(timespec='microseconds')} "
