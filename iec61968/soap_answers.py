"""What an endpoint answers: response messages, and faults with a typed message in their detail."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, cast

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import ErrorCode, RejectedError
from canonical.ids import mint
from canonical.messages import Reply
from canonical.replies import said_in
from iec61968 import safe_xml, soap, validation
from iec61968.bindings import wrap, wrap_bytes
from iec61968.dialects.reply_codes import reply_code
from iec61968.editions import EDITIONS, Edition, default_namespace
from iec61968.envelope import (
    ReplyError,
    Result,
    WireReply,
    fixed_text,
    id_text,
    properties_text,
    reply_text,
    reply_to_xml,
)
from iec61968.services_spoken import SERVICES, Service
from iec61968.soap import FaultSide
from iec61968.soap_call import Call
from iec61968.xml_text import header_instant

log = logging.getLogger(__name__)

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Correlation id of an answer to a message that stated none (only with a tolerant policy)."""

_STATUS = {"1112": 401, "1143": 401, "1144": 401, "1103": 413, "1002": 503}
"""HTTP status by our error number; a fault is 500 otherwise (SOAP 1.1, 6.2)."""

_KEPT = {9: 9, 10: 10, 13: 13}
_UNPRINTABLE = {code: " " for code in range(32) if code not in _KEPT} | {0xFFFE: " ", 0xFFFF: " "}


TAKEN = ReplyError("0.3", "INFORM")
"""Simple acknowledgement: the answer follows by itself."""

_DONE = (ReplyError("0.0", "INFORM"),)
_DONE_TEXT = reply_text(WireReply("OK", _DONE))
"""What nearly every answer says."""


class HttpAnswer(NamedTuple):
    """Status and body to send back."""

    status: int
    body: bytes


def answer(
    reply: Reply,
    call: Call,
    *,
    source: str,
    now: datetime,
    payload: etree._Element | bytes | None = None,
    errors: Sequence[ReplyError] = (),
    properties: Sequence[tuple[str, str]] = (),
) -> HttpAnswer:
    """Return the answer to a call that the hub has taken, refused, or is still working on.

    OK and business refusals are response messages. What was wrong with the message itself (numbers 1xxx) is a fault:
    Client, or Server where the same message may succeed later. `payload`, an element or its bytes, and `errors`, an
    Error for each object that failed, are what a question was answered with; what would not be valid is not sent.
    """
    if reply.result == "OK" and not errors and not reply.details:
        replied = _DONE_TEXT
    else:
        refused = _refused(reply, call)
        if refused is not None:
            return refused
        replied = _reply_text(reply, errors)
    raw = payload
    if raw is not None and not isinstance(raw, bytes):
        raw = etree.tostring(raw, encoding="UTF-8", with_tail=False)
    message = _response(replied, call, source, reply.at or now, raw, properties)
    found = validation.findings(safe_xml.own_tree(message), call.edition) if raw is not None else ()
    if found:
        return _not_said(found[0], call)
    return HttpAnswer(200, wrap_bytes(message, call.binding, operation=call.string_operation, is_answer=True))


def _refused(reply: Reply, call: Call) -> HttpAnswer | None:
    """Return the fault for a call that is being processed, or whose message was wrong; None where it is neither."""
    number, _, name = reply.code.partition(" ")
    if reply.result == "BUSY":
        text = f"{reply.code or '1002 BEING_PROCESSED'}: the same message is being processed"
        return _fault("Server", text, "", call, number or "1002")
    if reply.result == "FAILED" and (number.startswith("1") or call.wire is None):
        return _fault(
            "Client", f"{number} {name}: {reply.reason}", reply.details.get("where", ""), call, number, errors_of(reply)
        )
    return None


def _reply_text(reply: Reply, errors: Sequence[ReplyError]) -> str:
    """Return the parts of the Reply of a call that was taken, or refused for what it asks."""
    said = tuple(errors) or errors_of(reply) or _DONE
    if reply.result != "OK" and said[0].code == "0.0":
        number = reply.code.partition(" ")[0]
        said = (ReplyError(reply_code(number), "FATAL", printable(f"{reply.code}: {reply.reason}")),)
    return reply_text(WireReply(cast("Result", reply.result), said))


def _not_said(found: validation.Finding, call: Call) -> HttpAnswer:
    """Return the fault that stands for an answer which would have broken its schema: the mistake is ours."""
    log.error("the answer to %s is not valid at %s", call.operation, found.xpath)
    return _fault("Server", f"{codes.EXPORT_IMPOSSIBLE}: the answer is not valid", str(found), call, "1002")


def errors_of(reply: Reply) -> tuple[ReplyError, ...]:
    """Return an Error for each object and each operation that a reply's details name."""
    if not reply.details:
        return ()
    return tuple(
        ReplyError(
            reply_code(one.code.partition(" ")[0]),
            "FATAL",
            printable(f"{one.code}: {one.reason}")[:500],
            object_id=printable(one.object_id),
            object_type=one.object_type,
            operation_id=one.operation_id,
        )
        for one in said_in(reply.details)
    )


def refusal(error: RejectedError, call: Call) -> HttpAnswer:
    """Return the fault for a call that was refused before anything took it."""
    return _fault("Client", f"{error.code}: {error.reason}", error.where, call, error.code.number)


def unavailable(code: ErrorCode, call: Call) -> HttpAnswer:
    """Return the fault that asks the sender to try again: nothing was taken."""
    return _fault("Server", f"{code}: try again later", "", call, "1002")


def _response(
    reply: str,
    call: Call,
    source: str,
    now: datetime,
    payload: bytes | None,
    properties: Sequence[tuple[str, str]],
) -> bytes:
    """Return a response message around the text of its Reply; its id follows from the request's.

    Raises:
        RejectedError: the request's CorrelationID, which a tolerant endpoint takes as it is, is no UUID.
    """
    frame = _frame(call.service.name, call.edition.name, call.binding == "typed", source)
    asked, correlation = call.ids
    own = mint("cim-reply", call.caller or "", asked)
    # What was read as plain is a UUID; a tolerant endpoint takes other texts, which cannot be said again.
    same = (
        f"<e:CorrelationID>{correlation}</e:CorrelationID>"
        if call.plain
        else id_text("CorrelationID", correlation or NOBODY)
    )
    more = properties_text(properties) if properties else ""
    head = (
        f"{frame.begins}{header_instant(now)}{frame.who}{own}</e:MessageID>{same}{more}</Header><Reply>{reply}</Reply>"
    )
    said = (b"<Payload>", payload, b"</Payload>") if payload is not None else ()
    return b"".join((head.encode(), *said, frame.ends))


class _Frame(NamedTuple):
    """What stands in every response of a service: before the instant, behind it, and at the end."""

    begins: str
    who: str
    ends: bytes


@lru_cache(maxsize=1024)
def _frame(service: str, edition: str, is_typed: bool, source: str) -> _Frame:
    """Return what all responses of a service have in common; services and editions by their names."""
    about, spoken = SERVICES[service], EDITIONS[edition]
    namespace, name = _named(about, spoken, is_typed, "ResponseMessage")
    what, who = fixed_text("reply", about.noun, source, "")
    return _Frame(
        f'<{name} xmlns="{namespace}" xmlns:e="{spoken.message}"><Header>{what}<e:Timestamp>',
        f"</e:Timestamp>{who}<e:MessageID>",
        f"</{name}>".encode(),
    )


def _named(service: Service, edition: Edition, is_typed: bool, suffix: str) -> tuple[str, str]:
    """Return namespace and name of a message that answers a call, in the binding in which the call came."""
    if is_typed:
        return edition.typed_message(service.message_noun), f"{service.noun}{suffix}"
    return edition.message, suffix


def _fault(
    side: FaultSide, text: str, details: str, call: Call, number: str, errors: Sequence[ReplyError] = ()
) -> HttpAnswer:
    """Return a SOAP fault whose detail is the noun's typed fault message; `errors` stand behind its own."""
    edition = call.edition
    namespace, name = _named(call.service, edition, call.binding == "typed", "FaultMessage")
    error = ReplyError(reply_code(number), "FATAL", printable(text), printable(details))
    root = etree.Element(f"{{{namespace}}}{name}", nsmap=default_namespace(namespace))
    root.append(reply_to_xml(WireReply("FAILED", (error, *errors)), edition=edition, namespace=namespace))
    status = 503 if side == "Server" else _STATUS.get(number, 500)
    if call.binding in ("bare", "string"):
        # A caller that speaks no SOAP faults reads the fault message where its answer would be.
        return HttpAnswer(status, wrap(root, call.binding, operation=call.string_operation, is_answer=True))
    return HttpAnswer(status, soap.fault(side, printable(text), root))


def printable(text: str) -> str:
    """Return a text that XML can hold, cut to what a person reads."""
    return text.translate(_UNPRINTABLE).encode("utf-8", "replace").decode("utf-8")[:2000]
