"""What came of carried deliveries: the attempts' ends and the deliveries' new states, for a whole batch at once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, bindparam, func, select, update
from sqlmodel import Session

from canonical.codes.message import ATTEMPTS_EXHAUSTED
from canonical.messages import Outcome
from store import attempts, bulk, endpoints
from store.among import among
from store.attempts import Begun
from store.deliveries import NOT_LEASED, settled
from store.dispatch import DELIVERY, Leased

_Alike = Mapping[tuple[Begun, int, Outcome], Sequence[Leased]]
"""Deliveries of a batch by attempt, token and outcome without reference: most are alike, and go in one statement."""

_REFERRED = update(DELIVERY).where(DELIVERY.c.sequence == bindparam("of")).values(reference=bindparam("told"))


def record(
    session: Session,
    leased: Sequence[Leased],
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    patience: int,
    retry_at: Callable[[Leased], datetime],
) -> Counter[str]:
    """Write what came of the attempts of a batch and return how many deliveries are in which state now.

    `now` is business time; a destination that was away is tried again at `retry_at` unless its failures are `patience`.
    A relay that lost its lease, or came after the confirmation, changes the attempt's row only.
    """
    states: Counter[str] = Counter()
    told = {each.sequence: one.reference for each, one in zip(leased, outcomes, strict=True) if one.reference}
    for (begun, token, outcome), group in _alike(leased, outcomes).items():
        attempts.end(session, begun, outcome.state, outcome, [each.sequence for each in group])
        attempts.refer(session, begun, _told(group, told))
        if outcome.state == "unavailable":
            _away(session, _held(session, group, token), outcome, patience, retry_at)
            states.update(_states(session, group))
            continue
        arrived = settled(outcome, now=now)
        if told:
            _refer(session, _told(_held(session, group, token), told))
        changed = _changed(session, group, token, arrived | _first_sent(arrived, now))
        states.update({arrived["state"]: changed} if changed == len(group) else _states(session, group))
    endpoints.end_batches(session, list({each.batch for each in leased}))
    return states


def postpone(session: Session, leased: Sequence[Leased], *, code: str, reason: str, retry_at: datetime) -> None:
    """Give deliveries back without counting the attempt: we are set up wrong, which no retry cures."""
    outcome = Outcome("unavailable", code, reason)
    again = {"due_at": retry_at, "code": code, "reason": reason} | NOT_LEASED
    for (begun, token, _), group in _alike(leased, [outcome] * len(leased)).items():
        attempts.end(session, begun, "misconfigured", outcome, [each.sequence for each in group])
        _changed(session, group, token, again)
    endpoints.end_batches(session, list({each.batch for each in leased}))


def _alike(leased: Sequence[Leased], outcomes: Sequence[Outcome]) -> _Alike:
    found: dict[tuple[Begun, int, Outcome], list[Leased]] = defaultdict(list)
    for each, outcome in zip(leased, outcomes, strict=True):
        found[each.begun, each.token, replace(outcome, reference="")].append(each)
    return found


def _told(group: Sequence[Leased], told: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return what the other side calls deliveries: each has a name of its own."""
    return [{"of": each.sequence, "told": told[each.sequence]} for each in group if each.sequence in told]


def _refer(session: Session, told: Sequence[Mapping[str, Any]]) -> None:
    """Write what the other side calls deliveries that this relay holds."""
    if told:
        session.execute(_REFERRED, told)


def _first_sent(arrived: Mapping[str, Any], now: datetime) -> dict[str, ColumnElement[Any]]:
    """Return that what arrived was sent now, unless it was sent before."""
    return {} if arrived["state"] == "parked" else {"sent_at": func.coalesce(DELIVERY.c.sent_at, now)}


def _still(session: Session, group: Sequence[Leased], token: int) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that this relay holds deliveries: then they are pending, and nobody else changes them."""
    mine = among(session, DELIVERY.c.sequence, [each.sequence for each in group])
    return mine, DELIVERY.c.token == token, DELIVERY.c.leased_at.is_not(None)


def _changed(session: Session, group: Sequence[Leased], token: int, values: Mapping[str, Any]) -> int:
    """Write the same columns of all deliveries that this relay still holds, and return their number."""
    change = update(DELIVERY).where(*_still(session, group, token)).values(**values)
    return int(cast("CursorResult[Any]", session.execute(change)).rowcount)


def _held(session: Session, group: Sequence[Leased], token: int) -> Sequence[Leased]:
    """Return the deliveries that this relay still holds, locked."""
    query = select(DELIVERY.c.sequence).where(*_still(session, group, token)).order_by(DELIVERY.c.sequence)
    found = set(session.execute(query.with_for_update()).scalars())
    return [each for each in group if each.sequence in found]


def _away(
    session: Session,
    held: Sequence[Leased],
    outcome: Outcome,
    patience: int,
    retry_at: Callable[[Leased], datetime],
) -> None:
    """Write that a destination was away, for each delivery with its own wait."""
    rows: list[dict[str, Any]] = []
    for each in held:
        is_last = each.failures + 1 >= patience
        said = {"state": "parked" if is_last else "pending", "failures": each.failures + 1}
        said |= {"code": str(ATTEMPTS_EXHAUSTED) if is_last else outcome.code, "reason": outcome.reason}
        rows.append({"sequence": each.sequence, "due_at": retry_at(each)} | said | NOT_LEASED)
    bulk.change(session, DELIVERY, rows, key="sequence")


def _states(session: Session, group: Sequence[Leased]) -> Counter[str]:
    """Return in which states deliveries are now, whoever brought them there."""
    query = select(DELIVERY.c.state).where(among(session, DELIVERY.c.sequence, [each.sequence for each in group]))
    return Counter(session.execute(query).scalars())
