"""Lines of a byte stream in bounded memory, with the byte at which each starts and what is wrong with its bytes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from canonical.codes import file as codes
from canonical.errors import ErrorCode

CHUNK = 256 * 1024
LONGEST_LINE = 64 * 1024
"""Bytes of the longest line that any layout may have; a longer one means that the line ends are wrong."""

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
"""Characters that no line may contain; LF ends it."""

CONTROLS = bytes([*range(10), *range(11, 32), 127])
"""The same as bytes."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Lines:
    """A byte stream as lines of text; iterate it once."""

    stream: BinaryIO
    checked: bool = True
    """Whether control characters are looked for."""

    number: int = 0
    """Line that was given last, 1 for the first."""

    fault: ErrorCode | None = None
    """What is wrong with the bytes of that line; then its text holds replacement characters."""

    start: int = 0
    """Byte at which its chunk starts."""

    chunk: tuple[str, ...] | list[str] = ()
    index: int = 0
    sized: bytes = b""

    @property
    def offset(self) -> int:
        """Byte at which the line that was given last starts."""
        at = self.start
        for _ in range(self.index):
            at = self.sized.index(b"\n", at - self.start) + 1 + self.start
        return at

    def __iter__(self) -> Iterator[str]:
        """Yield each line without its LF; `number`, `fault` and `offset` then speak of it."""
        rest = b""
        while block := self.stream.read(CHUNK):
            whole, found, tail = (rest + block).rpartition(b"\n")
            if not found:
                rest = tail
                if len(rest) > LONGEST_LINE:
                    yield from self._overlong(rest)
                    return
                continue
            yield from self._lines_of(whole + b"\n")
            rest = tail
        if rest:
            yield from self._lines_of(rest)

    def _lines_of(self, data: bytes) -> Iterator[str]:
        """Yield the lines of whole lines of bytes."""
        self.sized = data
        try:
            text = data.decode("utf-8")
            clean = b"\r" not in data and not (self.number == 0 and data.startswith(BYTE_ORDER_MARK))
        except UnicodeDecodeError:
            clean = False
            text = data.decode("utf-8", errors="replace")
        self.chunk = text.split("\n")
        if not self.chunk[-1]:
            self.chunk.pop()
        # One look at a whole block is many times as fast as one at every field.
        clean = clean and (not self.checked or len(data.translate(None, CONTROLS)) == len(data))
        raw = None if clean else data.split(b"\n")
        number = self.number
        for index, line in enumerate(self.chunk):
            self.index = index
            self.number = number + index + 1
            self.fault = None if raw is None else self._fault(raw[index])
            yield line
        self.start += len(data)

    def _fault(self, raw: bytes) -> ErrorCode | None:
        """Return what is wrong with the bytes of one line."""
        if self.number == 1 and raw.startswith(BYTE_ORDER_MARK):
            return codes.BYTE_ORDER_MARK
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return codes.BAD_ENCODING
        if raw.endswith(b"\r"):
            return codes.CARRIAGE_RETURN
        return codes.CONTROL_CHARACTER if CONTROL.search(raw.decode("utf-8")) else None

    def _overlong(self, start: bytes) -> Iterator[str]:
        """Yield the beginning of a line without end; nothing after it can be told apart."""
        self.number += 1
        self.fault = codes.LINE_TOO_LONG
        self.sized = start
        yield start[:200].decode("utf-8", errors="replace")
