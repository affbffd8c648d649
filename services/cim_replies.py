"""Answers to requests for readings: response messages, told to who waits or carried to the caller's reply address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import HubError, RejectedError
from canonical.messages import Message, Outcome, Parcel
from canonical.questions import ReadingsAnswer, Unanswered
from iec61968 import split_delivery
from iec61968.canonical_nouns.readings import columns_from_readings
from iec61968.dialects.reply_codes import is_retryable, reply_code
from iec61968.editions import EDITIONS
from iec61968.envelope import ReplyError, WireReply
from iec61968.message_client import Peer, answer_of, post, require_answer_to, send
from iec61968.message_writer import message_to_xml
from iec61968.nouns import meter_readings
from iec61968.spooled_message import SpooledBody
from iec61968.wire import WireHeader, WireMessage, WirePayload
from services.clock import machine_now

NAME = "MeterReadingsResponseMessage"
ACTION = "ReplyMeterReadings"


@dataclass(frozen=True, slots=True)
class AnswerEncoder:
    """Says answers as response messages, in the edition and binding of whoever gets them."""

    peers: Mapping[str, Peer]
    """By the name of the reply destination."""

    sender: str

    def __call__(self, message: Message[ReadingsAnswer], *, reply_to: str) -> Parcel:
        """Return the answer as a message element's bytes; generic and 2011 for a caller who waits."""
        peer = self.peers.get(reply_to) or Peer("", EDITIONS["2011"], "bare")
        typed = "MeterReadings" if peer.binding == "typed" else ""
        root = message_to_xml(self.wire(message, peer), edition=peer.edition, typed=typed, packed=peer.packed)
        raw = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        return Parcel(
            name=NAME,
            content_type="text/xml; charset=utf-8",
            sha256=sha256(raw).hexdigest(),
            size=len(raw),
            body=raw,
            key=message.header.message_id,
            confirm_name=message.header.correlation_id,
        )

    def wire(self, message: Message[ReadingsAnswer], peer: Peer) -> WireMessage:
        """Return the response message of an answer: an Error for each object that failed."""
        found, header = message.payload, message.header
        errors = (*_follows(found), *(_error(one) for one in found.unanswered))
        told = (("AnswerSource", found.source),) if found.source else ()
        as_of = (("AsOf", found.as_of.isoformat()),) if found.as_of else ()
        index = ((split_delivery.PROPERTY, "{}/{}".format(*found.part)),) if found.part else ()
        late = (("Late", "true"),) if found.late else ()
        columns = [columns_from_readings(one, manufacturer="") for one in found.readings]
        body = (meter_readings.to_xml(columns, edition=peer.edition),) if columns else ()
        return WireMessage(
            "response",
            WireHeader(
                verb="reply",
                noun="MeterReadings",
                message_id=header.message_id,
                correlation_id=header.correlation_id,
                timestamp=header.created_at,
                source=self.sender,
                properties=(*told, *as_of, *index, *late),
            ),
            NAME,
            reply=WireReply(found.result, errors or (ReplyError("0.0", "INFORM"),)),
            payload=WirePayload(body),
        )


def _follows(found: ReadingsAnswer) -> tuple[ReplyError, ...]:
    """Return what says whether further parts follow, or that this is the last of several and not everything came."""
    if found.more:
        return (ReplyError("0.1", "INFORM", "more follows in separate messages"),)
    if found.last_of_several and found.result != "OK":
        return (ReplyError("0.2", "INFORM", "nothing more follows"),)
    return ()


def _error(one: Unanswered) -> ReplyError:
    """Return the Error that says of one object why it has no answer."""
    code = reply_code(one.code.partition(" ")[0])
    return ReplyError(code, "FATAL", f"{one.code}: {one.reason}"[:500], "", one.object_id, "UsagePoint")


class ReplyAddress:
    """One reply address as a destination of the relay (canonical.ports.Destination)."""

    def __init__(self, peer: Peer) -> None:
        """Keep where it is; nothing is connected before it is used."""
        self._peer = peer

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Refuse: answers are encoded by `AnswerEncoder` when they are decided.

        Raises:
            RejectedError: always.
        """
        raise RejectedError("only answers go to a reply address", code=codes.EXPORT_IMPOSSIBLE)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Bring answers over, in order; the other side's Result OK confirms."""
        return [self._tell(parcel, spool, timeout_s) for parcel in parcels]

    def _tell(self, parcel: Parcel, spool: Path, timeout_s: float) -> Outcome:
        peer = self._peer
        action = peer.edition.soap_action("MeterReadings", ACTION) if peer.binding == "typed" else ""
        try:
            if parcel.path:
                raw = send(peer, SpooledBody(spool / parcel.path, peer), action=action, timeout_s=timeout_s)
            else:
                root = etree.fromstring(parcel.body or b"")
                raw = post(peer, root, action=action, timeout_s=timeout_s, machine_now=machine_now())
            answer = answer_of(raw, peer)
            require_answer_to(answer, parcel.confirm_name, peer)
        except RejectedError as error:
            return Outcome("rejected", str(error.code), error.reason)
        except HubError as error:
            return Outcome("unavailable", str(error.code), error.reason)
        return _outcome_of(answer.reply)


def _outcome_of(reply: WireReply | None) -> Outcome:
    """Return what an answer to an answer means: OK confirms, a refusal that says "later" is worth another try."""
    if reply is not None and reply.result == "OK":
        return Outcome("confirmed")
    said = " ".join([reply.result, *(error.code for error in reply.errors)]) if reply else "no Reply"
    if reply is not None and any(is_retryable(error.code) for error in reply.errors):
        return Outcome("unavailable", str(codes.PARTNER_AWAY), said)
    return Outcome("rejected", str(codes.PARTNER_REFUSED), said)
