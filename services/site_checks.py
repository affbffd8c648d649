"""Mistakes between the sections of a site file that each have a right form: roles, territories, routes, questions."""

import difflib
from collections.abc import Collection, Iterator

from canonical.territories import BY_TERRITORY, OF_TERRITORY
from iec61968.spoken_nouns import NOUNS
from services.callers import role_of
from services.routing_sections import RouteSection
from services.site_model import SiteModel
from services.site_rollout import mistakes as of_rollout

Path = tuple[str, ...]
Mistake = tuple[Path, str]
"""Where it stands, and what is wrong with it."""

ROUTED_VERBS = ("create", "change", "cancel", "close", "delete", "execute")
"""What is routed: questions are asked of the MDMS, never passed on."""


def mistakes(model: SiteModel) -> Iterator[Mistake]:
    """Yield what is wrong between the sections of a site although each has a right form."""
    yield from _roles(model)
    yield from _territories(model)
    for number, route in enumerate(model.routes):
        yield from _route(model, route, ("routes", str(number)))
    yield from _questions(model)
    yield from _masters(model)
    yield from _reconcile(model)
    from services.site_subscribers import mistakes as of_subscribers  # heavy: DAG files read the site

    yield from of_subscribers(model)
    yield from of_rollout(model)


def _roles(model: SiteModel) -> Iterator[Mistake]:
    """Yield roles that the site has and lacks, and callers that are no role."""
    for name in sorted(set(model.lacks) & set(model.roles)):
        yield ("lacks", name), f"[roles] has {name!r}: the site does not lack it"
    for name in model.files.inbound if model.files else ():
        if name not in model.roles:
            yield ("files", "inbound", name), _unknown("role", name, model.roles)
    clients = model.serve.clients if model.serve else {}
    for name, client in clients.items():
        if client.role and client.role not in model.roles:
            yield ("serve", "clients", name, "role"), _unknown("role", client.role, model.roles)
    yield from _feeds(model)


def _feeds(model: SiteModel) -> Iterator[Mistake]:
    """Yield feeds whose readings could be taken for stated otherwise than they are."""
    first: dict[str, str] = {}
    for name, role in model.roles.items():
        if role.kind.startswith("meter_data"):
            other = first.setdefault(role.feed, name)
            if model.roles[other].multiplier != role.multiplier:
                words = f"{other!r} keeps readings as {role.feed!r} too, and its are {model.roles[other].multiplier}"
                yield ("roles", name, "multiplier"), f"{words}: give each its own `source`"
        elif role.kind in ("work_system", "route_reader") and role.multiplier != "raw":
            yield ("roles", name, "multiplier"), "what people read off a meter is raw: no multiplier is applied"


def _masters(model: SiteModel) -> Iterator[Mistake]:
    """Yield roles that [masters] names and the site has not."""
    own = model.masters
    if own is None:
        return
    for key in ("inboxes", "granularity", "day_belongs_to_old"):
        for role in getattr(own, key):
            if role not in model.roles:
                path = ("masters", key, role) if key == "granularity" else ("masters", key)
                yield path, _unknown("role", role, model.roles)


def _reconcile(model: SiteModel) -> Iterator[Mistake]:
    """Yield roles that [reconcile] names and the site has not."""
    own = model.reconcile
    if own is None:
        return
    named: list[tuple[Path, str]] = [(("reconcile", "systems", role), role) for role in own.systems]
    named += [(("reconcile", "pairs"), role) for pair in own.pairs for role in pair]
    named += [(("reconcile", "owners", name), role) for name, role in own.owners.items()]
    named += [
        (("reconcile", "repair", str(number), "systems"), role)
        for number, one in enumerate(own.repair)
        for role in one.systems
    ]
    for path, role in named:
        if role not in (*model.roles, "hub"):
            yield path, _unknown("role", role, (*model.roles, "hub"))


def _territories(model: SiteModel) -> Iterator[Mistake]:
    """Yield roles that a territory names and the site has not."""
    for name, territory in model.territories.items():
        for key, kind in (("customer_system", "customer_system"), ("meter_data", "meter_data_system")):
            role, path = getattr(territory, key), ("territories", name, key)
            if role and role not in model.roles:
                yield path, _unknown("role", role, model.roles)
            elif role and model.roles[role].kind != kind:
                yield path, f"the role {role!r} is a {model.roles[role].kind}, not a {kind}"
        for role in territory.created_by:
            if role not in _known(model):
                yield ("territories", name, "created_by"), _unknown("role", role, _known(model))
    yield from _claims(model)


def _claims(model: SiteModel) -> Iterator[Mistake]:
    """Yield what two territories claim."""
    for key, word in (("districts", "district"), ("names", "pattern"), ("created_by", "creator")):
        seen: dict[str, str] = {}
        for name, territory in model.territories.items():
            for one in getattr(territory, key):
                if one in seen:
                    yield ("territories", name, key), f"the {word} {one!r} is {seen[one]!r}'s already"
                seen.setdefault(one, name)


def _route(model: SiteModel, route: RouteSection, path: Path) -> Iterator[Mistake]:
    """Yield what is wrong with one route."""
    if not route.to:
        yield (*path, "to"), "a route needs a destination"
    for role in route.to:
        if role in OF_TERRITORY and not model.territories:
            yield (*path, "to"), f"{role!r} means the territory's, and the site has no [territories]"
        elif role not in OF_TERRITORY and role not in (*model.roles, *model.lacks):
            yield (*path, "to"), _unknown("role", role, (*model.roles, *model.lacks, *OF_TERRITORY))
    for source in route.sources:
        if source not in _known(model):
            yield (*path, "from"), _unknown("caller or role", source, _known(model))
    sources = {role_of(model, source) for source in route.sources}
    if route.to and len(sources) == 1 and set(route.to) <= sources:
        yield (*path, "to"), "a loop: a message never goes back to where it comes from"
    for name in route.where.territory:
        if name not in model.territories:
            yield (*path, "where"), _unknown("territory", name, model.territories)
    yield from _kinds(model, route, path)


def _kinds(model: SiteModel, route: RouteSection, path: Path) -> Iterator[Mistake]:
    """Yield nouns and verbs of a route that there are not, or that another flow takes."""
    for noun in route.nouns:
        if noun not in NOUNS or NOUNS[noun].is_query:
            yield (*path, "nouns"), _unknown("noun", noun, [name for name, one in NOUNS.items() if not one.is_query])
    for verb in route.verbs:
        if verb not in ROUTED_VERBS:
            yield (*path, "verbs"), _unknown("verb", verb, ROUTED_VERBS)
    from services.cim_owners import owner_of  # heavy: DAG files read the site

    for noun in route.nouns:
        for verb in route.verbs:
            owner = owner_of(verb, noun, sections_of(model))
            if owner and owner != "flows.master_data_sync":
                yield (*path, "nouns"), f"{owner} takes {verb} {noun}: no route sees it"


def _questions(model: SiteModel) -> Iterator[Mistake]:
    """Yield who is asked for readings and cannot be."""
    asked: list[tuple[Path, str]] = []
    asked += [(("on_demand_read", "meter_data"), model.on_demand_read.meter_data)] if model.on_demand_read else []
    asked += [(("billing", name, "meter_data"), one.meter_data) for name, one in model.billing.items()]
    for path, role in asked:
        if role == BY_TERRITORY:
            homes = [one.meter_data for one in model.territories.values() if one.meter_data in model.roles]
            if not homes:
                yield path, f"{BY_TERRITORY!r}, and no territory names its meter_data"
            elif len({model.roles[one].multiplier for one in homes}) > 1 and path[0] == "billing":
                yield path, f"{BY_TERRITORY!r}, and their MDMSes state quantities raw here and applied there"
        elif role and role not in model.roles:
            yield path, _unknown("role", role, (*model.roles, BY_TERRITORY))


def _unknown(kind: str, word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"there is no {kind} {word!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _known(model: SiteModel) -> tuple[str, ...]:
    """Return callers and roles."""
    return (*model.roles, *model.lacks, *(model.serve.clients if model.serve else ()))


def sections_of(model: SiteModel) -> set[str]:
    """Return the sections of a site without which some operations have no owner."""
    found = {name for name in ("on_demand_read", "master_data") if getattr(model, name) is not None}
    # What crews tell is read as master data: without it nobody takes the messages, only the files.
    return found | ({"rollout"} if model.rollout is not None and "master_data" in found else set())
