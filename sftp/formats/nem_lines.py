"""Physical lines of a NEM12/NEM13 file, as fields: what plain text is, before any record is understood."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from canonical.codes.file import NEM_TEXT
from sftp.formats.nem_records import Fault

LINE_LIMIT = 1 << 20
"""Bytes of the longest line that is read; 1,440 values of 20 characters need 30,240."""

_BOM = b"\xef\xbb\xbf"


def lines(stream: BinaryIO) -> Iterator[tuple[int, list[str]] | Fault]:
    """Yield (line number, fields) of every line that says something, or what is wrong with it.

    LF and CRLF end a line, a byte order mark before the first is dropped, and lines of blanks and commas alone (as
    spreadsheets leave them) count but say nothing. Memory is bounded by the longest line.
    """
    number = 0
    while raw := stream.readline(LINE_LIMIT + 1):
        number += 1
        if len(raw) > LINE_LIMIT:
            yield Fault(NEM_TEXT, number, f"the line is longer than {LINE_LIMIT} bytes")
            return
        if number == 1 and raw.startswith(_BOM):
            raw = raw[len(_BOM) :]
        fields = _fields(raw, number)
        if isinstance(fields, Fault):
            yield fields
        elif fields:
            yield number, fields


def _fields(raw: bytes, number: int) -> list[str] | Fault:
    """Return the fields of one line, none for a blank one."""
    try:
        text = raw.decode("utf-8").rstrip()
    except UnicodeDecodeError as error:
        return Fault(NEM_TEXT, number, f"byte {raw[error.start]:#04x} at column {error.start + 1} is not UTF-8")
    if not text.isprintable():
        text = text.replace("\t", " ")
        bad = next((c for c in text if not c.isprintable()), None)
        if bad is not None:
            return Fault(NEM_TEXT, number, f"control character {ord(bad):#04x} at column {text.index(bad) + 1}")
    if not text.strip(", "):
        return []
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        return Fault(NEM_TEXT, number, f"the quotes do not match: {error}")
