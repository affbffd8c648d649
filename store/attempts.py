"""Attempts of deliveries: one row each, written when the attempt ends; while it runs, the delivery itself tells of it.

An attempt that begins raises the delivery's number of attempts and leaves its instant there (`Begun`). Whoever takes
that mark away writes the attempt's row in the same transaction, so that a delivery has as many rows as attempts, less
the one that runs: a relay that dies leaves the mark, and with it an attempt of which nobody knows how it ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, Table, bindparam, true, update
from sqlalchemy import select as sa_select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select

from canonical.messages import Outcome
from store.among import each_number, numbers
from store.columns import BigInteger, Instant


class DeliveryAttempt(SQLModel, table=True):
    """One attempt of a delivery that ended, or whose relay died."""

    __tablename__ = "delivery_attempt"

    # No foreign key: the database would look up and lock each delivery anew, which costs more than the row itself.
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    """The delivery's."""
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    """Machine time of the lease."""
    outcome: str = ""
    """sent, confirmed, rejected, unavailable, misconfigured; empty when its relay died."""
    code: str = ""
    reason: str = ""
    reference: str = ""
    replay_of: int | None = None
    """Number of the attempt that a person ordered to repeat; None for an attempt of the relay's own."""


ATTEMPT: Table = SQLModel.metadata.tables["delivery_attempt"]


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that was begun and that nobody recorded yet."""

    number: int
    at: datetime
    """Machine time of the lease."""

    replay_of: int | None = None


def end(session: Session, begun: Begun, word: str, outcome: Outcome, sequences: Sequence[int]) -> None:
    """Write what came of attempts of some deliveries that began and ended alike, over what stood there."""
    said = {"word": word, "code": outcome.code, "reason": outcome.reason, "reference": outcome.reference}
    which = {"number": begun.number, "at": begun.at, "replay_of": begun.replay_of}
    mine = {"sequences": numbers(session, sequences)}
    session.execute(_written(session.get_bind().dialect.name), which | said | mine)


def refer(session: Session, begun: Begun, told: Sequence[Mapping[str, Any]]) -> None:
    """Write what the other side called deliveries (`told`, by the delivery's number `of`) at an attempt that ended."""
    if told:
        which = (ATTEMPT.c.sequence == bindparam("of"), ATTEMPT.c.number == begun.number)
        session.execute(update(ATTEMPT).where(*which).values(reference=bindparam("told")), told)


def leave(session: Session, begun: Iterable[tuple[int, Begun]]) -> None:
    """Write attempts, by delivery, of which nobody knows how they ended, because their mark is taken away."""
    for sequence, attempt in begun:
        end(session, attempt, "", Outcome("unavailable"), [sequence])


def of_delivery(session: Session, sequence: int | None, begun: Begun | None) -> list[DeliveryAttempt]:
    """Return the attempts of a delivery in order; with the one that runs, or whose relay died, as one without end."""
    query = select(DeliveryAttempt).where(DeliveryAttempt.sequence == sequence)
    found = list(session.exec(query.order_by(col(DeliveryAttempt.number))).all())
    if begun is None or sequence is None:
        return found
    open_one = DeliveryAttempt(sequence=sequence, number=begun.number, at=begun.at, replay_of=begun.replay_of)
    return [*found, open_one]


@cache
def _written(dialect: str) -> Executable:
    """Return the statement of `end`: the rows are made in the server, from the deliveries' numbers alone."""
    given = each_number(dialect, "sequences")
    said = {"outcome": "word", "code": "code", "reason": "reason", "reference": "reference"}
    names: dict[str, Any] = {"sequence": given.c.value}
    names |= {name: bindparam(name, type_=ATTEMPT.c[name].type) for name in ("number", "at", "replay_of")}
    names |= {name: bindparam(word, type_=ATTEMPT.c[name].type) for name, word in said.items()}
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(ATTEMPT)
    # SQLite reads ON CONFLICT behind a SELECT only after a WHERE.
    rows: Any = insert.from_select(list(names), sa_select(*names.values()).where(true()))
    new: Executable = rows.on_conflict_do_update(
        index_elements=["sequence", "number"], set_={name: rows.excluded[name] for name in said}
    )
    return new
