"""The crosswalk: what other systems call the things that the hub knows by their mRID."""

from collections.abc import Iterable

from sqlalchemy import Index, Table, select
from sqlmodel import Field, Session, SQLModel

from canonical.names import Name
from store.conflict import insert_if_new
from store.rows import rows_of


class KnownName(SQLModel, table=True):
    """One name that one system uses for one thing."""

    __tablename__ = "known_name"
    __table_args__ = (Index("known_name_object", "object_id"),)

    system: str = Field(primary_key=True)
    scheme: str = Field(primary_key=True)
    """Kind of name, such as `mRID`."""
    value: str = Field(primary_key=True)
    object_id: str = Field(primary_key=True)
    """Our mRID; more than one for a name is ambiguous."""
    object_type: str


KNOWN_NAME: Table = SQLModel.metadata.tables["known_name"]


def learn(session: Session, name: Name, object_id: str, object_type: str) -> None:
    """Remember what a system calls a thing."""
    values = {"system": name.system, "scheme": name.scheme, "value": name.value}
    insert_if_new(session, KnownName, {**values, "object_id": object_id, "object_type": object_type})


def meant(session: Session, system: str, values: Iterable[str], object_type: str) -> tuple[str, ...]:
    """Return the ids of the things of a CIM class that a system may mean by some names, in order."""
    query = select(KNOWN_NAME.c.object_id).where(
        KNOWN_NAME.c.system == system,
        KNOWN_NAME.c.object_type == object_type,
        KNOWN_NAME.c.value.in_(sorted({value for value in values if value})),
    )
    return tuple(sorted({row["object_id"] for row in rows_of(session, query)}))
