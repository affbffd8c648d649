"""What of a rollout waits for a person because the site asks for one: lists to be frozen, days to be released."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from canonical.periods import local_date
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.rules import WaveRules, rules_from
from store import rollout_waves
from store.rows import Row
from store.session import Session, Transaction

HORIZON_DAYS = 3
"""How many local days ahead a day of a wave is asked about, where the wave itself does not look further."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One decision that waits."""

    act: Literal["freeze", "release"]
    wave: str
    orders: int
    """Exchanges that it is about."""

    day: date | None = None
    """Local day that is released; None for a list."""

    def __str__(self) -> str:
        """Return it by its name, such as `release 2026-12-01 of north-1`."""
        return f"{self.act} {self.day} of {self.wave}" if self.day is not None else f"{self.act} {self.wave}"


def pending(*, policy: Policy, transaction: Transaction, now: datetime) -> tuple[Approval, ...]:
    """Return the decisions that wait for a person, the wave that begins first before the others."""
    with transaction() as session:
        waves = rollout_waves.in_states(session, "PLANNED", "FROZEN", "RELEASED", "RUNNING")
        return tuple(one for wave in waves for one in _of_wave(session, wave, policy, now))


def _of_wave(session: Session, wave: Row, policy: Policy, now: datetime) -> list[Approval]:
    rules = rules_from(wave["rules"])
    asked = rules.approvals | policy.approvals
    if wave["state"] == "PLANNED":
        orders = rollout_waves.orders_by_state(session, wave["wave"]).get("PLANNED", 0)
        return [Approval("freeze", wave["wave"], orders)] if "plan" in asked and orders else []
    if "release" not in asked:
        return []
    counts = rollout_waves.orders_by_day(session, wave["wave"])
    days = [(day, counts.get((day.isoformat(), "ELIGIBLE"), 0)) for day in _days(rules, now)]
    return [Approval("release", wave["wave"], orders, day) for day, orders in days if orders]


def _days(rules: WaveRules, now: datetime) -> list[date]:
    """Return the local days of a wave about which a person is asked now, today first."""
    today = local_date(now, ZoneInfo(rules.zone))
    return [today + timedelta(days=number) for number in range(max(rules.release_ahead_days, HORIZON_DAYS) + 1)]
