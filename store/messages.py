"""Messages that came in: archived first, claimed by (source, message id), completed with a reply or parked.

message          what arrived, once for each (source, name, sha256), and what became of it
message_body     its bytes, unless they lie in the spool
message_attempt  one row each time it arrived or was tried again
message_claim    who works on a message id, how far, and the reply that a repeat gets
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256 as digest
from typing import Any

from sqlalchemy import UniqueConstraint, select, update
from sqlmodel import Field, Session, SQLModel

from canonical.messages import Header
from store.columns import BigInteger, Instant
from store.conflict import insert_if_new


class StoredMessage(SQLModel, table=True):
    """One thing that arrived; its number is the entry number that people use."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("source", "name", "sha256"),)

    entry: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    source: str
    name: str = ""
    """Message id of a file, whose bytes may come again under another name; empty otherwise."""
    sha256: str
    size: int = Field(sa_type=BigInteger)
    path: str = ""
    """Spool path of a file; empty where the bytes are in message_body."""
    received_at: datetime = Field(sa_type=Instant, index=True)
    """Business time of the first arrival."""
    attempts: int = 0
    state: str = Field(default="received", index=True)
    """received, working, done, parked, waived."""
    message_id: str = Field(default="", index=True)
    verb: str = ""
    noun: str = ""
    correlation_id: str = Field(default="", index=True)
    causation_id: str = Field(default="", index=True)
    business_key: str = Field(default="", index=True)
    """The message's lane: the entity that it is about."""
    code: str = ""
    place: str = ""
    reason: str = ""


class MessageBody(SQLModel, table=True):
    """The bytes of one message."""

    __tablename__ = "message_body"

    entry: int = Field(primary_key=True, foreign_key="message.entry", sa_type=BigInteger)
    body: bytes


class MessageAttempt(SQLModel, table=True):
    """One arrival of a message, and what became of it."""

    __tablename__ = "message_attempt"

    entry: int = Field(primary_key=True, foreign_key="message.entry", sa_type=BigInteger)
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    """Business time."""
    outcome: str = ""
    """done, repeat, busy, parked, unavailable; empty while it runs or when its worker died."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An archived message, and the attempt that this arrival is."""

    number: int
    attempt: int
    source: str
    sha256: str


def archive(session: Session, raw: bytes, *, source: str, received_at: datetime) -> Entry:
    """Keep what arrived, before anything is understood of it; bytes that came before get another attempt instead."""
    entry = _archive(session, source, "", digest(raw).hexdigest(), len(raw), "", received_at)
    if entry.attempt == 1:
        session.connection().execute(MessageBody.__table__.insert().values(entry=entry.number, body=raw))  # type: ignore[attr-defined]
    return entry


def archive_file(
    session: Session, path: str, *, source: str, name: str, sha256: str, size: int, received_at: datetime
) -> Entry:
    """Keep that a file arrived and where in the spool it lies; the same file again gets another attempt instead."""
    return _archive(session, source, name, sha256, size, path, received_at)


def entry_of(session: Session, *, source: str, sha256: str) -> int | None:
    """Return the entry of a message by its bytes, None where they never came; files are found by their ledger."""
    table = StoredMessage
    query = select(table.entry).where(table.source == source, table.name == "", table.sha256 == sha256)  # type: ignore[call-overload]
    found: int | None = session.execute(query).scalar_one_or_none()
    return found


def _archive(
    session: Session, source: str, name: str, sha256: str, size: int, path: str, received_at: datetime
) -> Entry:
    """Return the entry of what arrived, with one more attempt."""
    number = insert_if_new(
        session,
        StoredMessage,
        {"source": source, "name": name, "sha256": sha256, "size": size, "path": path, "received_at": received_at}
        | dict.fromkeys(("message_id", "verb", "noun", "correlation_id", "causation_id", "business_key"), "")
        | {"code": "", "place": "", "reason": "", "attempts": 0, "state": "received"},
    )
    known = (
        StoredMessage.entry == number
        if number is not None
        else (StoredMessage.source == source) & (StoredMessage.name == name) & (StoredMessage.sha256 == sha256)
    )
    row = session.execute(
        update(StoredMessage)
        .where(known)  # type: ignore[arg-type]
        .values(attempts=StoredMessage.attempts + 1)
        .returning(StoredMessage.entry, StoredMessage.attempts)  # type: ignore[call-overload]
        .execution_options(synchronize_session=False)
    ).one()
    session.execute(
        MessageAttempt.__table__.insert().values(  # type: ignore[attr-defined]
            entry=row[0], number=row[1], at=received_at, outcome="", reason=""
        )
    )
    return Entry(row[0], row[1], source, sha256)


def body(session: Session, entry: int) -> bytes | None:
    """Return the bytes of a message, or None when they lie in the spool."""
    return session.execute(select(MessageBody.body).where(MessageBody.entry == entry)).scalar_one_or_none()  # type: ignore[call-overload]


def describe(session: Session, entry: Entry, header: Header, *, state: str) -> None:
    """Write what the header says beside what arrived, so that it can be found, and the state it comes to."""
    _update_entry(
        session,
        entry,
        {"message_id": header.message_id, "verb": header.verb, "noun": header.noun, "business_key": header.lane}
        | {"correlation_id": header.correlation_id, "causation_id": header.causation_id, "state": state},
    )


def mark(session: Session, entry: Entry, state: str, *, code: str = "", place: str = "", reason: str = "") -> None:
    """Set the state of an entry."""
    _update_entry(session, entry, {"state": state, "code": code, "place": place, "reason": reason})


def _update_entry(session: Session, entry: Entry, values: dict[str, Any]) -> None:
    """Change columns of an entry."""
    session.execute(
        update(StoredMessage).where(StoredMessage.entry == entry.number).values(**values)  # type: ignore[arg-type]
    )


def begin_attempt(session: Session, entry: int, *, at: datetime) -> Entry:
    """Begin another attempt of what is archived already, and return it; `at` is business time."""
    row = session.execute(
        update(StoredMessage)
        .where(StoredMessage.entry == entry)  # type: ignore[arg-type]
        .values(attempts=StoredMessage.attempts + 1)
        .returning(StoredMessage.attempts, StoredMessage.source, StoredMessage.sha256)  # type: ignore[call-overload]
        .execution_options(synchronize_session=False)
    ).one()
    session.execute(
        MessageAttempt.__table__.insert().values(entry=entry, number=row[0], at=at, outcome="", reason="")  # type: ignore[attr-defined]
    )
    return Entry(entry, row[0], row[1], row[2])


def end_attempt(session: Session, entry: Entry, outcome: str, reason: str = "") -> None:
    """Write what became of an attempt."""
    session.execute(
        update(MessageAttempt)
        .where(MessageAttempt.entry == entry.number, MessageAttempt.number == entry.attempt)  # type: ignore[arg-type]
        .values(outcome=outcome, reason=reason)
    )
