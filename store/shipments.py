"""Meters that manufacturers shipped, their lots, and which message told which system of them; keys stay wrapped."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, Text, exists, func, select, update
from sqlmodel import Field, Session, SQLModel

from canonical.names import normal_serial
from store import bulk
from store.columns import Facts, Instant
from store.deliveries import Delivery
from store.reference_masters import METER
from store.rollout import SHIPPED_KEY, SHIPPED_METER
from store.rows import Row, rows_of


class ShippedLotRow(SQLModel, table=True):
    """One lot of a manufacturer: what its acceptance test said, and who released it all the same."""

    __tablename__ = "shipped_lot"

    manufacturer: str = Field(primary_key=True)
    """Normalized: trimmed and upper-case."""
    lot: str = Field(primary_key=True)
    shipment: str
    result: str
    """PASS or FAIL, as its last shipment said."""
    released_by: str = ""
    """Who released a failed lot; empty while nobody did."""
    released_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    reason: str = Field(default="", sa_type=Text)
    known_at: datetime = Field(sa_type=Instant)


class ShippedTellingRow(SQLModel, table=True):
    """One delivery that tells one system of some meters."""

    __tablename__ = "shipped_telling"
    __table_args__ = (Index("shipped_telling_open", "state", "delivery_id"),)

    delivery_id: str = Field(primary_key=True)
    role: str
    meters: list[str] = Field(sa_type=Facts)
    """mRIDs, 100 at most."""
    state: str
    """PENDING, CONFIRMED, REFUSED."""
    told_at: datetime = Field(sa_type=Instant)


SHIPPED_LOT: Table = SQLModel.metadata.tables["shipped_lot"]
SHIPPED_TELLING: Table = SQLModel.metadata.tables["shipped_telling"]
DELIVERY: Table = SQLModel.metadata.tables[str(Delivery.__tablename__)]

_UNRELEASED = {"released_by": "", "released_at": None, "reason": ""}

CHUNK = 5000
"""Values that one query names."""


def of_meters(session: Session, meters: Collection[str]) -> dict[str, Row]:
    """Return the shipped meters among some meters, by mRID; without keys."""
    found: dict[str, Row] = {}
    for some in _chunks(meters):
        rows = rows_of(session, select(SHIPPED_METER).where(SHIPPED_METER.c.meter.in_(some)))
        found.update((row["meter"], row) for row in rows)
    return found


def of_serials(session: Session, serials: Collection[str]) -> dict[str, list[Row]]:
    """Return the shipped meters that bear some serials, by normalized serial; several manufacturers may use one."""
    found: dict[str, list[Row]] = {}
    for some in _chunks({normal_serial(one) for one in serials}):
        query = select(SHIPPED_METER).where(SHIPPED_METER.c.serial.in_(some))
        for row in rows_of(session, query.order_by(SHIPPED_METER.c.manufacturer, SHIPPED_METER.c.meter)):
            found.setdefault(row["serial"], []).append(row)
    return found


def listed(
    session: Session, *, shipment: str = "", lot: str = "", state: str = "", limit: int | None = None
) -> list[Row]:
    """Return shipped meters by shipment and serial, narrowed by what is not empty."""
    query = select(SHIPPED_METER)
    for name, value in (("shipment", shipment), ("lot", lot), ("state", state)):
        if value:
            query = query.where(SHIPPED_METER.c[name] == value)
    return rows_of(session, query.order_by(SHIPPED_METER.c.shipment, SHIPPED_METER.c.serial).limit(limit))


def blocked(session: Session, manufacturer: str, lot: str, *, code: str, limit: int) -> list[Row]:
    """Return the meters of one lot that are blocked by a code, by serial."""
    mine = (SHIPPED_METER.c.manufacturer == manufacturer, SHIPPED_METER.c.lot == lot)
    query = select(SHIPPED_METER).where(*mine, SHIPPED_METER.c.state == "BLOCKED", SHIPPED_METER.c.code == code)
    return rows_of(session, query.order_by(SHIPPED_METER.c.serial).limit(limit))


def returned_and_ended(session: Session, *, now: datetime, limit: int) -> list[Row]:
    """Return returned meters whose master has ended, by mRID, locked."""
    told = exists().where(METER.c.meter == SHIPPED_METER.c.meter, METER.c.replaced_at.is_(None))
    lives = told.where(METER.c.valid_to.is_(None) | (METER.c.valid_to > now))
    query = select(SHIPPED_METER).where(SHIPPED_METER.c.state == "RETURNED", told, ~lives)
    return rows_of(session, query.order_by(SHIPPED_METER.c.meter).limit(limit).with_for_update())


def counts(session: Session) -> list[Row]:
    """Return how many meters of each shipment, manufacturer and lot are in which state."""
    columns = [SHIPPED_METER.c[name] for name in ("shipment", "manufacturer", "lot", "state", "code")]
    query = select(*columns, func.count().label("meters")).group_by(*columns).order_by(*columns)
    return rows_of(session, query)


def keep(session: Session, rows: Sequence[Mapping[str, Any]]) -> bulk.Upserted:
    """Bring shipped meters to the columns given; all rows have the same ones."""
    return bulk.upsert(session, SHIPPED_METER, rows, key=("meter",))


def move(session: Session, meters: Collection[str], state: str, *, now: datetime, code: str = "") -> None:
    """Bring shipped meters to a state (STOCK, BLOCKED, INSTALLED, RETURNED, DISPOSED); others are left alone."""
    for some in _chunks(meters):
        values = {"state": state, "code": code, "changed_at": now}
        mine = (SHIPPED_METER.c.meter.in_(some), (SHIPPED_METER.c.state != state) | (SHIPPED_METER.c.code != code))
        session.execute(update(SHIPPED_METER).where(*mine).values(**values))


def hang(session: Session, meters: Collection[str], *, now: datetime) -> None:
    """Bring shipped meters to INSTALLED; one that is blocked stays so until it is free, wherever it hangs (EX20)."""
    for some in _chunks(meters):
        mine = (SHIPPED_METER.c.meter.in_(some), SHIPPED_METER.c.state.not_in(("INSTALLED", "BLOCKED")))
        values = {"state": "INSTALLED", "code": "", "changed_at": now}
        session.execute(update(SHIPPED_METER).where(*mine).values(**values))


def keep_told(session: Session, told: Mapping[str, Mapping[str, str]]) -> None:
    """Write who was told of meters: by mRID, role to PENDING, CONFIRMED, MANUAL or the code of a refusal."""
    rows = [{"meter": name, "told": dict(states)} for name, states in sorted(told.items())]
    bulk.change(session, SHIPPED_METER, rows, key="meter")


def keep_keys(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep wrapped keys: meter, wrapped_by, wrapped."""
    bulk.upsert(session, SHIPPED_KEY, rows, key=("meter",))


def wrapped_keys(session: Session, meters: Collection[str]) -> dict[str, Row]:
    """Return the wrapped keys of some meters, for whoever commissions them and for nobody else."""
    found: dict[str, Row] = {}
    for some in _chunks(meters):
        rows = rows_of(session, select(SHIPPED_KEY).where(SHIPPED_KEY.c.meter.in_(some)))
        found.update((row["meter"], row) for row in rows)
    return found


def keep_lots(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what shipments say of lots; who released one stays."""
    known = lots(session, {row["lot"] for row in rows})
    whole = [{**_UNRELEASED, **known.get((row["manufacturer"], row["lot"]), {}), **row} for row in rows]
    bulk.upsert(session, SHIPPED_LOT, whole, key=("manufacturer", "lot"))


def lots(session: Session, names: Collection[str]) -> dict[tuple[str, str], Row]:
    """Return lots by (manufacturer, lot) of some lots' names."""
    found: dict[tuple[str, str], Row] = {}
    for some in _chunks(names):
        for row in rows_of(session, select(SHIPPED_LOT).where(SHIPPED_LOT.c.lot.in_(some))):
            found[row["manufacturer"], row["lot"]] = row
    return found


def release_lot(session: Session, manufacturer: str, lot: str, *, by: str, reason: str, now: datetime) -> None:
    """Note that a person released a lot."""
    mine = (SHIPPED_LOT.c.manufacturer == manufacturer, SHIPPED_LOT.c.lot == lot)
    session.execute(update(SHIPPED_LOT).where(*mine).values(released_by=by, released_at=now, reason=reason))


def note_tellings(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep which delivery tells which meters to whom."""
    bulk.upsert(session, SHIPPED_TELLING, rows, key=("delivery_id",))


def answered(session: Session, *, limit: int) -> list[Row]:
    """Return the tellings that were answered since somebody looked: with state, code and reason of the delivery.

    One that was refused and is confirmed by now, after a replay, is among them.
    """
    ended = DELIVERY.c.state.in_(("confirmed", "parked", "cancelled"))
    news = (SHIPPED_TELLING.c.state == "PENDING") & ended
    replayed = (SHIPPED_TELLING.c.state == "REFUSED") & (DELIVERY.c.state == "confirmed")
    query = (
        select(
            SHIPPED_TELLING.c.delivery_id,
            SHIPPED_TELLING.c.role,
            SHIPPED_TELLING.c.meters,
            DELIVERY.c.state.label("became"),
            DELIVERY.c.code,
            DELIVERY.c.reason,
        )
        .join(DELIVERY, DELIVERY.c.delivery_id == SHIPPED_TELLING.c.delivery_id)
        .where(news | replayed)
        .order_by(DELIVERY.c.sequence)
        .limit(limit)
    )
    return rows_of(session, query)


def settle(session: Session, delivery_ids: Collection[str], state: str) -> None:
    """Note what became of tellings: CONFIRMED or REFUSED."""
    for some in _chunks(delivery_ids):
        session.execute(update(SHIPPED_TELLING).where(SHIPPED_TELLING.c.delivery_id.in_(some)).values(state=state))


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield values, each once, as many as one query may name."""
    ordered = sorted(set(values))
    for at in range(0, len(ordered), CHUNK):
        yield ordered[at : at + CHUNK]
