"""Parts of billing drops: what each contains, in which order, and what its receiver said of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, Text, func, select, update
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.billing import BILLING_ITEM
from store.columns import BigInteger, Instant
from store.rows import Row, first_of, rows_of


class BillingPartRow(SQLModel, table=True):
    """One part file. FORMED: decided; QUEUED: its delivery is enqueued; SENT; ACKED; NACKED; REPLACED by a revision."""

    __tablename__ = "billing_part"
    __table_args__ = (
        Index("billing_part_state", "interface", "state"),
        Index("billing_part_run", "run_id"),
        Index("billing_part_name", "name"),
    )

    file_id: str = Field(primary_key=True)
    interface: str
    run_id: str
    """Run that it answers; for a correction drop, an id of its own."""
    run_type: str
    cycle: str
    business_date: str
    created: datetime = Field(sa_type=Instant)
    sequence: int
    part: int
    is_last: bool
    revision: int = 0
    replaces_file_id: str = ""
    state: str
    name: str = ""
    """File name, known once it is encoded."""
    delivery_id: str = ""
    items: int
    quantity_micro: int = Field(default=0, sa_type=BigInteger)
    """Sum over units; by unit see `explain`."""
    closing: str = Field(default="", sa_type=Text)
    """Closing account as JSON, in the last part."""
    formed_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    ack_due_at: datetime | None = Field(default=None, sa_type=Instant)
    acked_at: datetime | None = Field(default=None, sa_type=Instant)
    ack_verdict: str = ""
    ack_reason: str = ""
    rejected_items: int = 0


class PartLineRow(SQLModel, table=True):
    """One determinant in one part."""

    __tablename__ = "billing_part_line"
    __table_args__ = (Index("billing_part_line_item", "item_id"),)

    file_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    """0 for the first determinant."""
    item_id: str
    determinant_id: str
    version: int
    line: int
    """Line of its SVC record in the file, 1 for the first."""
    verdict: str = ""
    """PENDING when empty; ACKED, REJECTED."""
    reason: str = ""


class SequenceRow(SQLModel, table=True):
    """Last sequence number given out for (sender, interface)."""

    __tablename__ = "billing_sequence"

    stream: str = Field(primary_key=True)
    last: int


BILLING_PART: Table = SQLModel.metadata.tables["billing_part"]
PART_LINE: Table = SQLModel.metadata.tables["billing_part_line"]
SEQUENCE: Table = SQLModel.metadata.tables["billing_sequence"]


def next_sequence(session: Session, stream: str) -> int:
    """Return the next number of a stream, one above the last; in the transaction that uses it."""
    last = session.execute(select(SEQUENCE.c.last).where(SEQUENCE.c.stream == stream)).scalar() or 0
    bulk.upsert(session, SEQUENCE, [{"stream": stream, "last": last + 1}], key=("stream",))
    return int(last) + 1


def add(session: Session, part: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """Record a part and what it contains."""
    bulk.insert(session, BILLING_PART, [part])
    bulk.insert(session, PART_LINE, lines)


def change_part(session: Session, file_id: str, **values: object) -> None:
    """Change columns of one part."""
    session.execute(update(BILLING_PART).where(BILLING_PART.c.file_id == file_id).values(**values))


def parts(session: Session, interface: str, states: Collection[str]) -> list[Row]:
    """Return parts of an interface in some states, in order of sequence."""
    query = select(BILLING_PART).where(BILLING_PART.c.interface == interface, BILLING_PART.c.state.in_(sorted(states)))
    return rows_of(session, query.order_by(BILLING_PART.c.sequence, BILLING_PART.c.revision))


def parts_of_run(session: Session, run_id: str) -> list[Row]:
    """Return the parts of one run, in order."""
    query = select(BILLING_PART).where(BILLING_PART.c.run_id == run_id)
    return rows_of(session, query.order_by(BILLING_PART.c.part, BILLING_PART.c.revision))


def part(session: Session, file_id: str) -> Row | None:
    """Return one part."""
    query = select(BILLING_PART).where(BILLING_PART.c.file_id == file_id)
    return first_of(session, query)


def part_named(session: Session, name: str) -> Row | None:
    """Return the part whose file bears a name."""
    return first_of(session, select(BILLING_PART).where(BILLING_PART.c.name == name))


def part_of_delivery(session: Session, delivery_id: str) -> Row | None:
    """Return the part that a delivery carries."""
    return first_of(session, select(BILLING_PART).where(BILLING_PART.c.delivery_id == delivery_id))


def lines(session: Session, file_id: str) -> list[Row]:
    """Return the lines of a part, in order."""
    query = select(PART_LINE).where(PART_LINE.c.file_id == file_id).order_by(PART_LINE.c.position)
    return rows_of(session, query)


def lines_of_item(session: Session, item_id: str) -> list[Row]:
    """Return where one item's determinants went, in order."""
    part = BILLING_PART.c
    about = (part.name, part.sequence, part.state, part.delivery_id, part.sent_at, part.acked_at)
    query = (
        select(PART_LINE, *about, part.ack_verdict, part.ack_reason)
        .join(BILLING_PART, part.file_id == PART_LINE.c.file_id)
        .where(PART_LINE.c.item_id == item_id)
    )
    return rows_of(session, query.order_by(BILLING_PART.c.sequence, BILLING_PART.c.revision))


def judge_lines(session: Session, file_id: str, *, verdict: str, reason: str = "", only: Collection[str] = ()) -> None:
    """Record what the receiver said of the lines of a part (of some determinants only, where named)."""
    query = update(PART_LINE).where(PART_LINE.c.file_id == file_id)
    if only:
        query = query.where(PART_LINE.c.determinant_id.in_(sorted(only)))
    session.execute(query.values(verdict=verdict, reason=reason))


def items_of_part(session: Session, file_id: str) -> list[Row]:
    """Return the items whose determinants a part contains, with the version that it carries, in order."""
    query = (
        select(BILLING_ITEM, PART_LINE.c.version.label("carried"))
        .join(PART_LINE, PART_LINE.c.item_id == BILLING_ITEM.c.item_id)
        .where(PART_LINE.c.file_id == file_id)
    )
    return rows_of(session, query.order_by(PART_LINE.c.position))


def run_lines(session: Session, run_id: str) -> dict[str, int]:
    """Return lines of a run's standing parts by the receiver's verdict (empty: pending).

    A part that was refused and revised does not stand; of one item, the last line counts.
    """
    newest = (
        select(PART_LINE.c.item_id, func.max(BILLING_PART.c.sequence).label("sequence"))
        .join(BILLING_PART, BILLING_PART.c.file_id == PART_LINE.c.file_id)
        .where(BILLING_PART.c.run_id == run_id, BILLING_PART.c.state != "NACKED")
        .group_by(PART_LINE.c.item_id)
        .subquery()
    )
    query = (
        select(PART_LINE.c.verdict, func.count())
        .join(BILLING_PART, BILLING_PART.c.file_id == PART_LINE.c.file_id)
        .join(newest, (newest.c.item_id == PART_LINE.c.item_id) & (newest.c.sequence == BILLING_PART.c.sequence))
        .where(BILLING_PART.c.run_id == run_id, BILLING_PART.c.state != "NACKED")
        .group_by(PART_LINE.c.verdict)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def loaded_with_energy(session: Session, run_id: str) -> int:
    """Return how many items of a run have a loaded version with energy, in a part of the run or in a correction."""
    determinant = SQLModel.metadata.tables["determinant"].c
    query = (
        select(func.count(func.distinct(PART_LINE.c.item_id)))
        .join(BILLING_ITEM, BILLING_ITEM.c.item_id == PART_LINE.c.item_id)
        .join(
            SQLModel.metadata.tables["determinant"],
            (determinant.determinant_id == PART_LINE.c.determinant_id) & (determinant.version == PART_LINE.c.version),
        )
        .where(
            BILLING_ITEM.c.run_id == run_id,
            PART_LINE.c.verdict == "ACKED",
            determinant.status.not_in(("NO_READ", "HELD", "REJECTED")),
        )
    )
    return int(session.execute(query).scalar() or 0)
