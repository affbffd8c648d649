"""What is old enough to be dropped: payloads first, then the rows of messages and deliveries; never what is open (I8).

open      parked, being handled, pending, sent and not confirmed, or named by open work
payload   the bytes of a message or delivery, in a table of their own or in the spool
keys      entry, message id, hash, reply, verdicts: by them a repeat is recognized (domain 1.3)

Work items, acts, the file ledger and everything of billing are not touched: they are the audit's, or the law's. Records
about masters: `store.master_retention`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlmodel import Session, col

from store.attempts import DeliveryAttempt
from store.claims import MessageClaim
from store.deliveries import Delivery, DeliveryPayload
from store.message_items import MessageItem
from store.messages import MessageAttempt, MessageBody, StoredMessage
from store.work import OPEN_STATES, WORK_ITEM

REMOVED = "removed:"
"""What the path of a message or delivery begins with whose file retention took out of the spool."""


@dataclass(frozen=True, slots=True)
class Old:
    """Something settled that is older than it need be kept."""

    place: Any
    """Entry number of a message, sequence of a delivery: the page after it begins behind."""

    key: Any
    """Entry number, or id of a delivery."""

    path: str
    """Spool path of the payload; empty where it is in the database, or gone."""

    names: tuple[str, ...]
    """What work may call it: entry, ids, lane, file."""


def open_names(session: Session) -> frozenset[str]:
    """Return every key of open work, and every word of its summary: what they name is not dropped."""
    query = select(WORK_ITEM.c.key, WORK_ITEM.c.summary).where(WORK_ITEM.c.state.in_(OPEN_STATES))
    names: set[str] = set()
    for key, summary in session.execute(query):
        names.add(key)
        names.update(word.strip(":;,.()") for word in summary.split())
    return frozenset(names)


def messages(session: Session, *, before: datetime, after: int, limit: int, payload: bool) -> Sequence[Old]:
    """Return settled messages that came before a business time, behind entry `after`; with payload only, or all."""
    table = StoredMessage
    columns = (table.entry, table.path, table.message_id, table.business_key, table.source, table.name)
    query = select(*map(col, columns)).where(
        col(table.received_at) < before, col(table.state).in_(("done", "waived")), col(table.entry) > after
    )
    if payload:
        body = exists().where(col(MessageBody.entry) == col(table.entry))
        query = query.where(body | _in_spool(col(table.path)))
    rows = session.execute(query.order_by(col(table.entry)).limit(limit))
    return [
        Old(entry, entry, _path(path), (str(entry), message_id, lane, f"{source}/{name.rpartition('#')[0]}"))
        for entry, path, message_id, lane, source, name in rows
    ]


def deliveries(session: Session, *, before: datetime, after: int, limit: int, payload: bool) -> Sequence[Old]:
    """Return settled deliveries enqueued before a business time, behind sequence `after`; likewise."""
    table = Delivery
    unheard = (col(table.state) == "sent") & col(table.confirm_by).is_(None)
    settled = col(table.state).in_(("confirmed", "cancelled")) | unheard
    columns = (table.sequence, table.delivery_id, table.path, table.name, table.message_id)
    query = select(*map(col, columns)).where(col(table.enqueued_at) < before, settled, col(table.sequence) > after)
    if payload:
        body = exists().where(col(DeliveryPayload.delivery_id) == col(table.delivery_id))
        query = query.where(body | _in_spool(col(table.path)))
    rows = session.execute(query.order_by(col(table.sequence)).limit(limit))
    return [Old(place, key, _path(path), (key, name, message)) for place, key, path, name, message in rows]


def _in_spool(path: Any) -> ColumnElement[bool]:
    """Return the condition that a payload lies in the spool."""
    found: ColumnElement[bool] = (path != "") & path.not_like(f"{REMOVED}%")
    return found


def _path(path: str) -> str:
    """Return a spool path, empty where the file is gone."""
    return "" if path.startswith(REMOVED) else path


def drop_bodies(session: Session, olds: Sequence[Old]) -> None:
    """Drop the payloads of messages; where one lay in the spool, the row says that it is gone."""
    entries = [old.key for old in olds]
    session.execute(delete(MessageBody).where(col(MessageBody.entry).in_(entries)))
    _say_removed(session, StoredMessage, col(StoredMessage.entry), entries)


def drop_payloads(session: Session, olds: Sequence[Old]) -> None:
    """Drop the payloads of deliveries, likewise."""
    names = [old.key for old in olds]
    session.execute(delete(DeliveryPayload).where(col(DeliveryPayload.delivery_id).in_(names)))
    _say_removed(session, Delivery, col(Delivery.delivery_id), names)


def _say_removed(session: Session, table: Any, key: Any, keys: Sequence[Any]) -> None:
    """Mark the spool paths of some rows as removed."""
    change = update(table).where(key.in_(keys), _in_spool(col(table.path))).values(path=REMOVED + col(table.path))
    session.execute(change.execution_options(synchronize_session=False))


def forget_messages(session: Session, olds: Sequence[Old]) -> None:
    """Drop messages with everything kept of them; their repeats are new messages from now on."""
    entries = [old.key for old in olds]
    for table in (MessageBody, MessageItem, MessageAttempt, MessageClaim, StoredMessage):
        session.execute(delete(table).where(col(table.entry).in_(entries)))


def forget_deliveries(session: Session, olds: Sequence[Old]) -> None:
    """Drop deliveries with their attempts."""
    names = [old.key for old in olds]
    sequences = [old.place for old in olds]
    session.execute(delete(DeliveryAttempt).where(col(DeliveryAttempt.sequence).in_(sequences)))
    for table in (DeliveryPayload, Delivery):
        session.execute(delete(table).where(col(table.delivery_id).in_(names)))


def count_older(session: Session, *, before: datetime) -> tuple[int, int]:
    """Return how many messages and deliveries are older than a business time, whatever their state."""
    came = select(func.count()).select_from(StoredMessage).where(col(StoredMessage.received_at) < before)
    went = select(func.count()).select_from(Delivery).where(col(Delivery.enqueued_at) < before)
    return session.execute(came).scalar_one(), session.execute(went).scalar_one()
