"""Planning a wave: every usage point of its area gets exactly one verdict, a planned day or the reason why not.

The area is walked page by page along the routes; each route is sorted by its walk and packed into days of capacity,
clear of the billing windows of its cycle and of moves. Memory holds one page and one route.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from canonical.codes.rollout_waves import NO_CLEAR_DAY, ROLLOUT_STATE, WAVE_FULL
from canonical.errors import RejectedError
from canonical.periods import local_date
from flows.meter_rollout.packing import Packer
from flows.meter_rollout.rules import WaveRules, facts_of
from flows.meter_rollout.verdicts import CONFLICTS, Candidate, Out, judge
from flows.meter_rollout.working_days import around, blocked_days, working_days
from store import rollout_candidates, rollout_plans, rollout_waves
from store.rollout_orders import order_id_of
from store.rows import Row
from store.session import Session, Transaction

PAGE = 1_000
"""Usage points that are looked at together."""

LONGEST_ROUTE = 20_000
"""Stops of one route that are sorted together; a longer one (a site without routes) is sorted in such parts."""


@dataclass(slots=True)
class Plan:
    """What planning a wave came to."""

    wave: str
    counts: Counter[str] = field(default_factory=Counter)
    """Usage points by verdict: PLANNED, or the code of why not. Together they are the whole area."""

    days: Counter[str] = field(default_factory=Counter)
    """Planned exchanges by day (ISO 8601)."""

    @property
    def looked_at(self) -> int:
        """Return how many usage points the area has."""
        return self.counts.total()


@dataclass(slots=True)
class _Work:
    """What planning holds while it walks."""

    rules: WaveRules
    at: datetime
    packer: Packer
    closed: Mapping[str, frozenset[date]]
    """By cycle, the days on which it is billed."""

    plan: Plan
    route: list[Candidate] = field(default_factory=list)
    """Candidates of the route that is being walked."""


def plan(
    rules: WaveRules,
    *,
    transaction: Transaction,
    now: datetime,
    by: str,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _looked_at: None,
) -> Plan:
    """Plan a wave, or plan it again while it is not frozen, and return the verdicts; a dry run writes nothing.

    Raises:
        RejectedError: the wave is frozen already, or somebody else plans it at this moment (ROLLOUT_STATE).
    """
    acts = 0
    if not dry_run:
        with transaction() as session:
            acts = _begin(session, rules, now=now, by=by)
    work = _open(rules, transaction=transaction, now=now)
    for rows in _walk(work, transaction=transaction):
        if not dry_run:
            with transaction() as session:
                _still_mine(session, rules.wave, acts)
                rollout_plans.add(session, rows)
        progress(work.plan.looked_at)
    if not dry_run:
        with transaction() as session:
            _finish(session, work.plan, acts, now=now, by=by)
    return work.plan


def closed_days(session: Session, rules: WaveRules) -> dict[str, frozenset[date]]:
    """Return, by bill cycle, the days of a wave on which whoever is of that cycle is left alone (EX11)."""
    reach = timedelta(days=31 + rules.clear_before_days * 7 + rules.clear_after_days)
    dates = rollout_candidates.read_dates(session, since=rules.first_day - reach, until=rules.last_day + reach)
    return {cycle: blocked_days(rules, days) for cycle, days in dates.items()}


def days_left(rules: WaveRules, now: datetime) -> tuple[date, ...]:
    """Return the working days of a wave from today on."""
    today = local_date(now, ZoneInfo(rules.zone))
    return tuple(day for day in working_days(rules) if day >= today)


def _begin(session: Session, rules: WaveRules, *, now: datetime, by: str) -> int:
    """Make a wave a draft with an empty list, and return how many acts it has seen."""
    facts: dict[str, Any] = {
        "rules": facts_of(rules), "first_day": rules.first_day.isoformat(), "last_day": rules.last_day.isoformat(),
        "capacity_per_day": rules.capacity_per_day,
    }  # fmt: skip
    standing = rollout_waves.known(session, rules.wave)
    if standing is None:
        rollout_waves.insert(session, {"wave": rules.wave, **facts}, now=now, by=by)
        return 1
    if standing["state"] == "DRAFT":
        standing = rollout_waves.note(session, standing, "planned", now=now, by=by, **facts)
    else:
        standing = rollout_waves.move(session, standing, "DRAFT", now=now, by=by, act="planned", counts={}, **facts)
    rollout_plans.clear(session, rules.wave)
    return len(standing["acts"])


def _still_mine(session: Session, wave: str, acts: int) -> Row:
    """Return the draft, if nobody did anything to it since this plan began.

    Raises:
        RejectedError: somebody did (ROLLOUT_STATE).
    """
    standing = rollout_waves.find(session, wave, lock=True)
    if standing["state"] != "DRAFT" or len(standing["acts"]) != acts:
        raise RejectedError(f"somebody else plans wave {wave!r} now: this plan ends here", code=ROLLOUT_STATE)
    return standing


def _finish(session: Session, found: Plan, acts: int, *, now: datetime, by: str) -> None:
    standing = _still_mine(session, found.wave, acts)
    said = f"{found.counts['PLANNED']} of {found.looked_at} usage points"
    counts = dict(found.counts)
    rollout_waves.move(session, standing, "PLANNED", now=now, by=by, act="plan whole", reason=said, counts=counts)


def _open(rules: WaveRules, *, transaction: Transaction, now: datetime) -> _Work:
    with transaction() as session:
        closed = closed_days(session, rules)
    return _Work(rules, now, Packer(days_left(rules, now), rules.capacity_per_day), closed, Plan(rules.wave))


def _walk(work: _Work, *, transaction: Transaction) -> Iterator[list[dict[str, Any]]]:
    """Yield the orders of each page of the area: those that are out, and the routes that ended in it, packed."""
    for points, standing in _pages(work, transaction=transaction):
        rows: list[dict[str, Any]] = []
        for point in points:
            found = judge(work.rules, point, standing, at=work.at)
            if isinstance(found, Out):
                work.plan.counts[str(found.code)] += 1
                if found.is_chosen:
                    rows.append(_excluded(work.rules, point, found))
                continue
            if work.route and _has_ended(work.route, found):
                rows += _packed(work)
            work.route.append(found)
        yield rows
    yield _packed(work)


def _pages(work: _Work, *, transaction: Transaction) -> Iterator[tuple[list[Row], rollout_candidates.Standing]]:
    """Yield the usage points of the area, then those that are in by name, with what is known of them."""
    rules = work.rules
    after: rollout_candidates.Place | None = None
    while True:
        with transaction() as session:
            points = rollout_candidates.page(
                session, after=after, districts=rules.districts, routes=rules.routes, at=work.at, limit=PAGE
            )
            standing = _standing(session, points, work.at)
        if not points:
            break
        yield points, standing
        after = (points[-1]["route"], points[-1]["district"], points[-1]["usage_point"])
    with transaction() as session:
        named = rollout_candidates.named(session, rules.include, at=work.at) if rules.include else []
        outside = [point for point in named if not _in_area(rules, point)]
        standing = _standing(session, outside, work.at)
    yield outside, standing


def _standing(session: Session, points: list[Row], at: datetime) -> rollout_candidates.Standing:
    return rollout_candidates.standing(session, [point["usage_point"] for point in points], at=at, codes=CONFLICTS)


def _in_area(rules: WaveRules, point: Row) -> bool:
    """Return whether the walk along the routes meets a usage point."""
    by_district = not rules.districts or point["district"] in rules.districts
    return by_district and (not rules.routes or point["route"] in rules.routes)


def _has_ended(route: list[Candidate], following: Candidate) -> bool:
    last = route[-1]
    return (last.route, last.district) != (following.route, following.district) or len(route) >= LONGEST_ROUTE


def _packed(work: _Work) -> list[dict[str, Any]]:
    """Return the orders of the route that was walked, each with its place, and begin the next route."""
    rows = []
    for one in sorted(work.route, key=lambda stop: stop.walk):
        closed = work.closed.get(one.cycle, frozenset())
        moves = around(work.rules, one.moves) if one.moves else frozenset()
        slot = work.packer.place(closed, moves)
        if slot is None:
            out = no_room(work.packer, closed | moves)
            work.plan.counts[str(out.code)] += 1
            rows.append({**_order(work.rules, one), "state": "EXCLUDED", "code": str(out.code), "reason": out.reason})
            continue
        work.plan.counts["PLANNED"] += 1
        day = slot.day.isoformat()
        work.plan.days[day] += 1
        rows.append({**_order(work.rules, one), "state": "PLANNED", "planned_day": day, "place": slot.place})
    work.route.clear()
    return rows


def no_room(packer: Packer, closed: frozenset[date]) -> Out:
    """Return why a usage point has no place: all its days are closed, or the open ones are full."""
    if all(day in closed for day in packer.days):
        return Out(NO_CLEAR_DAY, "on every day of the wave it is being billed, or its customer moves")
    return Out(WAVE_FULL, "every day of the wave on which it could be visited is full")


def _order(rules: WaveRules, one: Candidate) -> dict[str, Any]:
    """Return what an order says of its usage point."""
    return {
        "order_id": order_id_of(rules.wave, one.usage_point), "wave": rules.wave, "usage_point": one.usage_point,
        "usage_point_name": one.name, "district": one.district, "route": one.route, "cycle": one.cycle,
        "customer_class": one.customer_class, "old_meter": one.meter, "shortfall": rules.shortfall,
        "code": "", "reason": "", "planned_day": "", "place": 0,
    }  # fmt: skip


def _excluded(rules: WaveRules, point: Row, out: Out) -> dict[str, Any]:
    """Return the order of a usage point that the rules choose and that is out."""
    return {
        "order_id": order_id_of(rules.wave, point["usage_point"]), "wave": rules.wave, "cycle": "",
        "usage_point": point["usage_point"], "usage_point_name": point["name"], "district": point["district"],
        "route": point["route"], "customer_class": "", "old_meter": "", "shortfall": rules.shortfall,
        "state": "EXCLUDED", "code": str(out.code), "reason": out.reason, "planned_day": "", "place": 0,
    }  # fmt: skip
