"""Does a message follow its schema: the answer with line, XPath and a plain sentence."""

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import wsdl
from iec61968.editions import SOAP_11, Edition

Policy = Literal["strict", "report", "off"]
"""What is done with a message that breaks its schema: refused, reported and taken, or not looked at."""

_ENTRY = "all.xsd"
_PREFIXED = re.compile(r"[\w.-]+:([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a message breaks its schema."""

    line: int
    """Line in the message, 1 for the first; 0 when it is not known."""

    xpath: str
    sentence: str
    """What is wrong, without namespaces."""

    def __str__(self) -> str:
        """Return place and sentence on one line."""
        return f"line {self.line}, {self.xpath}: {self.sentence}"


class _Documents(etree.Resolver):  # its stubs lack the context that lxml passes
    """Gives the schema compiler our documents by name; nothing is ever fetched."""

    def __init__(self, documents: dict[str, str]) -> None:
        super().__init__()
        self._documents = documents

    def resolve(self, url: str, _public: str, context: Any = None) -> Any:
        """Return the document that the last part of `url` names; an unknown one is empty, so that compiling fails."""
        document = self._documents.get(url.rpartition("/")[2], "")
        return self.resolve_string(document, context, base_url=url)


_COMPILING, _EXPLAINING = Lock(), Lock()
_COMPILED: dict[Edition, etree.XMLSchema] = {}
"""The schemas that give verdicts, once they are whole: looking for one takes no lock."""


def compiled(edition: Edition) -> etree.XMLSchema:
    """Return one schema that knows every typed message, payload and the SOAP 1.1 envelope of an edition.

    Threads may share it for its verdict. Its log of errors they must not: whoever validates next empties it.
    """
    found = _COMPILED.get(edition)
    if found is None:
        with _COMPILING:  # compiled by two threads at once, one of the two schemas lacks what it imports (lxml 6.1)
            found = _COMPILED[edition] = _compiled(edition, "verdicts")
    return found


@cache
def _compiled(edition: Edition, _use: Literal["verdicts", "explanations"]) -> etree.XMLSchema:
    """Return a schema of an edition for that use."""
    documents = {name: wsdl.schema(name, edition) for name in wsdl.schema_names()}
    documents["SoapEnvelope.xsd"] = wsdl.soap_envelope_schema()
    namespaces = {SOAP_11: "SoapEnvelope.xsd", **wsdl.schema_of_namespace(edition)}
    imports = "".join(f'<xs:import namespace="{n}" schemaLocation="{d}"/>' for n, d in namespaces.items())
    entry = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Documents(documents))
    return etree.XMLSchema(etree.fromstring(entry.encode(), parser, base_url=f"schemas/{_ENTRY}"))


def findings(element: etree._Element, edition: Edition) -> Sequence[Finding]:
    """Return every place where the element breaks its schema, none when it is valid."""
    if compiled(edition).validate(element):
        return ()
    # Places in the log are counted from the element, as if nothing stood around it.
    element = deepcopy(element) if element.getparent() is not None else element
    with _COMPILING:
        schema = _compiled(edition, "explanations")
    with _EXPLAINING:
        schema.validate(element)
        log: Any = schema.error_log
        return tuple(Finding(entry.line, place_of(element, entry), plain(entry.message)) for entry in log)


def place_of(element: etree._Element, entry: Any) -> str:
    """Return the XPath of a finding by local names, which reads the same in every edition."""
    # The log writes the document's prefixes, which XPath does not know.
    path = _PREFIXED.sub(r"*[local-name()='\1']", entry.path or "")
    try:
        found = element.getroottree().xpath(path) if path else []
    except etree.XPathError:
        found = []
    return named_path(found[0]) if isinstance(found, list) and found else path


def named_path(element: Any) -> str:
    """Return the path of an element by local names, with positions among equal siblings."""
    steps = []
    while element is not None:
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "?"
        position = sum(1 for _ in element.itersiblings(element.tag, preceding=True)) + 1
        steps.append(f"{name}[{position}]" if position > 1 else name)
        element = element.getparent()
    return "/" + "/".join(reversed(steps))


def plain(sentence: str) -> str:
    """Return a validator's sentence without namespaces in braces."""
    return re.sub(r"\{[^{}]*\}", "", sentence).strip()


def require_valid(element: etree._Element, edition: Edition, *, where: str = "") -> None:
    """Refuse an element that breaks its schema.

    Raises:
        RejectedError: with the first finding's line and XPath as `where` and its sentence as reason.
    """
    found = findings(element, edition)
    if found:
        raise invalid(found, where=where)


def invalid(found: Sequence[Finding], *, where: str = "") -> RejectedError:
    """Return the coded error of findings; the first names the place, the rest are counted."""
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    place = f"{where} line {first.line} {first.xpath}".strip()
    return RejectedError(f"{first.sentence}{more}", code=codes.SCHEMA_INVALID, where=place)


def explain(element: etree._Element, edition: Edition, *, at_most: int = 10) -> list[str]:
    """Return sentences for people about why a payload or envelope element is invalid, with what was expected.

    Slow (a schema is compiled anew): for one fragment, never for every message.

    Raises:
        RejectedError: no schema stands alone for the element's namespace.
    """
    import xmlschema

    text = _schema_of(etree.QName(element).namespace or "", edition)
    errors: Iterable[Any] = xmlschema.XMLSchema(text, allow="none").iter_errors(element)
    sentences = []
    for error in errors:
        sentences.append(f"{error.path}: {plain(str(error.reason))}")
        if len(sentences) == at_most:
            break
    return sentences


def _schema_of(namespace: str, edition: Edition) -> str:
    """Return the text of the schema whose elements are in `namespace`."""
    for name in wsdl.PLAIN_SCHEMAS:
        text = wsdl.schema(name, edition)
        if f'targetNamespace="{namespace}"' in text:
            return text
    raise RejectedError(f"no schema for namespace {namespace!r}", code=codes.WRONG_NAMESPACE)
