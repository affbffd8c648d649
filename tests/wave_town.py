"""A small town for waves: streets of houses, each with a usage point, an agreement and an old meter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from canonical.ids import meter_mrid
from store import reference
from store.reference_masters import (
    CUSTOMER,
    CUSTOMER_ACCOUNT,
    METER,
    SERVICE_LOCATION,
    USAGE_POINT_LOCATION,
)
from store.session import Session

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
ZONE = "America/Toronto"


@dataclass(frozen=True, slots=True)
class House:
    """One usage point and all that hangs on it."""

    number: int
    district: str = "NORTH"
    route: str = "R1"
    cycle: str = "07"
    customer_class: str = "RESIDENTIAL"
    model: str = "OLD-1"
    net_metering: bool = False
    special_need: str = ""
    street: str = "Elm"
    agreements: tuple[tuple[datetime, datetime | None], ...] = ((BEGAN, None),)
    meters: tuple[str, ...] = field(default=("",))
    """Serials; an empty one is made of the number."""

    @property
    def usage_point(self) -> str:
        """Return its mRID."""
        return f"UP-{self.number:06}"

    @property
    def serials(self) -> tuple[str, ...]:
        """Return the serials of what hangs there."""
        return tuple(serial or f"S{self.number:06}" for serial in self.meters)

    @property
    def meter(self) -> str:
        """Return the mRID of the meter that hangs there."""
        return meter_mrid("ACME", self.serials[0])


def build(session: Session, houses: Sequence[House], *, read_dates: Sequence[tuple[str, str]] = ()) -> None:
    """Write a town as its masters tell it; `read_dates` are (cycle, ISO date)."""
    rows: dict[Any, list[dict[str, Any]]] = {}

    def add(table: Any, **columns: Any) -> None:
        rows.setdefault(table, []).append(columns)

    for one in houses:
        point, blank = one.usage_point, {"valid_to": None, "said": None, "stated_at": None}
        add(reference.USAGE_POINT, usage_point=point, name=f"N{one.number}", zone=ZONE, commodity="ELECTRICITY",
            read_source="MANUAL", district=one.district, route=one.route, valid_from=BEGAN, **blank)  # fmt: skip
        for n, (begins, ends) in enumerate(one.agreements):
            add(reference.AGREEMENT, agreement=f"A{one.number}-{n}", account=f"AC{one.number}-{n}", usage_point=point,
                customer_class=one.customer_class, tariff="T", cycle=one.cycle, tou_calendar="",
                net_metering=one.net_metering, valid_from=begins, **{**blank, "valid_to": ends})  # fmt: skip
            add(CUSTOMER_ACCOUNT, account=f"AC{one.number}-{n}", customer=f"C{one.number}-{n}", cycle=one.cycle,
                valid_from=BEGAN, **blank)  # fmt: skip
            add(CUSTOMER, customer=f"C{one.number}-{n}", kind="residential", name="", telephone="",
                special_need=one.special_need, valid_from=BEGAN, **blank)  # fmt: skip
        for serial in one.serials:
            meter = {"meter": meter_mrid("ACME", serial), "manufacturer": "ACME", "serial": serial,
                     "serial_normal": serial, "commodity": "ELECTRICITY", "multiplier": "1",
                     "registers": "[]"}  # fmt: skip
            add(METER, **meter, model=one.model, firmware="", status="Active", valid_from=BEGAN, **blank)
            add(reference.INSTALLATION, **meter, usage_point=point, installed_at=BEGAN, removed_at=None, split=None)
        add(USAGE_POINT_LOCATION, usage_point=point, location=f"L{one.number}", valid_from=BEGAN, **blank)
        add(SERVICE_LOCATION, location=f"L{one.number}", street=one.street, number=str(one.number), suite="",
            town="Town", region="", postal_code="", country="", access_method="", needs_inspection=False,
            valid_from=BEGAN, **blank)  # fmt: skip
    for cycle, day in read_dates:
        at = datetime.fromisoformat(f"{day}T05:00:00+00:00")
        add(reference.BILL_CYCLE_DAY, cycle=cycle, business_date=day, period_start=BEGAN, period_end=at)
    for table, some in rows.items():
        reference.record(session, table, some, now=BEGAN)
