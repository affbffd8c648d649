"""Reconciliation composed: what the DAG, the thread of `amihub serve` and `amihub reconcile` all call."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flows.master_data_sync.records import DEFAULTS
from flows.reconciliation import person, repair
from flows.reconciliation.merging import Progress
from flows.reconciliation.person import Wanted
from flows.reconciliation.policy import HUB, Allowed, Policy, SystemPolicy
from flows.reconciliation.repair import Proposal, Roads
from flows.reconciliation.report import by_class
from flows.reconciliation.run import Ran, run
from flows.routing import Sending
from services.masters_files import section_of
from services.reconcile_section import ReconcileSection, ReconcileSystemSection
from services.site_routing import encoder_of, master_data_policy, routes_of
from services.site_subscribers import grains_of, subscribers_of

if TYPE_CHECKING:
    from services.hub import Hub
    from services.site_model import SiteModel

_HANGS = {"installation": "wams"}
"""System of record of where meters hang: the matrix of master data leaves that to `origins` (ruling 8)."""

_ROLE_KINDS = {"cis": "customer_system", "wams": "work_system", "mdms": "meter_data_system"}


def reconciliation_pass(hub: "Hub", *, whole: bool = False, progress: Progress | None = None) -> Ran:
    """Compare the next portion, or everything; at the end of a round repair what the site repairs by itself."""
    policy = policy_of(hub.site.model)
    done = run(policy, transaction=hub.transaction, now=hub.now(), whole=whole, progress=progress)
    own = hub.site.model.reconcile
    if done.is_round and own is not None and own.automatic:
        repair_allowed(hub, Wanted())
    return done


def standing(hub: "Hub") -> dict[str, int]:
    """Return how many differences are not closed, by class."""
    return by_class(transaction=hub.transaction)


def proposals(hub: "Hub", wanted: Wanted) -> list[Proposal]:
    """Return what would end the open differences that are meant."""
    return repair.propose(person.chosen(wanted, transaction=hub.transaction), policy_of(hub.site.model))


def repair_allowed(hub: "Hub", wanted: Wanted) -> list[Proposal]:
    """Repair what of the differences that are meant the site allows without a person, and return it."""
    allowed = [one.difference for one in proposals(hub, wanted) if one.is_allowed and one.way[0]]
    return _repair(hub, allowed, HUB, "the site allows it")


def repair_by_person(hub: "Hub", wanted: Wanted, *, by: str, reason: str) -> list[Proposal]:
    """Repair the differences that are meant, under a person's name.

    Raises:
        RejectedError: one of them cannot be repaired by a message (NOT_REPAIRABLE); nothing was sent.
    """
    return _repair(hub, [one.difference for one in proposals(hub, wanted)], by, reason)


def _repair(hub: "Hub", rows: list[dict[str, Any]], by: str, reason: str) -> list[Proposal]:
    model = hub.site.model
    roads = Roads(Sending(routes_of(model), encoder_of(hub.port, hub.spool), hub.now()), master_data_policy(model))
    return repair.repair(
        rows, policy_of(model), roads=roads, transaction=hub.transaction, now=hub.now(), by=by, reason=reason
    )


def policy_of(model: "SiteModel") -> Policy:
    """Return how a site reconciles; the defaults where it says nothing."""
    own = model.reconcile or ReconcileSection()
    grains = grains_of(model)
    names = {*own.systems, *grains}
    feeds = subscribers_of(model)
    return Policy(
        systems={name: _system(own.systems.get(name), grains.get(name)) for name in sorted(names)},
        owners=owners_of(model),
        pairs=own.pairs,
        feeds={one.role: tuple(other.name for other in feeds if other.role == one.role) for one in feeds},
        feed_kinds={one.name: one.kinds for one in feeds},
        reached=frozenset(name for name, role in model.roles.items() if not role.adapter.endswith("_flatfile")),
        in_transit=timedelta(hours=own.in_transit_hours),
        portion=own.portion,
        snapshot_age=timedelta(hours=own.snapshot_hours),
        repairs=tuple(
            Allowed(frozenset(one.classes), frozenset(one.kinds), frozenset(one.fields), frozenset(one.systems))
            for one in own.repair
        ),
        mapping_from=own.mapping_from,
        queue=model.work.owners.get("masters", model.work.owners.get("integration", "integration")),
    )


def owners_of(model: "SiteModel") -> dict[str, str]:
    """Return the system of record of each kind and field: a role of the site; none where it has no such role."""
    found = {name: role for name, kind in _matrix(model).items() if (role := _role(model, kind))}
    own = model.reconcile
    return {**found, **(own.owners if own is not None else {})}


def _matrix(model: "SiteModel") -> dict[str, str]:
    """Return kind of system, or role, by kind and field: the matrix of [masters.records] over its defaults."""
    origins = {str(one): of for one, of in model.master_data.origins.items()} if model.master_data is not None else {}
    hangs = {"installation": origins["link"]} if origins.get("link", "hub") != "hub" else _HANGS
    return {**DEFAULTS, **hangs, **(section_of(model).records or {})}


def _role(model: "SiteModel", kind: str) -> str:
    """Return the role that is a kind of system: by its name, by [masters.systems], else the only one of that kind."""
    if kind in model.roles:
        return kind
    said = [name for name, system in section_of(model).systems.items() if system == kind and name in model.roles]
    same = said or [name for name, role in model.roles.items() if role.kind == _ROLE_KINDS.get(kind)]
    return same[0] if len(same) == 1 else ""


def _system(own: ReconcileSystemSection | None, grain: Any) -> SystemPolicy:
    said = own or ReconcileSystemSection()
    plain = SystemPolicy(dict[str, tuple[str, ...]](said.fields.items()), said.kinds, said.dates)
    return plain if grain is None else SystemPolicy(plain.fields, plain.kinds, plain.dates, grain)
