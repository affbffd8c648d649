"""Rows of a query as plain dictionaries by column name: what flows may hold without knowing SQL."""

from typing import Any

from sqlalchemy import Select
from sqlmodel import Session

Row = dict[str, Any]
"""One row by column name."""


def rows_of(session: Session, query: Select[Any]) -> list[Row]:
    """Return every row of a query, in its order."""
    result = session.execute(query)
    names = list(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result.all()]


def first_of(session: Session, query: Select[Any]) -> Row | None:
    """Return the first row of a query, or None when it has none."""
    result = session.execute(query)
    names = list(result.keys())
    row = result.first()
    return None if row is None else dict(zip(names, row, strict=True))
