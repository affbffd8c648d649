"""Open differences as work of people: one item for all of one system, class, field and cause, with their number."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.codes import reconciliation as codes
from canonical.errors import ErrorCode
from canonical.ids import mint
from canonical.work import WorkItem
from flows.reconciliation.policy import HUB, Policy
from store import recon_differences, recon_snapshots, work
from store.rows import Row
from store.session import Session

CODES: Mapping[str, ErrorCode] = {
    "MISSING_IN_X": codes.HELD_NOT,
    "EXTRA_IN_X": codes.HELD_TOO_MUCH,
    "FIELD_DIFF": codes.HELD_OTHERWISE,
    "EFFECTIVE_DATE_DIFF": codes.HELD_SINCE_OTHER,
    "NO_SA": codes.METER_WITHOUT_AGREEMENT,
    "NO_METER": codes.AGREEMENT_WITHOUT_METER,
    "LINKED_TWICE": codes.LINKED_TWICE,
}
"""What each class of difference is as work; what is late or waived is none."""


def raise_work(session: Session, policy: Policy, *, now: datetime) -> int:
    """Bring work to what is open, and return how many items there are; work of what is closed ends by itself."""
    wanted = {item.work_id: item for item in (*_of_differences(session, policy), *_of_age(session, policy, now=now))}
    known = work.of_ids(session, set(wanted))
    news = [item for name, item in wanted.items() if _is_news(known.get(name), item)]
    work.raise_work(session, news, now=now)
    for code in {*CODES.values(), codes.SNAPSHOT_AGED}:
        over = [row["work_id"] for row in work.open_of_code(session, str(code)) if row["work_id"] not in wanted]
        work.act(session, over, "resolved", state="RESOLVED", by="hub", reason="nothing of it is open", now=now)
    return len(wanted)


def _of_differences(session: Session, policy: Policy) -> list[WorkItem]:
    """Return one item for each group of open differences."""
    found = []
    for group in recon_differences.grouped(session, states=("open",)):
        code = CODES.get(group["klass"])
        if code is not None:
            found.append(_item(code, *_words(group), policy, due_at=group["oldest"]))
    return found


def _of_age(session: Session, policy: Policy, *, now: datetime) -> list[WorkItem]:
    """Return one item for each system that has not written an extract for too long."""
    found = []
    for system, row in sorted(recon_snapshots.in_force(session).items()):
        if system != HUB and now - row["watermark"] > policy.snapshot_age:
            words = f"{system} wrote its last extract of {row['watermark'].isoformat()}"
            found.append(_item(codes.SNAPSHOT_AGED, system, words, policy, due_at=now))
    return found


def _words(group: Row) -> tuple[str, str]:
    """Return key and summary of a group of differences."""
    what = f"{group['kind']}.{group['field']}" if group["field"] else group["kind"]
    key = f"{group['system']} {group['klass']} {what} {group['cause']}"
    return key, f"{group['objects']} x {what} in {group['system']}: {group['klass']}, cause {group['cause']}"


def _item(code: ErrorCode, key: str, summary: str, policy: Policy, *, due_at: datetime) -> WorkItem:
    return WorkItem(
        work_id=mint("work", "recon", code.number, key),
        code=str(code),
        key=key,
        queue=policy.queue,
        summary=summary,
        due_at=due_at,
        at_risk_kwh=Decimal(0),
        suggested=code.next_step,
    )


def _is_news(old: Mapping[str, Any] | None, item: WorkItem) -> bool:
    """Return whether a person has to be told: it is new, open again, or more or fewer than before."""
    if old is None:
        return True
    return old["summary"] != item.summary or old["state"] not in work.OPEN_STATES
