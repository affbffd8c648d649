"""Customers as far as a bill needs them: agreements, bill cycles, time-of-use calendars, and meters' masters."""

from dataclasses import dataclass
from datetime import date, datetime, time

from canonical.periods import Period


@dataclass(frozen=True, slots=True)
class CustomerAgreement:
    """A customer's agreement for one usage point (CIM CustomerAgreement), from `valid_from` to `valid_to`."""

    agreement: str
    """The CIS's id of the agreement."""

    account: str
    """The CIS's id of the account."""

    usage_point: str
    """mRID."""

    customer_class: str
    """`RESIDENTIAL`, `COMMERCIAL` or `INDUSTRIAL`."""

    tariff: str
    cycle: str
    """Bill cycle."""

    tou_calendar: str
    """Calendar that buckets interval data; empty for a flat tariff."""

    net_metering: bool
    valid_from: datetime
    valid_to: datetime | None
    """None while it is open."""


@dataclass(frozen=True, slots=True)
class BillCycleDay:
    """One date of the bill-cycle calendar: when a cycle is billed, and for which period."""

    cycle: str
    business_date: date
    """Local date on which the CIS asks and loads."""

    period: Period


@dataclass(frozen=True, slots=True)
class TouWindow:
    """Local clock hours of one kind of day that fall into one bucket."""

    days: str
    """`WEEKDAY`, `SATURDAY`, `SUNDAY`, `WEEKEND`, `HOLIDAY` or `ALL`."""

    start: time
    end: time
    """00:00 as an end means midnight at the day's end."""

    bucket: str
    """`ON`, `MID`, `OFF`, `CRIT`."""

    season: str = ""
    """`SUMMER`, `WINTER`, ...; empty for a window of the whole year."""

    first_day: str = ""
    """First local day of the season in every year, as MM-DD; empty without a season."""

    last_day: str = ""
    """Last local day of the season, as MM-DD; before `first_day` for a season that spans the new year."""


@dataclass(frozen=True, slots=True)
class TouCalendar:
    """A time-of-use calendar: every local clock minute of every day lies in exactly one window."""

    calendar: str
    version: int
    zone: str
    """IANA zone in which its hours are read."""

    windows: tuple[TouWindow, ...]
    holidays: frozenset[date] = frozenset()
