"""Digests of partitions: one row for what one system holds in one partition, as one comparison looks at it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, select
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import Facts, Instant


class ReconDigest(SQLModel, table=True):
    """What one system holds in one partition, put together."""

    __tablename__ = "recon_digest"

    profile: str = Field(primary_key=True)
    """Comparison that it is for: systems, fields, dates and granularity."""

    system: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    kinds: dict[str, Any] = Field(sa_type=Facts)
    """By kind: `[objects, sum of their hashes in hex, {"field=value": objects}]`."""

    good_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """First instant, business time, at which something in it begins or ends; None when nothing will."""


DIGEST: Table = SQLModel.metadata.tables["recon_digest"]
Key = tuple[str, str, int]
"""Profile, system, partition."""


def of(
    session: Session, profiles: Collection[str], partitions: Collection[int], *, at: datetime
) -> dict[Key, dict[str, Any]]:
    """Return the digests of some partitions that are still good at an instant."""
    if not profiles or not partitions:
        return {}
    query = select(DIGEST.c.profile, DIGEST.c.system, DIGEST.c.partition, DIGEST.c.kinds, DIGEST.c.good_until).where(
        DIGEST.c.profile.in_(sorted(profiles)),
        DIGEST.c.partition >= min(partitions),
        DIGEST.c.partition <= max(partitions),
    )
    return {
        (profile, system, partition): kinds
        for profile, system, partition, kinds, good_until in session.execute(query)
        if good_until is None or good_until > at
    }


def keep(session: Session, rows: Iterable[tuple[Key, dict[str, Any], datetime | None]]) -> None:
    """Keep digests, in place of those that were."""
    listed = [(*key, kinds, good_until) for key, kinds, good_until in rows]
    columns = ("profile", "system", "partition", "kinds", "good_until")
    bulk.upsert(session, DIGEST, listed, key=("profile", "system", "partition"), columns=columns)


def drop(session: Session, system: str, partitions: Collection[int]) -> None:
    """Forget the digests of partitions in which a system holds something else now."""
    if partitions:
        session.execute(delete(DIGEST).where(DIGEST.c.system == system, DIGEST.c.partition.in_(sorted(partitions))))


def drop_other(session: Session, profiles: Collection[str]) -> None:
    """Forget the digests of comparisons that there are no more."""
    session.execute(delete(DIGEST).where(DIGEST.c.profile.not_in(sorted(profiles))))
