"""Many rows in one statement: COPY and merge on PostgreSQL, executemany on SQLite. Never row by row.

Rows go past the session's unit of work: objects loaded before keep their old values.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Table
from sqlmodel import Session, SQLModel

Row = Mapping[str, Any] | Sequence[Any]
"""A mapping by column name, or the values in the order of `columns`."""


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of the rows of one upsert; the four counts add up to the rows given."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    """Rows that stood in the table already, value for value: nothing was written."""

    repeated: int = 0
    """Rows whose key came again later in the same call: the last one counts."""

    def __add__(self, other: "Upserted") -> "Upserted":
        """Return the sum of two batches."""
        return Upserted(
            self.inserted + other.inserted,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.repeated + other.repeated,
        )


def insert(session: Session, table: type[SQLModel] | Table, rows: Sequence[Row], *, columns: Sequence[str] = ()) -> int:
    """Add rows whose keys are new, and return their number. A key that exists raises the driver's error.

    `columns` names the values of plain rows in their order; without it, every column of the table.
    """
    if not rows:
        return 0
    target = _table(table)
    names = _names(target, rows, columns)
    connection = _connection(session)
    values = _bound(connection, target, names, rows)
    if connection.dialect.name == "postgresql":
        _copy(connection, target.name, names, values)
    else:
        places = ", ".join("?" * len(names))
        _cursor(connection).executemany(f"INSERT INTO {target.name} ({_list(names)}) VALUES ({places})", values)  # noqa: S608
    return len(rows)


def upsert(
    session: Session,
    table: type[SQLModel] | Table,
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    columns: Sequence[str] = (),
) -> Upserted:
    """Bring rows to the state given: add what is new, change what differs, leave alone what is the same.

    `key` names the columns of a unique key of the table; the order of `rows` decides when a key comes twice. On a
    change, the columns that are not given keep their values.
    """
    if not rows:
        return Upserted()
    target = _table(table)
    names = _names(target, rows, columns)
    connection = _connection(session)
    values = _bound(connection, target, names, rows)
    unique = _last_of_each_key(values, [names.index(name) for name in key])
    repeated = len(values) - len(unique)
    if connection.dialect.name == "postgresql":
        inserted, changed = _merge_postgresql(connection, target, names, key, unique)
    else:
        inserted, changed = _merge_sqlite(connection, target, names, key, unique)
    return Upserted(inserted, changed, len(unique) - inserted - changed, repeated)


def insert_if_new(session: Session, table: type[SQLModel] | Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add the rows of which no unique key stands in the table yet, in their order, and return their number.

    Another worker's uncommitted row is waited for, so that whoever finds it there can read it afterwards.
    """
    if not rows:
        return 0
    target = _table(table)
    names = _names(target, rows, ())
    connection = _connection(session)
    place = "%s" if connection.dialect.name == "postgresql" else "?"
    statement = (
        f"INSERT INTO {target.name} ({_list(names)}) "  # noqa: S608
        f"VALUES ({', '.join([place] * len(names))}) ON CONFLICT DO NOTHING"
    )
    cursor = _cursor(connection)
    cursor.executemany(statement, _bound(connection, target, names, rows))
    return int(cursor.rowcount)


def change(session: Session, table: type[SQLModel] | Table, rows: Sequence[Row], *, key: str | Sequence[str]) -> None:
    """Write other columns of rows that exist, found by a unique key; a row that does not exist is left alone."""
    if not rows:
        return
    target = _table(table)
    names = _names(target, rows, ())
    connection = _connection(session)
    values = _bound(connection, target, names, rows)
    keys = (key,) if isinstance(key, str) else tuple(key)
    others = [name for name in names if name not in keys]
    cursor = _cursor(connection)
    if connection.dialect.name == "postgresql":
        staged = _stage(cursor, target, names, values)
        sets = ", ".join(f"{_quoted(name)} = {staged}.{_quoted(name)}" for name in others)
        same = " AND ".join(f"{target.name}.{_quoted(name)} = {staged}.{_quoted(name)}" for name in keys)
        cursor.execute(f"UPDATE {target.name} SET {sets} FROM {staged} WHERE {same}")  # noqa: S608
        return
    numbered = {name: f"?{names.index(name) + 1}" for name in names}
    sets = ", ".join(f"{_quoted(name)} = {numbered[name]}" for name in others)
    same = " AND ".join(f"{_quoted(name)} = {numbered[name]}" for name in keys)
    cursor.executemany(f"UPDATE {target.name} SET {sets} WHERE {same}", values)  # noqa: S608


def _merge_postgresql(
    connection: Connection, table: Table, names: Sequence[str], key: Sequence[str], values: Sequence[tuple[Any, ...]]
) -> tuple[int, int]:
    """Return how many rows were inserted and changed by COPY into a temporary table and one merge."""
    cursor = _cursor(connection)
    others = [name for name in names if name not in key]
    staged = _stage(cursor, table, names, values)
    then = "NOTHING"
    if others:
        before = ", ".join(f"{table.name}.{_quoted(name)}" for name in others)
        after = ", ".join(f"excluded.{_quoted(name)}" for name in others)
        sets = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in others)
        then = f"UPDATE SET {sets} WHERE ({before}) IS DISTINCT FROM ({after})"
    cursor.execute(
        f"WITH merged AS (INSERT INTO {table.name} ({_list(names)}) SELECT {_list(names)} FROM {staged} "  # noqa: S608
        f"ON CONFLICT ({_list(key)}) DO {then} RETURNING (xmax = 0) AS fresh) "
        "SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM merged"
    )
    inserted, changed = cursor.fetchone()
    return inserted, changed


def _merge_sqlite(
    connection: Connection, table: Table, names: Sequence[str], key: Sequence[str], values: Sequence[tuple[Any, ...]]
) -> tuple[int, int]:
    """Return how many rows were inserted and changed. Changes first, so that no statement meets the other's rows."""
    cursor = _cursor(connection)
    numbered = {name: f"?{names.index(name) + 1}" for name in names}
    others = [name for name in names if name not in key]
    changed = 0
    if others:
        sets = ", ".join(f"{_quoted(name)} = {numbered[name]}" for name in others)
        same = " AND ".join(f"{_quoted(name)} = {numbered[name]}" for name in key)
        differs = " OR ".join(f"{_quoted(name)} IS NOT {numbered[name]}" for name in others)
        cursor.executemany(f"UPDATE {table.name} SET {sets} WHERE {same} AND ({differs})", values)  # noqa: S608
        changed = cursor.rowcount
    cursor.executemany(
        f"INSERT INTO {table.name} ({_list(names)}) VALUES ({', '.join(numbered.values())}) "  # noqa: S608
        f"ON CONFLICT ({_list(key)}) DO NOTHING",
        values,
    )
    return cursor.rowcount, changed


def _copy(connection: Connection, target: str, names: Sequence[str], values: Iterable[tuple[Any, ...]]) -> None:
    """Stream rows into a PostgreSQL table."""
    _copy_by(_cursor(connection), target, names, values)


def _copy_by(cursor: Any, target: str, names: Sequence[str], values: Iterable[tuple[Any, ...]]) -> None:
    """Stream rows into a PostgreSQL table by a cursor of the driver."""
    with cursor.copy(f"COPY {target} ({_list(names)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def _stage(cursor: Any, table: Table, names: Sequence[str], values: Iterable[tuple[Any, ...]]) -> str:
    """Stream rows into a temporary table of some columns of a table, and return its name."""
    staged = f"staged_{table.name}"
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{staged}")
    cursor.execute(
        f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS SELECT {_list(names)} FROM {table.name} WITH NO DATA"  # noqa: S608
    )
    _copy_by(cursor, staged, names, values)
    return staged


def _table(table: type[SQLModel] | Table) -> Table:
    """Return the table behind a model."""
    return table if isinstance(table, Table) else table.__table__  # type: ignore[attr-defined]


def _names(table: Table, rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """Return the column names of the rows."""
    first = rows[0]
    if isinstance(first, Mapping):
        return list(first)
    return list(columns) if columns else [column.name for column in table.columns]


def _connection(session: Session) -> Connection:
    """Return the connection of the open transaction, with what the session still holds written first."""
    session.flush()
    return session.connection()


def _cursor(connection: Connection) -> Any:
    """Return a cursor of the driver."""
    return connection.connection.cursor()


def _bound(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]
) -> Sequence[tuple[Any, ...]]:
    """Return the rows as tuples of what the driver takes (instants in UTC, decimals exact, facts as text)."""
    plain = map(_picker(names), rows) if isinstance(rows[0], Mapping) else rows
    binders = [_binder(connection, table.columns[name]) for name in names]
    if not any(binders):
        return [tuple(row) for row in plain]
    return list(zip(*map(_bind_column, binders, zip(*plain, strict=True)), strict=True))


def _picker(names: Sequence[str]) -> Callable[[Any], Sequence[Any]]:
    """Return what takes the named values out of a mapping, in order."""
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def _bind_column(bind: Callable[[Any], Any] | None, column: tuple[Any, ...]) -> Iterable[Any]:
    """Return one column's values as the driver takes them; the very same object again is bound once."""
    return _bound_once(bind, column) if bind else column


def _bound_once(bind: Callable[[Any], Any], column: tuple[Any, ...]) -> Iterable[Any]:
    last, bound = object(), None
    for value in column:
        if value is not last:
            last, bound = value, bind(value)
        yield bound


def _binder(connection: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """Return what turns a Python value of the column into one of the driver, or None where it is the same."""
    return column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)


def _last_of_each_key(values: Sequence[tuple[Any, ...]], at: Sequence[int]) -> Sequence[tuple[Any, ...]]:
    """Return the rows without those whose key comes again later."""
    if len(at) == 1:
        place = at[0]
        last = {row[place]: row for row in values}
    else:
        last = {tuple(row[place] for place in at): row for row in values}
    return values if len(last) == len(values) else list(last.values())


def _quoted(name: str) -> str:
    """Return a column name as SQL (some are reserved words)."""
    return f'"{name}"'


def _list(names: Sequence[str]) -> str:
    """Return column names as a list in SQL."""
    return ", ".join(map(_quoted, names))
