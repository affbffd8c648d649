"""When outage events of a usage point are planned work: around its exchange (domain 2.5), for judging outages."""

from collections.abc import Collection
from datetime import datetime, timedelta

from canonical.periods import Period
from flows.meter_rollout.policy import Policy
from store import rollout_heard
from store.session import Session

UNHEARD = timedelta(hours=24)
"""How long the work of an exchange counts whose meter was not heard yet."""


def windows(session: Session, usage_points: Collection[str], *, policy: Policy) -> dict[str, list[Period]]:
    """Return the spans in which events of usage points are planned work: from before removal until after hearing."""
    found: dict[str, list[Period]] = {}
    for row in rollout_heard.exchanged(session, usage_points):
        begin: datetime = row["removed_at"] or row["installed_at"]
        heard: datetime | None = row["heard_at"]
        end = heard + policy.suppress_after if heard is not None else begin + UNHEARD
        span = Period(begin - policy.suppress_before, max(end, begin))
        found.setdefault(row["usage_point"], []).append(span)
    return found
