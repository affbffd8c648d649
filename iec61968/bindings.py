"""Four ways in which one message travels: typed SOAP, generic SOAP, XML in a string operation, and bare.

typed     document/literal, one element for each verb and noun: <CreatedMeterReadings> in the SOAP body
generic   <RequestMessage>, <EventMessage> ... of the envelope's own schema in the SOAP body
string    an operation with one string, the message as text in it, and a string as answer (doCommand style)
bare      the generic message alone: over HTTP POST, from a queue, in a file
"""

from dataclasses import dataclass
from typing import Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import safe_xml, soap
from iec61968.editions import SOAP_11
from iec61968.envelope import local_name, message_text
from iec61968.safe_xml import XmlLimits

BindingName = Literal["typed", "generic", "string", "bare"]

BINDINGS: tuple[BindingName, ...] = ("typed", "generic", "string", "bare")
GENERIC_ROOTS = ("Message", "RequestMessage", "ResponseMessage", "EventMessage", "FaultMessage")
_STRING_MAX = 1
_ENVELOPE, _HEADER, _BODY = (f"{{{SOAP_11}}}{name}" for name in ("Envelope", "Header", "Body"))
COMMAND = "http://amihub.example/command"
"""Namespace of the string operation where a partner's settings name none."""


@dataclass(frozen=True, slots=True)
class StringOperation:
    """The operation of a partner that takes XML as text."""

    name: str = "doCommand"
    parameter: str = "xml"
    namespace: str = COMMAND

    @property
    def answer(self) -> str:
        """Return the name of the element that answers it."""
        return f"{self.name}Response"


@dataclass(frozen=True, slots=True)
class Carried:
    """A message as it was found in what arrived."""

    binding: BindingName
    message: etree._Element
    """The message's own element."""

    security: etree._Element | None = None
    """The SOAP header's Security element, when there is one."""

    operation: StringOperation = StringOperation()
    """With the string binding: the operation that was called."""


def unwrap(raw: bytes, *, limits: XmlLimits | None = None, where: str = "") -> Carried:
    """Return the message that bytes carry, and how it came; which of the four it is shows from the bytes alone.

    Raises:
        RejectedError: not XML, beyond a limit, or neither SOAP 1.1 nor a generic message.
    """
    return unwrap_tree(safe_xml.parse(raw, limits=limits, where=where), limits=limits)


def unwrap_tree(root: etree._Element, *, limits: XmlLimits | None = None) -> Carried:
    """Return the message that a parsed document carries; else as `unwrap`."""
    if root.tag != _ENVELOPE and local_name(root) in GENERIC_ROOTS:
        return Carried("bare", root)
    message = body_of(root)
    security = _security(root) if len(root) > 1 else None
    if local_name(message) in GENERIC_ROOTS:
        return Carried("generic", message, security)
    text = message[0].text if len(message) == _STRING_MAX and len(message[0]) == 0 else None
    if text and text.lstrip().startswith("<"):
        name = etree.QName(message)
        called = StringOperation(name.localname, local_name(message[0]), name.namespace or "")
        inner = safe_xml.parse(message_text(text), limits=limits, where=f"/Envelope/Body/{name.localname}")
        return Carried("string", inner, security, called)
    return Carried("typed", message, security)


def body_of(root: etree._Element) -> etree._Element:
    """Return the one body element of a SOAP 1.1 envelope.

    Raises:
        RejectedError: not a SOAP 1.1 envelope, or not exactly one body element.
    """
    if root.tag != _ENVELOPE:
        raise RejectedError(f"the root is {root.tag!r}", code=codes.NOT_SOAP, where="/")
    bodies = [child for child in root if child.tag == _BODY]
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise RejectedError("not exactly one Body with one element", code=codes.NOT_SOAP, where="/Envelope/Body")
    element: etree._Element = bodies[0][0]
    return element


def _security(root: etree._Element) -> etree._Element | None:
    """Return the Security element of an envelope's Header."""
    headers = root.iterfind(f"{_HEADER}/*")
    return next((child for child in headers if local_name(child) == "Security"), None)


def stray_parts(envelope: etree._Element) -> list[etree._Element]:
    """Return the children of a SOAP 1.1 envelope that are neither one leading Header nor the Body behind it."""
    rest = [child for child in envelope if isinstance(child.tag, str)]
    for name in (_HEADER, _BODY):
        if rest and rest[0].tag == name:
            del rest[0]
    return rest


def wrap(
    message: etree._Element, binding: BindingName, *, operation: StringOperation | None = None, is_answer: bool = False
) -> bytes:
    """Return the bytes that carry a message; `operation` names the string operation, `is_answer` its response."""
    raw = etree.tostring(message, encoding="UTF-8", with_tail=False)
    return wrap_bytes(raw, binding, operation=operation, is_answer=is_answer)


def wrap_bytes(
    message: bytes, binding: BindingName, *, operation: StringOperation | None = None, is_answer: bool = False
) -> bytes:
    """Return the bytes that carry the bytes of a message element; else as `wrap`."""
    if binding == "bare":
        return b"<?xml version='1.0' encoding='UTF-8'?>\n" + message
    if binding != "string":
        return soap.enveloped(message)
    own = operation or StringOperation()
    prefix = f"{{{own.namespace}}}" if own.namespace else ""
    call = etree.Element(f"{prefix}{own.answer if is_answer else own.name}")
    part = etree.SubElement(call, f"{prefix}{'return' if is_answer else own.parameter}")
    part.text = message.decode()
    return soap.envelope(call)
