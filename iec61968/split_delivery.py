"""Deliveries that come in parts: the MessageIndex property says which part of how many (`2/5`)."""

import re

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968.wire import WireHeader

PROPERTY = "MessageIndex"
_INDEX = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})")


_IN_BYTES = re.compile(rb">\s*MessageIndex\s*</[^>]*>\s*<[^>]*>\s*([1-9][0-9]{0,5})/([1-9][0-9]{0,5})\s*<")


def part_in(raw: bytes) -> tuple[int, int] | None:
    """Return which part of how many a checked message is, None where it does not say so."""
    found = _IN_BYTES.search(raw, 0, 65_536)
    return (int(found[1]), int(found[2])) if found else None


def part_of(header: WireHeader) -> tuple[int, int]:
    """Return which part of how many a message is; (1, 1) for one that is whole.

    Parts are messages of their own: each is taken, answered and recognized as a repeat by its own MessageID, and the
    CorrelationID holds them together.

    Raises:
        RejectedError: the property is not n/m, n is beyond m, or a part has no CorrelationID (BAD_SPLIT).
    """
    text = header.property(PROPERTY) if header.properties else ""
    if not text:
        return 1, 1
    found = _INDEX.fullmatch(text.strip())
    number, total = (int(found.group(1)), int(found.group(2))) if found else (1, 0)
    if number > total or (total > 1 and not header.correlation_id):
        raise RejectedError(f"{PROPERTY} {text!r}", code=codes.BAD_SPLIT, where=f"Header/Property[{PROPERTY}]")
    return number, total
