"""What the hub's books say about objects that differ: read for many at once, and what a system was told last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from canonical.holdings import FIELDS, Holding
from flows.holdings import held_by_hub
from flows.reconciliation.orient import Difference
from flows.reconciliation.policy import Policy
from store import master_subscribers, recon_evidence, recon_holdings
from store.recon_evidence import Told
from store.rows import Row
from store.session import Session


@dataclass(frozen=True, slots=True)
class Telling:
    """What a system was told last about what differs, and what became of it."""

    state: Literal["under way", "refused", "withdrawn", "confirmed"]
    at: datetime
    """Business time at which it was decided to tell it."""

    confirmed_at: datetime
    """When it was confirmed; `at` before."""

    why: str = ""
    messages: tuple[str, ...] = ()
    deliveries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """What the hub's books say about some objects, by object id."""

    statements: Mapping[str, Sequence[Row]]
    changes: Mapping[str, Sequence[Row]]
    deliveries: Mapping[str, Told]
    fed: Mapping[str, Sequence[Row]]
    """What subscribers were told last, by object id (`store.master_subscribers`)."""

    held: Mapping[tuple[str, str], Sequence[Row]]
    """Rows of what systems ever said that they hold, by kind and id."""

    before: Mapping[tuple[str, str], Sequence[Holding]]
    """What the hub held of things before the first line of its log about any of them, by kind and id."""

    cursors: Mapping[str, int]
    """Line of the change log up to which each subscriber was told."""

    watermarks: Mapping[str, datetime] = field(default_factory=dict)
    """Of each system's extract in force."""


def open_books(session: Session, found: Iterable[Difference], watermarks: Mapping[str, datetime]) -> Books:
    """Return what is known of the objects of some differences, in a few queries."""
    found = list(found)
    names = sorted({one.object_id for one in found})
    statements = recon_evidence.statements(session, names)
    carried = {row["delivery_id"] for rows in statements.values() for row in rows if row["delivery_id"]}
    held: dict[tuple[str, str], list[Row]] = {}
    for row in recon_holdings.versions(session, names):
        held.setdefault((row["kind"], row["object_id"]), []).append(row)
    changes = recon_evidence.changes(session, names)
    return Books(
        statements,
        changes,
        recon_evidence.deliveries(session, carried),
        recon_evidence.fed(session, names),
        held,
        _before(session, found, changes),
        {row["subscriber"]: row["position"] for row in master_subscribers.cursors(session)},
        watermarks,
    )


def _before(
    session: Session, found: Iterable[Difference], changes: Mapping[str, Sequence[Row]]
) -> dict[tuple[str, str], list[Holding]]:
    """Return what the hub held before the first of some changes: what a system may still hold that lost them."""
    first = min((rows[0]["known_at"] for rows in changes.values()), default=None)
    before: dict[tuple[str, str], list[Holding]] = {}
    if first is None:
        return before
    for kind in FIELDS:
        names = {one.object_id for one in found if one.kind == kind and one.object_id in changes}
        for holding in held_by_hub(session, kind, at=first - _TICK, objects=names) if names else ():
            before.setdefault((kind, holding.object_id), []).append(holding)
    return before


_TICK = timedelta(microseconds=1)


def told_last(one: Difference, books: Books, policy: Policy) -> Telling | None:
    """Return what a system was told last about what differs: by its feed, or by a message; None: never."""
    found = [*_fed(one, books, policy), *_said(one, books)]
    return max(found, key=lambda telling: telling.at) if found else None


def _fed(one: Difference, books: Books, policy: Policy) -> Iterable[Telling]:
    """Yield what the feed of a system told it of the whole object."""
    for row in books.fed.get(one.object_id, ()):
        if row["kind"] != one.kind or row["subscriber"] not in policy.feeds.get(one.system, ()):
            continue
        if row["state"] == "synchronized" and not row["telling"]:
            continue  # it said so itself
        at, ids = row["told_at"], tuple(name for name in (row["telling"],) if name)
        answered = row["answered_at"] or at
        match row["state"]:
            case "error":
                yield Telling("refused", at, answered, f"{row['code']} {row['reason']}".strip(), ids)
            case "synchronized":
                yield Telling("confirmed", at, answered, "", ids)
            case "cancelled":
                yield Telling("withdrawn", at, at, "", ids)
            case _:
                yield Telling("under way", at, at, str(_WAITS.get(row["state"], row["state"])), ids)


_WAITS = {
    "due": "it is told next",
    "awaiting": "it was told, and is not confirmed yet",
    "by_hand": "a person was asked to tell it",
}


def _said(one: Difference, books: Books) -> Iterable[Telling]:
    """Yield what messages told a system of what differs; what a feed told by file is known from the feed."""
    fed = {row["telling"] for row in books.fed.get(one.object_id, ()) if row["telling"]}
    for row in books.statements.get(one.object_id, ()):
        if row["how"] != "we_told" or row["system"] != one.system or not states(row, one) or row["message_id"] in fed:
            continue
        at, ids = row["noted_at"], (row["message_id"],)
        delivery = books.deliveries.get(row["delivery_id"])
        if row["disposition"] == "REJECTED":
            yield Telling("refused", at, at, f"{row['code']} {row['reason']}".strip(), ids, (row["delivery_id"],))
        elif row["disposition"] == "APPLIED":  # others of its delivery were refused
            yield Telling("confirmed", at, at, "", ids, (row["delivery_id"],))
        elif delivery is None or delivery.state == "cancelled":
            yield Telling("withdrawn", at, at, "", ids)
        elif delivery.state == "parked":
            yield Telling("refused", at, at, f"{delivery.code} {delivery.reason}".strip(), ids, (row["delivery_id"],))
        elif delivery.state == "confirmed":
            yield Telling("confirmed", at, delivery.confirmed_at or at, "", ids, (row["delivery_id"],))
        else:
            yield Telling("under way", at, at, f"its delivery is {delivery.state}", ids, (row["delivery_id"],))


def states(row: Row, one: Difference) -> bool:
    """Return whether a statement speaks of what differs."""
    if row["kind"] != one.kind:
        return False
    if not one.field or one.field in ("valid_from", "valid_to"):
        return True
    return one.field in row["facts"]
