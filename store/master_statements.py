"""What was said of each thing of master data: by a system to the hub, and by the hub to a system, message by message.

The masters hold what the hub came to believe; this holds what everybody was told and said, also where it was refused,
superseded or so already. It is what is left to explain a belief once payloads are dropped.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, Table, UniqueConstraint, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import BigInteger, Facts, Instant
from store.rows import Row, rows_of


class MasterStatement(SQLModel, table=True):
    """One thing of one message, as it was said. Names and addresses among the facts are personal: never in logs."""

    __tablename__ = "master_statement"
    __table_args__ = (
        UniqueConstraint("how", "system", "message_id", "place", "object_id"),
        Index("master_statement_object", "object_id"),
        Index("master_statement_usage_point", "usage_point"),
    )

    number: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    """Order in which the hub wrote them."""

    how: str
    """`told_us` by a message, `file` by a file of changes, `we_told`."""

    system: str
    """Who said it, as callers are named; of `we_told` the role that was told."""

    message_id: str
    delivery_id: str = ""
    """Of `we_told`: what took it there."""

    place: int
    """Which thing of its message, 0 for the first."""

    kind: str
    """A `canonical.holdings.Kind`."""

    object_id: str
    """As a holding of that kind bears it."""

    usage_point: str = ""
    """mRID, where the statement names one."""

    verb: str
    """`create`, `change`, `close` or `delete`."""

    valid_from: datetime = Field(sa_type=Instant)
    """From when on it holds; of `close` the end, of `delete` without meaning."""

    valid_to: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    facts: dict[str, str] = Field(sa_type=Facts)
    """Canonical texts of the stated fields."""

    said_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """When its sender said it."""

    noted_at: datetime = Field(sa_type=Instant)
    """Business time at which the hub heard it, or decided to tell it."""

    disposition: str = ""
    """What became of it here: APPLIED, DUPLICATE, SUPERSEDED, WAITING, REJECTED. Of `we_told` the delivery knows, but
    where it told more and was taken in part: then APPLIED or REJECTED."""

    code: str = ""
    reason: str = ""


MASTER_STATEMENT: Table = SQLModel.metadata.tables["master_statement"]
CHUNK = 500
"""Ids that one query names."""

FEW = 20
"""Rows up to which one INSERT is quicker than a merge."""

KEY = ("how", "system", "message_id", "place", "object_id")


def note(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was said, in one statement; a message that is handled again says what it said, with its new outcome."""
    if len(rows) > FEW:
        bulk.upsert(session, MASTER_STATEMENT, rows, key=KEY)
    elif rows:
        unique = list({tuple(row[name] for name in KEY): dict(row) for row in rows}.values())
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        statement = dialect.insert(MASTER_STATEMENT).values(unique)
        fresh = {name: statement.excluded[name] for name in unique[0] if name not in (*KEY, "noted_at")}
        session.execute(statement.on_conflict_do_update(index_elements=KEY, set_=fresh))


def refuse(session: Session, delivery_id: str, refused: Mapping[tuple[str, str], tuple[str, str]]) -> None:
    """Keep that one that was told refused some things of a delivery: code and reason by kind and id."""
    table = MASTER_STATEMENT
    for (kind, object_id), (code, reason) in sorted(refused.items()):
        mine = (table.c.object_id == object_id, table.c.kind == kind, table.c.delivery_id == delivery_id)
        values = {"disposition": "REJECTED", "code": code, "reason": reason}
        session.execute(update(table).where(*mine).values(**values))


def answered(session: Session, messages: Mapping[tuple[str, str], tuple[str, str, str]]) -> None:
    """Keep what came of messages that went with others in one delivery.

    Disposition, code and reason, by the system that was told and the message's id.
    """
    table = MASTER_STATEMENT
    for (system, message_id), (disposition, code, reason) in sorted(messages.items()):
        mine = (table.c.how == "we_told", table.c.system == system, table.c.message_id == message_id)
        values = {"disposition": disposition, "code": code, "reason": reason}
        session.execute(update(table).where(*mine).values(**values))


def about(session: Session, usage_point: str, object_ids: Collection[str]) -> list[Row]:
    """Return what was said of a usage point (none where it is empty) and of some things, in order; each once."""
    table = MASTER_STATEMENT.c
    found: dict[int, Row] = {}
    listed = sorted(object_ids)
    conditions: list[ColumnElement[bool]] = [
        table.object_id.in_(listed[at : at + CHUNK]) for at in range(0, len(listed), CHUNK)
    ]
    if usage_point:
        conditions.append(table.usage_point == usage_point)
    for condition in conditions:
        for row in rows_of(session, select(MASTER_STATEMENT).where(condition)):
            found[row["number"]] = row
    return [found[number] for number in sorted(found)]
