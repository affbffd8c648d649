"""The change log of masters: every version that began, changed or fell away, who said so, by which message.

Lines are numbered in order of commit, because whoever writes them holds `master_lock` until its transaction ends: a
reader that has seen line n has missed none before it. What a line speaks of is read from the masters themselves.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, delete, func, select
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import BigInteger, Instant
from store.master_lock import lock
from store.rows import Row, rows_of


class MasterChange(SQLModel, table=True):
    """One line of the log."""

    __tablename__ = "master_change"
    __table_args__ = (
        Index("master_change_object", "object_id", "kind"),
        Index("master_change_usage_point", "usage_point"),
    )

    sequence: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    kind: str
    """What it is about: a `canonical.holdings.Kind`, `tou_calendar`, or `load` for a whole run of a first-time load."""

    object_id: str
    """As a holding of that kind bears it; of a load the run."""

    usage_point: str = ""
    """mRID, where the version names one."""

    effect: str
    """`begun`, `changed` or `ended`: the version is new, holds other content than before, or is known no more."""

    fields: str = ""
    """Fields that differ from the version before, by comma; of a version that is new all that it has."""

    valid_from: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """First instant at which the version holds; none for what has no such time."""

    known_at: datetime = Field(sa_type=Instant)
    """Business time at which the hub knew."""

    source: str = ""
    """Who said so: a caller or role; empty where nobody was named."""

    message_id: str = ""
    """Message that said so, or file of the ledger."""

    said_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """When it was said, where that is known."""


CHANGE: Table = SQLModel.metadata.tables["master_change"]

_NO_CONTENT = frozenset({"row", "version", "known_at", "replaced_at", "said", "stated_at", "split", "serial_normal"})

KINDS: Mapping[str, str] = {
    "customer_account": "account",
    "service_location": "location",
    "usage_point_location": "usage_point",
}
"""Kind of the things of a table, where they are not named alike."""

_VALID_FROM = ("valid_from", "installed_at", "period_start")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who says something of masters, by what and when; handed to whatever records it."""

    source: str = ""
    """Caller or role; empty where nobody is named."""

    message_id: str = ""
    """Id of the message, or the ledger's id of the file."""

    said_at: datetime | None = None
    """When it was said; of a snapshot its watermark."""

    is_load: bool = False
    """Part of a first-time load: no lines are written for its rows, one for the run (`note_load`)."""


NOBODY = Provenance()
"""Where nobody knows who said it."""

Pair = tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]
"""A version before and after; None where there was none, or is none any more."""


def note(session: Session, table: str, pairs: Sequence[Pair], *, by: Provenance = NOBODY, now: datetime) -> None:
    """Write what happened to versions of one table to the log, in bulk; `now` is when the hub knew, business time."""
    if by.is_load or not pairs:
        return
    lock(session)
    told = {"known_at": now, "source": by.source, "message_id": by.message_id, "said_at": by.said_at}
    bulk.insert(session, CHANGE, [{**_line(table, before, after), **told} for before, after in pairs])


def note_load(session: Session, run: str, *, by: Provenance, now: datetime) -> None:
    """Write the one line of a first-time load, by which subscribers know that they are to be told the whole."""
    lock(session)
    line = MasterChange(
        kind="load", object_id=run, effect="begun", known_at=now, source=by.source, message_id=by.message_id,
        said_at=by.said_at,
    )  # fmt: skip
    session.add(line)
    session.flush()


def after(session: Session, position: int, *, kinds: Collection[str] = (), limit: int) -> list[Row]:
    """Return up to `limit` lines behind a position, in order; of some kinds, or of all."""
    query = select(CHANGE).where(CHANGE.c.sequence > position)
    if kinds:
        query = query.where(CHANGE.c.kind.in_(sorted(kinds)))
    return rows_of(session, query.order_by(CHANGE.c.sequence).limit(limit))


def last(session: Session) -> int:
    """Return the number of the newest line; 0 while there is none."""
    return int(session.execute(select(func.coalesce(func.max(CHANGE.c.sequence), 0))).scalar_one())


def of_usage_point(session: Session, usage_point: str, *, objects: Collection[str] = ()) -> list[Row]:
    """Return the lines that name a usage point, or are about some objects, in order."""
    about = CHANGE.c.usage_point == usage_point
    if objects:
        about = about | CHANGE.c.object_id.in_(sorted(objects))
    return rows_of(session, select(CHANGE).where(about).order_by(CHANGE.c.sequence))


def newest(session: Session, *, object_id: str = "", limit: int = 50) -> list[Row]:
    """Return the last lines, newest first; of one object or usage point, or of all."""
    query = select(CHANGE)
    if object_id:
        query = query.where((CHANGE.c.object_id == object_id) | (CHANGE.c.usage_point == object_id))
    return rows_of(session, query.order_by(CHANGE.c.sequence.desc()).limit(limit))


def prune(session: Session, *, before: datetime, behind: int, limit: int) -> int:
    """Drop up to `limit` lines that are older than an instant and not above `behind`, and return how many.

    The newest line always stays: numbers go on behind it.
    """
    newest_one = select(func.max(CHANGE.c.sequence)).scalar_subquery()
    old = select(CHANGE.c.sequence).where(
        CHANGE.c.known_at < before, CHANGE.c.sequence <= behind, CHANGE.c.sequence < newest_one
    )
    chosen = old.order_by(CHANGE.c.sequence).limit(limit)
    done = session.execute(delete(CHANGE).where(CHANGE.c.sequence.in_(chosen)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _line(table: str, before: Mapping[str, Any] | None, now_is: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a line says of one version."""
    row = now_is if now_is is not None else before or {}
    effect = "begun" if before is None else "ended" if now_is is None else "changed"
    return {
        "kind": KINDS.get(table, table),
        "object_id": object_id(table, row),
        "usage_point": row.get("usage_point") or "",
        "effect": effect,
        "fields": ",".join(_fields(before, now_is)),
        "valid_from": next((row[name] for name in _VALID_FROM if name in row), None),
    }


def _fields(before: Mapping[str, Any] | None, now_is: Mapping[str, Any] | None) -> Iterable[str]:
    """Return the columns of content that differ, in order."""
    if now_is is None:
        return ()
    return sorted(
        name
        for name, value in now_is.items()
        if name not in _NO_CONTENT and (before is None or before.get(name) != value)
    )


def object_id(table: str, row: Mapping[str, Any]) -> str:
    """Return the id that a holding bears of what a row is about."""
    match table:
        case "installation":
            return f"{row['usage_point']}/{row['meter']}"
        case "bill_cycle_day":
            return f"{row['cycle']}/{row['business_date']}"
        case "tou_calendar":
            return f"{row['calendar']}/{row['calendar_version']}"
        case _:
            return str(row[_KEYS.get(table, table)])


_KEYS: Mapping[str, str] = {
    "customer_account": "account",
    "service_location": "location",
    "usage_point_location": "usage_point",
    "topology": "usage_point",
}
"""Column of the id, where it is not named as the table."""
