"""Is an inbound SOAP call one that this endpoint takes: every way in which it is not has its own code."""

from typing import cast

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import safe_xml, validation
from iec61968.bindings import body_of, stray_parts, unwrap_tree
from iec61968.call import Call
from iec61968.editions import EDITIONS, SOAP_11
from iec61968.envelope import local_name, namespace_of, verb_of
from iec61968.inbound import LATE_ANSWER, edition_of, is_packed, normalized
from iec61968.message_codec import HeaderParts, header_parts, message_from_xml, wire_header_of
from iec61968.plain_call import begun, plain_header
from iec61968.split_delivery import part_of

__all__ = ["OPERATION_SET", "Call", "check_call", "is_operation_set"]

_ENVELOPE = f"{{{SOAP_11}}}Envelope"


def check_call(raw: bytes, call: Call) -> bytes:
    """Take a call apart as far as its refusal needs; fill in the call's header and operation.

    Returns the message in the typed form of the endpoint's edition, which is `raw` itself where it came so.

    Raises:
        RejectedError: WRONG_CREDENTIALS, MESSAGE_TOO_LARGE, NOT_XML, DTD_REFUSED, XML_LIMITS, UNSUPPORTED_ENCODING,
            NOT_SOAP, WRONG_NAMESPACE, UNKNOWN_VERB, UNKNOWN_NOUN, WRONG_SOAP_ACTION, SCHEMA_INVALID, BAD_XML_VALUE or
            NOT_SUPPORTED_HERE.
    """
    _check_carrier(call)
    usual = None
    if call.policy == "strict" and not call.any_service:
        usual = begun(raw, service=call.service, edition=call.edition, action=call.soap_action)
    root = safe_xml.parse(raw, limits=call.limits, is_plain=usual is not None)
    call.plain = plain_header(raw, root, usual, call.edition) if usual is not None else None
    if usual is None or call.plain is None:
        return _check_tree(root, raw, call)
    call.operation = usual.operation
    call.proof(call)
    _check_supported(call)
    return raw


def _check_supported(call: Call) -> None:
    """Refuse an operation that nothing at the site takes."""
    if call.operation not in call.supported:
        raise RejectedError(
            f"nothing at this site takes {call.operation}", code=codes.NOT_SUPPORTED_HERE, where=call.operation
        )


def _check_tree(root: etree._Element, raw: bytes, call: Call) -> bytes:
    """Take a message apart by its tree; else as `check_call`."""
    _check_envelope(root, call)
    if b"OperationSet" in raw and is_operation_set(root):
        _check_operation_set(root, call)
        return raw
    root, message, raw = _in_typed_form(root, raw, call)
    call.operation = _operation(message, call)
    _check_action(call)
    header = _header_in(message)
    _check_header(header, call)
    found = () if call.policy == "off" else validation.findings(root, call.edition)
    if found or call.policy == "off":
        _check_payload_namespace(message, call)
    if found and call.policy == "strict":
        raise validation.invalid(found)
    call.reported = call.reported or tuple(found)
    if header is not None:
        call.wire = wire_header_of(header, strict=call.policy == "strict")
        part_of(call.wire)
        call.proof(call)
    _check_supported(call)
    return raw


def _header_in(message: etree._Element) -> HeaderParts | None:
    """Return what stands in a message's first Header, None where it has none."""
    for child in message:
        if local_name(child) == "Header":
            return header_parts(child)
    return None


def _check_carrier(call: Call) -> None:
    """Refuse what shows before the message is read: who sends it, its size, how it is packed."""
    if call.caller is None and call.refused is not None:
        raise call.refused
    if call.caller is None:
        raise RejectedError("no valid user and password", code=codes.WRONG_CREDENTIALS, where="HTTP Authorization")
    if call.too_large:
        raise RejectedError(
            f"more than {call.limits.total_bytes} bytes", code=codes.MESSAGE_TOO_LARGE, where="HTTP body"
        )
    if call.content_encoding not in ("", "identity"):
        raise RejectedError(
            f"Content-Encoding {call.content_encoding!r}: messages are taken as they are, packed payloads in Payload",
            code=codes.UNSUPPORTED_ENCODING,
            where="Content-Encoding",
        )


def _check_envelope(root: etree._Element, call: Call) -> None:
    """Refuse a SOAP envelope that holds more than Header and Body, in this order; report it where that is the policy.

    SOAP 1.1 left room for more behind the Body, WS-I Basic Profile 1.1 closed it (R1011): nobody would read what
    stands there, and a signature may be made to cover it instead of what is read.
    """
    if call.policy == "off" or root.tag != _ENVELOPE:
        return
    strays = stray_parts(root)
    if not strays:
        return
    if call.policy == "strict":
        raise RejectedError(f"{local_name(strays[0])!r} beside Header and Body", code=codes.NOT_SOAP, where="/Envelope")
    call.reported = tuple(
        validation.Finding(cast("int", one.sourceline), validation.named_path(one), "not a part of a SOAP envelope")
        for one in strays
    )


def is_operation_set(root: etree._Element) -> bool:
    """Return whether a document carries a set of operations."""
    return any(local_name(one) == "OperationSet" for one in root.iter("{*}OperationSet"))


def _check_operation_set(root: etree._Element, call: Call) -> None:
    """Check envelope and header of a set; what its operations are is asked one by one when they are taken."""
    carried = unwrap_tree(root, limits=call.limits)
    call.binding, call.string_operation, call.operation = carried.binding, carried.operation, OPERATION_SET
    spoken = edition_of(carried, expected=call.edition, policy=call.policy)
    found = () if call.policy == "off" else validation.findings(carried.message, spoken)
    if found and call.policy == "strict":
        raise validation.invalid(found)
    message = message_from_xml(carried.message, strict=call.policy == "strict", limits=call.limits)
    if any(len(part) for part in message.payload.parts):
        raise RejectedError(
            "a payload beside the OperationSet", code=codes.SCHEMA_INVALID, where="Payload/OperationSet"
        )
    call.reported, call.wire = call.reported + tuple(found), message.header
    if message.header is not None:
        call.proof(call)


OPERATION_SET = "ExecuteOperationSet"
"""Name under which a set of operations is known here; it has no typed message."""


def _in_typed_form(root: etree._Element, raw: bytes, call: Call) -> tuple[etree._Element, etree._Element, bytes]:
    """Return envelope, message and bytes in the typed form of the endpoint's edition; most messages come so."""
    if root.tag != _ENVELOPE and not call.any_service:
        return root, body_of(root), raw
    carried = unwrap_tree(root, limits=call.limits)
    call.binding, call.string_operation = carried.binding, carried.operation
    if carried.binding == "typed":
        namespace, noun = namespace_of(carried.message), call.service.message_noun
        is_own = namespace == call.edition.typed_message(noun)
        # A name stands in the bytes as it is, so that most trees need not be searched for it.
        if is_own and call.policy == "strict" and (b"Compressed" not in raw or not is_packed(carried.message)):
            return root, carried.message, raw
        others = any(namespace == edition.typed_message(noun) for edition in EDITIONS.values())
        tolerated = call.policy != "strict" and namespace.endswith(f"/{noun}Message")
        if not (is_own or call.any_service or others or tolerated):
            return root, carried.message, raw
    found = normalized(
        carried, expected=call.edition, policy=call.policy, limits=call.limits, received_at=call.received_at
    )
    if call.any_service:
        call.service = found.service
    elif found.service.noun != call.service.noun:
        raise RejectedError(
            f"noun {found.header.noun!r} at {call.service.name}", code=codes.UNKNOWN_NOUN, where="Header"
        )
    call.service, call.soap_action = found.service, ""
    call.reported += found.reported
    root = safe_xml.parse(found.raw, limits=call.limits)
    return root, body_of(root), found.raw


def _operation(message: etree._Element, call: Call) -> str:
    """Return the operation that a body element names."""
    name, service = local_name(message), call.service
    where = f"/Envelope/Body/{name}"
    if name in service.known_operations:
        expected = call.edition.typed_message(service.message_noun)
        if message.tag != f"{{{expected}}}{name}":
            reason = f"{namespace_of(message)!r}, {expected!r} is spoken"
            raise RejectedError(reason, code=codes.WRONG_NAMESPACE, where=where)
        return name
    if name.endswith(service.noun):
        raise RejectedError(f"{name!r} has no known verb", code=codes.UNKNOWN_VERB, where=where)
    raise RejectedError(f"{name!r} is not about {service.noun}", code=codes.UNKNOWN_NOUN, where=where)


def _check_action(call: Call) -> None:
    """Refuse a SOAPAction that names another operation; SOAP 1.1 lets a sender leave it empty."""
    if not call.soap_action:
        return
    expected = call.edition.soap_action(call.service.message_noun, call.operation)
    if call.soap_action != expected:
        raise RejectedError(
            f"{call.soap_action!r}, the body needs {expected!r}", code=codes.WRONG_SOAP_ACTION, where="SOAPAction"
        )


def _check_header(header: HeaderParts | None, call: Call) -> None:
    """Refuse a verb or noun that does not exist, or that contradicts the operation."""
    if header is None:
        return
    verb, noun = header.texts.get("Verb"), header.texts.get("Noun")
    if verb is not None:
        named = call.operation.removesuffix(call.service.noun).lower()
        said = verb_of(verb, where="/Header/Verb")
        if said != named and (said, call.operation) != LATE_ANSWER:
            raise RejectedError(f"verb {verb!r} in {call.operation}", code=codes.UNKNOWN_VERB, where="/Header/Verb")
    if noun is not None and noun not in (call.service.noun, call.service.message_noun):
        raise RejectedError(f"noun {noun!r} in {call.operation}", code=codes.UNKNOWN_NOUN, where="/Header/Noun")


def _check_payload_namespace(message: etree._Element, call: Call) -> None:
    """Refuse a payload whose name is right and whose namespace is not."""
    for part in message:
        if local_name(part) not in ("Payload", "Request"):
            continue
        for child in part:
            name = local_name(child)
            expected = call.edition.profile(name)
            if name in (call.service.noun, f"Get{call.service.noun}") and namespace_of(child) != expected:
                raise RejectedError(
                    f"{namespace_of(child)!r}, {expected!r} is spoken",
                    code=codes.WRONG_NAMESPACE,
                    where=f"/{local_name(message)}/{local_name(part)}/{name}",
                )
