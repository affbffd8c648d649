"""Territories, routes and master data of a site as the flows take them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from canonical.messages import Message, Parcel
from flows.master_data_sync import Origin, Policy
from flows.routing import ByTerritory, Encode, Route, Routes, Territory
from services.callers import role_of
from services.site_checks import ROUTED_VERBS
from services.site_model import SiteModel
from services.site_subscribers import grains_of, records_of
from store.session import Transaction

SYSTEMS: dict[str, Origin] = {"customer_system": "cis", "meter_data_system": "mdms", "work_system": "wams"}
"""What kind of system a role is, by its kind."""


def routed(model: SiteModel) -> frozenset[tuple[str, str]]:
    """Return noun and imperative of every message that a route names, for what no flow understands."""
    return frozenset(
        (noun, verb) for route in model.routes for noun in route.nouns for verb in (route.verbs or ROUTED_VERBS)
    )


def routes_of(model: SiteModel) -> Routes:
    """Return routes and territories as the flows take them."""
    clients = model.serve.clients if model.serve else {}
    return Routes(
        tuple(
            Route(
                to=one.to,
                nouns=frozenset(one.nouns),
                verbs=frozenset(one.verbs),
                sources=frozenset(role_of(model, source) for source in one.sources),
                territories=frozenset(one.where.territory),
                districts=frozenset(one.where.district),
                customer_classes=frozenset(one.where.customer_class),
                commodities=frozenset(one.where.commodity),
                is_last=one.last,
            )
            for one in model.routes
        ),
        tuple(
            Territory(
                name, one.customer_system, one.meter_data, frozenset(one.districts), one.names,
                frozenset(role_of(model, role) for role in one.created_by),
            )
            for name, one in model.territories.items()
        ),
        roles={name: client.role for name, client in clients.items() if client.role},
        manual=frozenset(name for name, how in model.lacks.items() if how == "manual"),
        absent=frozenset(name for name, how in model.lacks.items() if how == "absent"),
        queue=model.work.owners.get("integration", "integration"),
    )  # fmt: skip


def master_data_policy(model: SiteModel) -> Policy:
    """Return what the site allows of master data; the defaults where it says nothing."""
    own = model.master_data
    masters = model.masters
    common = Policy(
        zone=model.site.zone,
        records=records_of(model),
        grains=grains_of(model),
        max_backdate=timedelta(days=masters.max_backdate_days) if masters and masters.max_backdate_days else None,
        queue=model.work.owners.get("masters", model.work.owners.get("integration", "integration")),
    )
    if own is None:
        return common
    clients = model.serve.clients if model.serve else {}
    kinds = {name: SYSTEMS[role.kind] for name, role in model.roles.items() if role.kind in SYSTEMS}
    kinds |= {name: kinds[client.role] for name, client in clients.items() if client.role in kinds}
    kinds |= {name: client.system for name, client in clients.items() if client.system}
    queues = {name: role_of(model, name) for name in (model.messaging.inbound if model.messaging else ())}
    kinds |= {name: kinds[role] for name, role in queues.items() if role in kinds}
    return replace(
        common,
        search_interval=timedelta(minutes=own.search_interval_minutes),
        search_attempts=own.search_attempts,
        origins={kind: origin for kind, origin in own.origins.items()},
        kinds=kinds,
    )


def questions_by_territory(
    model: SiteModel, *, port: Callable[[str], Any], transaction: Transaction, now: Callable[[], datetime]
) -> ByTerritory:
    """Return what asks the MDMS of each usage point's territory; `port` gives that of a role."""
    return ByTerritory(port, routes=routes_of(model), transaction=transaction, now=now)


def encoder_of(port: Callable[[str], Any], spool: Path) -> Encode:
    """Return what says a message in the words of a role; `port` gives that of a role."""

    def encode(role: str, message: Message[Any]) -> Parcel:
        parcel: Parcel = port(role).encode(message, spool=spool)
        return parcel

    return encode
