"""The web services of a site: its callers, reply addresses and owners, composed into one app and one worker."""

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from canonical.errors import MisconfiguredError
from flows import on_demand_read
from iec61968.bulk_call import Bulk
from iec61968.security import Client
from iec61968.signature import is_certificate
from iec61968.soap_endpoint import Receive
from services.cim_bulk import FOLDER, BulkReadings, forget_unfinished
from services.cim_desk import answered, awaited_of, noted, policy_of, requests_pass
from services.cim_endpoint import EventReceiver, cim_app
from services.cim_events import dialects_of
from services.cim_owners import operations
from services.cim_routed import RoutedCalls, readers_of
from services.site_checks import sections_of
from services.site_file import Site
from services.site_model import ServeSection
from services.site_rollout import rollout_policy
from services.site_routing import encoder_of, master_data_policy, routed, routes_of
from store.session import Transaction

if TYPE_CHECKING:
    from services.hub import Hub

__all__ = ["answered", "bulk_of", "clients_of", "policy_of", "requests_pass", "run_requests", "site_app"]

IDLE_S = 1.0
"""Seconds between two looks for asynchronous requests when nothing is due."""


def site_app(hub: "Hub", section: ServeSection) -> ASGIApp:
    """Return the app of the site's web services.

    Raises:
        MisconfiguredError: a secret or a certificate is missing.
    """
    site, wanted = hub.site, hub.site.model.on_demand_read
    receive = receiver_of(hub, section)
    return cim_app(
        receive_event=receive,
        clients=clients_of(site, section),
        now=hub.now,
        machine_now=hub.machine_now,
        edition=section.edition,
        policy=section.policy,
        source=site.model.site.sender,
        supported=operations_of(site),
        answered=partial(answered, hub) if wanted else lambda _call, _reply: None,
        bulk=bulk_of(hub, section),
        noted=partial(noted, hub),
    )


def operations_of(site: Site) -> frozenset[str]:
    """Return the operations that a site takes."""
    return operations(sections_of(site.model), routed(site.model))


def receiver_of(hub: "Hub", section: ServeSection, transaction: Transaction | None = None) -> Receive:
    """Return what takes the site's messages durably, whether a caller or a person's replay hands them in.

    `transaction` stands for the hub's own where a replay is only rehearsed.
    """
    from flows.billing_exchange import readings_arrived

    site, wanted = hub.site, hub.site.model.on_demand_read
    metering = site.model.work.owners.get("metering", "metering")
    return EventReceiver(
        handle=partial(readings_arrived, queue=metering),
        transaction=transaction or hub.transaction,
        now=hub.now,
        machine_now=hub.machine_now,
        edition=section.edition,
        taken=operations_of(site),
        register=partial(on_demand_read.register, policy=policy_of(site)) if wanted else None,
        policies={name: one.policy or section.policy for name, one in section.clients.items()},
        replies={(name, one.address): key for key, one in section.replies.items() for name in one.clients},
        dialects=dialects_of(section),
        owners=site.model.work.owners,
        others=calls_of(hub, section),
        awaited=awaited_of(site, section),
    )


def calls_of(hub: "Hub", section: ServeSection) -> RoutedCalls:
    """Return what takes master data, and what only goes by the site's routes."""
    model = hub.site.model
    return RoutedCalls(
        readers=readers_of(hub, section),
        takes_master_data=model.master_data is not None,
        routed=routed(model),
        policy=master_data_policy(model),
        routes=routes_of(model),
        encode=encoder_of(hub.port, hub.spool),
        rollout=rollout_policy(model) if model.rollout else None,
    )


def bulk_of(hub: "Hub", section: ServeSection, transaction: Transaction | None = None) -> Bulk:
    """Return what takes bodies that are too large to be held: files of the hub's spool."""
    from flows.billing_exchange import readings_arrived

    metering = hub.site.model.work.owners.get("metering", "metering")
    forget_unfinished(hub.spool, hub.machine_now())
    taker = BulkReadings(
        spool=hub.spool,
        handle=partial(readings_arrived, queue=metering),
        transaction=transaction or hub.transaction,
        now=hub.now,
        machine_now=hub.machine_now,
        dialects=dialects_of(section),
        owners=hub.site.model.work.owners,
    )
    return Bulk(hub.spool / FOLDER, taker, section.bulk_limit_bytes)


def clients_of(site: Site, section: ServeSection) -> dict[str, Client]:
    """Return the site's callers with their secrets.

    Raises:
        MisconfiguredError: a secret is not set, or a pinned certificate cannot be read.
    """
    found = {}
    for name, one in section.clients.items():
        path = ("serve", "clients", name)
        pem = b""
        if one.certificate:
            pem = _file(site, str(site.secret(one.certificate, (*path, "certificate"))), (*path, "certificate"))
            if not is_certificate(pem):
                raise _missing(site, path, "a certificate that can be read")
        password = str(site.secret(one.password, (*path, "password")))
        if not (pem if one.tier == "signature" else password):
            raise _missing(site, path, "certificate" if one.tier == "signature" else "password")
        found[name] = Client(password, one.tier, pem, one.replay_detection, one.policy)
    return found


def _file(site: Site, name: str, path: tuple[str, ...]) -> bytes:
    try:
        return (site.folder / name).read_bytes()
    except OSError as error:
        raise _missing(site, path, f"{name}: {error.strerror}") from error


def _missing(site: Site, path: tuple[str, ...], what: str) -> MisconfiguredError:
    from canonical.codes.configuration import SECRET_MISSING

    return MisconfiguredError(f"{'.'.join(path)} needs {what}", code=SECRET_MISSING, where=site.where(path))


def run_requests(hub: "Hub", stop: Event) -> None:
    """Answer asynchronous requests until `stop` is set."""
    while not stop.is_set():
        if not requests_pass(hub):
            stop.wait(IDLE_S)
