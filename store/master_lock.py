"""The one lock of whoever changes masters: changes are linked against what stands, and logged in order of commit."""

from sqlalchemy import func, select
from sqlmodel import Session


def lock(session: Session) -> None:
    """Let no other transaction change masters until this one ends: what is linked is checked against what stands.

    SQLite's write transactions exclude each other anyway. Held twice by one transaction, it is held once.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_MASTERS)))


_MASTERS = 0x414D495F4D444D
"""Number by which transactions that change masters know each other."""
