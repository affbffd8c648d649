"""What people did to messages and deliveries: append-only, with who, when and why."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel

from store.columns import BigInteger, Instant


class Act(SQLModel, table=True):
    """One act of a person on one message (its entry number) or delivery (its id)."""

    __tablename__ = "act"

    number: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    subject: str = Field(index=True)
    act: str
    """replayed, confirmed, waived."""
    by: str
    reason: str = ""
    at: datetime = Field(sa_type=Instant)
    """Business time."""


def note(session: Session, subject: str, act: str, *, by: str, reason: str, at: datetime) -> None:
    """Add one act; nothing is ever changed or taken away."""
    session.add(Act(subject=subject, act=act, by=by, reason=reason, at=at))
    session.flush()
