"""Requests for readings that come as GetMeterReadings: from the wire to canonical words."""

from collections.abc import Mapping
from typing import Any

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Message
from canonical.metering import ReadingQuestion
from canonical.periods import Period
from canonical.questions import ReadingsAsked, RequestChange
from iec61968 import safe_xml
from iec61968.editions import Edition
from iec61968.envelope import local_name
from iec61968.message_codec import message_from_xml
from iec61968.nouns import get_meter_readings
from iec61968.soap_call import body_of
from iec61968.wire import WireMessage

REPLY = "reply:"
"""What the names of reply destinations begin with."""


def request_from_call(
    raw: bytes, *, caller: str, replies: Mapping[tuple[str, str], str], edition: Edition
) -> Message[Any]:
    """Return what a get, cancel or change of MeterReadings asks of the hub.

    `replies` gives the name of a reply address that the site knows, by (caller, address).

    Raises:
        RejectedError: a foreign or missing reply address, no usage point, no span, or a value that cannot be read.
    """
    wire = message_from_xml(body_of(safe_xml.parse(raw)))
    if wire.header is None:
        raise RejectedError("no Header", code=codes.SCHEMA_INVALID, where="/")
    header = wire.header.canonical(source=caller)
    if header.verb in ("cancel", "change"):
        named = next((one.value for one in wire.request.ids), "") if wire.request else ""
        asked = _asked(wire, "", edition) if header.verb == "change" else None
        return Message(header, RequestChange("change" if asked else "cancel", named, asked))
    return Message(header, _asked(wire, _reply_to(wire, caller, replies), edition))


def _reply_to(wire: WireMessage, caller: str, replies: Mapping[tuple[str, str], str]) -> str:
    """Return the destination of an asynchronous answer, empty where the caller waits.

    Raises:
        RejectedError: the address is not one that the site knows for this caller, whether it would be used or not.
    """
    header = wire.header
    address = header.reply_address if header else ""
    wanted = bool(header and header.async_reply)
    if address and (caller, address) not in replies:
        raise RejectedError(
            "not an address of this caller", code=codes.REPLY_ADDRESS_REFUSED, where="Header/ReplyAddress"
        )
    if wanted and not address:
        raise RejectedError("no ReplyAddress", code=codes.REPLY_ADDRESS_MISSING, where="Header/ReplyAddress")
    return f"{REPLY}{replies[caller, address]}" if wanted else ""


def _asked(wire: WireMessage, reply_to: str, edition: Edition) -> ReadingsAsked:
    """Return the question of a message."""
    request = wire.request
    parts = [part for part in (request.parts if request else ()) if local_name(part) == "GetMeterReadings"]
    if len(parts) != 1 or request is None:
        raise RejectedError("not exactly one GetMeterReadings", code=codes.SCHEMA_INVALID, where="Request")
    question = get_meter_readings.from_xml(parts[0], edition=edition)
    period = question.period
    if period is None and request.start and request.end and request.start <= request.end:
        period = Period(request.start, request.end)
    if period is None or not question.usage_points:
        raise RejectedError(
            "UsagePoint/mRID and a span (Reading/timePeriod, or StartTime and EndTime) are needed",
            code=codes.SCHEMA_INVALID,
            where="Request/GetMeterReadings",
        )
    limit = request.option("MaximumExecutionTime")
    if limit and not (limit.isascii() and limit.isdigit() and int(limit) > 0):
        raise RejectedError(f"{limit!r} is no number of seconds", code=codes.BAD_XML_VALUE, where="Request/Option")
    fresh = question.source.upper() == "METER"
    points = dict.fromkeys(question.usage_points)
    questions = tuple(ReadingQuestion(point, period, question.reason or "inquiry", fresh) for point in points)
    return ReadingsAsked(questions, reply_to, float(limit) if limit else None)
