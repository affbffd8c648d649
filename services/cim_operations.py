"""Sets of operations from the wire: each operation becomes the typed message that it would be alone."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Message
from flows.operation_set import Step, Steps
from iec61968.bindings import unwrap, wrap
from iec61968.editions import Edition
from iec61968.inbound import PARTICIPLES, operation_name, service_for
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.validation import require_valid
from iec61968.wire import Operation, WireHeader, WireMessage, WirePayload, WireRequest


def steps_from_call(
    raw: bytes, *, caller: str, edition: Edition, taken: frozenset[str], read: Callable[[bytes], Message[Any]]
) -> Message[Steps]:
    """Return the operations of a set; `read` gives what one typed message means, `taken` are the site's operations.

    Raises:
        RejectedError: there is no header, or no operation.
    """
    wire = message_from_xml(unwrap(raw).message)
    found = wire.payload.operation_set
    if wire.header is None or found is None or not found.operations:
        raise RejectedError("no operations", code=codes.SCHEMA_INVALID, where="Payload/OperationSet")
    steps = tuple(_step(one, wire.header, edition, taken, read) for one in found.operations)
    return Message(wire.header.canonical(source=caller), Steps(steps, found.all_or_nothing))


def _step(
    one: Operation, header: WireHeader, edition: Edition, taken: frozenset[str], read: Callable[[bytes], Message[Any]]
) -> Step:
    """Return one operation, or why it cannot be done."""
    where = f"OperationSet/Operation[operationId={one.operation_id}]"
    try:
        return Step(one.operation_id, read(_typed(one, header, edition, taken, where)))
    except RejectedError as error:
        return Step(one.operation_id, None, error)


def _typed(one: Operation, header: WireHeader, edition: Edition, taken: frozenset[str], where: str) -> bytes:
    """Return an operation as the bytes of the typed message that it would be by itself."""
    service = service_for(one.verb, one.noun)
    name = operation_name(one.verb, service)
    if name not in taken or one.verb == "get":
        raise RejectedError(f"nothing takes {name} in a set", code=codes.NOT_SUPPORTED_HERE, where=where)
    root = _alone(one, name, header, edition, service.message_noun)
    require_valid(root, edition, where=where)
    return wrap(root, "typed")


def _alone(one: Operation, name: str, header: WireHeader, edition: Edition, typed: str) -> etree._Element:
    """Return an operation as the typed message that it would be by itself."""
    identity = mint("operation", header.source, header.message_id, one.operation_id)
    own = WireHeader(one.verb, typed, identity, header.correlation_id, header.timestamp, source=header.source)
    body = (one.body,) if one.body is not None else ()
    if one.verb in PARTICIPLES or not any(etree.QName(part).localname.startswith("Get") for part in body):
        message = WireMessage("event", own, name, payload=WirePayload(body))
    else:
        message = WireMessage("request", own, name, WireRequest(parts=body))
    return message_to_xml(message, edition=edition, typed=typed)
