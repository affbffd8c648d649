"""Which meters are read by way of which other meter: gas and water meters behind the electricity meter of a premise."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, or_, select
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import Instant
from store.rows import Row, rows_of

CHUNK = 900
"""Ids that one query names."""


class MeterGatewayRow(SQLModel, table=True):
    """One span in which a meter is read by way of another; a span that was a mistake ends when it begins."""

    __tablename__ = "meter_gateway"
    __table_args__ = (Index("meter_gateway_gateway", "gateway"),)

    slave: str = Field(primary_key=True)
    """mRID of the meter that is read."""

    since: datetime = Field(primary_key=True, sa_type=Instant)
    gateway: str
    """mRID of the meter by which it is."""

    until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    known_at: datetime = Field(sa_type=Instant)
    source: str
    """Who said so."""


METER_GATEWAY: Table = SQLModel.metadata.tables["meter_gateway"]


def link(session: Session, rows: Sequence[Mapping[str, Any]], *, source: str, now: datetime) -> None:
    """Keep that meters are read by way of others from an instant on: `slave`, `gateway`, `since`.

    What a slave was read by until then ends there.
    """
    fresh = [{**row, "until": None, "known_at": now, "source": source} for row in rows]
    began = {row["slave"]: row["since"] for row in rows}
    ended = [
        {**row, "until": began[row["slave"]]}
        for row in _found(session, METER_GATEWAY.c.slave, began)
        if row["since"] < began[row["slave"]] and (row["until"] is None or row["until"] > began[row["slave"]])
    ]
    bulk.upsert(session, METER_GATEWAY, [*ended, *fresh], key=("slave", "since"))


def slaves(session: Session, gateways: Collection[str]) -> dict[str, list[Row]]:
    """Return the spans of the meters that are or were read by way of some meters, by gateway."""
    found: dict[str, list[Row]] = {}
    for row in _found(session, METER_GATEWAY.c.gateway, gateways):
        found.setdefault(row["gateway"], []).append(row)
    return found


def _found(session: Session, column: Any, values: Collection[str]) -> Iterator[Row]:
    ordered = sorted(set(values))
    lasting = or_(METER_GATEWAY.c.until.is_(None), METER_GATEWAY.c.until > METER_GATEWAY.c.since)
    for at in range(0, len(ordered), CHUNK):
        query = select(METER_GATEWAY).where(column.in_(ordered[at : at + CHUNK]), lasting)
        yield from rows_of(session, query.order_by(METER_GATEWAY.c.slave, METER_GATEWAY.c.since))
