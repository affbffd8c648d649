"""Why a usage point is in a wave or out of it: what is known of it, its orders with their lives, waves' verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from canonical.codes.rollout_waves import USAGE_POINT_UNKNOWN
from canonical.errors import RejectedError
from flows.meter_rollout.planner import closed_days
from flows.meter_rollout.rules import WaveRules
from flows.meter_rollout.verdicts import CONFLICTS, Candidate, Out, candidate, judge
from store import rollout_candidates, rollout_orders, rollout_results, rollout_steps
from store.rollout_candidates import Standing
from store.rows import Row
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Told:
    """One exchange order, every step of its life, and what it rests on."""

    order: Row
    history: list[Row]
    steps: list[Row]
    """What systems are told of it, all attempts, with how their deliveries stand."""

    completions: list[Row]
    """What the field told of it, in the order in which it came."""


@dataclass(frozen=True, slots=True)
class Explained:
    """All that the rollout knows of one usage point."""

    point: Candidate
    model: str
    """Model of the meter that hangs there; empty where none does, or its model is not known."""

    orders: list[Told]
    verdicts: Mapping[str, str] = field(default_factory=dict)
    """By wave in which it has no order: what the wave would make of it now."""


def explain(
    name: str, *, rules: Mapping[str, WaveRules], transaction: Transaction, now: datetime, wave: str = ""
) -> list[Explained]:
    """Return what the rollout knows of the usage points with an mRID or name, of one wave or of all.

    `rules` are those of the site file, by wave.

    Raises:
        RejectedError: no usage point is called so now (USAGE_POINT_UNKNOWN).
    """
    with transaction() as session:
        points = rollout_candidates.named(session, {name}, at=now)
        if not points:
            raise RejectedError(f"no usage point has the mRID or name {name!r} now", code=USAGE_POINT_UNKNOWN)
        ids = [point["usage_point"] for point in points]
        standing = rollout_candidates.standing(session, ids, at=now, codes=CONFLICTS)
        wanted = {one: own for one, own in sorted(rules.items()) if wave in ("", one)}
        return [_explained(session, point, standing, wanted, wave, now) for point in points]


def _explained(
    session: Session, point: Row, standing: Standing, rules: Mapping[str, WaveRules], wave: str, now: datetime
) -> Explained:
    seen = candidate(point, standing, at=now)
    orders = [one for one in standing.orders.get(seen.usage_point, ()) if wave in ("", one["wave"])]
    told = [_told(session, one) for one in orders]
    listed = {one["wave"] for one in orders}
    verdicts = {name: _verdict(session, own, point, standing, now) for name, own in rules.items() if name not in listed}
    meter = standing.meters.get(seen.meter)
    return Explained(seen, meter["model"] if meter is not None else "", told, verdicts)


def _told(session: Session, order: Row) -> Told:
    name = order["order_id"]
    steps = rollout_steps.of_orders(session, [name])[name]
    return Told(order, rollout_orders.history(session, name), steps, rollout_results.of_orders(session, [name]))


def _verdict(session: Session, rules: WaveRules, point: Row, standing: Standing, now: datetime) -> str:
    """Return in one sentence what a wave would make of a usage point if it were planned now."""
    in_area = (not rules.districts or point["district"] in rules.districts) and (
        not rules.routes or point["route"] in rules.routes
    )
    found = judge(rules, point, standing, at=now)
    if isinstance(found, Out):
        return f"out: {found.code}: {found.reason}"
    if not in_area and not rules.names(found.usage_point, found.name):
        return "out: it is not in the wave's area"
    closed = sorted(closed_days(session, rules).get(found.cycle, frozenset()))
    shut = [day for day in closed if rules.first_day <= day <= rules.last_day]
    said = f"; left alone for billing of cycle {found.cycle} on {len(shut)} days" if shut else ""
    return f"in, as soon as the wave is planned (again) and a day has room{said}"
