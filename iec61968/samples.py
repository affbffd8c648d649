"""Sample messages of every noun, made from its classes: what a partner's schema can be tried with."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import mint
from iec61968.editions import Edition
from iec61968.envelope import ReplyError, WireReply
from iec61968.message_writer import message_to_xml
from iec61968.nouns.shape import Choice, Scalar, Slot, slots
from iec61968.spoken_nouns import NOUNS, QUERY_MESSAGES, Noun
from iec61968.wire import WireHeader, WireMessage, WirePayload, WireRequest

SampleKind = Literal["request", "response", "event", "payload"]

_INSTANT = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
_CODES = {
    "ReadingType": "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
    "ReadingTypes": "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
    "ReadingQualityType": "3.8.0",
    "EndDeviceEventType": "3.26.0.216",
    "EndDeviceControlType": "3.31.0.23",
}
"""Codes that stand in references of these elements."""

_TEXTS = {"value": "12.5", "severity": "information", "email1": "meters@utility.example", "currency": "840"}
_VALUES: dict[type, Any] = {
    bool: True,
    int: 1,
    Decimal: Decimal("1.5"),
    datetime: _INSTANT,
    date: _INSTANT.date(),
    time: time(6, 0),
}
_PLAIN_NAMES = ("GetEndDeviceEvents",)
"""Nouns in whose published schema a Name is its text alone; a sample must be valid there too."""

_PARTICIPLES = {"create": "created", "change": "changed", "cancel": "canceled", "close": "closed", "delete": "deleted"}


def sample_noun(noun: Noun, *, full: bool) -> Any:
    """Return a noun with one of everything, or with one object that holds what it must and nothing else."""
    if full:
        without = ("NameType",) if noun.name in _PLAIN_NAMES else ()
        return _object(noun.type, noun.name, full=True, without=without)
    main = next(slot for slot in slots(noun.type) if slot.choices[0].element == _first_object(noun))
    thing = _object(main.choices[0].type, main.choices[0].element, full=False)
    return noun.type(**{main.field: (thing,) if main.many else thing})


def _first_object(noun: Noun) -> str:
    """Return the element that a minimal sample has: a usage point where the noun can name one."""
    own = [choice.element for slot in slots(noun.type) for choice in slot.choices]
    return "UsagePoint" if "UsagePoint" in noun.objects and "UsagePoint" in own else noun.objects[0]


def _object(cls: type, element: str, *, full: bool, turn: int = 0, without: tuple[str, ...] = ()) -> Any:
    """Return an object of a class, without some elements.

    `turn` says which alternative a place takes that holds one of several.
    """
    values = {}
    for slot in slots(cls):
        if slot.choices[0].element in without:
            continue
        if slot.attribute:
            if len(slots(cls)) == 1:
                values[slot.field] = _CODES.get(element, f"sample-{element}")
        elif full or slot.expected or _names_it(cls, slot):
            values[slot.field] = _place(slot, full=full, turn=turn, without=without)
    return cls(**values)


def _names_it(cls: type, slot: Slot) -> bool:
    """Return whether a place holds what identifies the object: even a minimal sample says whom it is about."""
    return slot.field == "mrid"


def _place(slot: Slot, *, full: bool, turn: int, without: tuple[str, ...]) -> Any:
    """Return what stands in one place."""
    if not slot.many:
        return _one(slot.choices[turn % len(slot.choices)], full=full, without=without)
    if len(slot.choices) > 1:
        return tuple(_one(choice, full=full, without=without) for choice in slot.choices)
    choice = slot.choices[0]
    turns = _turns(choice.type) if full else 1
    return tuple(_one(choice, full=full, turn=turn, without=without) for turn in range(turns))


def _turns(kind: Any) -> int:
    """Return how many objects show every alternative of a class."""
    if isinstance(kind, Scalar):
        return 1
    return max((len(slot.choices) for slot in slots(kind) if not slot.many), default=1)


def _one(choice: Choice, *, full: bool, turn: int = 0, without: tuple[str, ...]) -> Any:
    """Return one object or value."""
    if not isinstance(choice.type, Scalar):
        return _object(choice.type, choice.element, full=full, turn=turn, without=without)
    if choice.type.words:
        return choice.type.words[0]
    if choice.type.python is not str:
        return _VALUES[choice.type.python]
    if choice.element == "mRID":
        return mint("sample", "mRID")
    return _TEXTS.get(choice.element, f"sample-{choice.element}")


def sample_message(
    noun: Noun, *, kind: SampleKind, edition: Edition, full: bool = False, verb: str = ""
) -> etree._Element:
    """Return a sample as an element: a bare payload or a typed message in an edition.

    `verb` is the verb of the header: an imperative for requests, a participle for events; empty takes the usual one.

    Raises:
        RejectedError: UNKNOWN_VERB: there is no such message of this noun.
    """
    payload: etree._Element = noun.to_xml(sample_noun(noun, full=full), edition=edition)
    if kind == "payload":
        return payload
    if kind == "response" and verb in ("", "reply"):
        return _response(noun, edition, full)
    if kind == "request" and (verb == "get" or (noun.is_query and not verb)):
        return _query(noun, edition, full)
    verb = verb or ("create" if kind == "request" else "created")
    allowed = _PARTICIPLES if kind == "request" else _PARTICIPLES.values()
    if kind == "response" or verb not in allowed or noun.is_query:
        raise RejectedError(f"no {kind} {verb!r} of {noun.name}", code=codes.UNKNOWN_VERB)
    wire_kind: Literal["request", "event"] = "request" if kind == "request" else "event"
    name = f"{verb.capitalize()}{noun.name}"
    message = WireMessage(wire_kind, _header(verb, noun.answer, full), name, payload=WirePayload((payload,)))
    return message_to_xml(message, edition=edition, typed=noun.name)


def _query(noun: Noun, edition: Edition, full: bool) -> etree._Element:
    """Return the request that asks for a noun; it carries the query's profile where there is one."""
    query = NOUNS.get(f"Get{noun.answer}")
    asked = () if query is None else (query.to_xml(sample_noun(query, full=full), edition=edition),)
    typed = f"Get{noun.answer}" if f"Get{noun.answer}" in QUERY_MESSAGES else noun.answer
    request = WireRequest(start=_INSTANT, end=_INSTANT, parts=asked) if full else WireRequest(parts=asked)
    message = WireMessage("request", _header("get", noun.answer, full), f"Get{noun.answer}", request)
    return message_to_xml(message, edition=edition, typed=typed)


def _response(noun: Noun, edition: Edition, full: bool) -> etree._Element:
    """Return the answer that carries a noun; that of a query is in the query's own messages."""
    answer = NOUNS[noun.answer]
    payload = answer.to_xml(sample_noun(answer, full=full), edition=edition)
    reply = WireReply("OK", (ReplyError("0.0", "INFORM"),) if full else ())
    typed = noun.name if noun.name in QUERY_MESSAGES else noun.answer
    name = f"{noun.answer}ResponseMessage"
    header = _header("reply", noun.answer, full)
    message = WireMessage("response", header, name, reply=reply, payload=WirePayload((payload,)))
    return message_to_xml(message, edition=edition, typed=typed)


def _header(verb: str, noun: str, full: bool) -> WireHeader:
    """Return the header of a sample; in full with every part."""
    message_id, correlation_id = mint("sample", "message"), mint("sample", "correlation")
    minimal = WireHeader(verb, noun, message_id, correlation_id, timestamp=_INSTANT)
    if not full:
        return minimal
    return replace(
        minimal,
        revision="1.0",
        nonce="c2FtcGxlLW5vbmNl",
        nonce_created=_INSTANT,
        context="TESTING",
        source="AMI Hub",
        async_reply=False,
        reply_address="https://hub.example/cim/reply",
        ack_required=False,
        user="sample",
        organization="utility.example",
        comment="a sample",
        properties=(("sample", "yes"),),
    )
