"""Whether a shipment file carries a security key in clear; looked for before anything else reads the file.

A key is a run of 32, 48 or 64 hexadecimal digits (AES-128 to AES-256) anywhere in the file, with or without separators
between its bytes; 16 or 32 bytes of base64 that stand alone in a field; and what stands as a wrapped key without the
name of what wrapped it, or is too short to be wrapped. A reference names where a key is kept: `vault:lot-17/0001`.
"""

import re
from base64 import b64decode
from binascii import Error
from typing import BinaryIO

from sftp.layout import Layout
from sftp.layout_lines import CHUNK, Lines
from sftp.layout_read import Compiled, compiled, form_of

_BEFORE, _AFTER = r"(?<![0-9A-Za-z+/])", r"(?![0-9A-Za-z+/=])"
_BARE = re.compile(rf"{_BEFORE}(?:0[xX])?(?:[0-9A-Fa-f]{{64}}|[0-9A-Fa-f]{{48}}|[0-9A-Fa-f]{{32}}){_AFTER}")
_PAIRS = re.compile(rf"{_BEFORE}(?:[0-9A-Fa-f]{{2}}[ :.-]){{15,31}}[0-9A-Fa-f]{{2}}{_AFTER}")
_BASE64 = re.compile(rf"{_BEFORE}(?:[A-Za-z0-9+/]{{22}}==|[A-Za-z0-9+/]{{43}}=){_AFTER}")
_REFERENCE = re.compile(r"[a-z][a-z0-9+.-]*:[^\s:]\S*")

SHORTEST_WRAPPED = 24
"""Bytes of the shortest wrapped key: AES key wrap adds eight to a key of 128 bits (RFC 3394)."""


def line_with_key_in_clear(stream: BinaryIO, layout: Layout) -> int:
    """Return the number of the first line of a seekable stream that carries a key in clear; 0 where none does.

    The stream need not be a file of the layout at all: whatever came is looked at. Leaves it at its start.
    """
    ready = compiled(layout, form_of(stream, layout))
    lines = Lines(stream, checked=False)
    found = next((lines.number for line in lines if _is_clear(line, ready)), 0)
    stream.seek(0)
    if not found and _is_anywhere(stream):
        found = 1
    stream.seek(0)
    return found


def _is_anywhere(stream: BinaryIO) -> bool:
    """Return whether digits of a key stand anywhere among the bytes: in a line without end, or in two-byte letters."""
    kept, is_first = b"", True
    while block := stream.read(CHUNK):
        data = (kept + block.replace(b"\x00", b"")).decode("latin-1")
        is_last = len(block) < CHUNK
        for one in (*_BARE.finditer(data), *_PAIRS.finditer(data)):
            # At the edges of what was read nobody knows yet how far a run of digits goes.
            if (is_first or one.start() >= _EDGE) and (is_last or one.end() <= len(data) - _EDGE):
                return True
        kept, is_first = data[-4 * _EDGE :].encode("latin-1"), False
    return False


_EDGE = 128
"""Letters that any spelling of a key has room in."""


def _is_clear(line: str, ready: Compiled) -> bool:
    """Return whether a line carries a key in clear."""
    if _BARE.search(line) or _PAIRS.search(line):
        return True
    tag = line.partition(ready.layout.separator)[0] if ready.form == "delimited" else line[: ready.layout.tag_width]
    record = ready.records.get(tag.strip())
    if record is None:
        return _BASE64.search(line) is not None
    named = dict(zip(record.record.names, record.texts(line), strict=False))
    wrapped, wrapped_by = named.pop("wrapped_key", "").strip(), named.get("wrapped_by", "").strip()
    reference = named.get("key_reference", "").strip()
    if wrapped and not (wrapped_by and _is_wrapped(wrapped)):
        return True
    if reference and _REFERENCE.fullmatch(reference) is None:
        return True
    # Fields beyond the layout's are looked at too: a line may have one too many.
    rest = line.replace(wrapped, "") if wrapped else line
    return _BASE64.search(rest) is not None


def _is_wrapped(text: str) -> bool:
    """Return whether a text is base64 of as many bytes as a wrapped key has at least."""
    try:
        return len(b64decode(text, validate=True)) >= SHORTEST_WRAPPED
    except (Error, ValueError):
        return False
