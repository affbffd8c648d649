"""A rollout whose orders went at random where their lives allow, with a plain account of it kept beside the store."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from canonical.codes.rollout import BILLING_WINDOW_LOCK, NOT_HEARD, PREMISE_MISMATCH, REGISTER_MISMATCH
from canonical.ids import mint
from canonical.rollout import OrderState
from canonical.work import WorkItem
from flows.meter_rollout.rules import WaveRules, facts_of
from store import rollout_orders, rollout_results, rollout_waves, work
from store.rollout_orders import Move
from store.rollout_states import NEXT_OF_ORDER
from store.session import Session, Transaction

BEGIN = datetime(2026, 10, 30, 4, tzinfo=UTC)
"""Two days before the clocks of the waves' zone are put back."""

ZONE = "America/Toronto"
WAVES = ("north-1", "south-1", "")
CODES = (PREMISE_MISMATCH, REGISTER_MISMATCH, NOT_HEARD, BILLING_WINDOW_LOCK)
REASONS = ("NO_ACCESS", "REFUSED", "UNSAFE")
SECRETS = ("Ada Lovelace", "12 Secret Lane", "her dog bites")
"""Personal data that completions carry."""


@dataclass(slots=True)
class Told:
    """One order as the account has it."""

    order_id: str
    wave: str
    district: str
    planned_day: str
    source: str
    steps: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    """State, valid and known instant of each step."""


@dataclass(slots=True)
class World:
    """What happened."""

    orders: list[Told] = field(default_factory=list)
    visits: list[tuple[str, datetime, datetime, str]] = field(default_factory=list)
    """Wave, effective and known instant, reason."""

    work: dict[str, list[tuple[datetime, bool]]] = field(default_factory=dict)
    """Of each work item, by `code wave`: when it was opened (True) or ended."""

    end: datetime = BEGIN


def build(transaction: Transaction, seed: int, *, orders: int = 25) -> World:
    """Let a rollout happen, and return the account of it."""
    chance, world = Random(seed), World()  # noqa: S311 - a story, no secret
    with transaction() as session:
        for wave in WAVES[:-1]:
            rules = _rules(wave)
            first, last = "2026-10-30", "2026-11-13"
            row = {"wave": wave, "rules": rules, "first_day": first, "last_day": last, "capacity_per_day": 9}
            rollout_waves.insert(session, row, now=BEGIN, by="Ada")
        for number in range(orders):
            _order(session, world, chance, number)
    return world


def _rules(wave: str) -> dict[str, Any]:
    return facts_of(WaveRules(wave, date(2026, 10, 30), date(2026, 11, 13), 9, zone=ZONE))


def _order(session: Session, world: World, chance: Random, number: int) -> None:
    """Let one order live for a while."""
    wave, at = chance.choice(WAVES), BEGIN + timedelta(minutes=chance.randrange(4_000))
    planned = f"2026-11-{1 + chance.randrange(14):02}" if wave and chance.random() < 0.9 else ""
    told = Told(
        mint("order", str(number)),
        wave,
        chance.choice(("D1", "D2")),
        planned,
        chance.choice(("crew-a", "crew-b")),
    )
    state: OrderState = "ELIGIBLE" if wave else "DONE_IN_FIELD"
    row = {"order_id": told.order_id, "usage_point": f"UP{number}", "state": state, "wave": wave, "route": "R1",
           "district": told.district, "planned_day": planned, "new_meter": f"M{number}"}  # fmt: skip
    rollout_orders.insert(session, [{**row, "valid_at": at}], now=at)
    told.steps.append((state, at, at))
    for _ in range(chance.randrange(12)):
        at += timedelta(minutes=chance.randrange(1, 3_000))
        following = [one for one in NEXT_OF_ORDER[state] if one != "CORRECTING" or chance.random() < 0.2]
        if not following:
            break
        state = chance.choice(following)
        valid = at - timedelta(minutes=chance.randrange(300))
        rollout_orders.move_each(session, [Move(told.order_id, state, valid)], now=at)
        told.steps.append((state, valid, at))
        _report(session, world, chance, told, valid, at, len(told.steps))
    world.orders.append(told)
    world.end = max(world.end, at)


def _report(
    session: Session, world: World, chance: Random, told: Told, valid: datetime, known: datetime, number: int
) -> None:
    """Keep what the field said of a step, and make or end work about it now and then."""
    state = told.steps[-1][0]
    if state in ("DONE_IN_FIELD", "UNABLE"):
        reason = chance.choice(REASONS) if state == "UNABLE" else ""
        name, address, remark = SECRETS
        row = {"result_id": mint("result", told.order_id, str(number)), "business_key": f"{told.order_id}{number}",
               "order_id": told.order_id, "usage_point": "UP", "outcome": "DONE" if state != "UNABLE" else "UNABLE",
               "effective_at": valid, "content": {"installer": name, "address": address, "remarks": remark},
               "source": told.source, "message_id": "m", "state": "VALIDATED", "told_at": known,
               "reason": reason}  # fmt: skip
        rollout_results.insert(session, [row])
        if state == "UNABLE":
            world.visits.append((told.wave, valid, known, reason))
    if chance.random() < 0.3:
        code = chance.choice(CODES)
        name = mint("work", "rollout", code.number, told.order_id)
        key = f"{code.number}:{told.order_id}"
        item = WorkItem(name, str(code), key, "rollout", "said by Ada Lovelace", known, Decimal(0))
        work.raise_work(session, [item], now=known)
        turns = world.work.setdefault(f"{code}|{told.wave}|{told.order_id}", [])
        turns.append((known, True))
        if chance.random() < 0.5:
            work.act(session, [name], "resolved", state="RESOLVED", by="Ada", reason="seen", now=known)
            turns.append((known, False))
