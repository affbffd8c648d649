"""Decisions about waves that a person takes outside of the command line: what waits, and what becomes of an answer."""

from typing import TYPE_CHECKING

from flows.meter_rollout.approvals import Approval, pending
from services.rollout_waves import freeze_wave, release_wave
from services.site_rollout import rollout_policy

if TYPE_CHECKING:
    from services.hub import Hub


def waiting(hub: "Hub") -> tuple[Approval, ...]:
    """Return the decisions that wait for a person now."""
    return pending(policy=rollout_policy(hub.site.model), transaction=hub.transaction, now=hub.now())


def explained(one: Approval) -> str:
    """Return what a person should know before deciding, as Markdown."""
    what = "The list is fixed then" if one.act == "freeze" else "The crews get their orders then"
    return f"{one.orders:,} exchanges. {what}. More: `amihub rollout status {one.wave}`."


def approve(hub: "Hub", name: str, *, by: str) -> str:
    """Do what a person approved, by the name under which it was asked, and say what came of it.

    What somebody decided in the meantime is left as it is.

    Raises:
        RejectedError: it cannot be done now, such as too few meters in stock (STOCK_SHORT).
    """
    one = next((each for each in waiting(hub) if str(each) == name), None)
    if one is None:
        return f"{name}: decided already"
    if one.day is None:
        return f"{name}: {freeze_wave(hub, one.wave, by=by).eligible} orders, by {by}"
    return f"{name}: {release_wave(hub, one.wave, [one.day], by=by).orders.total()} orders, by {by}"
