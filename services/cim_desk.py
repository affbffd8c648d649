"""Requests for readings at this site: who carries them out, and what a caller is told of one that was taken."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lxml import etree

from canonical.messages import Reply
from flows import message_findings, on_demand_read
from flows.awaited_readings import part_arrived
from flows.on_demand_read import Desk
from iec61968 import soap_answers
from iec61968.message_codec import message_from_xml
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_call import Call
from services.cim_answers import SiteAnswers, pack, unpack
from services.cim_replies import AnswerEncoder
from services.cim_reply_addresses import reply_peers
from services.site_file import Site
from services.site_model import ServeSection

if TYPE_CHECKING:
    from services.hub import Hub


def policy_of(site: Site) -> on_demand_read.Policy:
    """Return what the site allows of on-demand reads; the defaults where it says nothing."""
    own = site.model.on_demand_read
    if own is None:
        return on_demand_read.Policy()
    return on_demand_read.Policy(
        role=own.meter_data,
        sync_limit=own.sync_limit,
        bulk_limit=own.bulk_limit,
        pending_limit=own.pending_limit,
        deadline_s=own.deadline_seconds,
        timeout_s=own.timeout_seconds,
        from_store=own.from_store,
        coalesce_s=own.coalesce_seconds,
        search_attempts=own.search_attempts,
        search_interval_s=own.search_interval_seconds,
    )


def desk_of(hub: "Hub") -> Desk:
    """Return what carries out the site's requests for readings."""
    policy = policy_of(hub.site)
    answers = SiteAnswers(AnswerEncoder(reply_peers(hub.site), hub.site.model.site.sender), hub.spool)
    return Desk(
        hub.meter_data(policy.role),
        answers,
        hub.transaction,
        hub.now,
        hub.machine_now(),
        policy,
        open_answer=answers.open,
        unpack=unpack,
    )


def awaited_of(site: Site, section: ServeSection) -> Callable[..., Reply | None]:
    """Return what takes readings that answer a question of the hub's own: from the role, where it is a caller."""
    role = policy_of(site).role
    sources = {role} if role in section.clients else set(section.clients)
    return partial(part_arrived, pack=pack, sources=sources)


def answered(hub: "Hub", call: Call, reply: Reply) -> HttpAnswer | None:
    """Return the answer to a request for readings: the readings where the caller waits, else that it is taken.

    A repeat gets the first answer, byte for byte: it bears the time at which it was given.
    """
    say = partial(soap_answers.answer, call=call, source=hub.site.model.site.sender, now=hub.now())
    if reply.details.get("of"):
        objects = f"{reply.details['cancelled_objects']}/{reply.details['of_objects']}"
        counts = (("Cancelled", f"{reply.details['cancelled']}/{reply.details['of']}"), ("CancelledObjects", objects))
        return say(reply, properties=counts)
    request_id = reply.details.get("request", "")
    if not request_id:
        return None
    if reply.details.get("reply_to"):
        return say(reply, errors=[soap_answers.TAKEN])
    raw = on_demand_read.answer_now(request_id, desk=desk_of(hub))
    if raw is None:
        return say(Reply("BUSY", reply.correlation_id))
    stored = message_from_xml(etree.fromstring(raw))
    found, header = stored.reply, stored.header
    if found is None or header is None:
        return None
    body = next(iter(stored.payload.parts), None)
    given = Reply(found.result, reply.correlation_id, at=header.timestamp)
    return say(given, payload=body, errors=found.errors, properties=header.properties)


def noted(hub: "Hub", call: Call) -> bool:
    """Count where a message that was taken breaks the standard; return whether that is news."""
    return message_findings.note(
        source=call.caller or "",
        message_id=call.header.message_id if call.header else "",
        operation=call.operation,
        places=[one.xpath for one in call.reported],
        transaction=hub.transaction,
        now=hub.now(),
    )


def requests_pass(hub: "Hub") -> bool:
    """Answer at most one asynchronous request and end what is overdue; return whether there was any."""
    return on_demand_read.advance(desk=desk_of(hub))
