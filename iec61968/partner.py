"""One partner that is told things: messages as parcels, parcels over the line, replies as outcomes. No state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from lxml import etree
from requests import Session

from canonical.codes import message as codes
from canonical.errors import HubError, RejectedError, UnavailableError
from canonical.messages import Message, Outcome, Parcel
from iec61968 import safe_xml, validation
from iec61968.canonical_nouns.outgoing import IMPERATIVES, Speech, outgoing
from iec61968.envelope import local_name
from iec61968.message_client import Peer, answer_or_fault, line, post, reach, refusal
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.partner_replies import ALREADY, outcome_of
from iec61968.soap import SoapFault
from iec61968.soap_call import OPERATION_SET
from iec61968.wire import WireHeader, WireMessage


@dataclass(frozen=True, slots=True)
class Partner:
    """Where a partner is, how it is spoken to, and what its replies mean."""

    peer: Peer
    """Its address is the base below which typed services stand, or the one address of any other binding."""

    speech: Speech
    urls: Mapping[str, str] = field(default_factory=dict)
    """Address of a service such as `ExecuteMeterConfig` where it is not below the base."""

    already: Mapping[str, Sequence[str]] = field(default_factory=lambda: ALREADY)
    """Codes by which it says that what was asked holds already, by verb."""

    machine_now: Callable[[], datetime] | None = None
    """The machine's time, for tokens and signatures."""


def parcel_of(message: Message[Any], partner: Partner) -> Parcel:
    """Return a message as the bytes of its message element in the partner's edition and binding.

    Raises:
        RejectedError: it cannot be said, or what would be said breaks its schema.
    """
    return parcel_around(outgoing(message, partner.speech), partner, key=message.header.message_id)


def parcel_around(wire: WireMessage, partner: Partner, *, key: str) -> Parcel:
    """Return a whole message as bytes; `key` is the delivery's.

    Raises:
        RejectedError: what would be said breaks its schema.
    """
    header = _header(wire)
    edition = partner.speech.edition
    is_typed = partner.peer.binding == "typed" and wire.payload.operation_set is None  # a set has no typed message
    root = message_to_xml(wire, edition=edition, typed=header.noun if is_typed else "")
    validation.require_valid(root, edition, where="message to send")
    raw = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return Parcel(
        name=wire.name,
        content_type="text/xml; charset=utf-8",
        sha256=sha256(raw).hexdigest(),
        size=len(raw),
        body=raw,
        key=key,
        confirm_name=header.correlation_id,
    )


def tell(parcels: Sequence[Parcel], partner: Partner, *, timeout_s: float) -> list[Outcome]:
    """Bring parcels over, in order and by one line; an outside failure is an outcome, not raised.

    The partner's Result OK confirms a parcel. The line is opened again where the partner closes it in between.
    """
    with line() as kept:
        return [_tell(parcel, partner, kept, timeout_s=timeout_s) for parcel in parcels]


def _tell(parcel: Parcel, partner: Partner, kept: Session, *, timeout_s: float) -> Outcome:
    """Bring one parcel over."""
    try:
        root = safe_xml.parse(parcel.body or b"", limits=partner.peer.limits, where=parcel.name)
        wire = message_from_xml(root, limits=partner.peer.limits)
        header = _header(wire)
        peer = _peer_for(header, partner)
        action = peer.edition.soap_action(header.noun, _operation(header, root)) if peer.binding == "typed" else ""
        now = partner.machine_now() if partner.machine_now is not None else None
        raw = post(peer, root, action=action, timeout_s=timeout_s, machine_now=now, kept=kept)
        return _judged(raw, peer, wire, partner)
    except RejectedError as error:
        return Outcome("rejected", str(error.code), error.reason)
    except HubError as error:
        return Outcome("unavailable", str(error.code), error.reason)


def _judged(raw: bytes, peer: Peer, wire: WireMessage, partner: Partner) -> Outcome:
    """Return what an answer to a message means."""
    header = _header(wire)
    said, noun = _said(wire)
    verb = IMPERATIVES.get(said, said)
    already = partner.already if noun == "MasterDataLinkageConfig" else None
    answer = answer_or_fault(raw, peer)
    if isinstance(answer, SoapFault):
        if answer.reply is not None and answer.reply.errors and answer.side == "Client":
            return outcome_of(answer.reply, verb=verb, already=already)
        found = refusal(answer, peer)
        state: Any = "unavailable" if isinstance(found, UnavailableError) else "rejected"
        return Outcome(state, str(found.code), found.reason)
    if answer.header is not None and answer.header.correlation_id != header.correlation_id:
        raise RejectedError("the answer is to another message", code=codes.CORRELATION_MISMATCH, where=peer.place)
    reference = answer.header.message_id if answer.header is not None else ""
    return outcome_of(answer.reply, verb=verb, reference=reference, already=already)


def ping(partner: Partner, services: Sequence[str]) -> list[str]:
    """Return one line for each address behind which one of the services stands.

    Raises:
        UnavailableError: it does not answer.
        MisconfiguredError: its certificate is not the pinned one.
    """
    addresses = dict.fromkeys(address_of(service, partner) for service in services)
    return [f"{url} answers HTTP {reach(replace(partner.peer, url=url), timeout_s=10.0)}" for url in addresses]


def _peer_for(header: WireHeader, partner: Partner) -> Peer:
    """Return the partner at the service that takes a message: commands to its Execute, events to its Receive."""
    kind = "Receive" if header.verb in IMPERATIVES else "Execute"
    return replace(partner.peer, url=address_of(f"{kind}{header.noun}", partner))


def address_of(service: str, partner: Partner) -> str:
    """Return where a service stands."""
    if service in partner.urls:
        return partner.urls[service]
    base = partner.peer.url
    return f"{base.rstrip('/')}/{service}" if partner.peer.binding == "typed" else base


def _operation(header: WireHeader, root: etree._Element) -> str:
    """Return the operation that a message means to a typed service."""
    return OPERATION_SET if header.noun == "OperationSet" else local_name(root)


def _said(wire: WireMessage) -> tuple[str, str]:
    """Return verb and noun of what a message says; of a set those of its operations where all have the same."""
    header, several = _header(wire), wire.payload.operation_set
    words = {(one.verb, one.noun) for one in several.operations} if several is not None else set()
    return words.pop() if len(words) == 1 else (header.verb, header.noun)


def _header(wire: WireMessage) -> WireHeader:
    if wire.header is None:
        raise RejectedError("a message to send needs a Header", code=codes.EXPORT_IMPOSSIBLE)
    return wire.header
