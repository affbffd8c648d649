"""Requests for readings that come as GetMeterReadings: from the wire to canonical words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from canonical.codes import message as codes
from canonical.codes.exchange import READING_TYPE_UNKNOWN
from canonical.errors import RejectedError
from canonical.messages import Message
from canonical.metering import ReadingQuestion
from canonical.periods import Period
from canonical.questions import ReadingsAsked, RequestChange
from iec61968 import safe_xml
from iec61968.bindings import body_of
from iec61968.dialects.reading_types import reading_type_code
from iec61968.editions import Edition
from iec61968.envelope import local_name
from iec61968.message_codec import message_from_xml
from iec61968.nouns import get_meter_readings
from iec61968.nouns.scalars import instant, microseconds
from iec61968.wire import WireMessage, WireRequest
from services.cim_subjects import named_in

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
        named = tuple(one.value for one in wire.request.ids) if wire.request else ()
        if header.verb == "cancel":
            return Message(header, RequestChange("cancel", named))
        return Message(header, RequestChange("change", named[:1], _asked(wire, "", edition)))
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
    """Return the question of a message: every usage point for every span and purpose."""
    request = wire.request
    parts = [part for part in (request.parts if request else ()) if local_name(part) == "GetMeterReadings"]
    if len(parts) != 1 or request is None:
        raise RejectedError("not exactly one GetMeterReadings", code=codes.SCHEMA_INVALID, where="Request")
    question = get_meter_readings.from_xml(parts[0], edition=edition)
    whole = Period(request.start, request.end) if request.start and request.end and _in_order(request) else None
    types = tuple(dict.fromkeys(map(_reading_type, question.reading_types)))
    points = [point for point in dict.fromkeys(question.usage_points) if point]
    objects = tuple(named_in(parts[0]))
    questions, named = [], []
    for one in question.wanted:
        period = one.period or whole
        if period is None or not (points or objects):
            raise RejectedError(
                "UsagePoint or EndDevice, and a span (Reading/timePeriod, or StartTime and EndTime) are needed",
                code=codes.SCHEMA_INVALID,
                where="Request/GetMeterReadings",
            )
        kind = (period, one.reason or "inquiry", one.source.upper() == "METER", types)
        questions += [ReadingQuestion(point, *kind) for point in points]
        named += [(one, ReadingQuestion("", *kind)) for one in objects]
    return ReadingsAsked(
        tuple(questions),
        reply_to,
        _limit(request),
        _instant(wire, "ScheduleTime"),
        _instant(wire, "MaxScheduleTime"),
        "high" if _said(wire, "Priority").lower() == "high" else "normal",
        tuple(named),
    )


def _in_order(request: WireRequest) -> bool:
    return bool(request.start and request.end and request.start <= request.end)


def _reading_type(ref: str) -> str:
    """Return the eighteen numbers of a reading type that is asked for.

    Raises:
        RejectedError: neither a code nor an alias (READING_TYPE_UNKNOWN).
    """
    code = reading_type_code(ref)
    if code is None:
        raise RejectedError(repr(ref), code=READING_TYPE_UNKNOWN, where="Request/GetMeterReadings/ReadingType")
    return code


def _limit(request: WireRequest) -> float | None:
    """Return the seconds that the caller gives the request."""
    limit = request.option("MaximumExecutionTime")
    if limit and not (limit.isascii() and limit.isdigit() and int(limit) > 0):
        raise RejectedError(f"{limit!r} is no number of seconds", code=codes.BAD_XML_VALUE, where="Request/Option")
    return float(limit) if limit else None


def _said(wire: WireMessage, name: str) -> str:
    """Return what an Option of the Request, or else a Property of the Header, says."""
    option = wire.request.option(name) if wire.request else ""
    return (option or (wire.header.property(name) if wire.header else "")).strip()


def _instant(wire: WireMessage, name: str) -> datetime | None:
    """Return the instant that an Option or Property says.

    Raises:
        RejectedError: it is no instant with an offset.
    """
    text = _said(wire, name)
    if not text:
        return None
    try:
        return instant(microseconds(text))
    except ValueError as error:
        raise RejectedError(
            f"{name} {text!r} is no instant with an offset", code=codes.BAD_XML_VALUE, where="Request/Option"
        ) from error
