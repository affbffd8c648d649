"""What the MDMS can say of a usage point at a business time: nothing, a reading, or an estimate."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from simulators import script
from simulators.city_book import CityBook, CycleDay, Meter, Point
from simulators.knobs import Knobs
from simulators.local_days import utc_text
from simulators.mdms_books import MdmsBooks
from simulators.meter_face import stream_of, used

UNKNOWN, NO_DATA, NO_ANSWER = "2.12", "5.7", "5.3"
"""Error codes of the answer: usage point unknown; data not there; the meter was asked and did not answer."""

Counts = tuple[int, int, int, int]
"""(on, mid, off, received) of a period, meter side, in thousandths."""


@dataclass(slots=True)
class Mdms:
    """The MDMS with its city, books and folders."""

    root: Path
    books: MdmsBooks
    knobs: Knobs
    city: CityBook
    points: dict[str, Point]
    meters: dict[str, list[Meter]]
    cycles: dict[str, CycleDay]

    @property
    def seed(self) -> int:
        """The city's seed."""
        return self.city.seed


def open_mdms(run: Path) -> Mdms:
    """Return the MDMS of a run folder, its books open."""
    home = run / "mdms"
    for name in ("inbound", "outbound"):
        (home / "root" / name).mkdir(parents=True, exist_ok=True)
    city = CityBook(run / "city" / "city.sqlite")
    return Mdms(
        home / "root",
        MdmsBooks(home / "books.sqlite"),
        Knobs(home / "knobs.json"),
        city,
        city.points(),
        city.meters(),
        {cycle.cycle: cycle for cycle in city.cycles()},
    )


def refusal(mdms: Mdms, usage_point: str, end: datetime, *, fresh: bool, now: datetime) -> str:
    """Return the error code for a usage point, or an empty text when it can be answered."""
    point = mdms.points.get(usage_point)
    if point is None:
        return UNKNOWN
    if point.feed != "SOAP" or now < end or usage_point in mdms.knobs.listed("missing"):
        return NO_DATA
    cycle = mdms.cycles.get(point.cycle)
    if point.trouble not in script.NEVER_AT_FIRST or cycle is None:
        return ""
    if point.trouble == "LATE":
        if fresh:
            with mdms.books.db:
                mdms.books.db.execute("INSERT OR IGNORE INTO fresh_read VALUES (?, ?)", (usage_point, utc_text(now)))
            return ""
        known = mdms.books.db.execute("SELECT 1 FROM fresh_read WHERE usage_point = ?", (usage_point,)).fetchone()
        return "" if known else NO_DATA
    if point.trouble in script.ESTIMATED and now >= script.ESTIMATES.on(cycle.day):
        return ""
    return NO_ANSWER if fresh else NO_DATA


def estimate_of(mdms: Mdms, point: Point, start: datetime, end: datetime, *, now: datetime) -> Counts | None:
    """Return the estimate that stands for a point at `now`, or None when its reading is actual; the first is kept."""
    cycle = mdms.cycles.get(point.cycle)
    if cycle is None or not _is_estimated(mdms, point, cycle, now):
        return None
    row = mdms.books.db.execute(
        "SELECT on_count, mid_count, off_count, export_count FROM estimate WHERE usage_point = ?", (point.usage_point,)
    ).fetchone()
    if row is None:
        row = _estimate(mdms, point, start, end)
        mdms.books.estimated((point.usage_point, utc_text(end), *row, utc_text(now)))
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def _is_estimated(mdms: Mdms, point: Point, cycle: CycleDay, now: datetime) -> bool:
    if point.trouble == "ESTIMATE":
        return True
    return point.trouble == "ESTIMATE_LATE" and now < late_actual_at(mdms, cycle)


def late_actual_at(mdms: Mdms, cycle: CycleDay) -> datetime:
    """Return when the actual read of what was billed on an estimate arrives: next business day, never for the last."""
    later = sorted(c.day for c in mdms.cycles.values() if c.day > cycle.day)
    return script.LATE_ACTUAL.on(later[0]) if later else cycle.period[1] + timedelta(days=3650)


def _estimate(mdms: Mdms, point: Point, start: datetime, end: datetime) -> Counts:
    """Estimate a period: the 30 days of history before it, scaled to its length and somewhat too low."""
    days = (end - start).days
    history_start = start - timedelta(days=30)
    a, b, c = used(stream_of(mdms.seed, point.stream, point.size), history_start, start)
    received = 0
    if point.export_stream:
        received = sum(used(stream_of(mdms.seed, point.export_stream, "SOLAR"), history_start, start))
    # What is billed on an estimate and corrected later must differ by more than any true-up threshold.
    part, whole = (16, 20) if point.trouble == "ESTIMATE_LATE" else (19, 20)
    scaled = [value * days * part // (30 * whole) for value in (a, b, c, received)]
    return scaled[0], scaled[1], scaled[2], scaled[3]
