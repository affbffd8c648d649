"""Why a system differs, from the books: late, lost, refused or wrongly translated, or changed and told by nobody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.reconciliation.books import Books, Telling, states, told_last
from flows.reconciliation.orient import Difference
from flows.reconciliation.policy import HUB, Cause, DifferenceClass, Policy
from flows.reconciliation.views import instant_text, versions_of
from store.rows import Row


@dataclass(frozen=True, slots=True)
class Judged:
    """One difference with its cause and what shows it."""

    difference: Difference
    klass: DifferenceClass
    """LATE where what would end the difference is on its way and not too old."""

    cause: Cause
    why: str
    messages: tuple[str, ...] = ()
    deliveries: tuple[str, ...] = ()


def judge(one: Difference, books: Books, policy: Policy, *, now: datetime) -> Judged:
    """Return the cause of one difference.

    What the hub learned after the system wrote its extract is late, whatever it is. Then counts what the system was
    told last about it, or, where the hub itself differs, what the system of record told the hub last.
    """
    written = books.watermarks.get(one.owner if one.system == HUB else one.system)
    change = _last(row for row in books.changes.get(one.object_id, ()) if _is_about(row, one))
    if change is not None and written is not None and change["known_at"] > written:
        age = now - change["known_at"]
        why = "the hub learned of it after the system wrote its extract"
        return _late(one, why, age <= policy.in_transit, change["message_id"])
    if one.system == HUB:
        return _of_hub(one, books)
    told = told_last(one, books, policy)
    if told is not None and not (one.field and change is not None and change["known_at"] > told.at):
        return _told(one, told, books, policy, written, now=now)
    if change is not None and _is_ahead(change, one, books, policy):
        is_fresh = now - change["known_at"] <= policy.in_transit
        return _late(one, "its feed has not come so far", is_fresh, change["message_id"])
    if change is not None and change["source"] == one.system:
        return _by_hand(one, "it said otherwise itself, and holds this now", _ids(change["message_id"]))
    if change is not None:
        said = f"the hub knows it from {change['source'] or 'a load'} since {instant_text(change['known_at'])}"
        return Judged(one, one.klass, "lost", f"{said}, and never told {one.system}", _ids(change["message_id"]))
    return _by_hand(one, "no message ever told it")


def _is_ahead(change: Row, one: Difference, books: Books, policy: Policy) -> bool:
    """Return whether a system's feed has still to read a line of the change log."""
    own = (name for name in policy.feeds.get(one.system, ()) if policy.feeds_kind(name, one.kind))
    return any(books.cursors.get(name, change["sequence"]) < change["sequence"] for name in own)


def _told(
    one: Difference, told: Telling, books: Books, policy: Policy, written: datetime | None, *, now: datetime
) -> Judged:
    """Return the cause where the system was told of the right state."""
    messages, carried = told.messages, told.deliveries
    if told.state == "refused":
        return Judged(one, one.klass, "mapping", f"{one.system} refused it: {told.why}".strip(), messages, carried)
    if told.state == "withdrawn":
        return Judged(one, one.klass, "lost", "its delivery was withdrawn", messages, carried)
    if told.state == "under way":
        is_fresh = now - told.at <= policy.in_transit
        return _late(one, told.why, is_fresh, *messages, deliveries=carried)
    if written is not None and told.confirmed_at > written:
        why, is_fresh = (
            "it was confirmed after the system wrote its extract",
            now - told.confirmed_at <= policy.in_transit,
        )
        return _late(one, why, is_fresh, *messages, deliveries=carried)
    if _held_once(one, books):
        return _by_hand(one, "the system held the right state before", messages, carried)
    if one.field and not _ever_said(one, books):
        return _by_hand(one, "nobody ever told the value that it holds", messages, carried)
    return Judged(one, one.klass, "lost", "it was told and confirmed, and is not held", messages, carried)


def _of_hub(one: Difference, books: Books) -> Judged:
    """Return the cause where the hub differs from the system of record."""
    told = _last(
        row for row in books.statements.get(one.object_id, ())
        if row["how"] != "we_told" and row["system"] == one.owner and states(row, one)
    )  # fmt: skip
    if told is None:
        return _by_hand(one, f"{one.owner} never told the hub")
    messages = _ids(told["message_id"])
    if told["disposition"] == "REJECTED":
        why = f"the hub refused it: {told['code']} {told['reason']}".strip()
        return Judged(one, one.klass, "mapping", why, messages)
    if told["disposition"] == "WAITING":
        return _late(one, "it waits for what is not there yet", True, *messages)
    return _by_hand(one, f"{one.owner} told something else last", messages)


def _by_hand(one: Difference, why: str, messages: tuple[str, ...] = (), deliveries: tuple[str, ...] = ()) -> Judged:
    """Return that a system was changed by somebody who told nobody."""
    return Judged(one, one.klass, "out_of_band", why, messages, deliveries)


def _late(one: Difference, why: str, is_fresh: bool, *messages: str, deliveries: tuple[str, ...] = ()) -> Judged:
    klass: DifferenceClass = "LATE" if is_fresh else one.klass
    return Judged(one, klass, "late", why, _ids(*messages), deliveries)


def _is_about(change: Row, one: Difference) -> bool:
    """Return whether a line of the change log is about what differs."""
    if change["kind"] != one.kind:
        return False
    if not one.field or one.field in ("valid_from", "valid_to"):
        return True
    return change["effect"] != "changed" or one.field in change["fields"].split(",")


def _held_once(one: Difference, books: Books) -> bool:
    """Return whether the system's own earlier extracts had the right state."""
    for row in books.held.get((one.kind, one.object_id), ()):
        if row["system"] != one.system or row["replaced_at"] is None:
            continue
        if one.klass == "MISSING_IN_X" or one.expected in _values(row["content"], one.field):
            return True
    return False


def _ever_said(one: Difference, books: Books) -> bool:
    """Return whether anybody ever said, or the hub ever held, what the system holds now."""
    for row in books.statements.get(one.object_id, ()):
        if row["kind"] == one.kind and row["facts"].get(one.field) == one.found:
            return True
    for holding in books.before.get((one.kind, one.object_id), ()):
        if holding.facts.get(one.field) == one.found:
            return True
    return any(
        row["system"] != one.system and one.found in _values(row["content"], one.field)
        for row in books.held.get((one.kind, one.object_id), ())
    )


def _values(content: str, name: str) -> set[str]:
    """Return the values of a field, or of a time, that a content ever had."""
    versions = versions_of(content)
    if name in ("valid_from", "valid_to"):
        return {version[0] if name == "valid_from" else version[1] for version in versions}
    return {facts.get(name, "") for _, _, facts in versions}


def _last(rows: Iterable[Row]) -> dict[str, Any] | None:
    found = None
    for row in rows:
        found = row
    return found


def _ids(*names: str) -> tuple[str, ...]:
    return tuple(name for name in names if name)
