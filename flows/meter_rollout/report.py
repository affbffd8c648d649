"""How a rollout goes: planned against done, what deviates since when, what it costs in unbilled energy (domain 2.8).

Everything is counted as the hub knew it at one instant; the counting streams, so that memory does not grow with orders.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.periods import local_date, start_of_day
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.report_counting import KINDS, DayOf, Tally
from flows.meter_rollout.report_figures import RolloutReport, Unbilled
from flows.meter_rollout.rules import rules_from
from store import rollout_report, rollout_waves
from store.session import Session, Transaction


def read_report(
    *, policy: Policy, transaction: Transaction, now: datetime, wave: str = "", day: date | None = None, worst: int = 10
) -> RolloutReport:
    """Return how one wave (all without one) stood at the end of a local day, or stands now where that is earlier.

    Raises:
        RejectedError: the wave was never planned (WAVE_UNKNOWN).
    """
    with transaction() as session:
        zone_of = _zones(session, wave, policy)
        zone = zone_of(wave)
        today = day or local_date(now, zone)
        until = min(now, start_of_day(today + timedelta(days=1), zone) - timedelta(microseconds=1))
        counted = Tally(_days(zone_of), until, timedelta(hours=policy.not_heard_hours[0]))
        counted.orders(rollout_report.orders(session, until=until, wave=wave))
        counted.visits(rollout_report.visits_in_vain(session, until=until, wave=wave))
        counted.deviations(rollout_report.deviations(session, queue=policy.queue, until=until, wave=wave))
        run = rollout_report.unbilled_run(session, day=today.isoformat())
        entries = rollout_report.unbilled(session, day=run["day"], until=until, wave=wave) if run is not None else []
        blocked = rollout_report.blocked_meters(session)
    figures = {name: counted.counts[name] for name in (
        "listed", "done", "unplanned", "certified", "closed", "judged", "first_time", "awaited", "silent",
    )}  # fmt: skip
    return RolloutReport(
        wave=wave,
        day=today,
        until=until,
        states=dict(counted.states),
        **figures,
        to_certified=counted.to_certified(),
        days=tuple(counted.by_day(today)),
        reasons=dict(counted.reasons.most_common()),
        deviations=counted.by_code(),
        trend=dict(counted.trend),
        groups={kind: counted.worst(kind, worst) for kind in KINDS},
        blocked=tuple(blocked),
        unbilled=tuple(Unbilled(**row) for row in entries),
        unbilled_run=run,
    )


def _zones(session: Session, wave: str, policy: Policy) -> Callable[[str], ZoneInfo]:
    """Return the zone of the days of each wave; the site's for what is of none.

    Raises:
        RejectedError: the wave was never planned (WAVE_UNKNOWN).
    """
    rows = [rollout_waves.find(session, wave)] if wave else rollout_waves.listed(session)
    known = {row["wave"]: ZoneInfo(rules_from(row["rules"]).zone) for row in rows}
    site = ZoneInfo(policy.zone)
    return lambda name: known.get(name, site)


def _days(zone_of: Callable[[str], ZoneInfo]) -> DayOf:
    return lambda wave, at: local_date(at, zone_of(wave))
