"""The stream under the MeterReadings decoder: chunks in, validated elements out, bounded in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import ErrorCode, RejectedError
from iec61968 import safe_xml, validation
from iec61968.editions import SOAP_11, Edition
from iec61968.nouns.meter_reading_elements import Tags, tags_of
from iec61968.validation import Policy

Element: TypeAlias = etree._Element


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How large a streamed document may be."""

    total_bytes: int = 4 * 1024**3
    """Bytes of the whole document."""

    between_readings: int = 16 * 1024 * 1024
    """Bytes from one MeterReading's end to the next one's: what must be held at once."""


class ValidatingParser:
    """Fed with bytes, gives the closed elements that a caller asked for; refuses what its schema forbids at once."""

    def __init__(self, edition: Edition, *, policy: Policy, limits: StreamLimits, where: str) -> None:
        """Prepare for one document of `edition`; `where` names it in errors."""
        self._tags = tags_of(edition)
        self._payload = self._tags.meter_reading + "s"
        self._where = where
        self._limits = limits
        self._edition = edition
        self.policy = policy
        self._wrappers = {f"{{{edition.typed_message(noun)}}}" for noun in ("MeterReadings", "GetMeterReadings")}
        self._wrappers.add(f"{{{edition.message}}}")
        wanted = [self._tags.meter_reading, self._payload, f"{{{SOAP_11}}}Fault"]
        wanted += [prefix + name for prefix in sorted(self._wrappers) for name in ("Header", "Reply")]
        settings = dict(safe_xml.PARSER_SETTINGS)
        if policy == "strict":
            settings["schema"] = validation.compiled(edition)
            # lxml 6.1 takes a document cut short, without an error, when a schema is given and resolve_entities is
            # False. Without a DOCTYPE, which check_prolog refuses, there is no entity that "internal" could resolve.
            settings["resolve_entities"] = "internal"
        self._parser = etree.XMLPullParser(("start", "end"), tag=wanted, **settings)
        self._fed = 0
        self._since = 0
        self._seen = 0
        self._lines = 1
        self.in_payload = False
        self.prefix: str | None = None
        """Namespace prefix of the payload's own tag; None when its namespace is the default one."""

    @property
    def tags(self) -> Tags:
        """Return the names of the edition's elements."""
        return self._tags

    def feed(self, data: bytes) -> Iterator[Element]:
        """Give bytes; yield the wanted elements that they close. A yielded element is emptied when the next is asked.

        Raises:
            RejectedError: not well-formed, not valid, beyond a limit, or a MeterReading in a wrong place.
        """
        self._fed += len(data)
        self._since += len(data)
        if self._fed > self._limits.total_bytes:
            raise self._error("document too large", codes.MESSAGE_TOO_LARGE)
        try:
            self._parser.feed(data)
        except etree.XMLSyntaxError as error:
            raise self._unreadable(error) from error
        self._check_validity()
        yield from self._events()
        self._lines += data.count(b"\n")
        if self._since > self._limits.between_readings:
            raise self._error("one MeterReading is too large", codes.XML_LIMITS)

    def skip(self, block: bytes) -> None:
        """Count a MeterReading that was read without this parser, so that limits and places in errors stay true.

        Raises:
            RejectedError: the document is too large.
        """
        if not self._seen:
            self._stand_in()
        self._seen += 1
        self._fed += len(block)
        self._since = 0
        if self._fed > self._limits.total_bytes:
            raise self._error("document too large", codes.MESSAGE_TOO_LARGE)

    def _stand_in(self) -> None:
        """Give the parser an empty MeterReading: it must refuse what may only stand before the first one."""
        mark = f"{self.prefix}:" if self.prefix else ""
        self._parser.feed(f"<{mark}MeterReading/>".encode())
        events: Any = self._parser.read_events()
        for _, element in events:
            _release(element)

    def close(self) -> Iterator[Element]:
        """End the document; yield what is left.

        Raises:
            RejectedError: the document ends early or is not valid.
        """
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise self._unreadable(error) from error
        self._check_validity()
        yield from self._events()
        if self.in_payload:
            raise self._error("the document ends inside MeterReadings", codes.NOT_XML)

    def _events(self) -> Iterator[Element]:
        """Yield closed elements; follow where the payload begins and ends."""
        events: Any = self._parser.read_events()
        for event, element in events:
            if element.tag == self._payload:
                if event == "start":
                    self._check_place(element)
                    self.prefix = element.prefix
                self.in_payload = event == "start"
            elif event == "end":
                if element.tag == self._tags.meter_reading:
                    if not self.in_payload or element.getparent().tag != self._payload:
                        raise self._error("MeterReading outside MeterReadings", codes.SCHEMA_INVALID)
                    self._seen += 1
                    self._since = 0
                elif not _is_of_message(element):
                    continue
                yield element
                _release(element)

    def _check_place(self, payload: Element) -> None:
        """Refuse a payload anywhere but at the root or in the Payload of a message (bare or in a SOAP body)."""
        path = [ancestor.tag for ancestor in payload.iterancestors()]
        if not path:
            return
        prefix = str(path[0]).rpartition("}")[0] + "}"
        in_message = path[0] == f"{prefix}Payload" and prefix in self._wrappers and len(path) > 1
        outside = path[2:]
        if not in_message or outside not in ([], [f"{{{SOAP_11}}}Body", f"{{{SOAP_11}}}Envelope"]):
            raise self._error("MeterReadings in an unexpected place", codes.WRONG_NAMESPACE)

    def _check_validity(self) -> None:
        """Refuse as soon as the validator has found something."""
        if self.policy == "strict" and len(self._parser.feed_error_log):
            entry = self._parser.feed_error_log[0]
            if entry.domain_name == "SCHEMASV":
                raise self._error(validation.plain(entry.message), codes.SCHEMA_INVALID)

    def _unreadable(self, error: etree.XMLSyntaxError) -> RejectedError:
        """Return the coded error: libxml2 reports invalid documents as unreadable ones."""
        if str(error).startswith("Element '"):
            return self._error(validation.plain(str(error)), codes.SCHEMA_INVALID)
        return safe_xml.not_well_formed(error, where=self._where)

    def _error(self, reason: str, code: ErrorCode) -> RejectedError:
        """Return a coded error with the place as far as a stream knows it."""
        place = f"after MeterReading {self._seen}, about line {self._lines}"
        return RejectedError(reason, code=code, where=f"{self._where} {place}".strip())


def _is_of_message(element: Element) -> bool:
    """Return whether a Fault, Header or Reply belongs to the message itself, not to the detail of a fault."""
    path = [ancestor.tag for ancestor in element.iterancestors()]
    if element.tag == f"{{{SOAP_11}}}Fault":
        return path == [f"{{{SOAP_11}}}Body", f"{{{SOAP_11}}}Envelope"]
    return path[1:] in ([], [f"{{{SOAP_11}}}Body", f"{{{SOAP_11}}}Envelope"])


def _release(element: Element) -> None:
    """Free an element that has been read, and what stands before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
