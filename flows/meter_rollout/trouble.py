"""What is wrong with an exchange, as work for a person: one item for each order and rule, ended when it is over."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from canonical.codes.rollout import EX
from canonical.codes.rollout_corrections import GATEWAY_IN_USE
from canonical.codes.rollout_waves import NOT_TAKEN_BY_FIELD
from canonical.errors import ErrorCode
from canonical.ids import mint
from canonical.work import WorkItem
from flows.meter_rollout.deadlines import due_dates
from flows.meter_rollout.policy import Policy
from store import work
from store.session import Session

CODES: dict[str, ErrorCode] = {str(code): code for code in (*EX.values(), GATEWAY_IN_USE, NOT_TAKEN_BY_FIELD)}
"""Rules of domain 2.4, and what is wrong with an order, by the text under which rows keep them."""

RULES: dict[str, str] = {str(code): rule for rule, code in EX.items()}
"""Number of a rule, such as `EX05`, by the same text."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One finding that a person must look at."""

    code: ErrorCode
    about: str
    """Order, or whatever else the finding is about where there is none."""

    reason: str
    usage_point: str = ""
    meter: str = ""
    at_risk_kwh: Decimal = Decimal(0)
    """Energy that is not billed as long as this is open."""


def tell(session: Session, troubles: Sequence[Trouble], *, policy: Policy, now: datetime) -> None:
    """Open a work item for each trouble, due by the next bill where one is known; the same again is counted."""
    if not troubles:
        return
    due = due_dates(session, {one.usage_point for one in troubles} - {""}, zone=policy.zone, now=now)
    items = [
        WorkItem(
            work_id=work_id(one.code, one.about),
            code=str(one.code),
            key=f"{one.code.number}:{one.about}",
            queue=policy.queue,
            summary=one.reason,
            due_at=due.get(one.usage_point, now),
            at_risk_kwh=one.at_risk_kwh,
            usage_point=one.usage_point,
            meter=one.meter,
            suggested=one.code.next_step,
        )
        for one in troubles
    ]
    work.raise_work(session, items, now=now)


def settle(session: Session, over: Iterable[tuple[str, str]], *, reason: str, now: datetime, by: str = "hub") -> None:
    """End the work about (code text, order) pairs that is open; what somebody closed stays as it is."""
    names = {work_id(CODES[code], about) for code, about in over if code in CODES}
    still = open_ones(session, names)
    work.act(session, still, "resolved", state="RESOLVED", by=by, reason=reason, now=now)


def open_ones(session: Session, names: Collection[str]) -> list[str]:
    """Return which of some work items are open."""
    listed, found = sorted(names), list[str]()
    for at in range(0, len(listed), 900):
        rows = work.of_ids(session, listed[at : at + 900])
        found += [name for name, row in rows.items() if row["state"] in work.OPEN_STATES]
    return found


def work_id(code: ErrorCode, about: str) -> str:
    """Return the id of the work about an order and a rule."""
    return mint("work", "rollout", code.number, about)
