"""What came of carried deliveries: the attempts' ends and the deliveries' new states, for a whole batch at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from canonical.codes.message import ATTEMPTS_EXHAUSTED
from canonical.messages import Outcome
from store.among import among
from store.deliveries import settled
from store.dispatch import ATTEMPT, DELIVERY, Leased
from store.rows import Row, rows_of


@dataclass(frozen=True, slots=True)
class End:
    """What came of one attempt."""

    held: Leased
    outcome: Outcome
    retry_at: datetime
    """When to try again if the destination was away."""


def record(session: Session, ends: Sequence[End], *, now: datetime, attempts: int) -> list[str]:
    """Write what came of the attempts of a batch and return the deliveries' new states, in order.

    `now` is business time; a destination that was away is tried again unless `attempts` are used up. A relay that lost
    its lease, or came after the confirmation, changes the attempt's row only.
    """
    _close_attempts(session, [(end.held, end.outcome.state, end.outcome) for end in ends])
    rows = _locked(session, [end.held.delivery_id for end in ends])
    changed: dict[int, Row] = {}
    for end in ends:
        row = rows[end.held.delivery_id]
        if row["token"] == end.held.token and row["state"] == "pending":
            after = _after(row, end, now=now, attempts=attempts)
            row |= after
            changed[row["sequence"]] = after
    _rewrite(session, changed)
    return [rows[end.held.delivery_id]["state"] for end in ends]


def postpone(session: Session, held: Sequence[Leased], *, code: str, reason: str, retry_at: datetime) -> None:
    """Give deliveries back without counting the attempt: we are set up wrong, which no retry cures."""
    _close_attempts(session, [(each, "misconfigured", Outcome("unavailable", code, reason)) for each in held])
    rows = _locked(session, [each.delivery_id for each in held])
    mine = [rows[each.delivery_id] for each in held if rows[each.delivery_id]["token"] == each.token]
    again = {"leased_until": None, "due_at": retry_at, "code": code, "reason": reason}
    _rewrite(session, {row["sequence"]: again for row in mine if row["state"] == "pending"})


def _after(row: Row, end: End, *, now: datetime, attempts: int) -> Row:
    """Return the columns of a delivery that an outcome changes."""
    if end.outcome.state != "unavailable":
        return settled(row, end.outcome, now=now)
    failures = row["failures"] + 1
    found = {"leased_until": None, "due_at": end.retry_at, "failures": failures}
    found |= {"code": end.outcome.code, "reason": end.outcome.reason}
    return found | ({"state": "parked", "code": str(ATTEMPTS_EXHAUSTED)} if failures >= attempts else {})


def _close_attempts(session: Session, ends: Sequence[tuple[Leased, str, Outcome]]) -> None:
    """Write what came of attempts: a word for each, and the code, reason and reference of its outcome."""
    alike: dict[tuple[int, str, Outcome], list[str]] = defaultdict(list)
    for held, word, outcome in ends:
        alike[held.attempt, word, outcome].append(held.delivery_id)
    for (number, word, outcome), ids in alike.items():
        said = {"outcome": word, "code": outcome.code, "reason": outcome.reason, "reference": outcome.reference}
        which = (ATTEMPT.c.number == number, among(session, ATTEMPT.c.delivery_id, ids))
        session.execute(update(ATTEMPT).where(*which).values(**said))


def _locked(session: Session, ids: Sequence[str]) -> dict[str, Row]:
    """Return what outcomes go by, by id, locked in one order."""
    columns = [DELIVERY.c[name] for name in _READ]
    query = (
        select(*columns)
        .where(among(session, DELIVERY.c.delivery_id, ids))
        .order_by(DELIVERY.c.sequence)
        .with_for_update()
    )
    return {row["delivery_id"]: row for row in rows_of(session, query.with_for_update())}


def _rewrite(session: Session, changes: Mapping[int, Row]) -> None:
    """Write the columns that outcomes change, by sequence: one statement for all that end alike, as most do."""
    alike: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for sequence, values in changes.items():
        alike[tuple(values.items())].append(sequence)
    for same, sequences in alike.items():
        session.execute(update(DELIVERY).where(among(session, DELIVERY.c.sequence, sequences)).values(**dict(same)))


_READ = (
    *("delivery_id", "sequence", "token", "state", "failures"),
    *("reference", "sent_at", "confirmed_at"),
)
