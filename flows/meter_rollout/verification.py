"""From the first sign of a new meter to its certification: heard, read for some days, its registers as configured.

What the hub holds counts first; what is missing the meter data system is asked for, between two transactions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from canonical.codes.rollout import NOT_HEARD, REGISTER_MISMATCH
from canonical.codes.rollout_steps import HEARD_BY_TWO
from canonical.errors import RejectedError, UnavailableError
from canonical.holdings import registers_of
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.periods import Period, local_date, start_of_day
from flows.meter_rollout import trouble
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.trouble import Trouble
from store import reference_bulk, rollout_heard, rollout_steps
from store.reference import USAGE_POINT
from store.reference_masters import METER
from store.rows import Row
from store.session import Session, Transaction

Read = Callable[[Sequence[ReadingQuestion]], Iterable[MeterReadings]]
"""Asks the meter data system: `readings` of its port."""

AGAIN_IN = timedelta(hours=6)
"""Until reads that are missing are looked for again; business time."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What one look at meters found."""

    heard: int = 0
    verified: int = 0
    work: int = 0

    def __add__(self, other: "Verified") -> "Verified":
        """Return both together."""
        return Verified(self.heard + other.heard, self.verified + other.verified, self.work + other.work)


def hear(*, policy: Policy, transaction: Transaction, now: datetime) -> Verified:
    """Look which of the awaited meters were heard, batch by batch; a meter that is not heard in time is work (EX15)."""
    found, behind = Verified(), ""
    while True:
        with transaction() as session:
            rows = rollout_steps.awaited(session, "HEARD", limit=policy.batch, behind=behind)
            found += _hear(session, rows, policy=policy, now=now)
        if len(rows) < policy.batch:
            return found
        behind = rows[-1]["order_id"]


def _hear(session: Session, rows: Sequence[Row], *, policy: Policy, now: datetime) -> Verified:
    if not rows:
        return Verified()
    since = min(row["installed_at"] for row in rows)
    signs = _signs(session, rows, since=since, now=now)
    heard, silent, troubles = list[Row](), list[Row](), list[Trouble]()
    for row in rows:
        own = {source: at for source, at in signs.get(row["new_meter"], ()) if at >= row["installed_at"]}
        systems = sorted(source for source in own if source)
        if len(systems) > 1:
            said = f"meter {row['new_meter']} of order {row['order_id']} is heard by {' and '.join(systems)}"
            troubles.append(Trouble(HEARD_BY_TWO, row["order_id"], said, row["usage_point"], row["new_meter"]))
        if own:
            heard.append(_so(row, "HEARD", min(own.values()), now))
        elif row["due_at"] is not None and row["due_at"] <= now:
            troubles.append(_not_heard(row, now))
            silent.append(_later(row, "HEARD", _next_alarm(row, policy, now)))
    rollout_steps.move(session, heard)
    rollout_steps.move(session, silent)
    trouble.tell(session, troubles, policy=policy, now=now)
    over = [(str(NOT_HEARD), row["order_id"]) for row in heard]
    trouble.settle(session, over, reason="the meter was heard", now=now)
    return Verified(heard=len(heard), work=len(troubles))


def _signs(
    session: Session, rows: Sequence[Row], *, since: datetime, now: datetime
) -> dict[str, list[tuple[str, datetime]]]:
    """Return by which source meters were heard, and when first; a value that was read has no source's name."""
    found: dict[str, list[tuple[str, datetime]]] = {}
    for one in rollout_heard.registered(session, {row["new_meter"] for row in rows}, since=since):
        found.setdefault(one["meter"], []).append((one["source"], one["at"]))
    points = {row["usage_point"]: row for row in rows}
    for one in rollout_heard.read(session, points, since=since, until=now):
        mine = points[one["usage_point"]]
        if one["meter"] == mine["new_meter"] and one["end"] > mine["installed_at"]:
            found.setdefault(one["meter"], []).append(("", one["end"]))
    return found


def _not_heard(row: Row, now: datetime) -> Trouble:
    hours = int((now - row["installed_at"]).total_seconds() // 3600)
    said = f"meter {row['new_meter']} of order {row['order_id']} is not heard {hours} h after its installation"
    return Trouble(NOT_HEARD, row["order_id"], said, row["usage_point"], row["new_meter"])


def _next_alarm(row: Row, policy: Policy, now: datetime) -> datetime | None:
    """Return when a meter that stays silent is told of again: once, then the work is open anyway."""
    later: datetime = row["installed_at"] + timedelta(hours=policy.not_heard_hours[1])
    return later if later > now else None


def verify(*, policy: Policy, transaction: Transaction, now: datetime, read: Read | None = None) -> Verified:
    """Judge the meters whose first days are over; `read` asks the meter data system for days that the hub lacks."""
    found, behind = Verified(), ""
    while True:
        with transaction() as session:
            rows = rollout_steps.awaited(session, "VERIFIED", limit=policy.batch, behind=behind, due_by=now)
            days = _days(session, rows, policy)
            seen = _seen(session, rows, now=now)
        missing = [row for row in rows if _missing(row, days, seen) and days[row["order_id"]][-1].end <= now]
        if missing and read is not None:
            _ask(missing, days, seen, read)
        with transaction() as session:
            found += _verify(session, rows, days, seen, policy=policy, now=now)
        if len(rows) < policy.batch:
            return found
        behind = rows[-1]["order_id"]


Seen = dict[tuple[str, str], list[tuple[str, datetime, datetime]]]
"""Reading type, begin and end of what was read, by usage point and meter."""


def _days(session: Session, rows: Sequence[Row], policy: Policy) -> dict[str, list[Period]]:
    """Return the whole local days behind each installation that are looked at, by order."""
    zones = {
        row["usage_point"]: row["zone"]
        for row in reference_bulk.held(session, USAGE_POINT, "usage_point", {row["usage_point"] for row in rows})
    }
    found = {}
    for row in rows:
        zone = ZoneInfo(zones.get(row["usage_point"]) or policy.zone)
        first = local_date(row["installed_at"], zone) + timedelta(days=1)
        starts = [start_of_day(first + timedelta(days=n), zone) for n in range(policy.verification_days + 1)]
        found[row["order_id"]] = [Period(a, b) for a, b in pairwise(starts)]
    return found


def _seen(session: Session, rows: Sequence[Row], *, now: datetime) -> Seen:
    found: Seen = {}
    if rows:
        since = min(row["installed_at"] for row in rows)
        for one in rollout_heard.read(session, {row["usage_point"] for row in rows}, since=since, until=now):
            key = (one["usage_point"], one["meter"])
            found.setdefault(key, []).append((one["reading_type"], one["begin"], one["end"]))
    return found


def _ask(missing: Sequence[Row], days: Mapping[str, list[Period]], seen: Seen, read: Read) -> None:
    """Add what the meter data system holds of some days; while it is away, or refuses, nothing is added."""
    questions = []
    for row in missing:
        own = days[row["order_id"]]
        questions.append(ReadingQuestion(row["usage_point"], Period(own[0].start, own[-1].end), "installation"))
    try:
        for one in read(questions):
            for value in one.registers:
                said = (value.reading_type, value.taken_at, value.taken_at)
                seen.setdefault((one.usage_point, value.meter or one.meter), []).append(said)
            for block in one.blocks:
                span = (block.reading_type, block.period.start, block.period.end)
                seen.setdefault((one.usage_point, block.meter or one.meter), []).append(span)
    except (UnavailableError, RejectedError):
        return


def _verify(
    session: Session,
    rows: Sequence[Row],
    days: Mapping[str, list[Period]],
    seen: Seen,
    *,
    policy: Policy,
    now: datetime,
) -> Verified:
    """Move what is judged; rows that somebody else moved in between are left alone."""
    still = {one["order_id"] for one in rollout_steps.awaited_of(session, "VERIFIED", {r["order_id"] for r in rows})}
    types = _configured(session, {row["new_meter"] for row in rows})
    good, later, troubles = list[Row](), list[Row](), list[Trouble]()
    for row in (one for one in rows if one["order_id"] in still):
        end = days[row["order_id"]][-1].end
        if end > now:
            later.append(_later(row, "VERIFIED", end))
            continue
        missing = _missing(row, days, seen)
        strange = _strange(row, seen, types)
        if not missing and not strange:
            good.append(_so(row, "VERIFIED", end, now))
            continue
        later.append(_later(row, "VERIFIED", now + AGAIN_IN))
        code = REGISTER_MISMATCH if strange else NOT_HEARD
        said = (
            f"read as {', '.join(strange)}"
            if strange
            else f"no reads of {len(missing)} of {len(days[row['order_id']])} days"
        )
        about = f"meter {row['new_meter']} of order {row['order_id']}: {said}"
        troubles.append(Trouble(code, row["order_id"], about, row["usage_point"], row["new_meter"]))
    rollout_steps.move(session, good)
    rollout_steps.move(session, later)
    trouble.tell(session, troubles, policy=policy, now=now)
    over = [(str(code), row["order_id"]) for row in good for code in (NOT_HEARD, REGISTER_MISMATCH)]
    trouble.settle(session, over, reason="the meter is verified", now=now)
    return Verified(verified=len(good), work=len(troubles))


def _missing(row: Row, days: Mapping[str, list[Period]], seen: Seen) -> list[Period]:
    """Return the days of which nothing of the new meter was read."""
    own = seen.get((row["usage_point"], row["new_meter"]), [])
    return [day for day in days[row["order_id"]] if not any(_touches(day, begin, end) for _, begin, end in own)]


def _touches(day: Period, begin: datetime, end: datetime) -> bool:
    """Return whether something was read of a day; a value at its last instant is of it (I4)."""
    return day.start < end <= day.end or (begin < day.end and end > day.start)


def _strange(row: Row, seen: Seen, types: Mapping[str, set[str]]) -> list[str]:
    """Return reading types that come from a meter which is not configured with them."""
    known = types.get(row["new_meter"])
    if not known:
        return []
    return sorted({kind for kind, _, _ in seen.get((row["usage_point"], row["new_meter"]), [])} - known)


def _configured(session: Session, meters: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in reference_bulk.held(session, METER, "meter", meters):
        found.setdefault(row["meter"], set()).update(one.reading_type for one in registers_of(row["registers"]))
    return found


def _so(row: Row, step: str, at: datetime, now: datetime) -> Row:
    """Return that a step is so since an instant; the order is looked at now."""
    return {
        "order_id": row["order_id"], "step": step, "attempt": row["attempt"], "state": "CONFIRMED", "ended_at": at,
        "due_at": now,
    }  # fmt: skip


def _later(row: Row, step: str, at: datetime | None) -> Row:
    return {"order_id": row["order_id"], "step": step, "attempt": row["attempt"], "due_at": at}
