"""Waves and exchange orders of a meter rollout, with the history of both in valid and known time (domain 2.1, 2.2)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, Text
from sqlmodel import Field, SQLModel

from store.columns import BigInteger, Facts, Instant, only


class RolloutWaveRow(SQLModel, table=True):
    """One wave: which usage points, when, how many a day, under which policies."""

    __tablename__ = "rollout_wave"

    wave: str = Field(primary_key=True)
    """Its name in the site file or on the command line."""
    state: str = Field(index=True)
    rules: dict[str, Any] = Field(sa_type=Facts)
    """Rule set as planned; frozen with the list."""
    first_day: str
    """Local date, ISO 8601."""
    last_day: str
    capacity_per_day: int
    list_sha256: str = ""
    """Of the frozen list; empty before."""
    planned_at: datetime = Field(sa_type=Instant)
    frozen_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    released_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    ended_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    by: str = ""
    """Who brought it into its state."""
    before: str = ""
    """State that a pause interrupts."""
    counts: dict[str, int] = Field(default_factory=dict, sa_type=Facts)
    """Verdicts of the plan: how many usage points are in, and out for each reason; together the area looked at."""
    acts: list[dict[str, str]] = Field(default_factory=list, sa_type=Facts)
    """What persons and the hub did to the wave, in order: at, act, by, reason."""


class RolloutOrderRow(SQLModel, table=True):
    """One exchange order: where it stands now. Whoever changes `state` writes a line of its history."""

    __tablename__ = "rollout_order"
    __table_args__ = (
        Index("rollout_order_wave", "wave", "state"),
        Index("rollout_order_point", "usage_point"),
        Index("rollout_order_due", "state", "due_at"),
        Index("rollout_order_meter", "new_meter"),
        # Rows lie in order of id: a batch, which is a range of ids, touches a range of pages.
        {"sqlite_with_rowid": False},
    )

    order_id: str = Field(primary_key=True)
    """Minted from wave and usage point; of an exchange that nobody ordered, from its business key."""
    wave: str
    """Empty for an exchange outside of every wave."""
    usage_point: str
    usage_point_name: str = ""
    district: str = ""
    route: str = ""
    cycle: str = ""
    customer_class: str = ""
    state: str
    before: str = ""
    """State that ON_HOLD or CORRECTING interrupts."""
    code: str = ""
    """Number and name of why it is excluded, held, rejected or unable."""
    reason: str = Field(default="", sa_type=Text)
    planned_day: str = ""
    """Local date, ISO 8601."""
    place: int = 0
    """Order within its day, by route."""
    attempts: int = 0
    """Visits so far."""
    old_meter: str = ""
    """mRID of the meter that hung there when the list was frozen, then of the one really removed."""
    new_meter: str = ""
    """mRID of the meter that was hung."""
    removed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    installed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    result_id: str = ""
    """The completion that counts."""
    shortfall: str = "BILL_THROUGH"
    delivery_id: str = Field(default="", index=True)
    """Delivery that told the work system of it last."""
    due_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Business time at which it must be looked at again; None: only when something comes."""
    done_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """When the field reported it."""
    validated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    commissioned_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    heard_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    certified_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    closed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)


class RolloutOrderHistoryRow(SQLModel, table=True):
    """One step of an order's life; append-only."""

    __tablename__ = "rollout_order_history"
    __table_args__ = (Index("rollout_history_order", "order_id", "line"),)

    line: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    order_id: str
    state: str
    code: str = ""
    reason: str = Field(default="", sa_type=Text)
    valid_at: datetime = Field(sa_type=Instant)
    """Business time at which it became so in the world."""
    known_at: datetime = Field(sa_type=Instant)
    """Business time at which the hub knew."""
    by: str = "hub"
    message_id: str = ""
    """Message, file line or delivery that brought it."""


class RolloutResultRow(SQLModel, table=True):
    """One completion as the field told it; never overwritten (EX13, EX14)."""

    __tablename__ = "rollout_result"
    __table_args__ = (
        Index("rollout_result_point", "usage_point"),
        Index("rollout_result_state", "state", "due_at"),
        Index("rollout_result_installed", "installed_serial"),
        Index("rollout_result_removed", "removed_serial"),
        Index("rollout_result_order", "order_id"),
    )

    result_id: str = Field(primary_key=True)
    """Minted from its business key and content: the same told again is the same row."""
    business_key: str = Field(index=True)
    """Minted from usage point, removed meter, installed meter and effective instant (domain 1.5)."""
    order_id: str = ""
    usage_point: str
    removed_serial: str = ""
    installed_serial: str = ""
    outcome: str
    effective_at: datetime = Field(sa_type=Instant)
    content: dict[str, Any] = Field(sa_type=Facts)
    """The completion's facts as canonical texts."""
    removed_meter: str = ""
    """mRID of the meter that was removed, once it is found."""
    installed_meter: str = ""
    replaces: str = ""
    """Id of the completion that a person corrected into this one."""
    waived: list[str] = Field(sa_type=Facts)
    """Rules (EX05, ...) whose finding a person has looked at and let pass."""
    source: str
    message_id: str
    """Message or file item that told it."""
    state: str
    """NEW, WAITING (EX02, EX11, EX12), VALIDATED, HELD, REJECTED, DUPLICATE, SUPERSEDED, REVERSED."""
    codes: list[str] = Field(sa_type=Facts)
    """Codes that were found, the deciding one first."""
    reason: str = Field(default="", sa_type=Text)
    tries: int = 0
    due_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    told_at: datetime = Field(sa_type=Instant)
    judged_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)


class RolloutStepRow(SQLModel, table=True):
    """One step of the sequence of one order (domain 2.3): who is told what, and whether it is so."""

    __tablename__ = "rollout_step"
    __table_args__ = (
        Index("rollout_step_state", "state", "step", "order_id"),
        only("rollout_step_due", "due_at IS NOT NULL", "order_id", "due_at"),
        only("rollout_step_delivery", "delivery_id <> ''", "delivery_id"),
    )

    order_id: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    """Such as CIS_PAIR, MDMS_CLOSE, MDMS_CREATE, HES_COMMISSION (flows.meter_rollout.steps)."""
    attempt: int = Field(default=1, primary_key=True)
    """Rises when a step is compensated and done again."""
    role: str = ""
    origin: str = "hub"
    state: str
    """PENDING, HELD (EX11), AWAITED (another origin begins it), SENT, CONFIRMED, SEEN (read again and so), REFUSED,
    UNCONFIRMED, COMPENSATED, MANUAL, NOT_NEEDED."""
    delivery_id: str = ""
    operation: int = 0
    """Its number in a delivery that tells several steps, 1 for the first; 0: the delivery tells it alone."""
    work_id: str = ""
    """Work that a person has with it; what that person decides moves the step."""
    facts: dict[str, Any] | None = Field(default=None, sa_type=Facts, nullable=True)
    """Of the first step of an attempt: meters and instants as this attempt tells them, and whose attempts it waits
    for."""
    code: str = ""
    reason: str = Field(default="", sa_type=Text)
    due_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    began_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)


class ShippedMeterRow(SQLModel, table=True):
    """One meter of a manufacturer's shipment: what left the factory, and whom it was told to."""

    __tablename__ = "shipped_meter"
    __table_args__ = (
        Index("shipped_meter_shipment", "shipment"),
        Index("shipped_meter_lot", "manufacturer", "lot"),
        Index("shipped_meter_serial", "serial"),
        Index("shipped_meter_state", "state"),
    )

    meter: str = Field(primary_key=True)
    """mRID."""
    manufacturer: str
    serial: str
    """Normalized."""
    shipment: str
    lot: str
    model: str
    firmware: str = ""
    configuration: str = ""
    facts: dict[str, Any] = Field(sa_type=Facts)
    """Commodity, multiplier, registers, module, test result, as canonical texts; never a key."""
    has_keys: bool
    key_reference: str = ""
    """Reference, or id of the wrapping key; the wrapped blob itself lies in `shipped_key`."""
    state: str
    """STOCK, BLOCKED (lot failed, keys missing), INSTALLED, RETURNED, DISPOSED."""
    code: str = ""
    told: dict[str, Any] = Field(sa_type=Facts)
    """By role: PENDING, CONFIRMED or the code of the refusal."""
    shipped_at: datetime = Field(sa_type=Instant)
    known_at: datetime = Field(sa_type=Instant)
    changed_at: datetime = Field(sa_type=Instant)


class ShippedKeyRow(SQLModel, table=True):
    """The wrapped keys of one meter; only whoever commissions it reads this table."""

    __tablename__ = "shipped_key"

    meter: str = Field(primary_key=True)
    wrapped_by: str
    wrapped: str = Field(sa_type=Text)


class RouteExtractRow(SQLModel, table=True):
    """One stop of one route extract: what a reader was asked to read (EX, ROUTE_STALE)."""

    __tablename__ = "route_extract"
    __table_args__ = (Index("route_extract_point", "usage_point", "business_date"),)

    route: str = Field(primary_key=True)
    business_date: str = Field(primary_key=True)
    usage_point: str = Field(primary_key=True)
    meter: str = Field(primary_key=True)
    sequence: int
    extracted_at: datetime = Field(sa_type=Instant)
    state: str
    """OUT, READ, SKIPPED, STALE (the meter was exchanged since), SUPPRESSED."""


WAVE: Table = SQLModel.metadata.tables["rollout_wave"]
ORDER: Table = SQLModel.metadata.tables["rollout_order"]
ORDER_HISTORY: Table = SQLModel.metadata.tables["rollout_order_history"]
RESULT: Table = SQLModel.metadata.tables["rollout_result"]
STEP: Table = SQLModel.metadata.tables["rollout_step"]
SHIPPED_METER: Table = SQLModel.metadata.tables["shipped_meter"]
SHIPPED_KEY: Table = SQLModel.metadata.tables["shipped_key"]
ROUTE_EXTRACT: Table = SQLModel.metadata.tables["route_extract"]
