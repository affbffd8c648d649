"""Answers to requests for readings: response messages, told to who waits or carried to the caller's reply address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import HubError, RejectedError, UnavailableError
from canonical.messages import Message, Outcome, Parcel
from canonical.questions import ReadingsAnswer, Unanswered
from iec61968.canonical_nouns.readings import columns_from_readings
from iec61968.dialects.reply_codes import reply_code
from iec61968.editions import EDITIONS
from iec61968.envelope import ReplyError, WireReply
from iec61968.message_client import Peer, answer_of, post
from iec61968.message_writer import message_to_xml
from iec61968.nouns import meter_readings
from iec61968.wire import WireHeader, WireMessage, WirePayload

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
        root = message_to_xml(self._wire(message, peer), edition=peer.edition, typed=typed)
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

    def _wire(self, message: Message[ReadingsAnswer], peer: Peer) -> WireMessage:
        """Return the response message of an answer: an Error for each object that failed."""
        found, header = message.payload, message.header
        errors = tuple(_error(one) for one in found.unanswered)
        told = (("AnswerSource", found.source),) if found.source else ()
        as_of = (("AsOf", found.as_of.isoformat()),) if found.as_of else ()
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
                properties=(*told, *as_of),
            ),
            NAME,
            reply=WireReply(found.result, errors or (ReplyError("0.0", "INFORM"),)),
            payload=WirePayload(body),
        )


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
        return [self._tell(parcel, timeout_s) for parcel in parcels]

    def _tell(self, parcel: Parcel, timeout_s: float) -> Outcome:
        peer = self._peer
        action = peer.edition.soap_action("MeterReadings", ACTION) if peer.binding == "typed" else ""
        try:
            raw = post(peer, etree.fromstring(parcel.body or b""), action=action, timeout_s=timeout_s)
            reply = answer_of(raw, peer).reply
        except RejectedError as error:
            return Outcome("rejected", str(error.code), error.reason)
        except UnavailableError as error:
            return Outcome("unavailable", str(error.code), error.reason)
        except HubError as error:
            return Outcome("unavailable", str(error.code), error.reason)
        if reply is not None and reply.result == "OK":
            return Outcome("confirmed")
        return Outcome("rejected", str(codes.PARTNER_REFUSED), reply.result if reply else "no Reply")
