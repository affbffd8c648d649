"""Messages that came in: archived first, claimed by (source, message id), completed with a reply or parked.

message          what arrived, once for each (source, name, sha256), and what became of it
message_body     its bytes, unless they lie in the spool
message_attempt  one row each time it arrived or was tried again
message_claim    who works on a message id, how far, and the reply that a repeat gets
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256 as digest
from typing import Any

from sqlalchemy import UniqueConstraint, select, update
from sqlmodel import Field, Session, SQLModel

from canonical.codes.message import BEING_PROCESSED, CLAIM_LOST, MSG_ID_REUSED
from canonical.errors import HubError, RejectedError, UnavailableError
from canonical.messages import Header, Reply
from store.columns import BigInteger, Facts, Instant
from store.conflict import insert_if_new

LEASE_S = 300.0
"""Seconds of machine time after which a claim that nobody completed may be taken over."""


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


class MessageClaim(SQLModel, table=True):
    """Who works on one message id, and the reply once it is done."""

    __tablename__ = "message_claim"

    source: str = Field(primary_key=True)
    message_id: str = Field(primary_key=True)
    entry: int = Field(foreign_key="message.entry", sa_type=BigInteger, index=True)
    sha256: str
    state: str
    """working, released, done, parked."""
    token: int = 1
    """Raised by every takeover: a worker that lost its claim cannot complete it."""
    leased_until: datetime = Field(sa_type=Instant)
    """Machine time."""
    checkpoint: int = 0
    """Last line of a file whose effects are committed."""
    reply: dict[str, Any] | None = Field(default=None, sa_type=Facts, nullable=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """An archived message, and the attempt that this arrival is."""

    number: int
    attempt: int
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to handle a message, or the reply that makes handling it needless."""

    entry: Entry
    message_id: str
    token: int
    checkpoint: int = 0
    reply: Reply | None = None
    """Stored reply of a repeat, or BUSY; None when this worker shall handle the message."""

    @property
    def is_first(self) -> bool:
        """Whether no worker held this message before."""
        return self.token == 1 and self.reply is None


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


def claim(session: Session, entry: Entry, header: Header, *, machine_now: datetime, lease_s: float = LEASE_S) -> Claim:
    """Return the right to handle a message, or the reply that its sender gets without handling it.

    A message that is done gives its stored reply; one that another worker holds gives BUSY; a claim whose lease
    ended (its worker died) or was given back is taken over with its checkpoint.

    Raises:
        RejectedError: the id was used before for other bytes (MSG_ID_REUSED).
    """
    _describe(session, entry, header)
    until = machine_now + timedelta(seconds=lease_s)
    fresh = insert_if_new(
        session,
        MessageClaim,
        {"source": entry.source, "message_id": header.message_id, "entry": entry.number, "sha256": entry.sha256}
        | {"state": "working", "token": 1, "leased_until": until, "checkpoint": 0, "reply": None},
    )
    if fresh is not None:
        _mark(session, entry, "working")
        return Claim(entry, header.message_id, 1)
    row = session.execute(
        select(MessageClaim)
        .where(MessageClaim.source == entry.source, MessageClaim.message_id == header.message_id)  # type: ignore[arg-type]
        .with_for_update()
    ).scalar_one()
    if row.sha256 != entry.sha256:
        raise RejectedError(
            f"message id {header.message_id!r} came before with other bytes (entry {row.entry})", code=MSG_ID_REUSED
        )
    if row.reply is not None:
        _end_attempt(session, entry, "repeat")
        return Claim(entry, header.message_id, row.token, row.checkpoint, Reply(**row.reply))
    if row.state == "working" and row.leased_until > machine_now:
        _end_attempt(session, entry, "busy")
        busy = Reply("BUSY", header.correlation_id, str(BEING_PROCESSED), "being processed")
        return Claim(entry, header.message_id, row.token, row.checkpoint, busy)
    row.token, row.state, row.leased_until = row.token + 1, "working", until
    _mark(session, entry, "working")
    return Claim(entry, header.message_id, row.token, row.checkpoint)


def advance(session: Session, held: Claim, *, checkpoint: int, machine_now: datetime, lease_s: float = LEASE_S) -> None:
    """Note how far a file is done, in the transaction that holds the effects of its lines; renews the lease.

    Raises:
        UnavailableError: another worker took the claim over (CLAIM_LOST): the transaction must not commit.
    """
    until = machine_now + timedelta(seconds=lease_s)
    _change_claim(session, held, {"checkpoint": checkpoint, "leased_until": until})


def complete(session: Session, held: Claim, reply: Reply) -> None:
    """Store the reply, in the transaction that holds the effects; every repeat is told the same from now on.

    Raises:
        UnavailableError: another worker took the claim over (CLAIM_LOST): the transaction must not commit.
    """
    _change_claim(session, held, {"state": "done", "reply": reply_to_facts(reply)})
    _mark(session, held.entry, "done")
    _end_attempt(session, held.entry, "done")


def release(session: Session, held: Claim, error: HubError) -> None:
    """Give a claim back so that the next attempt starts at once; somebody else's claim stays as it is."""
    _change_claim(session, held, {"state": "released"}, lost_is_fine=True)
    _end_attempt(session, held.entry, "unavailable", str(error))


def park(session: Session, entry: Entry, error: RejectedError, *, reply: Reply, held: Claim | None = None) -> None:
    """Keep a message that was rejected, with code, place and reason; with a claim, a repeat gets the same refusal."""
    if held is not None:
        _change_claim(session, held, {"state": "parked", "reply": reply_to_facts(reply)})
    _mark(session, entry, "parked", code=str(error.code), place=error.where, reason=error.reason)
    _end_attempt(session, entry, "parked", str(error))


def body(session: Session, entry: int) -> bytes | None:
    """Return the bytes of a message, or None when they lie in the spool."""
    return session.execute(select(MessageBody.body).where(MessageBody.entry == entry)).scalar_one_or_none()  # type: ignore[call-overload]


def reply_to_facts(reply: Reply) -> dict[str, Any]:
    """Return a reply as it is stored."""
    return {
        "result": reply.result,
        "correlation_id": reply.correlation_id,
        "code": reply.code,
        "reason": reply.reason,
        "details": dict(reply.details),
    }


def _describe(session: Session, entry: Entry, header: Header) -> None:
    """Write what the header says beside what arrived, so that it can be found."""
    _update_entry(
        session,
        entry,
        {"message_id": header.message_id, "verb": header.verb, "noun": header.noun, "business_key": header.lane}
        | {"correlation_id": header.correlation_id, "causation_id": header.causation_id},
    )


def _mark(session: Session, entry: Entry, state: str, *, code: str = "", place: str = "", reason: str = "") -> None:
    """Set the state of an entry."""
    _update_entry(session, entry, {"state": state, "code": code, "place": place, "reason": reason})


def _update_entry(session: Session, entry: Entry, values: dict[str, Any]) -> None:
    """Change columns of an entry."""
    session.execute(
        update(StoredMessage).where(StoredMessage.entry == entry.number).values(**values)  # type: ignore[arg-type]
    )


def _end_attempt(session: Session, entry: Entry, outcome: str, reason: str = "") -> None:
    """Write what became of an attempt."""
    session.execute(
        update(MessageAttempt)
        .where(MessageAttempt.entry == entry.number, MessageAttempt.number == entry.attempt)  # type: ignore[arg-type]
        .values(outcome=outcome, reason=reason)
    )


def _change_claim(session: Session, held: Claim, values: dict[str, Any], *, lost_is_fine: bool = False) -> None:
    """Change a claim that is still ours."""
    changed = session.execute(
        update(MessageClaim)
        .where(
            MessageClaim.source == held.entry.source,  # type: ignore[arg-type]
            MessageClaim.message_id == held.message_id,  # type: ignore[arg-type]
            MessageClaim.token == held.token,  # type: ignore[arg-type]
            MessageClaim.state == "working",  # type: ignore[arg-type]
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount == 0 and not lost_is_fine:  # type: ignore[attr-defined]
        raise UnavailableError(f"message {held.message_id!r} was taken over by another worker", code=CLAIM_LOST)
