"""What each bill must say, computed from the city's truth alone and not by the MDMS's way of reading meters.

Rounding rule: reads and interval values have three decimals and the city counts in thousandths, so a billed quantity is
the exact sum of whole thousandths, times the meter's multiplier. Nothing is rounded and no tolerance is given.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from simulators.city_book import Meter, Point
from simulators.city_truth import day_values, half_hours, peaks
from simulators.local_days import ZONE, day_number, day_of, is_working_day, midnight, place

Counts = dict[str, int]
"""Thousandths by bucket: ON, MID, OFF."""


def _bucket(instant: datetime) -> str:
    """Return the time-of-use bucket of the half hour that begins at an instant."""
    local = instant.astimezone(ZONE)
    if not is_working_day(local.date()):
        return "OFF"
    if 7 <= local.hour < 11 or 17 <= local.hour < 19:
        return "ON"
    return "MID" if 11 <= local.hour < 17 else "OFF"


def daily_counts(seed: int, stream: str, size: str, start: datetime, end: datetime) -> Counts:
    """Return what a daily stream counted over whole local days."""
    days = day_values(seed, stream, size)[place(start)[0] : place(end)[0]]
    return {"ON": sum(d[0] for d in days), "MID": sum(d[1] for d in days), "OFF": sum(d[2] for d in days)}


def half_hour_counts(seed: int, stream: str, start: datetime, end: datetime) -> Counts:
    """Return what a half-hour stream counted from start to end, hour by hour in the tariff's clock."""
    counts = {"ON": 0, "MID": 0, "OFF": 0}
    instant, day, values = start, None, [0]
    while instant < end:
        utc = instant.astimezone(UTC)
        if utc.date() != day:
            day, values = utc.date(), half_hours(seed, stream, utc.date())
        counts[_bucket(instant)] += values[utc.hour * 2 + utc.minute // 30]
        instant += timedelta(minutes=30)
    return counts


def counts_of(seed: int, point: Point, start: datetime, end: datetime) -> tuple[Counts, Counts]:
    """Return (delivered, received) of a usage point in a period, on the meter's side."""
    if point.kind == "INTERVAL":
        delivered = half_hour_counts(seed, point.stream, start, end)
        received = half_hour_counts(seed, point.export_stream, start, end) if point.export_stream else {}
    else:
        delivered = daily_counts(seed, point.stream, point.size, start, end)
        received = daily_counts(seed, point.export_stream, "SOLAR", start, end) if point.export_stream else {}
    return delivered, received


def quantities(
    point: Point, meter: Meter, delivered: Mapping[str, int], received: Mapping[str, int]
) -> dict[str, Decimal]:
    """Return the billed quantities by determinant code that these counts make."""

    def scaled(count: int) -> Decimal:
        return Decimal(count * meter.multiplier).scaleb(-3)

    if point.commodity != "ELECTRICITY":
        return {"M3_TOTAL": scaled(sum(delivered.values()))}
    found = {"KWH_TOTAL": scaled(sum(delivered.values()))}
    found |= {f"KWH_{bucket}": scaled(count) for bucket, count in delivered.items()}
    if point.export_stream:
        found["KWH_RCVD_TOTAL"] = scaled(sum(received.values()))
        if point.kind == "INTERVAL":
            found |= {f"KWH_RCVD_{bucket}": scaled(count) for bucket, count in received.items()}
        found["KWH_NET_TOTAL"] = found["KWH_TOTAL"] - found["KWH_RCVD_TOTAL"]
    return found


def required_codes(point: Point) -> tuple[str, ...]:
    """Return the determinant codes without which a bill of the point cannot be made."""
    if point.commodity != "ELECTRICITY":
        return ("M3_TOTAL",)
    return ("KWH_TOTAL", "KWH_ON", "KWH_MID", "KWH_OFF", *(("KWH_RCVD_TOTAL",) if point.export_stream else ()))


def true_peak(seed: int, point: Point, meter: Meter, start: datetime, end: datetime) -> tuple[Decimal, datetime]:
    """Return (kW, end of its quarter hour) of the highest quarter hour of a register meter's period."""
    heights = peaks(seed, point.stream, point.size)
    days = range(day_number(start.astimezone(ZONE).date()), day_number(end.astimezone(ZONE).date()))
    best = max(days, key=lambda number: (heights[number][0], -number))
    height, minutes = heights[best]
    return Decimal(height * meter.multiplier).scaleb(-3), midnight(day_of(best)) + timedelta(minutes=minutes)
