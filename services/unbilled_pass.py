"""One pass of the unbilled-revenue register: what its DAG and `amihub unbilled run` both call."""

from datetime import date
from typing import TYPE_CHECKING, Any

from flows import unbilled
from flows.unbilled import Average, DayCounted, Policy
from services.feeds import multipliers_of
from services.site_file import Site
from services.unbilled_section import UnbilledSection

if TYPE_CHECKING:
    from services.hub import Hub


def unbilled_pass(hub: "Hub", *, day: date | None = None) -> DayCounted:
    """Count a business day (today without one); the same day again replaces what was kept of it."""
    return unbilled.run(unbilled_policy(hub.site), transaction=hub.transaction, now=hub.now(), day=day)


def due_pass(hub: "Hub") -> DayCounted | None:
    """Count the oldest business day that ended and is not counted whole; None when there is none.

    One day a pass: each may take a while, and a later pass goes on with the next.
    """
    days = unbilled.due_days(unbilled_policy(hub.site), transaction=hub.transaction, now=hub.now())
    return unbilled_pass(hub, day=days[0]) if days else None


def standing(hub: "Hub") -> dict[str, Any]:
    """Return how the register stands: the days that are due, oldest first; none of them makes a pass red."""
    days = unbilled.due_days(unbilled_policy(hub.site), transaction=hub.transaction, now=hub.now())
    return {"due": [day.isoformat() for day in days], "failures": []}


def unbilled_policy(site: Site) -> Policy:
    """Return the register's policy: `[unbilled]` with what it needs of `[site]` and `[roles]`."""
    said = site.model.unbilled or UnbilledSection()
    return Policy(
        zone=site.model.site.zone,
        currency=said.currency,
        minor_digits=said.minor_digits,
        silent_days=said.silent_days,
        horizon_days=said.horizon_days,
        since=said.since,
        back_dated_days=said.back_dated_days,
        usual_cycle_days=said.usual_cycle_days,
        grace_days=said.grace_days,
        batch=said.batch,
        keep_days=said.keep_days,
        averages=tuple(Average(**dict(one)) for one in said.averages),
        multipliers=multipliers_of(site.model),
    )
