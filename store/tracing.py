"""Finding messages and deliveries again: by what people know of them, and along what caused what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, SQLModel, col, select

from canonical.codes.message import NOT_IN_STORE
from canonical.errors import RejectedError
from store import attempts, message_findings
from store.acts import Act
from store.attempts import DeliveryAttempt
from store.claims import MessageClaim
from store.deliveries import NOTHING, Delivery
from store.messages import MessageAttempt, StoredMessage

LONGEST_CONVERSATION = 2000
"""Messages, and deliveries, that one trace follows at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What people know of a message; empty parts do not matter."""

    source: str = ""
    state: str = ""
    correlation_id: str = ""
    business_key: str = ""
    """Entity that the message is about, or the message's own id."""
    since: datetime | None = None
    """Business time of arrival: this instant or later."""
    until: datetime | None = None
    """Business time of arrival: before this instant."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """One message or delivery with everything kept about it, as plain facts."""

    kind: str
    """message or delivery."""
    facts: dict[str, Any]
    attempts: tuple[dict[str, Any], ...]
    acts: tuple[dict[str, Any], ...] = ()
    reply: dict[str, Any] | None = None
    """What the sender of a message was told; None for a delivery, and before there is a reply."""

    findings: tuple[dict[str, Any], ...] = ()
    """Where a message that was taken breaks the standard, and how often."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that one message, correlation or delivery hangs together with, oldest first."""

    messages: tuple[dict[str, Any], ...]
    deliveries: tuple[dict[str, Any], ...]


def search(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """Return the messages that match, newest first."""
    query = select(StoredMessage)
    for column, value in (
        (StoredMessage.source, wanted.source),
        (StoredMessage.state, wanted.state),
        (StoredMessage.correlation_id, wanted.correlation_id),
    ):
        if value:
            query = query.where(col(column) == value)
    if wanted.business_key:
        key = wanted.business_key
        query = query.where(or_(col(StoredMessage.business_key) == key, col(StoredMessage.message_id) == key))
    if wanted.since:
        query = query.where(col(StoredMessage.received_at) >= wanted.since)
    if wanted.until:
        query = query.where(col(StoredMessage.received_at) < wanted.until)
    newest = col(StoredMessage.received_at).desc(), col(StoredMessage.entry).desc()
    return [facts_of(row) for row in session.exec(query.order_by(*newest).limit(wanted.limit))]


def show(session: Session, word: str) -> Shown:
    """Return the message of an entry number, or the delivery of an id.

    Raises:
        RejectedError: there is neither (NOT_IN_STORE).
    """
    if word.isdigit():
        return _show_message(session, int(word))
    row = session.exec(select(Delivery).where(Delivery.delivery_id == word)).one_or_none()
    if row is None:
        raise RejectedError(f"no delivery has the id {word!r}, and an entry is a number", code=NOT_IN_STORE)
    return Shown(
        "delivery", facts_of(row), _dumped(attempts.of_delivery(session, row.sequence, row.begun)), _acts(session, word)
    )


def _show_message(session: Session, entry: int) -> Shown:
    """Return the message of an entry number."""
    row = session.get(StoredMessage, entry) if entry < 1 << 63 else None
    if row is None:
        raise RejectedError(f"no message has the entry number {entry}", code=NOT_IN_STORE)
    attempts = session.exec(
        select(MessageAttempt).where(MessageAttempt.entry == entry).order_by(col(MessageAttempt.number))
    )
    reply = session.exec(select(MessageClaim.reply).where(MessageClaim.entry == entry)).first()
    told = None if reply is None else dict(reply)
    found = tuple(message_findings.of_message(session, row.source, row.message_id)) if row.message_id else ()
    return Shown("message", facts_of(row), _dumped(attempts), _acts(session, str(entry)), told, found)


def conversation(session: Session, word: str) -> Conversation:
    """Return what hangs together with an entry number, message id, correlation id, delivery id or business key.

    Raises:
        RejectedError: nothing bears that word (NOT_IN_STORE).
    """
    messages: dict[Any, dict[str, Any]] = {}
    deliveries: dict[Any, dict[str, Any]] = {}
    _gather(session, messages, deliveries, _seeds_message(word), _seeds_delivery(word))
    if not messages and not deliveries:
        raise RejectedError(f"nothing bears {word!r}", code=NOT_IN_STORE)
    known = 0
    while known < len(messages) + len(deliveries) < LONGEST_CONVERSATION:
        known = len(messages) + len(deliveries)
        rows = [*messages.values(), *deliveries.values()]
        ids = {row["message_id"] for row in rows} | {row["causation_id"] for row in rows}
        talks = {row["correlation_id"] for row in rows}
        _gather(
            session,
            messages,
            deliveries,
            _linked(StoredMessage, ids - {""}, talks - {""}),
            _linked(Delivery, ids - {""}, talks - {""}),
        )
    return Conversation(
        tuple(messages[number] for number in sorted(messages)),
        tuple(deliveries[number] for number in sorted(deliveries)),
    )


def _gather(
    session: Session,
    messages: dict[Any, dict[str, Any]],
    deliveries: dict[Any, dict[str, Any]],
    which_messages: ColumnElement[bool],
    which_deliveries: ColumnElement[bool],
) -> None:
    """Add the rows that two conditions find."""
    for message in session.exec(select(StoredMessage).where(which_messages).limit(LONGEST_CONVERSATION)):
        messages[message.entry] = facts_of(message)
    for delivery in session.exec(select(Delivery).where(which_deliveries).limit(LONGEST_CONVERSATION)):
        deliveries[delivery.sequence] = facts_of(delivery)


def _seeds_message(word: str) -> ColumnElement[bool]:
    """Return the condition of a message that bears a word."""
    names = (StoredMessage.message_id, StoredMessage.correlation_id, StoredMessage.business_key)
    found = or_(*(col(name) == word for name in names))
    return or_(found, col(StoredMessage.entry) == int(word)) if word.isdigit() and len(word) < 19 else found


def _seeds_delivery(word: str) -> ColumnElement[bool]:
    """Return the condition of a delivery that bears a word."""
    names = (Delivery.delivery_id, Delivery.message_id, Delivery.lane, Delivery.name)
    talk = (col(Delivery.correlation_id) == word) & (col(Delivery.correlation_id) != NOTHING)
    return or_(talk, *(col(name) == word for name in names))


def _linked(
    table: type[StoredMessage] | type[Delivery], ids: Sequence[str] | set[str], talks: set[str]
) -> ColumnElement[bool]:
    """Return the condition of what caused one of the ids, was caused by it, or belongs to one of the talks."""
    return or_(
        col(table.message_id).in_(sorted(ids)),
        col(table.causation_id).in_(sorted(ids)) & (col(table.causation_id) != NOTHING),
        col(table.correlation_id).in_(sorted(talks)) & (col(table.correlation_id) != NOTHING),
    )


def facts_of(row: SQLModel) -> dict[str, Any]:
    """Return a row as plain facts, in the order in which its table names them."""
    return {name: getattr(row, name) for name in type(row).model_fields}


def _acts(session: Session, subject: str) -> tuple[dict[str, Any], ...]:
    """Return what people did to a message or delivery."""
    rows = session.exec(select(Act).where(Act.subject == subject).order_by(col(Act.number)))
    return _dumped(rows)


def _dumped(rows: Iterable[MessageAttempt | DeliveryAttempt | Act]) -> tuple[dict[str, Any], ...]:
    """Return rows as plain facts."""
    return tuple(facts_of(row) for row in rows)
