"""What came of carried deliveries: the attempts' ends and the deliveries' new states, for a whole batch at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from canonical.codes.message import ATTEMPTS_EXHAUSTED
from canonical.messages import Outcome
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
    changed = {}
    for end in ends:
        row = rows[end.held.delivery_id]
        if row["token"] == end.held.token and row["state"] == "pending":
            row |= _after(row, end, now=now, attempts=attempts)
            changed[end.held.delivery_id] = row
    _rewrite(session, list(changed.values()))
    return [rows[end.held.delivery_id]["state"] for end in ends]


def postpone(session: Session, held: Sequence[Leased], *, code: str, reason: str, retry_at: datetime) -> None:
    """Give deliveries back without counting the attempt: we are set up wrong, which no retry cures."""
    _close_attempts(session, [(each, "misconfigured", Outcome("unavailable", code, reason)) for each in held])
    rows = _locked(session, [each.delivery_id for each in held])
    mine = [rows[each.delivery_id] for each in held if rows[each.delivery_id]["token"] == each.token]
    again = {"leased_until": None, "due_at": retry_at, "code": code, "reason": reason}
    _rewrite(session, [row | again for row in mine if row["state"] == "pending"])


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
    which = (ATTEMPT.c.delivery_id == bindparam("of"), ATTEMPT.c.number == bindparam("nth"))
    session.execute(
        update(ATTEMPT).where(*which),
        [
            {
                "of": held.delivery_id, "nth": held.attempt, "outcome": word, "code": outcome.code,
                "reason": outcome.reason, "reference": outcome.reference,
            }
            for held, word, outcome in ends
        ],
    )  # fmt: skip


def _locked(session: Session, ids: Sequence[str]) -> dict[str, Row]:
    """Return what outcomes change of deliveries, by id, locked in one order."""
    columns = [DELIVERY.c[name] for name in ("delivery_id", "sequence", "token", *_CHANGED)]
    query = select(*columns).where(DELIVERY.c.delivery_id.in_(ids)).order_by(DELIVERY.c.sequence).with_for_update()
    return {row["delivery_id"]: row for row in rows_of(session, query)}


def _rewrite(session: Session, rows: Sequence[Row]) -> None:
    """Write the columns that outcomes change."""
    if rows:
        which = DELIVERY.c.sequence == bindparam("nth")
        session.execute(
            update(DELIVERY).where(which),
            [{"nth": row["sequence"]} | {name: row[name] for name in _CHANGED} for row in rows],
        )


_CHANGED = (
    *("state", "due_at", "leased_until", "failures", "code", "reason"),
    *("reference", "sent_at", "confirmed_at"),
)
