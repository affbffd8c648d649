"""SOAP 1.1 around a message: envelope, body, fault."""

from dataclasses import dataclass
from typing import Literal

from lxml import etree

from iec61968.editions import SOAP_11
from iec61968.envelope import WireReply, local_name, reply_from_xml

FaultSide = Literal["Client", "Server"]


@dataclass(frozen=True, slots=True)
class SoapFault:
    """A SOAP fault as it came."""

    side: FaultSide
    """Client: the message is wrong. Server: it may be tried again."""

    text: str
    reply: WireReply | None = None
    """What the typed fault message in the detail says, when there is one."""


_BEFORE = f"<?xml version='1.0' encoding='UTF-8'?>\n<soap:Envelope xmlns:soap=\"{SOAP_11}\"><soap:Body>".encode()
_BEHIND = b"</soap:Body></soap:Envelope>"


def envelope(body: etree._Element) -> bytes:
    """Return the bytes of a SOAP envelope around one body element."""
    return enveloped(etree.tostring(body, encoding="UTF-8", with_tail=False))


def enveloped(body: bytes) -> bytes:
    """Return the bytes of a SOAP envelope around the bytes of one body element."""
    return b"".join((_BEFORE, body, _BEHIND))


def fault(side: FaultSide, text: str, detail: etree._Element | None = None) -> bytes:
    """Return the bytes of a SOAP fault, with a typed message in its detail."""
    node = etree.Element(f"{{{SOAP_11}}}Fault", nsmap={"soap": SOAP_11})
    etree.SubElement(node, "faultcode").text = f"soap:{side}"
    etree.SubElement(node, "faultstring").text = text
    if detail is not None:
        etree.SubElement(node, "detail").append(detail)
    return envelope(node)


def fault_from_xml(element: etree._Element) -> SoapFault:
    """Return what a Fault element says; an unreadable detail is left out, the fault stands."""
    code = text = ""
    reply: WireReply | None = None
    for child in element:
        name = local_name(child)
        if name == "faultcode":
            code = (child.text or "").strip()
        elif name == "faultstring":
            text = (child.text or "").strip()
        elif name == "detail":
            for part in child.iter():
                if local_name(part) == "Reply" and reply is None and _has_result(part):
                    reply = reply_from_xml(part)
    side: FaultSide = "Client" if code.rpartition(":")[2].startswith("Client") else "Server"
    return SoapFault(side, text, reply)


def _has_result(element: etree._Element) -> bool:
    return any(local_name(c) == "Result" and c.text in ("OK", "PARTIAL", "FAILED") for c in element)
