"""Files of the MDMS: interval data as NEM12, plain and zipped; and how it describes the registers of a meter."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

from simulators import sabotage
from simulators.cis_files import put, stem_of
from simulators.cis_requests import HUB
from simulators.city_book import CycleDay, Meter, Point
from simulators.local_days import local_text
from simulators.mdms_state import Mdms
from simulators.mdms_xml import RECEIVED, TIERS, register_type
from simulators.meter_face import interval_values

FEED_CLOCK = timezone(timedelta(hours=-5))
"""The clock of the NEM12 feed: standard time all year (Etc/GMT+5), so that a day always has 1440 minutes."""

_TEXT = [f"{n // 1000}.{n % 1000:03d}" for n in range(1200)]
_BUCKETS = {"T1": "ON", "T2": "MID", "T3": "OFF"}


def registers_of(point: Point, meter: Meter) -> Iterator[str]:
    """Yield the REG lines of a meter."""
    who = f"REG|{meter.manufacturer}|{meter.serial}"
    if point.kind == "INTERVAL":
        yield f"{who}|E1|{register_type('E1')}|kWh|DELIVERED|0|3||30|N"
        if point.export_stream:
            yield f"{who}|B1|{register_type('B1')}|kWh|RECEIVED|0|3||30|N"
        return
    if point.commodity != "ELECTRICITY":
        name = point.commodity[0] + "0"
        yield f"{who}|{name}|{register_type(name)}|m3|DELIVERED|{meter.dials}|3||0|N"
        return
    for register in TIERS:
        bucket = _BUCKETS.get(register, "")
        yield f"{who}|{register}|{register_type(register)}|kWh|DELIVERED|{meter.dials}|3|{bucket}|0|N"
    if point.export_stream:
        yield f"{who}|{RECEIVED}|{register_type(RECEIVED)}|kWh|RECEIVED|{meter.dials}|3||0|N"
    yield f"{who}|D1|{register_type('D1')}|kW|DELIVERED|{meter.dials}|3||0|Y"


def _offer(mdms: Mdms, name: str, body: bytes, control: bytes, now: datetime) -> None:
    put(mdms.root / "outbound", name, body)
    put(mdms.root / "outbound", stem_of(name) + ".ctl", control)
    mdms.books.file(name, "", "", now)


def offer_readings(mdms: Mdms, cycle: CycleDay, now: datetime, *, late: bool, zipped: bool) -> None:
    """Put the interval data of a cycle on offer: those that are in time, or those that come late."""
    due = [
        point
        for point in mdms.points.values()
        if point.feed == "NEM" and point.cycle == cycle.cycle and (point.trouble == "LATE_FILE") == late
    ]
    if not due:
        return
    name = f"NEM12#{cycle.day:%Y%m%d}{'L' if late else 'A'}#MDMS#{HUB}"
    text = ("\n".join(nem_lines(mdms, due, cycle, now)) + "\n").encode()
    body, ending = (_zip(name, text), ".zip") if zipped else (text, ".csv")
    control = {"name": name + ending, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    _offer(mdms, name + ending, body, _control(control, now), now)


def _control(facts: dict[str, object], now: datetime) -> bytes:
    more: dict[str, object] = {
        "records": {},
        "totals": {},
        "sequence": 0,
        "previous_sequence": None,
        "layout": "nem12/1",
    }
    return json.dumps(facts | more | {"produced_at": local_text(now), "zone": "Etc/GMT+5"}).encode()


def _zip(name: str, text: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", text)
    return stream.getvalue()


def nem_lines(mdms: Mdms, points: Iterable[Point], cycle: CycleDay, now: datetime) -> Iterator[str]:
    """Yield the lines of a NEM12 file that covers the bill period of a cycle, in whole days of the feed's clock."""
    start, end = cycle.period
    first = start.astimezone(FEED_CLOCK).date()
    last = (end - timedelta(minutes=30)).astimezone(FEED_CLOCK).date()
    begin = datetime(first.year, first.month, first.day, tzinfo=FEED_CLOCK)
    finish = datetime(last.year, last.month, last.day, tzinfo=FEED_CLOCK) + timedelta(days=1)
    stamp = now.astimezone(FEED_CLOCK)
    yield f"100,NEM12,{stamp:%Y%m%d%H%M},MDMS,{HUB}"
    for point in points:
        meter = mdms.meters[point.usage_point][-1]
        streams = {"E1": point.stream} | ({"B1": point.export_stream} if point.export_stream else {})
        for suffix, stream in streams.items():
            yield f"200,{point.name},{''.join(streams)},{suffix},{suffix},N1,{meter.serial},kWh,30,"
            values = interval_values(mdms.seed, stream, begin, finish)
            if _is_victim(mdms, point, now):
                values = sabotage.shifted(values)
            for number in range(len(values) // 48):
                day = first + timedelta(days=number)
                texts = ",".join(map(_TEXT.__getitem__, values[48 * number : 48 * number + 48]))
                yield f"300,{day:%Y%m%d},{texts},A,,,{stamp:%Y%m%d%H%M%S},"
    yield "900"


def _is_victim(mdms: Mdms, point: Point, now: datetime) -> bool:
    """Return whether this meter's data is to stand one hour late; it happens to one."""
    if mdms.knobs.text("sabotage") != "shift-hour" or mdms.books.done("sabotage") or point.trouble:
        return False
    mdms.books.mark("sabotage", now)
    return True
