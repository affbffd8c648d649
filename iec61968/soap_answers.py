"""What an endpoint answers: response messages, and faults with a typed message in their detail."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import ErrorCode, RejectedError
from canonical.ids import mint
from canonical.messages import Reply
from canonical.replies import said_in
from iec61968 import soap, validation
from iec61968.bindings import wrap, wrap_bytes
from iec61968.dialects.reply_codes import reply_code
from iec61968.editions import default_namespace
from iec61968.envelope import ReplyError, WireReply, header_text_of, reply_text, reply_to_xml
from iec61968.soap import FaultSide
from iec61968.soap_call import Call

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


@dataclass(frozen=True, slots=True)
class HttpAnswer:
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
    number, _, name = reply.code.partition(" ")
    if reply.result == "BUSY":
        text = f"{reply.code or '1002 BEING_PROCESSED'}: the same message is being processed"
        return _fault("Server", text, "", call, number or "1002")
    if reply.result == "FAILED" and (number.startswith("1") or call.wire is None):
        return _fault(
            "Client", f"{number} {name}: {reply.reason}", reply.details.get("where", ""), call, number, errors_of(reply)
        )
    said = tuple(errors) or errors_of(reply) or _DONE
    if reply.result != "OK" and said[0].code == "0.0":
        said = (ReplyError(reply_code(number), "FATAL", printable(f"{reply.code}: {reply.reason}")),)
    raw = payload if isinstance(payload, bytes | None) else etree.tostring(payload, encoding="UTF-8", with_tail=False)
    is_done = said is _DONE and reply.result == "OK"
    replied = _DONE_TEXT if is_done else reply_text(WireReply(reply.result, said))
    message = _response(replied, call, source, reply.at or now, raw, properties)
    found = validation.findings(etree.fromstring(message), call.edition) if raw is not None else ()
    if found:
        return _not_said(found[0], call)
    return HttpAnswer(200, wrap_bytes(message, call.binding, operation=call.string_operation, is_answer=True))


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
    """Return a response message around the text of its Reply; its id follows from the request's."""
    noun, edition = call.service.noun, call.edition
    namespace, name = _own(call, "ResponseMessage")
    asked, correlation = (call.wire.message_id, call.wire.correlation_id) if call.wire is not None else ("", "")
    header = header_text_of(
        *("reply", noun, now, source),
        message_id=mint("cim-reply", call.caller or "", asked),
        correlation_id=correlation or NOBODY,
        properties=properties,
    )
    head = f'<{name} xmlns="{namespace}" xmlns:e="{edition.message}"><Header>{header}</Header><Reply>{reply}</Reply>'
    body = () if payload is None else (b"<Payload>", payload, b"</Payload>")
    return b"".join((head.encode(), *body, f"</{name}>".encode()))


def _own(call: Call, suffix: str) -> tuple[str, str]:
    """Return namespace and name of a message that answers a call, in the binding in which the call came."""
    if call.binding == "typed":
        return call.edition.typed_message(call.service.message_noun), f"{call.service.noun}{suffix}"
    return call.edition.message, suffix


def _fault(
    side: FaultSide, text: str, details: str, call: Call, number: str, errors: Sequence[ReplyError] = ()
) -> HttpAnswer:
    """Return a SOAP fault whose detail is the noun's typed fault message; `errors` stand behind its own."""
    edition = call.edition
    namespace, name = _own(call, "FaultMessage")
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
