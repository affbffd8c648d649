"""When an item is worked: bill window, loading cut-off, rungs of the missing-read ladder (domain 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from canonical.codes import billing as codes
from canonical.errors import RejectedError
from canonical.periods import Period, local_date
from flows.billing_exchange.policy import Ask, LadderStep, Policy


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which an accepted item must be answered."""

    period: Period
    """From its opening to its deadline."""

    received_at: datetime
    """When the item came; the ladder climbs from here (the window may have opened at midnight, hours before)."""

    @property
    def deadline(self) -> datetime:
        """Instant at which every accepted item has its answer."""
        return self.period.end


def window_of(policy: Policy, *, received_at: datetime, deadline: datetime | None = None) -> Window:
    """Return the window of an item that came at `received_at`; its own `deadline` overrides the interface's.

    Hours from midnight are hours of the interface's wall clock (17 is 17:00 on every day), hours from receipt are
    elapsed ones. What comes after the day's window belongs to the next day's.

    Raises:
        RejectedError: the interface has no bill window and the item states no deadline (6008, critical).
    """
    if policy.window_start == "NoBillWindow" and deadline is None:
        raise RejectedError("no bill window and no deadline: it must be decided at once", code=codes.NO_BILL_WINDOW)
    opens = received_at
    if policy.window_start == "MidnightOfReceivedDate":
        zone = ZoneInfo(policy.zone)
        day = local_date(received_at, zone)
        opens, closes = _from_midnight(day, policy, zone)
        if closes <= received_at and deadline is None:
            opens, closes = received_at, _from_midnight(day + timedelta(days=1), policy, zone)[1]
    else:
        closes = received_at + timedelta(hours=float(policy.window_hours))
    if deadline is not None:
        closes = max(deadline, received_at)
    return Window(Period(opens, closes), received_at)


def _from_midnight(day: date, policy: Policy, zone: ZoneInfo) -> tuple[datetime, datetime]:
    midnight = datetime.combine(day, time())
    closes = midnight + timedelta(hours=float(policy.window_hours))
    return midnight.replace(tzinfo=zone).astimezone(UTC), closes.replace(tzinfo=zone).astimezone(UTC)


def loading_cutoff(policy: Policy, at: datetime) -> datetime | None:
    """Return the loading cut-off of the local day of an instant, in UTC; None where the interface has none."""
    if policy.loading_cutoff is None:
        return None
    zone = ZoneInfo(policy.zone)
    return datetime.combine(local_date(at, zone), policy.loading_cutoff, tzinfo=zone).astimezone(UTC)


def is_too_late_to_load(policy: Policy, *, ready_at: datetime, window: Window) -> bool:
    """Return whether a part that is ready at `ready_at` misses the load of its window's last day (ruling 5)."""
    cutoff = loading_cutoff(policy, window.deadline)
    return cutoff is not None and ready_at > cutoff


def next_load(policy: Policy, at: datetime) -> datetime:
    """Return the instant from which a part may be sent: `at`, or after the day's cut-off the next local midnight."""
    cutoff = loading_cutoff(policy, at)
    if cutoff is None or at <= cutoff:
        return at
    zone = ZoneInfo(policy.zone)
    tomorrow = local_date(at, zone) + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder with the instant at which it is due."""

    number: int
    """From 1; an item's progress is the number of the last rung that it has climbed."""

    name: str
    ask: Ask
    due: datetime
    role: str
    """Role that the step needs; empty for a step of the hub's own."""

    asked: str
    """Role that is asked in fact: the meter data role stands in for one that the site lacks."""

    role_absent: bool
    """Whether the site lacks `role`."""

    accept_estimates: bool
    """Whether an estimate may answer from this rung on."""


def ladder(policy: Policy, window: Window, *, roles: frozenset[str] = frozenset()) -> tuple[Rung, ...]:
    """Return the rungs of the ladder in order of time; `roles` are those that the site has.

    Rungs counted from the deadline are never before the item came; one counted from the opening that would fall
    behind the decision is left out, as is the estimate where the policy allows none.
    """
    climbing = [
        (_due(step, window), n, step)
        for n, step in enumerate(policy.ladder)
        if step.ask != "estimate" or policy.estimation_allowed
    ]
    decisions = [due for due, _, step in climbing if step.ask == "decide"]
    last = min(decisions, default=window.deadline)
    climbing = sorted(c for c in climbing if c[0] <= last or c[2].anchor == "deadline")
    rungs: list[Rung] = []
    estimates = False
    for number, (due, _, step) in enumerate(climbing, 1):
        estimates = estimates or (step.ask in ("estimate", "decide") and policy.estimation_allowed)
        absent = bool(step.role) and step.role not in roles and step.role != policy.meter_data
        asked = policy.meter_data if absent else step.role
        rungs.append(Rung(number, step.name, step.ask, due, step.role, asked, absent, estimates))
    return tuple(rungs)


def _due(step: LadderStep, window: Window) -> datetime:
    if step.anchor == "opened":
        return window.received_at + step.offset
    return max(window.deadline + step.offset, window.received_at)


def due_rung(rungs: Sequence[Rung], *, climbed: int, now: datetime) -> Rung | None:
    """Return the rung that an item should stand on now, or None when nothing new is due.

    A pass that comes late goes straight to the highest rung that is due: asking twice in one moment tells nothing new.
    """
    due = [rung for rung in rungs if rung.number > climbed and rung.due <= now]
    return due[-1] if due else None


def next_due(rungs: Sequence[Rung], *, climbed: int) -> datetime | None:
    """Return when the next rung is due, or None behind the last one."""
    return next((rung.due for rung in rungs if rung.number > climbed), None)
