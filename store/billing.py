"""Billing runs and their items: what a CIS asked for in one request file, and where each line of it stands.

Quantities are counted in millionths of their unit (`quantity_micro`), so that sums are exact in SQL.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, Text, insert, select, update
from sqlmodel import Field, Session, SQLModel

from store.columns import BigInteger, Instant
from store.rows import Row, first_of, rows_of


class BillingRunRow(SQLModel, table=True):
    """One request file taken in: the run that answers it."""

    __tablename__ = "billing_run"
    __table_args__ = (Index("billing_run_state", "interface", "state"),)

    run_id: str = Field(primary_key=True)
    interface: str
    file_name: str
    file_id: str
    """The CIS's id of the request file."""
    ledger_id: str
    """Our ledger's id of the file."""
    run_type: str
    cycle: str
    business_date: str
    sequence: int
    opened_at: datetime = Field(sa_type=Instant)
    """Business time of intake; stands as `created` in every part of the run."""
    window_start: datetime = Field(sa_type=Instant)
    window_end: datetime | None = Field(default=None, sa_type=Instant)
    state: str
    """TAKING_IN, OPEN, ANSWERED (last part formed), CLOSED or WAIVED."""
    scheduled: int = 0
    """Items the file's trailer counts."""
    rejected: int = 0
    """Items refused at intake."""
    duplicates: int = 0
    parts: int = 0
    """Parts formed so far."""
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    note: str = ""
    flagged: bool = False
    """Whether a pass has failed for it already: a failure is told once."""


class BillingItemRow(SQLModel, table=True):
    """One accepted line of a request file."""

    __tablename__ = "billing_item"
    __table_args__ = (
        Index("billing_item_due", "interface", "next_due_at", "run_id", "step", "line"),
        Index("billing_item_batch", "run_id", "step", "line"),
        Index("billing_item_open", "run_id", "answer", "via"),
        Index("billing_item_out", "interface", "via", "run_id", "line"),
        Index("billing_item_request", "interface", "request_id", unique=True),
        Index("billing_item_usage_point", "usage_point", "period_start"),
        Index("billing_item_account", "account"),
        Index("billing_item_by_request", "request_id"),
        Index("billing_item_determinant", "determinant_id"),
    )

    item_id: str = Field(primary_key=True)
    interface: str
    run_id: str
    line: int
    request_id: str
    reason: str
    commodity: str
    usage_point: str
    agreement: str
    account: str
    cycle: str
    period_start: datetime = Field(sa_type=Instant)
    period_end: datetime = Field(sa_type=Instant)
    replaces: str
    asked_as: str
    """What the line named the usage point by, such as `meter ACM 123`."""
    fingerprint: str
    """sha256 of the line's content: the same id with another one is refused."""
    deadline: datetime | None = Field(default=None, sa_type=Instant)
    state: str
    step: str
    """What is due at `next_due_at`: a rung of the ladder, `recheck` or `sync`."""
    next_due_at: datetime | None = Field(default=None, sa_type=Instant)
    failures: int = 0
    """Times in a row that the MDMS was away."""
    determinant_id: str
    supersedes_id: str
    version: int = 0
    """Latest calculated version of the determinant, 0 for none."""
    sent_version: int = 0
    """Latest version handed on."""
    status: str = ""
    """Status of the latest version (ACTUAL, ESTIMATED, ..., NO_READ, HELD)."""
    code: str = ""
    """Why it is held or unanswered."""
    answer: str = ""
    """How the run's closing account counts it once it is answered: a status, or empty."""
    quantity_micro: int = Field(default=0, sa_type=BigInteger)
    """Total of the latest version in millionths of `unit`; before one exists, what is at risk by history."""
    unit: str = ""
    released: bool = False
    """A person released its holds; they are not asked again."""
    via: str = ""
    """Road of a version that is to be sent: `run` or `correction`; empty when nothing is to be sent."""
    recheck: bool = False
    """Better readings arrived while it waited for an acknowledgement."""


class ItemHistoryRow(SQLModel, table=True):
    """One change of state of one item; append-only."""

    __tablename__ = "billing_item_history"
    __table_args__ = (Index("billing_item_history_item", "item_id"),)

    row: int | None = Field(default=None, primary_key=True)
    item_id: str
    at: datetime = Field(sa_type=Instant)
    from_state: str
    to_state: str
    why: str = Field(sa_type=Text)
    by: str


BILLING_RUN: Table = SQLModel.metadata.tables["billing_run"]
BILLING_ITEM: Table = SQLModel.metadata.tables["billing_item"]
ITEM_HISTORY: Table = SQLModel.metadata.tables["billing_item_history"]


def open_run(session: Session, row: Mapping[str, Any]) -> None:
    """Record a run, once: the same run again (a file resumed after a crash) changes nothing."""
    known = session.execute(select(BILLING_RUN.c.run_id).where(BILLING_RUN.c.run_id == row["run_id"])).first()
    if known is None:
        session.execute(insert(BILLING_RUN), [dict(row)])


def run(session: Session, run_id: str) -> Row | None:
    """Return one run."""
    return first_of(session, select(BILLING_RUN).where(BILLING_RUN.c.run_id == run_id))


def runs(session: Session, interface: str, states: Sequence[str] = (), *, limit: int = 0) -> list[Row]:
    """Return the runs of an interface in some states (all for none), oldest first; the newest ones under a limit."""
    query = select(BILLING_RUN).where(BILLING_RUN.c.interface == interface)
    if states:
        query = query.where(BILLING_RUN.c.state.in_(states))
    if limit:
        newest = rows_of(session, query.order_by(BILLING_RUN.c.opened_at.desc()).limit(limit))
        return list(newest)[::-1]
    ordered = query.order_by(BILLING_RUN.c.opened_at, BILLING_RUN.c.sequence, BILLING_RUN.c.run_id)
    return rows_of(session, ordered)


def change_run(session: Session, run_id: str, **values: object) -> None:
    """Change columns of one run."""
    session.execute(update(BILLING_RUN).where(BILLING_RUN.c.run_id == run_id).values(**values))


def count_refused(session: Session, run_id: str, *, rejected: int, duplicates: int) -> None:
    """Add to the counts of lines of a run that became no item."""
    session.execute(
        update(BILLING_RUN)
        .where(BILLING_RUN.c.run_id == run_id)
        .values(rejected=BILLING_RUN.c.rejected + rejected, duplicates=BILLING_RUN.c.duplicates + duplicates)
    )
