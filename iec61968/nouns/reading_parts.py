"""A MeterReadings document in parts: regular MeterReadings straight from their bytes, all else by the XML parser.

Skipping is sound because the schema allows any number of MeterReading in a row: a document without some valid ones is
valid exactly when it is valid with them. Whether the parser stands where they may stand is proven each time: the bytes
before the first one end with the payload's own start tag, contain no comment, CDATA or instruction, and were parsed;
so was every irregular MeterReading since. At the first doubt the rest of the document goes to the parser.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import safe_xml
from iec61968.editions import Edition
from iec61968.nouns.columns import MeterReadingColumns
from iec61968.nouns.meter_reading_grammar import columns_of_bytes
from iec61968.nouns.plain_form import COMMENT, start_and_end
from iec61968.nouns.reading_stream import Element, StreamLimits, ValidatingParser
from iec61968.validation import Policy

CHUNK = 262_144
"""Bytes read at a time."""

_SEARCHED = 1_048_576
"""Bytes in which the first MeterReading must begin to be looked for in bytes."""

_SPACE = re.compile(rb"[ \t\r\n]*")
_FIRST = re.compile(rb"<(?:[A-Za-z_][A-Za-z0-9_.-]*:)?MeterReading>")
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml [^<>]*\?>")
_OPENING = re.compile(rb"<(?:[A-Za-z_][A-Za-z0-9_.-]*:)?MeterReadings(?:[ \t\r\n][^<>]*)?>[ \t\r\n]*")


class PartReader:
    """Reads one document; `parser` knows where it is."""

    def __init__(self, stream: BinaryIO, edition: Edition, *, policy: Policy, limits: StreamLimits, where: str) -> None:
        """Prepare to read a document of `edition`; `where` names it in errors."""
        self.parser = ValidatingParser(edition, policy=policy, limits=limits, where=where)
        self._stream = stream
        self._limits = limits
        self._where = where
        self._first, self._last = start_and_end(None)
        self._buffer = b""
        self._at = 0

    def parts(self) -> Iterator[Element | MeterReadingColumns]:
        """Yield what the document consists of, in order: elements of interest, and MeterReadings already read.

        Raises:
            RejectedError: as `ValidatingParser` says, or the prolog is refused.
        """
        yield from self._start()
        while self._is_regular():
            yield from self._next()
        data = self._buffer[self._at :]
        self._buffer = b""
        while data:
            yield from self.parser.feed(data)
            data = self._stream.read(CHUNK)
        yield from self.parser.close()

    def _start(self) -> Iterator[Element]:
        """Read up to the first MeterReading and give the parser what stands before it."""
        while not safe_xml.check_prolog(self._buffer, where=self._where) and self._more():
            pass
        if not self._buffer.strip():
            raise RejectedError("empty document", code=codes.NOT_XML, where=self._where)
        while (found := _FIRST.search(self._buffer)) is None and len(self._buffer) < _SEARCHED and self._more():
            pass
        self._sound = found is not None and self.parser.policy == "strict" and _opens(self._buffer[: found.start()])
        if self._sound and found is not None:
            yield from self.parser.feed(self._buffer[: found.start()])
            self._at = found.start()
            self._first, self._last = start_and_end(self.parser.prefix)

    def _is_regular(self) -> bool:
        """Return whether another MeterReading begins here, where the parser would expect one."""
        if not self._sound or not self.parser.in_payload:
            return False
        self._skip_space()
        while len(self._buffer) - self._at < len(self._first) and self._more():
            self._skip_space()
        return self._buffer.startswith(self._first, self._at)

    def _skip_space(self) -> None:
        """Go behind white space and whole comments, which may stand between two MeterReadings."""
        self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]
        while comment := COMMENT.match(self._buffer, self._at):
            self._at = _SPACE.match(self._buffer, comment.end()).end()  # type: ignore[union-attr]

    def _next(self) -> Iterator[Element | MeterReadingColumns]:
        """Yield the MeterReading that begins here: from its bytes, or else by the parser."""
        end = self._buffer.find(self._last, self._at)
        while end < 0:
            searched = max(0, len(self._buffer) - self._at - len(self._last))
            if not self._more():
                self._sound = False
                return
            end = self._buffer.find(self._last, self._at + searched)
        block = self._buffer[self._at : end + len(self._last)]
        self._at = end + len(self._last)
        columns = columns_of_bytes(block, self.parser.prefix)
        if columns is not None:
            self.parser.skip(block)
            yield columns
            return
        given = 0
        for element in self.parser.feed(block):
            given += 1
            yield element
        # A block that is not exactly one element, or may hide what follows it, ends the reading by bytes.
        self._sound = given == 1 and block.count(self._first) == 1 and b"<!" not in block and b"<?" not in block

    def _more(self) -> bool:
        """Read on; return whether there was anything."""
        chunk = self._stream.read(CHUNK)
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        if len(self._buffer) > self._limits.between_readings + CHUNK:
            raise RejectedError("one MeterReading is too large", code=codes.XML_LIMITS, where=self._where)
        return bool(chunk)


def _opens(head: bytes) -> bool:
    """Return whether the bytes end with the payload's start tag, and cannot be anything but plain tags.

    Whole comments aside, nothing in them may hide a tag: no CDATA, no instruction but the declaration. The parser says
    afterwards which element the tag really opens.
    """
    shown = COMMENT.sub(b"", head)
    declaration = _DECLARATION.match(shown)
    tags = shown[declaration.end() :] if declaration else shown
    at = tags.rfind(b"<")
    return b"<!" not in tags and b"<?" not in tags and _OPENING.fullmatch(tags, max(at, 0)) is not None
