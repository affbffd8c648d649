"""Subscribers and masters of fields as the flows take them, and what a site file may get wrong about them."""

import difflib
from collections.abc import Collection, Iterator
from datetime import timedelta

from canonical.granularity import SECOND, Grain
from canonical.holdings import FIELDS
from flows.master_data_feed import Subscriber
from flows.master_data_sync.held import NOUNS
from flows.master_data_sync.records import DEFAULTS, Records, is_field
from services.site_model import SiteModel
from services.subscribers_section import SubscriberSection

Mistake = tuple[tuple[str, ...], str]

SYSTEMS = {
    "customer_system": "cis",
    "meter_data_system": "mdms",
    "work_system": "wams",
    "head_end": "hes",
    "outage_system": "oms",
}
"""What kind of system a role is, by its kind."""

KINDS_OF_SYSTEM = ("cis", "mdms", "wams", "hes", "oms", "gis", "hub")


def subscribers_of(model: SiteModel) -> tuple[Subscriber, ...]:
    """Return the subscribers of a site."""
    return tuple(_subscriber(model, name, own) for name, own in model.subscribers.items())


def _subscriber(model: SiteModel, name: str, own: SubscriberSection) -> Subscriber:
    grain = grains_of(model).get(own.role, SECOND)
    if own.granularity is not None:
        grain = Grain(own.granularity, own.day_belongs_to, model.site.zone)
    return Subscriber(
        name,
        own.role,
        _kinds(own),
        frozenset(own.fields),
        own.mode,
        timedelta(minutes=own.interval_minutes),
        own.begin == "full",
        grain,
        own.limit,
        timedelta(hours=own.confirm_hours),
    )


def _kinds(own: SubscriberSection) -> frozenset[str]:
    """Return what a subscriber is told of; by messages, where it says nothing, whatever messages can tell."""
    if own.kinds:
        return frozenset(own.kinds)
    return frozenset(FIELDS) if own.mode == "batch" else frozenset(kind for kind in FIELDS if NOUNS.get(kind))


def grains_of(model: SiteModel) -> dict[str, Grain]:
    """Return how finely callers and roles keep time, where the site says so."""
    own = model.masters
    if own is None:
        return {}
    found = {
        role: Grain(fine, "old" if role in own.day_belongs_to_old else "new", model.site.zone)
        for role, fine in own.granularity.items()
    }
    clients = model.serve.clients if model.serve else {}
    return found | {name: found[client.role] for name, client in clients.items() if client.role in found}


def records_of(model: SiteModel) -> Records:
    """Return the masters of fields; empty where the site has no `[masters.records]`."""
    own = model.masters
    if own is None or own.records is None:
        return Records()
    clients = model.serve.clients if model.serve else {}
    roles = {name: client.role for name, client in clients.items() if client.role}
    systems = {name: SYSTEMS[role.kind] for name, role in model.roles.items() if role.kind in SYSTEMS}
    systems |= {name: client.system for name, client in clients.items() if client.system}
    systems |= own.systems
    systems |= {name: systems[role] for name, role in roles.items() if role in systems and name not in systems}
    # A role that is nobody's kind of system can still be named itself.
    systems = {**dict.fromkeys(model.roles, ""), **systems}
    return Records({**DEFAULTS, **own.records}, systems, roles)


def mistakes(model: SiteModel) -> Iterator[Mistake]:
    """Yield what is wrong with subscribers and masters of fields although each has a right form."""
    for name, own in model.subscribers.items():
        yield from _of_subscriber(model, ("subscribers", name), own)
    yield from _of_records(model)


def _of_subscriber(model: SiteModel, path: tuple[str, ...], own: SubscriberSection) -> Iterator[Mistake]:
    known = (*model.roles, *model.lacks)
    if own.role not in known:
        yield (*path, "role"), _unknown("role", own.role, known)
    fields = {field for kind in (own.kinds or tuple(FIELDS)) for field in FIELDS[kind]}
    for field in own.fields:
        if field not in fields:
            yield (*path, "fields"), _unknown("field", field, fields)
    if own.begin == "full" and (own.mode == "realtime" or own.role in model.lacks):
        yield (*path, "begin"), 'all that the hub holds goes by file only: mode = "batch", and a role of [roles]'
    if own.mode == "batch" and own.role in model.roles and model.roles[own.role].adapter not in BY_FILE:
        adapter = model.roles[own.role].adapter
        yield (*path, "mode"), f"the adapter {adapter!r} takes no files of masters; {', '.join(BY_FILE)} does"
    for kind in own.kinds if own.mode == "realtime" else ():
        if not NOUNS.get(kind):
            yield (*path, "kinds"), f'no message tells of {kind!r}: mode = "batch"'
    yield from _told_twice(model, path, own)


BY_FILE = ("masters_flatfile",)
"""Adapters by which files of masters go."""


def _told_twice(model: SiteModel, path: tuple[str, ...], own: SubscriberSection) -> Iterator[Mistake]:
    """Yield what a route, or another subscriber, tells the same role already."""
    kinds = _kinds(own)
    nouns = {NOUNS[kind] for kind in kinds if NOUNS.get(kind)}
    nouns |= {"MeterServiceRequests"} if "installation" in kinds else set()
    for number, route in enumerate(model.routes, 1):
        to = {role for one in route.to for role in _meant(model, one)}
        shared = sorted(nouns & set(route.nouns)) if route.nouns else sorted(nouns)
        if own.role in to and shared:
            yield (
                (*path, "role"),
                f"route {number} tells {own.role!r} of {', '.join(shared)} already: it would be told twice",
            )
    for name, other in model.subscribers.items():
        both = sorted(kinds & _kinds(other))
        if name < path[1] and other.role == own.role and both:
            yield (*path, "role"), f"[subscribers.{name}] tells {own.role!r} of {', '.join(both)} already"


def _meant(model: SiteModel, word: str) -> Collection[str]:
    """Return the roles that a route's destination means."""
    if word in ("customer_system", "meter_data"):
        return {getattr(one, word) for one in model.territories.values()}
    return {word}


def _of_records(model: SiteModel) -> Iterator[Mistake]:
    own = model.masters
    if own is None:
        return
    for role in own.systems:
        known = (*model.roles, *(model.serve.clients if model.serve else ()))
        if role not in known:
            yield ("masters", "systems", role), _unknown("role or caller", role, known)
    fields = [*FIELDS, *(f"{kind}.{one}" for kind, names in FIELDS.items() for one in (*names, "valid_to"))]
    owners = (*KINDS_OF_SYSTEM, *model.roles, *model.lacks)
    for name, owner in (own.records or {}).items():
        if not is_field(name):
            yield ("masters", "records", name), _unknown("field", name, fields)
        if owner not in owners:
            yield ("masters", "records", name), _unknown("system or role", owner, owners)


def _unknown(kind: str, word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"there is no {kind} {word!r}" + (f"; did you mean {near[0]!r}?" if near else "")
