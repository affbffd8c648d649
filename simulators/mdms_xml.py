"""MeterReadings of IEC 61968-9:2013 as the MDMS writes them, from plain text templates (docs/adapters/mdms.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from simulators.city_book import Meter, Point
from simulators.local_days import utc_text
from simulators.mdms_state import Counts, Mdms, estimate_of
from simulators.meter_face import Stream, export_face, face, highest, interval_values, stream_of, used

TIERS = {"T0": 0, "T1": 1, "T2": 2, "T3": 3}
INTERVAL_TYPE = "0.0.5.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
DEMAND_TYPE = "0.8.53.0.1.1.8.0.0.0.0.0.0.0.0.3.38.0"
ESTIMATED = '<ReadingQualities><ReadingQualityType ref="3.8.0"/></ReadingQualities>'
RECEIVED = "R0"
ESTIMATE_BACK_DAYS = 28
"""An estimated demand is that of the same weekdays four weeks earlier."""

_READING = (
    "<Readings><timeStamp>%s</timeStamp><value>%d.%03d</value>%s<ReadingType ref=\"%s\"/></Readings>"
)  # fmt: skip
_OF_PERIOD = (
    '<Readings><reason>billing</reason><timeStamp>%s</timeStamp><value>%d.%03d</value>%s<ReadingType ref="%s"/>'
    "<timePeriod><end>%s</end><start>%s</start></timePeriod></Readings>"
)
_METER = (
    "<Meter><Names><name>%s</name><NameType><name>serial</name><NameTypeAuthority><name>%s</name></NameTypeAuthority>"
    "</NameType></Names></Meter>"
)
_VALUE = [f"{n // 1000}.{n % 1000:03d}</value></IntervalReadings>" for n in range(1200)]


def register_type(register: str) -> str:
    """Return the CIM reading type of a register id."""
    if register == "G0":
        return "0.0.0.1.1.7.58.0.0.0.0.0.0.0.0.0.42.0"
    if register == "W0":
        return "0.0.0.1.1.9.58.0.0.0.0.0.0.0.0.0.42.0"
    if register == "D1":
        return DEMAND_TYPE
    if register == "E1":
        return INTERVAL_TYPE
    if register == "B1":
        return INTERVAL_TYPE.replace("0.0.5.4.1.", "0.0.5.4.19.")
    if register == RECEIVED:
        return "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0"
    return f"0.0.0.1.1.1.12.0.0.0.0.{TIERS[register]}.0.0.0.3.72.0"


def of_period(reading_type: str) -> str:
    """Return the same type as a quantity of a billing period."""
    fields = reading_type.split(".")
    fields[0], fields[3] = "8", "4"
    return ".".join(fields)


@dataclass(frozen=True, slots=True)
class Span:
    """The asked period."""

    start: datetime
    end: datetime

    @property
    def texts(self) -> tuple[str, str]:
        """End and start, as timePeriod wants them."""
        return utc_text(self.end), utc_text(self.start)


def meter_readings(mdms: Mdms, point: Point, span: Span, *, now: datetime) -> str:
    """Return the MeterReading elements of one usage point: one for each of its meters in the span."""
    if point.kind == "INTERVAL":
        return _interval_reading(mdms, point, span)
    stream = stream_of(mdms.seed, point.stream, point.size)
    solar = stream_of(mdms.seed, point.export_stream, "SOLAR") if point.export_stream else None
    estimate = estimate_of(mdms, point, span.start, span.end, now=now)
    meters = mdms.meters[point.usage_point]
    parts = []
    for meter in meters:
        first = max(span.start, datetime.fromisoformat(meter.installed_at))
        last = min(span.end, datetime.fromisoformat(meter.removed_at)) if meter.removed_at else span.end
        if first >= last:
            continue
        body = [
            _snapshot(meter, point, stream, solar, first, ""),
            _stop(meter, point, stream, solar, first, last, estimate),
        ]
        if point.commodity == "ELECTRICITY":
            body.append(_demand(mdms, point, span, first, last, estimated=estimate is not None))
        if meter is meters[-1]:
            body.append(_determinants(point, meter, stream, solar, span, estimate))
        parts.append(_element(point, meter, "", "".join(body)))
    return "".join(parts)


def _element(point: Point, meter: Meter, blocks: str, readings: str) -> str:
    meter_text = _METER % (meter.serial, meter.manufacturer)
    usage_point = f"<UsagePoint><mRID>{point.usage_point}</mRID></UsagePoint>"
    return f"<MeterReading>{blocks}{meter_text}{readings}{usage_point}</MeterReading>"


def _shown(meter: Meter, point: Point, stream: Stream, solar: Stream | None, at: datetime) -> dict[str, int]:
    shown = dict(face(meter, stream, at, commodity=point.commodity))
    if solar is not None:
        shown[RECEIVED] = export_face(meter, solar, at)
    return shown


def _readings(shown: dict[str, int], at: datetime, quality: str) -> str:
    stamp = utc_text(at)
    return "".join(_READING % (stamp, v // 1000, v % 1000, quality, register_type(r)) for r, v in shown.items())


def _snapshot(meter: Meter, point: Point, stream: Stream, solar: Stream | None, at: datetime, quality: str) -> str:
    """Return the cumulative registers of a meter at an instant."""
    return _readings(_shown(meter, point, stream, solar, at), at, quality)


def _stop(
    meter: Meter,
    point: Point,
    stream: Stream,
    solar: Stream | None,
    first: datetime,
    last: datetime,
    estimate: Counts | None,
) -> str:
    """Return the registers at the end of the meter's span: as read, or as the estimate leaves them."""
    if estimate is None:
        return _snapshot(meter, point, stream, solar, last, "")
    start = _shown(meter, point, stream, solar, first)
    on, mid, off, received = estimate
    added = {"T0": on + mid + off, "T1": on, "T2": mid, "T3": off, RECEIVED: received}
    limit = 10 ** (meter.dials + 3)
    return _readings({r: (v + added.get(r, on + mid + off)) % limit for r, v in start.items()}, last, ESTIMATED)


def _demand(mdms: Mdms, point: Point, span: Span, first: datetime, last: datetime, *, estimated: bool) -> str:
    """Return the highest quarter hour of a meter in its part of the span; an estimate takes that of the days before."""
    quality, back = (ESTIMATED, timedelta(days=ESTIMATE_BACK_DAYS)) if estimated else ("", timedelta(0))
    found = highest(mdms.seed, point, first - back, last - back)
    if found is None:
        return ""
    height, moment = found[0], found[1] + back
    return _OF_PERIOD % (utc_text(moment), height // 1000, height % 1000, quality, DEMAND_TYPE, *span.texts)


def _determinants(
    point: Point, meter: Meter, stream: Stream, solar: Stream | None, span: Span, estimate: Counts | None
) -> str:
    """Return the energy of the whole period at the usage point, multiplier applied, for each flow and tier."""
    on, mid, off = used(stream, span.start, span.end)
    received = sum(used(solar, span.start, span.end)) if solar is not None else 0
    if estimate is not None:
        on, mid, off, received = estimate
    wrong = 50_000 if point.trouble == "HELD" else 0
    if point.commodity == "ELECTRICITY":
        counts = {"T0": on + mid + off + wrong, "T1": on, "T2": mid, "T3": off + wrong}
    else:
        counts = {point.commodity[0] + "0": on + mid + off + wrong}
    if solar is not None:
        counts[RECEIVED] = received
    quality = "" if estimate is None else ESTIMATED
    lines = []
    for register, count in counts.items():
        value = count * meter.multiplier
        kind = of_period(register_type(register))
        lines.append(_OF_PERIOD % (span.texts[0], value // 1000, value % 1000, quality, kind, *span.texts))
    return "".join(lines)


_PREFIXES: dict[tuple[datetime, int], list[str]] = {}


def _prefixes(start: datetime, count: int) -> list[str]:
    """Return the text before every value of a block of half hours, stamped at their ends."""
    key = (start, count)
    if key not in _PREFIXES:
        stamps = (utc_text(start + timedelta(minutes=30 * (n + 1))) for n in range(count))
        _PREFIXES[key] = [f"<IntervalReadings><timeStamp>{stamp}</timeStamp><value>" for stamp in stamps]
    return _PREFIXES[key]


def _block(values: Sequence[int], start: datetime, register: str) -> str:
    body = "".join(
        chain.from_iterable(zip(_prefixes(start, len(values)), map(_VALUE.__getitem__, values), strict=True))
    )
    return f'<IntervalBlocks>{body}<ReadingType ref="{register_type(register)}"/></IntervalBlocks>'


def _interval_reading(mdms: Mdms, point: Point, span: Span) -> str:
    """Return the half-hour blocks of an interval meter."""
    streams = {"E1": point.stream} | ({"B1": point.export_stream} if point.export_stream else {})
    blocks = "".join(
        _block(interval_values(mdms.seed, stream, span.start, span.end), span.start, register)
        for register, stream in streams.items()
    )
    return _element(point, mdms.meters[point.usage_point][-1], blocks, "")
