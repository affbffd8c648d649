"""Waves of a site's meter rollout over a hub: planned, frozen, released, aborted, looked at."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from canonical.codes.rollout_waves import WAVE_UNKNOWN
from canonical.errors import RejectedError
from flows.meter_rollout import explaining, freezing, orders_by_person, planner, waves
from flows.meter_rollout import release as releasing
from flows.meter_rollout import status as standing
from flows.meter_rollout.explaining import Explained
from flows.meter_rollout.freezing import Frozen
from flows.meter_rollout.planner import Plan
from flows.meter_rollout.release import Released
from flows.meter_rollout.rules import WaveRules
from flows.meter_rollout.status import WaveStanding
from flows.meter_rollout.waves import Aborted
from services.rollout_pass import sending_of
from services.site_rollout import rollout_policy, waves_of

if TYPE_CHECKING:
    from services.hub import Hub


def rules_for(hub: "Hub", wave: str) -> WaveRules:
    """Return the rules of a wave as the site file states them now.

    Raises:
        RejectedError: the site file has no such wave (WAVE_UNKNOWN).
    """
    known = waves_of(hub.site.model)
    if wave not in known:
        said = f"it has {', '.join(sorted(known))}" if known else "it has none"
        reason = f"the site file has no [rollout.waves.{wave}]; {said}"
        raise RejectedError(reason, code=WAVE_UNKNOWN, where=hub.site.where(("rollout",)))
    return known[wave]


def plan_wave(
    hub: "Hub", wave: str, *, by: str, dry_run: bool = False, progress: Callable[[int], None] = lambda _done: None
) -> Plan:
    """Plan a wave of the site file; as `flows.meter_rollout.planner.plan`."""
    rules = rules_for(hub, wave)
    return planner.plan(rules, transaction=hub.transaction, now=hub.now(), by=by, dry_run=dry_run, progress=progress)


def freeze_wave(hub: "Hub", wave: str, *, by: str) -> Frozen:
    """Fix the list of a wave; as `flows.meter_rollout.freezing.freeze`."""
    return freezing.freeze(wave, transaction=hub.transaction, now=hub.now(), by=by)


def release_wave(hub: "Hub", wave: str, days: Sequence[date], *, by: str, dry_run: bool = False) -> Released:
    """Release days of a wave (none named: all); as `flows.meter_rollout.release.release`."""
    known = waves_of(hub.site.model).get(wave)
    return releasing.release(
        wave,
        days,
        policy=rollout_policy(hub.site.model),
        sending=sending_of(hub),
        transaction=hub.transaction,
        by=by,
        exclude=known.exclude if known is not None else None,
        dry_run=dry_run,
    )


def abort_wave(hub: "Hub", wave: str, *, by: str, reason: str) -> Aborted:
    """End a wave; as `flows.meter_rollout.waves.abort`."""
    policy, sending = rollout_policy(hub.site.model), sending_of(hub)
    return waves.abort(wave, policy=policy, sending=sending, transaction=hub.transaction, by=by, reason=reason)


def order_again(hub: "Hub", name: str, wave: str, *, by: str, reason: str) -> str:
    """Give one order another day; as `flows.meter_rollout.orders_by_person.again`."""
    known = waves_of(hub.site.model).get(wave)
    exclude = known.exclude if known is not None else None
    now = hub.now()
    return orders_by_person.again(
        name, wave, transaction=hub.transaction, now=now, by=by, reason=reason, exclude=exclude
    )


def drop_order(hub: "Hub", name: str, wave: str, *, by: str, reason: str) -> None:
    """Cancel one order; as `flows.meter_rollout.orders_by_person.drop`."""
    policy, sending = rollout_policy(hub.site.model), sending_of(hub)
    orders_by_person.drop(name, wave, policy=policy, sending=sending, transaction=hub.transaction, by=by, reason=reason)


def explain_point(hub: "Hub", name: str, *, wave: str = "") -> list[Explained]:
    """Say why a usage point is in a wave or out; as `flows.meter_rollout.explaining.explain`."""
    rules = waves_of(hub.site.model)
    return explaining.explain(name, rules=rules, transaction=hub.transaction, now=hub.now(), wave=wave)


def waves_standing(hub: "Hub", wave: str = "") -> list[WaveStanding]:
    """Say how one wave stands, or all; as `flows.meter_rollout.status.status`."""
    return standing.status(transaction=hub.transaction, wave=wave)
