"""How the site's feeds state quantities: raw, as registers show them, or with the multiplier applied (invariant I3)."""

from collections.abc import Iterator

from canonical.metering import MultiplierState
from canonical.territories import BY_TERRITORY
from services.callers import role_of
from services.site_model import SiteModel


def multipliers_of(model: SiteModel, *, otherwise: str = "") -> dict[str, MultiplierState]:
    """Return how each source of readings states them, as its role declares it (`[roles.<role>] multiplier`).

    A reading names its source: a role (what people read and what crews tell in files), the name under which the role's
    adapter keeps readings, or who called a web service or wrote into a queue and stands for a role. The empty name
    stands for all others: as role `otherwise` states its own, or as all meter data systems of the site do, raw where
    they differ. A name of several roles is the one of `otherwise`, else of the first.
    """
    home = _home(model, otherwise)
    roles = dict(sorted(model.roles.items(), key=lambda one: one[0] != home))
    found: dict[str, MultiplierState] = {}
    for role in roles.values():
        found.setdefault(role.feed, role.multiplier)
    for caller, name in _callers(model):
        found.setdefault(caller, roles[name].multiplier)
    found |= {name: role.multiplier for name, role in roles.items()}
    stated = {role.multiplier for role in roles.values() if role.kind.startswith("meter_data")}
    if home in roles:
        stated = {roles[home].multiplier}
    return {**found, "": stated.pop() if len(stated) == 1 else "raw"}


def raw_sources(model: SiteModel) -> frozenset[str]:
    """Return the sources whose readings stand as registers show them."""
    return frozenset(source for source, state in multipliers_of(model).items() if source and state == "raw")


def _home(model: SiteModel, role: str) -> str:
    """Return a role, or the MDMS of a territory where each has its own: they state quantities alike (config check)."""
    if role != BY_TERRITORY:
        return role
    return next((one.meter_data for one in model.territories.values() if one.meter_data), "")


def _callers(model: SiteModel) -> Iterator[tuple[str, str]]:
    """Yield who calls or writes into a queue, with the role that it stands for."""
    clients = model.serve.clients if model.serve else {}
    for caller in (*clients, *(model.messaging.inbound if model.messaging else ())):
        role = role_of(model, caller)
        if role in model.roles:
            yield caller, role
