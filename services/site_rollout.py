"""How a site rolls out meters: `[rollout]` and its waves as the flow knows them, and what is wrong between sections."""

from collections.abc import Iterator
from datetime import timedelta

from adapters.registry import no_words_for
from canonical.errors import MisconfiguredError
from flows.meter_rollout.policy import SYSTEMS, Policy, System
from flows.meter_rollout.rules import Hardware, WaveRules
from services.feeds import multipliers_of
from services.rollout_section import KEYS, RolloutSection
from services.rollout_waves_section import WEEKDAYS, WaveSection
from services.site_model import SiteModel

TOLD_OF = frozenset({"installation", "meter", "usage_point"})
"""Kinds of masters that the steps of an exchange tell."""

Mistake = tuple[tuple[str, ...], str]


def rollout_policy(model: SiteModel) -> Policy:
    """Return how a site rolls out meters; whether systems can be asked only their ports know."""
    own = model.rollout or RolloutSection()
    named = {system: role for system in SYSTEMS if (role := own.role(system))}
    return Policy(
        zone=model.site.zone,
        roles={system: role for system, role in named.items() if _is_told(model, system, role)},
        absent=frozenset(system for system, role in named.items() if model.lacks.get(role) == "absent"),
        manual=frozenset(system for system, role in named.items() if model.lacks.get(role) == "manual"),
        origins=own.origins,
        sources={origin: _callers(model, own.role(origin)) for origin in ("cis", "wams", "mdms")},
        multipliers=multipliers_of(model),
        confirm_within=timedelta(minutes=own.confirm_minutes),
        confirm_step_within={name: timedelta(minutes=one) for name, one in own.confirm_step_minutes.items()},
        await_origin=timedelta(hours=own.await_origin_hours),
        verification_days=own.verification_days,
        not_heard_hours=own.not_heard_hours,
        actions=own.actions,
        search_attempts=own.search_attempts,
        search_interval=timedelta(minutes=own.search_interval_minutes),
        gps_meters=own.gps_meters,
        max_daily_kwh=own.max_daily_kwh,
        multiplier_policy=own.multiplier_policy,
        billing_lock_days=own.billing_lock_days,
        release_after_days=own.release_after_days,
        approvals=frozenset(own.approvals),
        shortfall=own.shortfall,
        queue=model.work.owners.get("rollout", "rollout"),
        batch=own.batch,
    )


def _is_told(model: SiteModel, system: System, role: str) -> bool:
    """Return whether a role is told of exchanges; crews of whom no stock is kept get their orders, and nothing else."""
    return role in model.roles and not (system == "wams" and "stock" in no_words_for(model.roles[role].adapter))


def _callers(model: SiteModel, role: str) -> frozenset[str]:
    """Return the names by which a role is known in what it says: its own, and those of its callers."""
    clients = model.serve.clients if model.serve else {}
    return frozenset({role, *(name for name, client in clients.items() if client.role == role)} - {""})


def mistakes(model: SiteModel) -> Iterator[Mistake]:
    """Yield what is wrong between `[rollout]` and the other sections although each has a right form."""
    own = model.rollout
    if own is None:
        return
    yield from _roles(model, own)
    for name, origin in own.origins.items():
        if origin != "hub" and not own.role(origin):
            yield ("rollout", "origins", name), f"{origin!r} begins it, but [rollout] names no role as {KEYS[origin]}"
    yield from _told_twice(model, own)
    for name, wave in own.waves.items():
        if wave.work_system and wave.work_system not in model.roles and wave.work_system not in model.lacks:
            yield ("rollout", "waves", name, "work_system"), f"there is no role {wave.work_system!r}"
        elif wave.work_system in model.roles and not _has_words("wams", model.roles[wave.work_system].adapter):
            said = f"{model.roles[wave.work_system].adapter} has no words for field orders"
            yield ("rollout", "waves", name, "work_system"), said
    from flows.meter_rollout.judging import BY_NUMBER  # heavy: DAG files read the site

    for number in own.actions:
        if number not in BY_NUMBER:
            yield ("rollout", "actions", number), f"there is no rule {number!r}"


def _roles(model: SiteModel, own: RolloutSection) -> Iterator[Mistake]:
    """Yield roles that the site neither has nor lacks."""
    for system in SYSTEMS:
        role = own.role(system)
        if role and role not in model.roles and role not in model.lacks:
            yield ("rollout", KEYS[system]), f"there is no role {role!r}, neither in [roles] nor in [lacks]"
        elif role in model.roles and not _has_words(system, model.roles[role].adapter):
            said = f"{model.roles[role].adapter} has no words for an exchange: every step would be refused"
            yield ("rollout", KEYS[system]), f'{said}. Name another role, or one of [lacks] = "manual"'
    if own.routes_ahead_days and not own.route_reader:
        yield ("rollout", "routes_ahead_days"), "[rollout] names no role as route_reader: nobody can be handed a route"
    for role in own.inboxes:
        if role not in model.roles:
            yield ("rollout", "inboxes"), f"there is no role {role!r}"


def _has_words(system: System, adapter: str) -> bool:
    """Return whether an adapter can say what an exchange tells a system, or a work system its orders.

    One that nobody knows is another mistake, and found when its role is opened.
    """
    try:
        lacks = no_words_for(adapter)
    except MisconfiguredError:
        return True
    return system == "route_reader" or ("orders" if system == "wams" else "exchanges") not in lacks


def _told_twice(model: SiteModel, own: RolloutSection) -> Iterator[Mistake]:
    """Yield subscribers that the steps of an exchange tell already."""
    told = {own.role(system): KEYS[system] for system in SYSTEMS if system != "route_reader"}
    for name, subscriber in model.subscribers.items():
        shared = sorted(TOLD_OF & set(subscriber.kinds or TOLD_OF))
        if subscriber.role in told and shared:
            said = f"[rollout] {told[subscriber.role]} tells {subscriber.role!r} of {', '.join(shared)} already"
            yield ("subscribers", name, "role"), f"{said}: it would be told twice"


def waves_of(model: SiteModel) -> dict[str, WaveRules]:
    """Return the rule sets of a site's waves, by name."""
    own = model.rollout
    return {name: _rules(model, name, wave) for name, wave in own.waves.items()} if own is not None else {}


def _rules(model: SiteModel, name: str, wave: WaveSection) -> WaveRules:
    own = model.rollout
    approvals = wave.approvals if wave.approvals is not None else (own.approvals if own is not None else frozenset())
    given = wave.model_dump(exclude={"hardware", "working_days", "approvals", "shortfall", "zone"})
    given["work_system"] = wave.work_system or (own.work_system if own is not None else "")
    return WaveRules(
        wave=name,
        zone=wave.zone or model.site.zone,
        working_days=frozenset(WEEKDAYS.index(day) for day in wave.working_days),
        hardware=tuple(Hardware(**one.model_dump()) for one in wave.hardware),
        approvals=frozenset(approvals),
        shortfall=wave.shortfall or (own.shortfall if own is not None else "BILL_THROUGH"),
        **given,
    )
