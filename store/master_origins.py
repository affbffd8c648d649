"""Which system told the hub of a thing first, and whether it was taken back as a mistake."""

from collections.abc import Collection

from sqlalchemy import Table, select, update
from sqlmodel import Field, Session, SQLModel

from store.conflict import insert_if_new
from store.rows import rows_of


class MasterOrigin(SQLModel, table=True):
    """Who created one thing."""

    __tablename__ = "master_origin"

    kind: str = Field(primary_key=True)
    """Name of the master's table, such as `meter`."""
    object_id: str = Field(primary_key=True)
    source: str
    deleted: str = ""
    """When and by which message it was taken back as a mistake; empty while it stands."""


MASTER_ORIGIN: Table = SQLModel.metadata.tables["master_origin"]


def note(session: Session, kind: str, object_id: str, source: str) -> bool:
    """Remember who told of a thing, unless somebody did before; return whether it is the first."""
    blank = {"kind": kind, "object_id": object_id, "source": source, "deleted": ""}
    return insert_if_new(session, MasterOrigin, blank) is not None


def creators(session: Session, object_ids: Collection[str]) -> dict[tuple[str, str], str]:
    """Return who told of some things first, by (kind, id)."""
    if not object_ids:
        return {}
    query = select(MASTER_ORIGIN).where(MASTER_ORIGIN.c.object_id.in_(sorted(object_ids)))
    return {(row["kind"], row["object_id"]): row["source"] for row in rows_of(session, query)}


def deleted(session: Session, kind: str, object_id: str) -> str:
    """Return the mark of a thing that was taken back; empty when it was not."""
    found = session.get(MasterOrigin, (kind, object_id), populate_existing=True)
    return found.deleted if found is not None else ""


def mark_deleted(session: Session, kind: str, object_id: str, mark: str) -> None:
    """Remember that a thing was taken back; an empty mark makes it stand again."""
    table = MASTER_ORIGIN
    session.execute(update(table).where(table.c.kind == kind, table.c.object_id == object_id).values(deleted=mark))
