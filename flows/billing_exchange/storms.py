"""Storm mode: a person stops estimates in a district, is asked how long, and is told where it may be due (domain 4.3).

While it is on, nothing of that district is billed on an estimate: an item without a read is answered NO_READ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from canonical.codes.billing import STORM_DECISION, STORM_NOT_POSSIBLE, STORM_PROPOSED
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.periods import local_date
from canonical.work import WorkItem
from flows.billing_exchange import holds, ladder
from flows.billing_exchange.interface import Interface, State
from store import billing_items, billing_storms, work
from store.session import Session, Transaction
from store.work import OPEN_STATES as OPEN

Row = Mapping[str, Any]
WITHOUT_READS = (State.ESTIMATE_PENDING,)
"""States of an item that was read again in vain: an estimate is what comes next."""


def switch_on(district: str, *, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """Put a district into storm mode and return what was done.

    Raises:
        RejectedError: no usage point lies in it, or it is in storm mode already (STORM_NOT_POSSIBLE).
    """
    with transaction() as session:
        known = billing_storms.active(session).get(district)
        if known is not None:
            raise _impossible(f"{district} is in storm mode since {known['since']:%Y-%m-%d %H:%MZ} by {known['by']}")
        if not billing_storms.has_usage_points(session, district):
            raise _impossible(f"no usage point of the reference data lies in district {district!r}")
        billing_storms.begin(session, mint("storm", district, now), district, by=by, reason=reason, now=now)
    return f"{district}: storm mode is on; nothing is billed on estimates there"


def switch_off(district: str, *, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """End the storm mode of a district and return what was done.

    Raises:
        RejectedError: it is not in storm mode (STORM_NOT_POSSIBLE).
    """
    with transaction() as session:
        storm = _active(session, district)
        billing_storms.end(session, storm, by=by, reason=reason, now=now)
        _answer(session, storm, by=by, reason=reason, now=now)
        again = billing_items.recheck_unread(session, district, step=ladder.RECHECK, now=now)
    return f"{district}: storm mode is off; {again} items without a read are looked at again"


def override(district: str, *, by: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """Allow estimates in a district while its storm goes on, and return what was done.

    Raises:
        RejectedError: it is not in storm mode (STORM_NOT_POSSIBLE).
    """
    with transaction() as session:
        storm = _active(session, district)
        billing_storms.override(session, storm, by=by, reason=reason, now=now)
        _answer(session, storm, by=by, reason=reason, now=now)
        again = billing_items.recheck_unread(session, district, step=ladder.RECHECK, now=now)
    return f"{district}: estimates are billed again; {again} items without a read are looked at again"


def _answer(session: Session, storm: Row, *, by: str, reason: str, now: datetime) -> None:
    """Close the question about a storm, where it was asked."""
    asked = [name for name, row in work.of_ids(session, [_question(storm).work_id]).items() if row["state"] in OPEN]
    work.act(session, asked, "resolved", state="RESOLVED", by=by, reason=reason, now=now)


def list_storms(*, transaction: Transaction, limit: int = 50) -> list[dict[str, Any]]:
    """Return the latest storms with every act of a person upon their district, open ones first."""
    with transaction() as session:
        return [
            {**row, "acts": billing_storms.acts_of(session, row["district"])}
            for row in billing_storms.listed(session, limit=limit)
        ]


def wants_a_person(session: Session, interface: Interface, *, now: datetime) -> bool:
    """Return whether a storm has lasted so long that somebody must be asked, and nobody was."""
    return bool(_unasked(session, interface, now=now))


def review(session: Session, interface: Interface, *, now: datetime) -> None:
    """Ask about storms that last, propose storm mode where few meters were read, and take back what is over."""
    work.raise_work(session, _unasked(session, interface, now=now), now=now)
    proposed = {item.work_id: item for item in _proposals(session, interface, now=now)}
    known = work.of_ids(session, proposed)
    fresh = [item for name, item in proposed.items() if name not in known or known[name]["state"] == "RESOLVED"]
    work.raise_work(session, fresh, now=now)
    over = [
        row["work_id"]
        for row in work.open_of_code(session, str(STORM_PROPOSED))
        if row["key"].startswith(f"{interface.name} ") and row["work_id"] not in proposed
    ]
    work.act(session, over, "resolved", state="RESOLVED", by="hub", reason="read, or in storm mode", now=now)


def _unasked(session: Session, interface: Interface, *, now: datetime) -> list[WorkItem]:
    """Return the questions about storms that last and were not asked; one that a person waived is not asked again."""
    ripe = timedelta(days=interface.policy.storm_days)
    asked = [
        replace(_question(storm, days=interface.policy.storm_days), queue=holds.queue_of(interface, STORM_DECISION))
        for storm in billing_storms.active(session).values()
        if storm["overridden_at"] is None and storm["since"] + ripe <= now
    ]
    known = work.of_ids(session, [item.work_id for item in asked])
    return [item for item in asked if item.work_id not in known]


def _question(storm: Row, *, days: int = 0) -> WorkItem:
    """Return the question whether a storm goes on without estimates."""
    since = storm["since"] + timedelta(days=days)
    return WorkItem(
        work_id=mint("work", STORM_DECISION.number, storm["storm_id"]),
        code=str(STORM_DECISION),
        key=storm["district"],
        queue="",
        summary=f"district {storm['district']} is in storm mode for {days} days: {storm['reason']} ({storm['by']})",
        due_at=since,
        at_risk_kwh=Decimal(0),
        suggested=STORM_DECISION.next_step,
    )


def _proposals(session: Session, interface: Interface, *, now: datetime) -> Sequence[WorkItem]:
    """Return the districts in which too few of the due items have a read, as work."""
    policy = interface.policy
    waiting = billing_storms.waiting_by_district(session, interface.name, WITHOUT_READS)
    calm = sorted(set(waiting) - set(billing_storms.active(session)) - policy.storm_districts)
    due = billing_storms.due_by_district(session, interface.name, calm) if calm else {}
    day = local_date(now, ZoneInfo(policy.zone))
    found = []
    for district in calm:
        if due[district] < policy.storm_least_items:
            continue
        percent = Decimal(100) * (due[district] - waiting[district]) / due[district]
        if percent < policy.storm_read_percent:
            text = (
                f"district {district}: {due[district] - waiting[district]} of {due[district]} due items have reads "
                f"({percent:.0f} %, {policy.storm_read_percent} % are expected)"
            )
            found.append(holds.work_about(interface, f"{interface.name} {district} {day}", STORM_PROPOSED, text,
                                          due_at=now))  # fmt: skip
    return found


def _active(session: Session, district: str) -> Row:
    """Return the open storm of a district."""
    storm = billing_storms.active(session).get(district)
    if storm is None:
        raise _impossible(f"{district} is not in storm mode; `amihub billing storm list` shows what is")
    return storm


def _impossible(reason: str) -> RejectedError:
    return RejectedError(reason, code=STORM_NOT_POSSIBLE)
