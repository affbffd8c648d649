"""Where an item stands on the missing-read ladder: its step by name, the rung that is due, what comes after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from canonical.errors import RejectedError
from flows.billing_exchange import windows
from flows.billing_exchange.interface import Interface, State
from flows.billing_exchange.windows import Rung

SYNC = "sync"
"""Step of an item that waits for reference data."""

RECHECK = "recheck"
"""Step of an item whose readings changed after it had an answer, or that a person released."""

ANSWER = "answer"
"""Step of a held item: at the ladder's decision time it is answered HELD."""

FIRST = "first"
"""Step of an item that a person put on the ladder: its first rung, whatever the site calls it."""

FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=30), timedelta(minutes=15)
SYNC_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The ladder of the items of one run; items with the same deadline share their rungs."""

    interface: Interface
    opened: datetime
    """When the run's file came."""

    known: dict[datetime | None, tuple[Rung, ...]] = field(default_factory=dict)

    def rungs(self, deadline: datetime | None) -> tuple[Rung, ...]:
        """Return the rungs for a deadline; without window and deadline everything is due at once (domain 4.3)."""
        found = self.known.get(deadline)
        if found is None:
            policy = self.interface.policy
            window = windows.window_of(policy, received_at=self.opened, deadline=deadline or self.opened)
            found = self.known[deadline] = windows.ladder(policy, window, roles=self.interface.roles)
        return found

    def first(self, deadline: datetime | None) -> Rung:
        """Return the first rung."""
        return self.rungs(deadline)[0]

    def now_on(self, row: Mapping[str, object], *, now: datetime) -> Rung | None:
        """Return the rung that an item has to stand on now; None for a step of the flow's own."""
        rungs = self.rungs(_deadline(row))
        number = 1 if row["step"] == FIRST else next((r.number for r in rungs if r.name == row["step"]), 0)
        return windows.due_rung(rungs, climbed=number - 1, now=now) if number else None

    def behind(self, row: Mapping[str, object], rung: Rung) -> Rung | None:
        """Return the rung behind one, or None behind the last."""
        return next((each for each in self.rungs(_deadline(row)) if each.number > rung.number), None)

    def decision(self, deadline: datetime | None) -> Rung:
        """Return the rung on which an item is answered as it is."""
        rungs = self.rungs(deadline)
        return next((rung for rung in rungs if rung.ask == "decide"), rungs[-1])


def deadline_of(interface: Interface, *, opened: datetime, deadline: datetime | None = None) -> datetime | None:
    """Return when the window of what came at `opened` closes, or None where the interface has no window."""
    try:
        return windows.window_of(interface.policy, received_at=opened, deadline=deadline).deadline
    except RejectedError:
        return None


def back_off(failures: int) -> timedelta:
    """Return how long to wait after that many failures in a row: 30 s doubled each time, at most 15 min."""
    return min(LONGEST_BACK_OFF, FIRST_BACK_OFF * int(2 ** min(failures, 10)))


def waiting_state(rung: Rung) -> State:
    """Return the state of an item that waits for a rung."""
    if rung.ask in ("fresh", "backfill"):
        return State.REREAD
    return State.ESTIMATE_PENDING if rung.ask in ("estimate", "decide") else State.COLLECTING


def _deadline(row: Mapping[str, object]) -> datetime | None:
    """Return an item's deadline."""
    deadline = row["deadline"]
    return deadline if isinstance(deadline, datetime) else None
