"""How waves stand: planned against done by day, orders by state, why orders stand still."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from canonical.periods import local_date
from flows.meter_rollout.rules import rules_from
from store import rollout_waves
from store.rollout_states import FINAL, JUDGED, TOLD
from store.rows import Row
from store.session import Session, Transaction

IN_FIELD = ("RELEASED", "DISPATCHED")
DONE = (*JUDGED, *TOLD, "CLOSED", "CORRECTING")


@dataclass(frozen=True, slots=True)
class DayStanding:
    """One local day of a wave."""

    day: str
    """ISO 8601."""

    planned: int
    """Orders whose planned day it is, whatever became of them; those that got another day count there."""

    waiting: int
    """Of the planned ones, not released yet."""

    in_field: int
    done: int
    """Of the planned ones, reported as done."""

    unable: int
    held: int
    reported: int
    """Exchanges that the field did on this day, of whatever planned day."""


@dataclass(frozen=True, slots=True)
class WaveStanding:
    """How one wave stands."""

    wave: Row
    states: Mapping[str, int]
    """Orders by state."""

    codes: Mapping[tuple[str, str], int]
    """Orders that carry a code, by state and code."""

    days: tuple[DayStanding, ...]

    @property
    def listed(self) -> int:
        """Return how many orders the list holds without those that are out."""
        return sum(number for state, number in self.states.items() if state != "EXCLUDED")

    @property
    def done(self) -> int:
        """Return how many exchanges were reported as done."""
        return sum(self.states.get(state, 0) for state in DONE)

    @property
    def ended(self) -> int:
        """Return how many orders that were not excluded have ended."""
        return sum(number for state, number in self.states.items() if state in FINAL and state != "EXCLUDED")


def status(*, transaction: Transaction, wave: str = "") -> list[WaveStanding]:
    """Return how one wave stands, or every one by first day.

    Raises:
        RejectedError: it was never planned (WAVE_UNKNOWN).
    """
    with transaction() as session:
        waves = [rollout_waves.find(session, wave)] if wave else rollout_waves.listed(session)
        return [_standing(session, one) for one in waves]


def _standing(session: Session, wave: Row) -> WaveStanding:
    name, zone = wave["wave"], ZoneInfo(rules_from(wave["rules"]).zone)
    reported = Counter(local_date(at, zone).isoformat() for at in rollout_waves.done_instants(session, name))
    by_day: dict[str, Counter[str]] = {day: Counter() for day in reported}
    for (day, state), number in rollout_waves.orders_by_day(session, name).items():
        if day:
            by_day.setdefault(day, Counter())[state] += number
    return WaveStanding(
        wave,
        rollout_waves.orders_by_state(session, name),
        rollout_waves.orders_by_code(session, name),
        tuple(_day(day, by_day[day], reported[day]) for day in sorted(by_day)),
    )


def _day(day: str, states: Counter[str], reported: int) -> DayStanding:
    return DayStanding(
        day,
        planned=states.total() - states["EXCLUDED"] - states["CANCELLED"],
        waiting=states["PLANNED"] + states["ELIGIBLE"],
        in_field=sum(states[state] for state in IN_FIELD),
        done=sum(states[state] for state in DONE),
        unable=states["UNABLE"],
        held=states["ON_HOLD"],
        reported=reported,
    )
