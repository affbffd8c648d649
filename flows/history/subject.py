"""Which usage point a word means: its mRID or name, a meter or an agreement or account that it ever belonged to."""

from collections.abc import Collection
from datetime import datetime

from canonical.codes.identity import AMBIGUOUS_SUBJECT, UNKNOWN_USAGE_POINT
from canonical.errors import RejectedError
from canonical.names import normal_serial
from store import belief_sources, master_statements, names, reference
from store.rows import Row
from store.session import Session


def usage_point_of(session: Session, word: str, *, at: datetime, systems: Collection[str]) -> str:
    """Return the mRID of the usage point that a word means, as anybody ever knew it.

    Of several, the one to which the word belongs at the valid instant `at`. `systems` are those whose own names count.

    Raises:
        RejectedError: it means none (UNKNOWN_USAGE_POINT), or several (AMBIGUOUS_SUBJECT).
    """
    for rows in _candidates(session, word):
        points = {row["usage_point"] for row in rows if row["usage_point"]}
        if len(points) > 1:
            points = {row["usage_point"] for row in rows if _stands(row, at)} or points
        if len(points) > 1:
            reason = f"{word!r} belongs, or belonged, to {', '.join(sorted(points))}; name one of them, or give --at"
            raise RejectedError(reason, code=AMBIGUOUS_SUBJECT)
        if points:
            return str(points.pop())
    return _by_others(session, word, systems)


def _candidates(session: Session, word: str) -> tuple[list[Row], ...]:
    """Return the rows that bear a word, what names most surely first."""
    maker, _, serial = word.rpartition("/")
    made = belief_sources.versions(session, reference.INSTALLATION, "serial_normal", {normal_serial(serial)})
    return (
        belief_sources.versions(session, reference.USAGE_POINT, "usage_point", {word}),
        belief_sources.versions(session, reference.USAGE_POINT, "name", {word}),
        belief_sources.versions(session, reference.INSTALLATION, "meter", {word}),
        belief_sources.versions(session, reference.AGREEMENT, "agreement", {word}),
        belief_sources.versions(session, reference.AGREEMENT, "account", {word}),
        [row for row in made if maker.strip().upper() in ("", row["manufacturer"].strip().upper())],
    )


def _stands(row: Row, at: datetime) -> bool:
    """Return whether a row is believed now and holds at an instant."""
    start = row["installed_at"] if "installed_at" in row else row["valid_from"]
    end = row["removed_at"] if "removed_at" in row else row["valid_to"]
    return row["replaced_at"] is None and start <= at and (end is None or at < end)


def _by_others(session: Session, word: str, systems: Collection[str]) -> str:
    """Return the usage point that the hub never held but others speak of, or that a system calls by a word."""
    for system in sorted(systems):
        own = names.meant(session, system, (word,), "UsagePoint")
        if len(own) == 1:
            return own[0]
    if any(
        row["usage_point"] == word or row["object_id"] == word for row in master_statements.about(session, word, ())
    ):
        return word
    if belief_sources.held_in_extracts(session, "usage_point", word):
        return word
    raise RejectedError(f"nobody has told the hub of {word!r}", code=UNKNOWN_USAGE_POINT)
