"""Adding a row only where its key is new, decided by the database and not by a look before."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def insert_if_new(session: Session, table: type[SQLModel], values: Mapping[str, Any]) -> Any | None:
    """Return the first primary key column of the added row, or None where a unique key stood there already.

    Another worker's uncommitted row is waited for, so that whoever gets None can read it afterwards.
    """
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    target = table.__table__  # type: ignore[attr-defined]
    key = next(iter(target.primary_key.columns))
    statement = dialect.insert(target).values(**values).on_conflict_do_nothing().returning(key)
    row = session.connection().execute(statement).first()
    return None if row is None else row[0]
