"""Since when the hub holds things of the masters, replaced versions counted."""

from datetime import datetime

from sqlalchemy import Table, func, select
from sqlmodel import Session


def known_since(session: Session, table: Table, column: str, value: str) -> datetime | None:
    """Return when the hub first knew of a row with some value of a column; None: it never did."""
    found: datetime | None = session.execute(
        select(func.min(table.c.known_at)).where(table.c[column] == value)
    ).scalar_one()
    return found
