"""Calls too large to be held: judged by the same rules as every call, by what stands around their readings."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lxml import etree

from canonical.messages import Reply
from iec61968 import safe_xml
from iec61968.editions import EDITIONS, Edition
from iec61968.soap_call import Call

HEAD_BYTES = 1024 * 1024
"""The first MeterReading must begin within that many bytes."""

_FIRST = re.compile(rb"<(?:[A-Za-z_][A-Za-z0-9_.-]*:)?MeterReading[\s>/]")


@dataclass(frozen=True, slots=True)
class Spooled:
    """A body that lies in a file."""

    path: Path
    sha256: str
    size: int


class ReceiveBulk(Protocol):
    """Takes a message whose readings are read from a file, durably; runs `check` on what stands around them."""

    def __call__(self, body: Spooled, *, call: Call, check: Callable[[], bytes], edition: Edition) -> Reply:
        """Return what the sender is told; a refusal that `check` raises is archived and returned as FAILED."""
        ...


@dataclass(frozen=True, slots=True)
class Bulk:
    """Where large bodies lie, how large they may be, and who takes them."""

    folder: Path
    receive: ReceiveBulk
    limit_bytes: int = 4 * 1024**3


def shell_of(head: bytes) -> bytes | None:
    """Return a message without its readings: its beginning up to the first one, with every open element closed.

    None: no MeterReading begins within `HEAD_BYTES`, or the beginning is no XML.
    """
    found = _FIRST.search(head, 0, HEAD_BYTES)
    if found is None or not _is_sound(head[: found.start()]):
        return None
    begun = head[: found.start()]
    parser = etree.XMLPullParser(("start", "end"), **safe_xml.PARSER_SETTINGS)
    stack: list[str] = []
    try:
        parser.feed(begun)
        events: Any = parser.read_events()
        for event, element in events:
            if event == "end":
                stack.pop()
            else:
                prefix = f"{element.prefix}:" if element.prefix else ""
                stack.append(f"{prefix}{etree.QName(element).localname}")
    except etree.XMLSyntaxError:
        return None
    return begun + "".join(f"</{name}>" for name in reversed(stack)).encode()


def _is_sound(begun: bytes) -> bool:
    """Return whether a beginning declares no document type: those are refused as every small message is."""
    return b"<!DOCTYPE" not in begun


def edition_of_head(head: bytes, expected: Edition) -> Edition:
    """Return the edition whose envelope stands in the beginning of a message; the endpoint's own where none does."""
    begun = head[:HEAD_BYTES]
    for edition in (expected, *EDITIONS.values()):
        if f'"{edition.typed_message("MeterReadings")}"'.encode() in begun:
            return edition
    generic = (one for one in (expected, *EDITIONS.values()) if f'"{one.message}"'.encode() in begun)
    return next(generic, expected)
