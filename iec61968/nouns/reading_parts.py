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
from iec61968.nouns.meter_reading_grammar import END, START, columns_of_bytes
from iec61968.nouns.reading_stream import Element, StreamLimits, ValidatingParser
from iec61968.validation import Policy

CHUNK = 262_144
"""Bytes read at a time."""

_SEARCHED = 1_048_576
"""Bytes in which the first MeterReading must begin to be looked for in bytes."""

_SPACE = re.compile(rb"[ \t\r\n]*")


class PartReader:
    """Reads one document; `parser` knows where it is."""

    def __init__(self, stream: BinaryIO, edition: Edition, *, policy: Policy, limits: StreamLimits, where: str) -> None:
        """Prepare to read a document of `edition`; `where` names it in errors."""
        self.parser = ValidatingParser(edition, policy=policy, limits=limits, where=where)
        self._stream = stream
        self._limits = limits
        self._where = where
        opening = f'<MeterReadings xmlns="{edition.profile("MeterReadings")}">'
        self._opening = opening.encode()
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
        while (first := self._buffer.find(START)) < 0 and len(self._buffer) < _SEARCHED and self._more():
            pass
        self._sound = first >= 0 and self.parser.policy == "strict" and self._opens(self._buffer[:first])
        if self._sound:
            yield from self.parser.feed(self._buffer[:first])
            self._at = first

    def _opens(self, head: bytes) -> bool:
        """Return whether the bytes end with the payload's start tag, and cannot be anything but plain tags."""
        plain = head.find(b"<!") < 0 and head.rfind(b"<?") <= 3
        return plain and head.rstrip(b" \t\r\n").endswith(self._opening)

    def _is_regular(self) -> bool:
        """Return whether another MeterReading begins here, where the parser would expect one."""
        if not self._sound or not self.parser.in_payload:
            return False
        self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]
        while len(self._buffer) - self._at < len(START) and self._more():
            self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]
        return self._buffer.startswith(START, self._at)

    def _next(self) -> Iterator[Element | MeterReadingColumns]:
        """Yield the MeterReading that begins here: from its bytes, or else by the parser."""
        end = self._buffer.find(END, self._at)
        while end < 0:
            searched = max(0, len(self._buffer) - self._at - len(END))
            if not self._more():
                self._sound = False
                return
            end = self._buffer.find(END, self._at + searched)
        block = self._buffer[self._at : end + len(END)]
        self._at = end + len(END)
        columns = columns_of_bytes(block)
        if columns is not None:
            self.parser.skip(block)
            yield columns
            return
        given = 0
        for element in self.parser.feed(block):
            given += 1
            yield element
        # A block that is not exactly one element, or may hide what follows it, ends the reading by bytes.
        self._sound = given == 1 and block.count(START) == 1 and b"<!" not in block and b"<?" not in block

    def _more(self) -> bool:
        """Read on; return whether there was anything."""
        chunk = self._stream.read(CHUNK)
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        if len(self._buffer) > self._limits.between_readings + CHUNK:
            raise RejectedError("one MeterReading is too large", code=codes.XML_LIMITS, where=self._where)
        return bool(chunk)
