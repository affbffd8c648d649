"""The web services of a site: its callers, reply addresses and owners, composed into one app and one worker."""

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from lxml import etree
from starlette.applications import Starlette

from canonical.errors import MisconfiguredError
from canonical.messages import Reply
from flows import on_demand_read
from iec61968 import soap_answers
from iec61968.bulk_call import Bulk
from iec61968.message_codec import message_from_xml
from iec61968.security import Client
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_call import Call
from services.cim_bulk import FOLDER, BulkReadings
from services.cim_endpoint import cim_app, event_receiver
from services.cim_events import dialects_of
from services.cim_owners import operations
from services.cim_replies import AnswerEncoder
from services.cim_reply_addresses import reply_peers
from services.site_file import Site
from services.site_model import ServeSection

if TYPE_CHECKING:
    from services.hub import Hub

IDLE_S = 1.0
"""Seconds between two looks for asynchronous requests when nothing is due."""


def site_app(hub: "Hub", section: ServeSection) -> Starlette:
    """Return the app of the site's web services.

    Raises:
        MisconfiguredError: a secret or a certificate is missing.
    """
    from flows.billing_exchange import readings_arrived

    site, wanted = hub.site, hub.site.model.on_demand_read
    metering = site.model.work.owners.get("metering", "metering")
    receive = event_receiver(
        handle=partial(readings_arrived, queue=metering),
        transaction=hub.transaction,
        now=hub.now,
        machine_now=hub.machine_now,
        edition=section.edition,
        taken=operations({"on_demand_read"} if wanted else set()),
        register=partial(on_demand_read.register, policy=policy_of(site)) if wanted else None,
        policies={name: one.policy or section.policy for name, one in section.clients.items()},
        replies={(name, one.address): key for key, one in section.replies.items() for name in one.clients},
        dialects=dialects_of(section),
        owners=site.model.work.owners,
    )
    return cim_app(
        receive_event=receive,
        clients=clients_of(site, section),
        now=hub.now,
        machine_now=hub.machine_now,
        edition=section.edition,
        policy=section.policy,
        source=site.model.site.sender,
        supported=operations({"on_demand_read"} if wanted else set()),
        answered=partial(_answered, hub) if wanted else lambda _call, _reply: None,
        bulk=bulk_of(hub, section),
    )


def bulk_of(hub: "Hub", section: ServeSection) -> Bulk:
    """Return what takes bodies that are too large to be held: files of the hub's spool."""
    from flows.billing_exchange import readings_arrived

    metering = hub.site.model.work.owners.get("metering", "metering")
    taker = BulkReadings(
        spool=hub.spool,
        handle=partial(readings_arrived, queue=metering),
        transaction=hub.transaction,
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


def policy_of(site: Site) -> on_demand_read.Policy:
    """Return what the site allows of on-demand reads; the defaults where it says nothing."""
    own = site.model.on_demand_read
    if own is None:
        return on_demand_read.Policy()
    return on_demand_read.Policy(
        role=own.meter_data,
        sync_limit=own.sync_limit,
        bulk_limit=own.bulk_limit,
        deadline_s=own.deadline_seconds,
        timeout_s=own.timeout_seconds,
        from_store=own.from_store,
    )


def _answered(hub: "Hub", call: Call, reply: Reply) -> HttpAnswer | None:
    """Return the answer to a request for readings: the readings where the caller waits, else that it is taken."""
    say = partial(soap_answers.answer, call=call, source=hub.site.model.site.sender, now=hub.now())
    request_id = reply.details.get("request", "")
    if not request_id:
        return None
    if reply.details.get("reply_to"):
        return say(reply, errors=[soap_answers.TAKEN])
    policy = policy_of(hub.site)
    raw = on_demand_read.answer_now(
        request_id,
        meter_data=hub.port(policy.role),
        encode=AnswerEncoder(reply_peers(hub.site), hub.site.model.site.sender),
        transaction=hub.transaction,
        now=hub.now,
        machine_now=hub.machine_now(),
        policy=policy,
    )
    if raw is None:
        return say(Reply("BUSY", reply.correlation_id))
    stored = message_from_xml(etree.fromstring(raw))
    found = stored.reply
    if found is None:
        return None
    body = next(iter(stored.payload.parts), None)
    told = stored.header.properties if stored.header else ()
    return say(Reply(found.result, reply.correlation_id), payload=body, errors=found.errors, properties=told)


def run_requests(hub: "Hub", stop: Event) -> None:
    """Answer asynchronous requests until `stop` is set."""
    while not stop.is_set():
        if not requests_pass(hub):
            stop.wait(IDLE_S)


def requests_pass(hub: "Hub") -> bool:
    """Answer at most one asynchronous request and end what is overdue; return whether there was any."""
    policy = policy_of(hub.site)
    return on_demand_read.advance(
        meter_data=hub.port(policy.role),
        encode=AnswerEncoder(reply_peers(hub.site), hub.site.model.site.sender),
        transaction=hub.transaction,
        now=hub.now,
        machine_now=hub.machine_now(),
        policy=policy,
    )
