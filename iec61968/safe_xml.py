"""Reading XML from outside: no document type, no entities, no network, bounded in size, depth and count."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import local
from typing import Any

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError

PARSER_SETTINGS: Mapping[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
"""Settings of every parser that reads what came from outside. Without comments a text is one node, read whole."""

PROLOG_BYTES = 65_536
"""The root element must begin within that many bytes."""

_PLAIN_BEGINNING = re.compile(
    rb"""(?:<\?xml version=["']1\.0["'](?: encoding=["'](?:utf|UTF)-8["'])?"""
    rb"""(?: standalone=["'](?:yes|no)["'])?\s?\?>\s{0,8})?<[A-Za-z]"""
)
"""How nearly every message begins: UTF-8, and nothing between its declaration and its root element."""

_PROLOG_PART = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = (b"utf-8", b"utf8", b"us-ascii", b"ascii")


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """How large a message may be before it is refused."""

    total_bytes: int = 64 * 1024 * 1024
    """Bytes of the whole message."""

    depth: int = 64
    """Nested elements."""

    elements: int = 5_000_000
    """Elements of the whole message."""

    attributes: int = 2_000_000
    """Attributes of the whole message."""

    attributes_of_one: int = 256
    """Attributes and namespace declarations of one start tag, counted as `=` signs."""


_LIMITS = XmlLimits()
_BYTES_OF_ATTRIBUTE = 5
"""An attribute takes a blank, a name, `=` and two quotes at least, so that few bytes cannot hold too many."""


def is_plain_beginning(raw: bytes) -> bool:
    """Return whether nothing but a declaration of UTF-8 stands before the root element; `parse` need not look again."""
    return _PLAIN_BEGINNING.match(raw) is not None


def check_prolog(head: bytes, *, where: str = "") -> bool:
    """Return whether the root element begins inside `head`, the first bytes of a document.

    Raises:
        RejectedError: a document type, another encoding than UTF-8, or a prolog longer than 64 KB.
    """
    if _PLAIN_BEGINNING.match(head):
        return True
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00", b"\x00\x00")):
        raise RejectedError("not UTF-8", code=codes.UNSUPPORTED_ENCODING, where=where)
    body = head[3:] if head.startswith(b"\xef\xbb\xbf") else head
    declared = _DECLARED.match(body)
    if declared and declared.group(1).lower() not in _ENCODINGS:
        raise RejectedError(
            f"encoding {declared.group(1).decode('ascii')}", code=codes.UNSUPPORTED_ENCODING, where=where
        )
    position = 0
    while part := _PROLOG_PART.match(body, position):
        position = part.end()
    rest = body[position : position + 9]
    if rest.startswith(b"<!DOCTYPE"):
        raise RejectedError("a document type is declared", code=codes.DTD_REFUSED, where=where)
    begins = len(rest) > 1 and rest.startswith(b"<") and rest[1:2] not in (b"!", b"?")
    if begins and position <= PROLOG_BYTES:
        return True
    if len(body) > PROLOG_BYTES:
        raise RejectedError("no root element within 64 KB", code=codes.XML_LIMITS, where=where)
    return False


class _OfThread(local):
    """What each thread has of its own: threads that share a parser wait for each other."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(**PARSER_SETTINGS)
        self.writer = etree.XMLParser(**PARSER_SETTINGS)


_OWN = _OfThread()


def parse(raw: bytes, *, limits: XmlLimits | None = None, where: str = "", is_plain: bool = False) -> etree._Element:
    """Return the root element of a whole message; `is_plain` where its beginning is known to be plain.

    Raises:
        RejectedError: not XML, not UTF-8, a document type, or beyond a limit.
    """
    limits = limits or _LIMITS
    if len(raw) > limits.total_bytes:
        raise RejectedError(
            f"{len(raw)} bytes, {limits.total_bytes} are taken", code=codes.MESSAGE_TOO_LARGE, where=where
        )
    begins = is_plain = is_plain or is_plain_beginning(raw)
    if not is_plain:
        if not raw or raw.isspace():
            raise RejectedError("empty message", code=codes.NOT_XML, where=where)
        begins = check_prolog(raw, where=where)
    tags, most = raw.count(b"<"), limits.attributes_of_one
    is_short = len(raw) <= _BYTES_OF_ATTRIBUTE * most and most <= limits.attributes
    equals = 0 if is_short else raw.count(b"=")
    if equals > limits.attributes_of_one or tags > 2 * limits.elements:
        _check_tags(raw, tags, equals, limits, where)
    try:
        root = etree.fromstring(raw, _OWN.parser)
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error, where=where) from error
    if not begins:
        # libxml2 knows encodings by their first bytes, EBCDIC for one, in which no count of `<` means anything.
        raise RejectedError("not UTF-8", code=codes.UNSUPPORTED_ENCODING, where=where)
    # Behind a plain beginning stands the root element, and no document type.
    if tags > limits.depth or equals > limits.attributes or (not is_plain and b"<!DOCTYPE" in raw):
        _check_tree(root, tags, equals, limits, where)
    return root


def own_tree(raw: bytes) -> etree._Element:
    """Return the root element of what we have written ourselves: its size and its shape are ours."""
    parser = _OWN.writer
    parser.feed(raw)
    return parser.close()


def _check_tags(raw: bytes, tags: int, equals: int, limits: XmlLimits, where: str) -> None:
    """Refuse bytes that hold more tags than allowed, or a start tag with too many attributes, before parsing them.

    Raises:
        RejectedError: beyond a limit.
    """
    if tags > 2 * limits.elements:
        raise RejectedError("too many elements", code=codes.XML_LIMITS, where=where)
    if equals <= limits.attributes_of_one:
        return
    for tag in raw.split(b"<"):
        if len(tag) > limits.attributes_of_one and tag.partition(b">")[0].count(b"=") > limits.attributes_of_one:
            raise RejectedError("too many attributes in one element", code=codes.XML_LIMITS, where=where)


def not_well_formed(error: etree.XMLSyntaxError, *, where: str = "") -> RejectedError:
    """Return the coded error for what libxml2 could not read; its own limits keep their own code."""
    text = str(error)
    if "depth" in text.lower() or "huge" in text.lower():
        return RejectedError(text, code=codes.XML_LIMITS, where=where)
    place = f"{where}:{error.lineno}" if where else f"line {error.lineno}"
    return RejectedError(text, code=codes.NOT_XML, where=place)


def _check_tree(root: etree._Element, tags: int, equals: int, limits: XmlLimits, where: str) -> None:
    """Refuse what the parser let through: entity references, too deep, too many.

    The tree is asked only where the bytes leave it open: every element has a `<` of its own, every attribute a `=`.
    Both counts, and that no document type is declared, are certain from the bytes, as they are UTF-8.
    """
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise RejectedError("a document type is declared", code=codes.DTD_REFUSED, where=where)
    if tags > limits.depth and _deeper_than(limits.depth)(root):
        raise RejectedError(f"nested deeper than {limits.depth}", code=codes.XML_LIMITS, where=where)
    if tags > limits.elements and _ELEMENTS(root) > limits.elements:
        raise RejectedError(f"more than {limits.elements} elements", code=codes.XML_LIMITS, where=where)
    if equals > limits.attributes and _ATTRIBUTES(root) > limits.attributes:
        raise RejectedError(f"more than {limits.attributes} attributes", code=codes.XML_LIMITS, where=where)


_ELEMENTS: Any = etree.XPath("count(//*)")
_ATTRIBUTES: Any = etree.XPath("count(//@*)")


@lru_cache(maxsize=16)
def _deeper_than(depth: int) -> etree.XPath:
    """Return the question whether a document is nested deeper."""
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")
