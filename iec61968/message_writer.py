"""Messages of IEC 61968-100 as XML, typed or generic: strict in ids, timestamps and order, never an extension."""

import re
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968.compression import compress
from iec61968.editions import Edition, default_namespace
from iec61968.envelope import VERBS, reply_to_xml
from iec61968.wire import OperationSet, WireHeader, WireId, WireMessage, WirePayload, WireRequest

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMES = {"request": "RequestMessage", "response": "ResponseMessage", "event": "EventMessage", "fault": "FaultMessage"}


def message_to_xml(message: WireMessage, *, edition: Edition, typed: str = "", packed: bool = False) -> etree._Element:
    """Return a message as an element; parts given as elements are copied.

    `typed` is the noun of the typed messages, such as `GetMeterReadings`; then the root is named `message.name`.
    Without it the message is generic. `packed` sends the payload compressed.

    Raises:
        RejectedError: an id is no UUID, the timestamp is missing, or the verb is unknown: the strict form forbids it.
    """
    namespace = edition.typed_message(typed) if typed else edition.message
    name = message.name if typed else _NAMES[message.kind]
    root = etree.Element(f"{{{namespace}}}{name}", nsmap=default_namespace(namespace))
    if message.header is not None:
        root.append(_header(message.header, edition, namespace))
    elif message.kind != "fault":
        raise RejectedError("no Header", code=codes.EXPORT_IMPOSSIBLE, where=name)
    if message.request is not None:
        own = namespace if typed.startswith("Get") else edition.message
        root.append(_request(message.request, edition, namespace, own))
    if message.reply is not None:
        root.append(reply_to_xml(message.reply, edition=edition, namespace=namespace))
    if message.payload != WirePayload():
        root.append(_payload(message.payload, edition, namespace, packed=packed))
    return root


def _header(header: WireHeader, edition: Edition, namespace: str) -> etree._Element:
    """Return the Header in schema order."""
    for name, value in (("MessageID", header.message_id), ("CorrelationID", header.correlation_id)):
        if not _UUID.fullmatch(value):
            raise RejectedError(f"{name} {value!r} is not a UUID", code=codes.EXPORT_IMPOSSIBLE, where="Header")
    if header.timestamp is None:
        raise RejectedError("no timestamp", code=codes.EXPORT_IMPOSSIBLE, where="Header")
    if header.verb not in VERBS:
        raise RejectedError(f"verb {header.verb!r}", code=codes.EXPORT_IMPOSSIBLE, where="Header/Verb")
    root = etree.Element(f"{{{namespace}}}Header", nsmap=default_namespace(namespace, e=edition.message))
    own = edition.message
    _texts(root, own, (("Verb", header.verb), ("Noun", header.noun), ("Revision", header.revision)))
    if header.nonce and header.nonce_created is not None:
        replay = etree.SubElement(root, f"{{{own}}}ReplayDetection")
        _texts(replay, own, (("Nonce", header.nonce), ("Created", _text(header.nonce_created))))
    _texts(
        root,
        own,
        (
            ("Context", header.context),
            ("Timestamp", _text(header.timestamp)),
            ("Source", header.source),
            ("AsyncReplyFlag", _flag(header.async_reply)),
            ("ReplyAddress", header.reply_address),
            ("AckRequired", _flag(header.ack_required)),
        ),
    )
    if header.user:
        user = etree.SubElement(root, f"{{{own}}}User")
        _texts(user, own, (("UserID", header.user), ("Organization", header.organization)))
    ids = (("MessageID", header.message_id), ("CorrelationID", header.correlation_id), ("Comment", header.comment))
    _texts(root, own, ids)
    for name, value in header.properties:
        _texts(etree.SubElement(root, f"{{{own}}}Property"), own, (("Name", name), ("Value", value)))
    return root


def _request(request: WireRequest, edition: Edition, namespace: str, own: str) -> etree._Element:
    """Return the Request; a query's own Request type keeps its children in the typed namespace."""
    root = etree.Element(f"{{{namespace}}}Request", nsmap=default_namespace(namespace, e=edition.message))
    _texts(root, own, (("StartTime", _text(request.start)), ("EndTime", _text(request.end))))
    for name, value in request.options:
        option = etree.SubElement(root, f"{{{own}}}Option")
        _texts(option, edition.message, (("name", name), ("value", value)))
    _ids(root, own, request.ids, plain=own != edition.message)
    root.extend([deepcopy(part) for part in request.parts])
    return root


def _payload(payload: WirePayload, edition: Edition, namespace: str, *, packed: bool) -> etree._Element:
    """Return the Payload, compressed where that is wanted."""
    root = etree.Element(f"{{{namespace}}}Payload", nsmap=default_namespace(namespace, e=edition.message))
    form = payload.format
    if packed and len(payload.parts) == 1:
        raw = etree.tostring(payload.parts[0], xml_declaration=True, encoding="UTF-8", with_tail=False)
        if namespace != edition.message:
            # A typed payload must hold its profile: an empty one stands before what is compressed.
            root.append(
                etree.Element(
                    payload.parts[0].tag, nsmap=default_namespace(etree.QName(payload.parts[0]).namespace or "")
                )
            )
        _texts(root, namespace, (("Compressed", compress(raw)),))
        form = "XML"
    elif payload.compressed is not None:
        _texts(root, namespace, (("Compressed", compress(payload.compressed)),))
    else:
        root.extend([deepcopy(part) for part in payload.parts])
        if payload.operation_set is not None:
            root.append(_operations(payload.operation_set, edition, namespace))
        _ids(root, namespace, payload.ids, plain=False)
    _texts(root, namespace, (("Format", form),))
    return root


def _operations(operations: OperationSet, edition: Edition, namespace: str) -> etree._Element:
    """Return the OperationSet; its children are in the envelope's namespace."""
    own = edition.message
    root = etree.Element(f"{{{namespace}}}OperationSet")
    sequence, integrity = _flag(operations.in_sequence), _flag(operations.all_or_nothing)
    _texts(root, own, (("enforceMsgSequence", sequence), ("enforceTransactionalIntegrity", integrity)))
    for one in operations.operations:
        node = etree.SubElement(root, f"{{{own}}}Operation")
        _texts(node, own, (("operationId", str(one.operation_id)), ("noun", one.noun), ("verb", one.verb)))
        _texts(node, own, (("elementOperation", "true" if one.element_operation else ""),))
        if one.body is not None:
            node.append(deepcopy(one.body))
    return root


def _ids(parent: etree._Element, namespace: str, ids: Sequence[WireId], *, plain: bool) -> None:
    """Append identifiers; `plain` ones carry no attributes."""
    for one in ids:
        node = etree.SubElement(parent, f"{{{namespace}}}ID")
        node.text = one.value
        attributes = (
            *(("idType", one.id_type), ("idAuthority", one.id_authority)),
            *(("kind", one.kind), ("objectType", one.object_type)),
        )
        for name, value in attributes:
            if value and not plain:
                node.set(name, value)


def _texts(parent: etree._Element, namespace: str, values: Sequence[tuple[str, str]]) -> None:
    """Append an element for each text that is not empty."""
    for name, value in values:
        if value:
            etree.SubElement(parent, f"{{{namespace}}}{name}").text = value


def _flag(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _text(instant: datetime | None) -> str:
    if instant is None:
        return ""
    precision = "milliseconds" if instant.microsecond else "seconds"
    return instant.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
