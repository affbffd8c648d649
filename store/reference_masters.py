"""Masters beside those of `store.reference`: customers, accounts, premises, meters, where a usage point lies, topology.

Kept as `store.reference` keeps usage points and agreements: by valid time and known time, nothing overwritten.
"""

from datetime import datetime

from sqlalchemy import Index, Table
from sqlmodel import Field, SQLModel

from store.columns import Facts, Instant


class CustomerRow(SQLModel, table=True):
    """One version of a customer. Name and telephone are personal data: never in logs."""

    __tablename__ = "customer"
    __table_args__ = (Index("customer_current", "customer", "replaced_at"),)

    row: int | None = Field(default=None, primary_key=True)
    customer: str
    kind: str
    name: str
    telephone: str
    special_need: str
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class AccountRow(SQLModel, table=True):
    """One version of a customer account."""

    __tablename__ = "customer_account"
    __table_args__ = (Index("customer_account_current", "account", "replaced_at"),)

    row: int | None = Field(default=None, primary_key=True)
    account: str
    customer: str
    cycle: str
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class LocationRow(SQLModel, table=True):
    """One version of a premise. Its address is personal data: never in logs."""

    __tablename__ = "service_location"
    __table_args__ = (Index("service_location_current", "location", "replaced_at"),)

    row: int | None = Field(default=None, primary_key=True)
    location: str
    street: str
    number: str
    suite: str
    town: str
    region: str
    postal_code: str
    country: str
    access_method: str
    needs_inspection: bool
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class MeterRow(SQLModel, table=True):
    """One version of a meter's configuration; registers as JSON text, the multiplier as decimal text."""

    __tablename__ = "meter"
    __table_args__ = (Index("meter_current", "meter", "replaced_at"), Index("meter_serial", "serial_normal"))

    row: int | None = Field(default=None, primary_key=True)
    meter: str
    manufacturer: str
    serial: str
    serial_normal: str
    commodity: str
    multiplier: str
    registers: str
    model: str
    firmware: str
    status: str
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class UsagePointLocationRow(SQLModel, table=True):
    """One version of the premise at which a usage point lies."""

    __tablename__ = "usage_point_location"
    __table_args__ = (Index("usage_point_location_current", "usage_point", "replaced_at"),)

    row: int | None = Field(default=None, primary_key=True)
    usage_point: str
    location: str
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class TopologyRow(SQLModel, table=True):
    """One version of how a usage point is supplied: by which transformer and feeder."""

    __tablename__ = "topology"
    __table_args__ = (
        Index("topology_current", "usage_point", "replaced_at"),
        Index("topology_transformer", "transformer"),
    )

    row: int | None = Field(default=None, primary_key=True)
    usage_point: str
    transformer: str
    feeder: str
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


CUSTOMER: Table = SQLModel.metadata.tables["customer"]
CUSTOMER_ACCOUNT: Table = SQLModel.metadata.tables["customer_account"]
SERVICE_LOCATION: Table = SQLModel.metadata.tables["service_location"]
METER: Table = SQLModel.metadata.tables["meter"]
USAGE_POINT_LOCATION: Table = SQLModel.metadata.tables["usage_point_location"]
TOPOLOGY: Table = SQLModel.metadata.tables["topology"]
