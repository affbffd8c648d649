"""Whether a message follows its schema, said to a person: line, XPath, sentence, and what was expected."""

from collections.abc import Iterator

from lxml import etree

from canonical.errors import RejectedError
from iec61968 import safe_xml, validation
from iec61968.editions import EDITIONS, SOAP_11, Edition
from iec61968.spoken_nouns import NOUNS
from services.message_unwrapping import unwrapped


def mistakes_in(raw: bytes) -> list[str]:
    """Return a sentence for every mistake in a message, none when it is valid by the edition that it is written in."""
    try:
        root = _validated_part(safe_xml.parse(raw))
    except RejectedError as error:
        return [f"{error.where}: {error.reason}".removeprefix(": ")]
    edition = edition_of(root)
    found = validation.findings(root, edition)
    return [str(finding) for finding in found] + (list(_explained(root, edition)) if found else [])


def _validated_part(root: etree._Element) -> etree._Element:
    """Return what has a schema: a SOAP 1.1 envelope whole, else the message inside, also where it travels as a text."""
    inside = unwrapped(root)
    is_text = inside.getroottree().getroot() is not root
    return inside if is_text or root.tag != f"{{{SOAP_11}}}Envelope" else root


def edition_of(root: etree._Element) -> Edition:
    """Return the edition whose namespaces a message uses; 2011 where nothing tells."""
    spoken = {etree.QName(element).namespace or "" for element in root.iter(etree.Element)}
    if any(namespace.startswith("http://www.iec.ch/") for namespace in spoken):
        return EDITIONS["www"]
    return EDITIONS["2017" if any("/TC57/2017/" in namespace for namespace in spoken) else "2011"]


def payloads_of(root: etree._Element) -> Iterator[etree._Element]:
    """Yield the outermost payload elements of a message: those whose namespace is a profile of their own name."""
    name = etree.QName(root)
    if name.localname in NOUNS and (name.namespace or "").endswith(f"/{name.localname}#"):
        yield root
        return
    for child in root.iterchildren(etree.Element):
        yield from payloads_of(child)


def _explained(root: etree._Element, edition: Edition) -> Iterator[str]:
    """Yield what was expected, for each payload that is wrong."""
    for payload in payloads_of(root):
        try:
            sentences = validation.explain(payload, edition)
        except RejectedError:
            continue
        yield from (f"expected, {sentence}" for sentence in sentences)
