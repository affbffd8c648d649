"""What the registers of a meter show at an instant, and what a usage point used: the MDMS's view of the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from simulators.city_book import Meter, Point
from simulators.city_truth import day_values, half_hours, peaks
from simulators.local_days import day_of, midnight, place

REGISTERS: dict[str, str] = {"T0": "", "T1": "ON", "T2": "MID", "T3": "OFF"}
"""Register ids of an electricity meter and their time-of-use buckets."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A daily stream with its running sums, so that a span costs two look-ups."""

    days: list[tuple[int, int, int]]
    sums: list[tuple[int, int, int]]
    """Sum of all days before a day number."""

    def at(self, instant: datetime) -> tuple[int, int, int]:
        """Return (on, mid, off) from day zero to an instant; inside a day the flow is even, whole units downward."""
        number, minutes, length = place(instant)
        on, mid, off = self.sums[number]
        if not minutes:
            return on, mid, off
        a, b, c = self.days[number]
        return on + a * minutes // length, mid + b * minutes // length, off + c * minutes // length


def stream_of(seed: int, name: str, size: str) -> Stream:
    """Return a daily stream with its sums."""
    days = day_values(seed, name, size)
    sums = list(
        accumulate(
            days, lambda total, day: (total[0] + day[0], total[1] + day[1], total[2] + day[2]), initial=(0, 0, 0)
        )
    )
    return Stream(days, sums)


def used(stream: Stream, start: datetime, end: datetime) -> tuple[int, int, int]:
    """Return (on, mid, off) of a span, in the stream's unit, before any multiplier."""
    a, b = stream.at(start), stream.at(end)
    return b[0] - a[0], b[1] - a[1], b[2] - a[2]


def face(meter: Meter, stream: Stream, instant: datetime, *, commodity: str) -> Mapping[str, int]:
    """Return what each register shows at an instant, in thousandths of its unit, rolled over at its dials."""
    since = used(stream, datetime.fromisoformat(meter.base_at), instant)
    limit = 10 ** (meter.dials + 3)
    if commodity != "ELECTRICITY":
        return {commodity[0] + "0": (meter.start_count + sum(since)) % limit}
    part = meter.start_count * 3 // 10
    return {
        "T0": (meter.start_count + sum(since)) % limit,
        "T1": (part + since[0]) % limit,
        "T2": (part + since[1]) % limit,
        "T3": (meter.start_count - 2 * part + since[2]) % limit,
    }


def export_face(meter: Meter, stream: Stream, instant: datetime) -> int:
    """Return what the received-energy register shows at an instant, in thousandths of a kWh."""
    since = sum(used(stream, datetime.fromisoformat(meter.base_at), instant))
    return (meter.start_count // 7 + since) % int(10 ** (meter.dials + 3))


def highest(seed: int, point: Point, start: datetime, end: datetime) -> tuple[int, datetime] | None:
    """Return (W, end of its quarter hour) of the highest quarter hour that ends inside a span; ties to the earliest."""
    found: tuple[int, datetime] | None = None
    first, last = place(start)[0], place(end)[0]
    for number, (height, minutes) in enumerate(peaks(seed, point.stream, point.size)[first : last + 1], first):
        moment = midnight(day_of(number)) + timedelta(minutes=minutes)
        if start < moment <= end and (found is None or height > found[0]):
            found = height, moment
    return found


def interval_values(seed: int, stream: str, start: datetime, end: datetime) -> list[int]:
    """Return the half-hour values (Wh) from start to end, both on half hours."""
    first: date = start.astimezone(UTC).date()
    values: list[int] = []
    day = first
    while datetime(day.year, day.month, day.day, tzinfo=UTC) < end:
        values.extend(half_hours(seed, stream, day))
        day += timedelta(days=1)
    offset = int((start - datetime(first.year, first.month, first.day, tzinfo=UTC)).total_seconds()) // 1800
    return values[offset : offset + int((end - start).total_seconds()) // 1800]
