"""Builds the contexts that the tests of the billing rules calculate: one usage point, its meters, its values."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from canonical.billing import BillingRequestItem, Quantity, Reason
from canonical.customers import CustomerAgreement, TouCalendar, TouWindow
from canonical.metering import Installation, IntervalBlock, Register, RegisterReading, UsagePoint
from canonical.periods import Period, start_of_day
from canonical.quality import Quality
from canonical.reading_types import Commodity, Flow, billing_code, interval_code, register_code
from flows.billing_exchange.calculate import BillContext, Calculated, LastBill
from flows.billing_exchange.policy import Policy

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
KWH = register_code("ELECTRICITY")
HUB = Policy(determinants="hub")
MDMS = Policy(determinants="mdms")
RESIDUAL = Policy(determinants="hub", rounding="interval_residual")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def days(first: date, after: date, zone: str = "America/Toronto") -> Period:
    return Period(start_of_day(first, ZoneInfo(zone)), start_of_day(after, ZoneInfo(zone)))


OCTOBER = days(date(2026, 10, 1), date(2026, 11, 1))


def register(
    name: str = "E1",
    *,
    flow: Flow = "DELIVERED",
    tou: int = 0,
    dials: int = 6,
    decimals: int = 3,
    commodity: Commodity = "ELECTRICITY",
) -> Register:
    bucket = {0: "", 1: "ON", 2: "MID", 3: "OFF"}[tou]
    unit = "kWh" if commodity == "ELECTRICITY" else "m3"
    return Register(name, register_code(commodity, flow, tou), unit, flow, dials, decimals, tou_bucket=bucket)


def channel(name: str = "C1", minutes: int = 15, *, flow: Flow = "DELIVERED") -> Register:
    return Register(name, interval_code(minutes, flow), "kWh", flow, 0, 3, interval_minutes=minutes)


def meter(
    name: str = "M1",
    *registers: Register,
    since: datetime = LONG_AGO,
    until: datetime | None = None,
    multiplier: str = "1",
    commodity: Commodity = "ELECTRICITY",
) -> Installation:
    return Installation(
        "UP", name, "ACME", f"S-{name}", commodity, since, until, Decimal(multiplier), registers or (register(),)
    )


def read(
    when: datetime,
    value: str | Decimal,
    *,
    meter: str = "M1",
    code: str = KWH,
    quality: Quality = Quality.VALIDATED,
    source: str = "mdms",
    period: Period | None = None,
) -> RegisterReading:
    return RegisterReading("UP", meter, code, when, Decimal(value), quality, quality.value[:1], source, period)


def stated(value: str | Decimal, period: Period = OCTOBER, **other: object) -> RegisterReading:
    code = str(other.pop("code", KWH))
    return read(period.end, value, code=billing_code(code), period=period, **other)  # type: ignore[arg-type]


def block(
    start: datetime,
    values: Sequence[int],
    *,
    meter: str = "M1",
    minutes: int = 15,
    exponent: int = -3,
    flow: Flow = "DELIVERED",
    quality: Quality = Quality.VALIDATED,
    runs: Iterable[tuple[int, Quality, str]] | None = None,
) -> IntervalBlock:
    qualities = tuple(runs) if runs is not None else ((len(values), quality, quality.value[:1]),)
    numbers = array("q", values)
    return IntervalBlock(
        "UP", meter, interval_code(minutes, flow), start, minutes, exponent, numbers, qualities, "mdms"
    )


def agreement(**changed: object) -> CustomerAgreement:
    facts: dict[str, object] = {
        "agreement": "AGR",
        "account": "ACC",
        "usage_point": "UP",
        "customer_class": "RESIDENTIAL",
        "tariff": "T",
        "cycle": "01",
        "tou_calendar": "",
        "net_metering": False,
        "valid_from": LONG_AGO,
        "valid_to": None,
    }
    return CustomerAgreement(**(facts | changed))  # type: ignore[arg-type]


def last_bill(period: Period, **changed: object) -> LastBill:
    facts: dict[str, object] = {
        "period": period,
        "request_id": "R0",
        "determinant_id": "D0",
        "version": 1,
        "stops": {},
        "residuals": {},
        "daily_quantity": Decimal(10),
        "consecutive_estimates": 0,
        "zero_cycles": 0,
    }
    return LastBill(**(facts | changed))  # type: ignore[arg-type]


SEPTEMBER = days(date(2026, 9, 1), date(2026, 10, 1))


def context(
    *values: RegisterReading,
    blocks: Sequence[IntervalBlock] = (),
    meters: Sequence[Installation] = (),
    period: Period = OCTOBER,
    zone: str = "America/Toronto",
    commodity: Commodity = "ELECTRICITY",
    reason: Reason = "CYCLE",
    read_source: str = "AMI",
    **changed: object,
) -> BillContext:
    facts: dict[str, object] = {
        "item": BillingRequestItem("R1", reason, commodity, period),
        "determinant_id": "D1",
        "version": 1,
        "supersedes_id": "",
        "usage_point": UsagePoint("UP", "NMI1", zone, commodity, read_source, LONG_AGO),
        "agreement": agreement(),
        "installations": tuple(meters) or (meter(),),
        "calendar": None,
        "registers": values,
        "blocks": tuple(blocks),
        "last_bill": None,
        "read_window": None,
        "cycle": "01",
        "multipliers": {},
    }
    return BillContext(**(facts | changed))  # type: ignore[arg-type]


def tou(zone: str = "America/Toronto", *, holidays: Iterable[date] = ()) -> TouCalendar:
    """Weekdays 07-11 ON, 11-17 MID, 17-19 ON, else OFF; weekends and holidays OFF."""
    hours = [("OFF", 0, 7), ("ON", 7, 11), ("MID", 11, 17), ("ON", 17, 19), ("OFF", 19, 0)]
    windows = [TouWindow("WEEKDAY", time(a), time(b), bucket) for bucket, a, b in hours]
    windows += [TouWindow(kind, time(0), time(0), "OFF") for kind in ("WEEKEND", "HOLIDAY")]
    return TouCalendar("TOU", 1, zone, tuple(windows), frozenset(holidays))


def figures(result: Calculated) -> Mapping[str, Decimal]:
    assert result.determinant is not None, (result.missing, result.holds)
    return {q.code: q.quantity for q in result.determinant.quantities}


def quantity(result: Calculated, code: str) -> Quantity:
    assert result.determinant is not None, (result.missing, result.holds)
    return next(q for q in result.determinant.quantities if q.code == code)


def held(result: Calculated) -> list[str]:
    return [hold.code.name for hold in result.holds]
