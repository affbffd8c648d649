"""Column types and indexes that mean the same on SQLite and PostgreSQL: instants, exact numbers, small facts."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger as _BigInteger
from sqlalchemy import DateTime, Dialect, Index, Integer, Numeric, String, Text, TextClause, TypeDecorator, text
from sqlalchemy.types import TypeEngine

BigInteger = _BigInteger().with_variant(Integer(), "sqlite")
"""Eight-byte integer; plain INTEGER on SQLite, where only that counts up by itself."""


def only(name: str, where: str, *columns: str) -> Index:
    """Return an index of some rows only: a row that leaves them costs nothing, and most rows end in none."""
    condition: TextClause = text(where)
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


class Instant(TypeDecorator[datetime]):
    """An aware instant: kept in UTC, returned in UTC, on both databases; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC.

        Raises:
            ValueError: the instant is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant must be aware: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored instant as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what reads an instant; of SQLite's texts the same is read again and again, and parsed once."""
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


@lru_cache(maxsize=8_192)
def _read_text(value: str) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _read(value: str | None) -> datetime | None:
    return None if value is None else _read_text(value)


class Exact(TypeDecorator[Decimal]):
    """A decimal number, digit for digit: NUMERIC on PostgreSQL, text on SQLite (which would make it a float)."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return how the dialect keeps it."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String())
        return dialect.type_descriptor(Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return the number as the dialect takes it.

        Raises:
            ValueError: a float, or no finite number.
        """
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError(f"an exact column takes a finite Decimal: {value!r}")
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return the stored number."""
        return None if value is None else Decimal(value)


class Facts(TypeDecorator[Any]):
    """Small facts as JSON text with sorted keys, so that equal facts are equal text on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the facts as text."""
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the facts that the text holds."""
        return None if value is None else json.loads(value)
