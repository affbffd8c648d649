"""The message envelope of IEC 61968-100: header, reply, error; strict when written, tolerant when read."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, cast
from xml.sax.saxutils import quoteattr

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Header
from iec61968.editions import Edition
from iec61968.xml_text import clean, header_instant, text

Result = Literal["OK", "PARTIAL", "FAILED"]
Level = Literal["INFORM", "WARNING", "FATAL", "CATASTROPHIC"]

VERBS = frozenset(
    (
        *("cancel", "canceled", "change", "changed", "create", "created", "close", "closed"),
        *("delete", "deleted", "get", "reply", "execute", "executed"),
    )
)
"""The verbs of IEC 61968-100:2013."""

_SYNONYMS = {"update": "change", "updated": "changed", "show": "reply", "cancelled": "canceled"}
"""Older spellings, read but never written."""

_DECLARATION = re.compile(r"\A<\?xml\s[^>]*\?>")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class ReplyError:
    """One thing that went wrong, as a Reply says it."""

    code: str
    """Reply code of IEC 61968-9, such as `2.12`, or the sender's own."""

    level: Level = "FATAL"
    reason: str = ""
    details: str = ""
    object_id: str = ""
    """Identifier of the object it is said of."""

    object_type: str = ""
    """CIM class of that object, such as `UsagePoint`."""

    operation_id: int | None = None
    """With an OperationSet: the operation that it is said of."""


@dataclass(frozen=True, slots=True)
class WireReply:
    """The Reply of a response or fault message."""

    result: Result
    errors: tuple[ReplyError, ...] = ()


def local_name(element: etree._Element) -> str:
    """Return an element's name without namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace_of(element: etree._Element) -> str:
    """Return an element's namespace; empty where it has none."""
    tag = element.tag
    return tag[1:].rpartition("}")[0] if isinstance(tag, str) else ""


def child_text(element: etree._Element, name: str) -> str:
    """Return the trimmed text of the first child of that local name, or an empty string."""
    for child in element:
        if local_name(child) == name:
            return (child.text or "").strip()
    return ""


def texts_of(element: etree._Element) -> dict[str, str]:
    """Return the trimmed text of the first child of each local name."""
    texts: dict[str, str] = {}
    for child in element:
        texts.setdefault(local_name(child), (child.text or "").strip())
    return texts


def message_text(text: str) -> bytes:
    """Return a message that travelled as a text; what its declaration says of an encoding was true elsewhere."""
    return _DECLARATION.sub("", text.strip(), count=1).encode()


def verb_of(text: str, *, where: str = "Header/Verb") -> str:
    """Return the verb of IEC 61968-100 that `text` means; older synonyms are understood.

    Raises:
        RejectedError: no such verb.
    """
    if text in VERBS:
        return text
    verb = _SYNONYMS.get(text.strip().lower(), text.strip())
    if verb not in VERBS:
        raise RejectedError(f"unknown verb {text!r}", code=codes.UNKNOWN_VERB, where=where)
    return verb


def header_from_xml(element: etree._Element, *, strict: bool = True) -> Header:
    """Return what a Header element says; names are matched without namespace.

    With `strict`, MessageID and CorrelationID must be UUIDs and Timestamp an instant with an offset.

    Raises:
        RejectedError: an unknown verb or, with `strict`, a missing or wrong id or timestamp.
    """
    texts = texts_of(element)
    if strict:
        require_ids(texts)
    return Header(
        message_id=texts.get("MessageID", ""),
        source=texts.get("Source", ""),
        verb=verb_of(texts.get("Verb", "")),
        noun=texts.get("Noun", ""),
        correlation_id=texts.get("CorrelationID", ""),
        created_at=timestamp_of(texts.get("Timestamp", ""), strict=strict),
        reply_address=texts.get("ReplyAddress", ""),
    )


def require_ids(texts: Mapping[str, str]) -> None:
    """Refuse the texts of a Header's children, by local name, if an id among them is missing or is no UUID.

    Raises:
        RejectedError: it is so (BAD_XML_VALUE).
    """
    for name in ("MessageID", "CorrelationID"):
        value = texts.get(name, "")
        if not _UUID.fullmatch(value):
            raise RejectedError(f"{value!r} is not a UUID", code=codes.BAD_XML_VALUE, where=f"Header/{name}")


def timestamp_of(text: str, *, strict: bool) -> datetime | None:
    """Return a header's instant in UTC; None when it is missing, naive or unreadable and `strict` is off.

    Raises:
        RejectedError: with `strict`, it is no instant with an offset (BAD_XML_VALUE).
    """
    with suppress(ValueError, OverflowError):  # an offset may lead out of the calendar
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    if strict:
        raise RejectedError(
            f"{text!r} is not an instant with an offset", code=codes.BAD_XML_VALUE, where="Header/Timestamp"
        )
    return None


def header_to_xml(header: Header, *, edition: Edition, namespace: str) -> etree._Element:
    """Return a Header element in `namespace`; its parts are in the edition's envelope namespace, in schema order.

    Raises:
        RejectedError: as `header_text`.
    """
    return etree.fromstring(f'<Header xmlns="{namespace}" xmlns:e="{edition.message}">{header_text(header)}</Header>')


def header_text(header: Header, properties: Iterable[tuple[str, str]] = ()) -> str:
    """Return the parts of a Header in schema order, as text in which `e` means the edition's envelope namespace.

    Raises:
        RejectedError: an id is not a UUID, or there is no timestamp: the strict form needs them.
    """
    if header.created_at is None:
        raise RejectedError("no timestamp", code=codes.EXPORT_IMPOSSIBLE, where="Header")
    return header_text_of(
        header.verb,
        header.noun,
        header.created_at,
        header.source,
        reply_address=header.reply_address,
        message_id=header.message_id,
        correlation_id=header.correlation_id,
        properties=properties,
    )


def header_text_of(
    verb: str,
    noun: str,
    created_at: datetime,
    source: str,
    *,
    reply_address: str = "",
    message_id: str,
    correlation_id: str,
    properties: Iterable[tuple[str, str]] = (),
) -> str:
    """Return what `header_text` does, of parts that nobody has put into a Header.

    Raises:
        RejectedError: an id is not a UUID.
    """
    what, who = fixed_text(verb, noun, source, reply_address)
    ids = id_text("MessageID", message_id) + id_text("CorrelationID", correlation_id)
    return f"{what}<e:Timestamp>{header_instant(created_at)}</e:Timestamp>{who}{ids}{properties_text(properties)}"


@lru_cache(maxsize=256)
def fixed_text(verb: str, noun: str, source: str, reply_address: str) -> tuple[str, str]:
    """Return what stands before and behind the timestamp of a Header: the same in every answer about a noun."""
    return _part("Verb", verb) + _part("Noun", noun), _part("Source", source) + _part("ReplyAddress", reply_address)


def properties_text(properties: Iterable[tuple[str, str]]) -> str:
    """Return the Properties of a Header, which stand behind its ids."""
    return "".join([f"<e:Property>{_part('Name', n)}{_part('Value', v)}</e:Property>" for n, v in properties])


def id_text(name: str, value: str) -> str:
    """Return an id of a Header.

    Raises:
        RejectedError: it is not a UUID.
    """
    if not _UUID.fullmatch(value):
        raise RejectedError(f"{name} {value!r} is not a UUID", code=codes.EXPORT_IMPOSSIBLE, where="Header")
    return f"<e:{name}>{value}</e:{name}>"


def _part(name: str, value: str) -> str:
    """Return an element of the envelope's namespace; nothing where there is no value."""
    return f"<e:{name}>{text(value)}</e:{name}>" if value else ""


def reply_from_xml(element: etree._Element) -> WireReply:
    """Return what a Reply element says; names are matched without namespace.

    Raises:
        RejectedError: the result is none of OK, PARTIAL, FAILED.
    """
    result = child_text(element, "Result")
    if result not in ("OK", "PARTIAL", "FAILED"):
        raise RejectedError(f"result {result!r}", code=codes.BAD_XML_VALUE, where="Reply/Result")
    errors = tuple(_error_from_xml(child) for child in element if local_name(child) == "Error")
    return WireReply(cast("Result", result), errors)


def _error_from_xml(element: etree._Element) -> ReplyError:
    texts = texts_of(element)
    level, operation = texts.get("level", ""), texts.get("operationId", "")
    identifier, object_type = "", ""
    for child in element:
        if local_name(child) == "ID":
            identifier, object_type = (child.text or "").strip(), child.get("objectType", "")
        elif local_name(child) == "object" and not identifier:
            identifier, object_type = child_text(child, "mRID"), child_text(child, "objectType")
    return ReplyError(
        texts.get("code", ""),
        cast("Level", level) if level in ("INFORM", "WARNING", "FATAL", "CATASTROPHIC") else "FATAL",
        texts.get("reason", ""),
        texts.get("details", ""),
        identifier,
        object_type,
        int(operation) if operation.isascii() and operation.isdigit() else None,
    )


def reply_to_xml(reply: WireReply, *, edition: Edition, namespace: str) -> etree._Element:
    """Return a Reply element in `namespace`; its parts are in the edition's envelope namespace, in schema order."""
    return etree.fromstring(f'<Reply xmlns="{namespace}" xmlns:e="{edition.message}">{reply_text(reply)}</Reply>')


def reply_text(reply: WireReply) -> str:
    """Return the parts of a Reply in schema order, as text in which `e` means the edition's envelope namespace."""
    return f"<e:Result>{reply.result}</e:Result>" + "".join(map(_error_text, reply.errors))


def _error_text(error: ReplyError) -> str:
    """Return one Error of a Reply."""
    parts = [_part("code", error.code), _part("level", error.level)]
    parts += [_part("reason", error.reason), _part("details", error.details)]
    if error.object_id:
        kind = quoteattr(clean(error.object_type))
        parts.append(f'<e:ID kind="uuid" objectType={kind}>{text(error.object_id)}</e:ID>')
    if error.operation_id is not None:
        parts.append(f"<e:operationId>{error.operation_id}</e:operationId>")
    return f"<e:Error>{''.join(parts)}</e:Error>"
