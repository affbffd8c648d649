"""The message inside whatever carries it: SOAP of either version, or a text inside an operation."""

from lxml import etree

from iec61968 import safe_xml
from iec61968.envelope import local_name, message_text
from iec61968.tolerance import likely_noun, noun_of


def unwrapped(root: etree._Element) -> etree._Element:
    """Return the message inside a SOAP envelope of either version, also when it travels as a text."""
    root = in_body(root)
    if _is_message(root):
        return root
    for element in root.iter(etree.Element):
        text = (element.text or "").strip()
        if not len(element) and text.startswith("<"):
            return in_body(safe_xml.parse(message_text(text), where=local_name(element)))
    return root


def in_body(root: etree._Element) -> etree._Element:
    """Return what stands in the Body of a SOAP envelope, anything else as it is."""
    if local_name(root) != "Envelope":
        return root
    body = next((child for child in root if local_name(child) == "Body"), None)
    return body[0] if body is not None and len(body) else root


def _is_message(root: etree._Element) -> bool:
    """Return whether an element is a message or a payload itself, not something that carries one."""
    return bool(noun_of(root) or likely_noun(root)) or any(local_name(one) in ("Header", "Reply") for one in root)
