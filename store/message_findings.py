"""Where messages broke the standard and were taken all the same: by element, counted, never with a value."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, select
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import Instant
from store.rows import rows_of

_POSITION = re.compile(r"\[\d+\]")


class MessageFinding(SQLModel, table=True):
    """One element of one message at which it breaks its schema."""

    __tablename__ = "message_finding"

    source: str = Field(primary_key=True)
    message_id: str = Field(primary_key=True)
    xpath: str = Field(primary_key=True)
    """Names of elements from the root, without positions."""
    operation: str
    times: int
    at: datetime = Field(sa_type=Instant)
    """Business time."""


MESSAGE_FINDING: Table = SQLModel.metadata.tables["message_finding"]


def note(
    session: Session, *, source: str, message_id: str, operation: str, places: Iterable[str], now: datetime
) -> bool:
    """Keep where a message breaks its schema, and return whether it is new: the same message changes nothing."""
    counted = Counter(_POSITION.sub("", place) for place in places)
    rows = [
        {"source": source, "message_id": message_id, "xpath": xpath, "operation": operation, "times": times, "at": now}
        for xpath, times in sorted(counted.items())
    ]
    table = MESSAGE_FINDING.c
    known = select(table.xpath).where(table.source == source, table.message_id == message_id).limit(1)
    if rows_of(session, known):
        return False
    bulk.upsert(session, MESSAGE_FINDING, rows, key=("source", "message_id", "xpath"))
    return True


def of_message(session: Session, source: str, message_id: str) -> list[dict[str, Any]]:
    """Return where one message breaks its schema, and how often at each place."""
    table = MESSAGE_FINDING.c
    query = select(table.times, table.xpath).where(table.source == source, table.message_id == message_id)
    return rows_of(session, query.order_by(table.xpath))


def counts(session: Session, *, source: str = "") -> list[dict[str, Any]]:
    """Return how many messages of each source break the standard at each place, the most frequent first."""
    table = MESSAGE_FINDING.c
    messages = func.count().label("messages")
    query = select(
        table.source, table.operation, table.xpath, messages, func.sum(table.times).label("times"),
        func.max(table.at).label("last"),
    )  # fmt: skip
    if source:
        query = query.where(table.source == source)
    query = query.group_by(table.source, table.operation, table.xpath)
    return rows_of(session, query.order_by(messages.desc(), table.source, table.xpath))
