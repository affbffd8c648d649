"""Who handles a message, how far it is done, and the reply that every repeat gets.

Rows are locked in one order, claim before message before attempt, so that workers wait for each other but never
in a circle.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Field, Session, SQLModel

from canonical.codes.message import BEING_PROCESSED, CLAIM_LOST, MSG_ID_REUSED
from canonical.errors import HubError, RejectedError, UnavailableError
from canonical.messages import Header, Reply
from store import message_items, messages
from store.columns import BigInteger, Facts, Instant
from store.conflict import insert_if_new
from store.messages import Entry

LEASE_S = 300.0
"""Seconds of machine time after which a claim that nobody completed may be taken over."""


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


def claim(session: Session, entry: Entry, header: Header, *, machine_now: datetime, lease_s: float = LEASE_S) -> Claim:
    """Return the right to handle a message, or the reply that its sender gets without handling it.

    A message that is done gives its stored reply; one that another worker holds gives BUSY; a claim whose lease
    ended (its worker died) or was given back is taken over with its checkpoint.

    Raises:
        RejectedError: the id was used before for other bytes (MSG_ID_REUSED).
    """
    until = machine_now + timedelta(seconds=lease_s)
    fresh = insert_if_new(
        session,
        MessageClaim,
        {"source": entry.source, "message_id": header.message_id, "entry": entry.number, "sha256": entry.sha256}
        | {"state": "working", "token": 1, "leased_until": until, "checkpoint": 0, "reply": None},
    )
    if fresh is not None:
        messages.describe(session, entry, header, state="working")
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
        messages.end_attempt(session, entry, "repeat")
        return Claim(entry, header.message_id, row.token, row.checkpoint, reply_of_facts(row.reply))
    if row.state == "working" and row.leased_until > machine_now:
        messages.end_attempt(session, entry, "busy")
        busy = Reply("BUSY", header.correlation_id, str(BEING_PROCESSED), "being processed")
        return Claim(entry, header.message_id, row.token, row.checkpoint, busy)
    row.token, row.state, row.leased_until = row.token + 1, "working", until
    session.flush()
    messages.describe(session, entry, header, state="working")
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
    messages.mark(session, held.entry, "done")
    messages.end_attempt(session, held.entry, "done")


def release(session: Session, held: Claim, error: HubError) -> None:
    """Give a claim back so that the next attempt starts at once; somebody else's claim stays as it is."""
    _change_claim(session, held, {"state": "released"}, lost_is_fine=True)
    messages.end_attempt(session, held.entry, "unavailable", str(error))


def reopen(session: Session, entry: int) -> str:
    """Take back the reply that an entry's message got, and return its result; empty where there is none.

    What was handled to its end begins at its beginning again, what was refused on the way behind its checkpoint.
    """
    row = session.execute(
        select(MessageClaim).where(MessageClaim.entry == entry).with_for_update()  # type: ignore[arg-type]
    ).scalar_one_or_none()
    if row is None or row.reply is None:
        return ""
    result = str(row.reply["result"])
    if row.state == "done":
        row.checkpoint = 0
        message_items.forget(session, entry)
    row.state, row.reply = "released", None
    if row.checkpoint == 0:
        row.token = 0  # nobody works on what has a reply: the next claim is the first again
    session.flush()
    return result


def park(
    session: Session,
    entry: Entry,
    error: RejectedError,
    *,
    reply: Reply,
    header: Header | None = None,
    held: Claim | None = None,
) -> None:
    """Keep a message that was rejected, with code, place and reason; with a claim, a repeat gets the same refusal.

    `header` is None where the message could not be read that far.
    """
    if held is not None:
        _change_claim(session, held, {"state": "parked", "reply": reply_to_facts(reply)})
    if header is not None:
        messages.describe(session, entry, header, state="parked")
    messages.mark(session, entry, "parked", code=str(error.code), place=error.where, reason=error.reason)
    messages.end_attempt(session, entry, "parked", str(error))


def answer_anew(session: Session, entry: int, reply: Reply) -> None:
    """Store another reply to a message that is done: items of it were handled again."""
    session.execute(
        update(MessageClaim)
        .where(MessageClaim.entry == entry, MessageClaim.state == "done")  # type: ignore[arg-type]
        .values(reply=reply_to_facts(reply))
        .execution_options(synchronize_session=False)
    )


def reply_to_facts(reply: Reply) -> dict[str, Any]:
    """Return a reply as it is stored."""
    return {
        "result": reply.result,
        "correlation_id": reply.correlation_id,
        "code": reply.code,
        "reason": reply.reason,
        "details": dict(reply.details),
        "at": reply.at.isoformat() if reply.at else "",
    }


def reply_of_facts(facts: dict[str, Any]) -> Reply:
    """Return the reply that was stored."""
    at = facts.get("at")
    return Reply(**{**facts, "at": datetime.fromisoformat(at) if at else None})


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
