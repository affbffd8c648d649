"""The books that the auditor reads, side by side, and what the truth expects of each request in them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from simulators import script
from simulators.audit_truth import counts_of, quantities
from simulators.city_book import CityBook, Meter, Point


@dataclass(frozen=True, slots=True)
class Request:
    """One request line of the CIS."""

    request_id: str
    interface: str
    business_date: str
    reason: str
    usage_point: str
    account: str
    period_start: str
    period_end: str
    replaces: str
    verdict: str
    code: str

    @property
    def period(self) -> tuple[datetime, datetime]:
        """Bill period, in UTC."""
        return tuple(datetime.fromisoformat(t).astimezone(UTC) for t in (self.period_start, self.period_end))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Answer:
    """One determinant version in the CIS's books."""

    determinant_id: str
    version: int
    request_id: str
    account: str
    usage_point: str
    status: str
    code: str
    supersedes: str
    unit: str
    total: str
    file: str


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill event in the CIS's books."""

    bill_id: str
    determinant_id: str
    version: int
    request_id: str
    quantity: str
    unit: str
    event: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a request must come to."""

    status: str
    """ACTUAL or ESTIMATED."""

    quantities: dict[str, Decimal]

    @property
    def total(self) -> tuple[str, str]:
        """(quantity, unit) of the delivered total."""
        if "M3_TOTAL" in self.quantities:
            return str(self.quantities["M3_TOTAL"]), "m3"
        return str(self.quantities["KWH_TOTAL"]), "kWh"


class Books:
    """All books of a run, read once."""

    def __init__(self, run: Path) -> None:
        """Read the books below a run folder."""
        city = CityBook(run / "city" / "city.sqlite")
        self.seed, self.points, self.meters = city.seed, city.points(), city.meters()
        self.cycles = city.cycles()
        self._expected: dict[str, Expected | None] = {}
        cis = sqlite3.connect(f"file:{run / 'cis' / 'books.sqlite'}?mode=ro", uri=True)
        mdms = sqlite3.connect(f"file:{run / 'mdms' / 'books.sqlite'}?mode=ro", uri=True)
        columns = (
            "request_id, interface, business_date, reason, usage_point, account, period_start, period_end, replaces"
        )
        rows = cis.execute(f"SELECT {columns}, verdict, code FROM request")  # noqa: S608 - our own words
        self.requests = {row[0]: Request(*row) for row in rows}
        columns = (
            "determinant_id, version, request_id, account, usage_point, status, code, supersedes, unit, total, file"
        )
        self.answers = [Answer(*row) for row in cis.execute(f"SELECT {columns} FROM answer ORDER BY rowid")]  # noqa: S608
        columns = "bill_id, determinant_id, version, request_id, quantity, unit, event"
        self.bills = [Bill(*row) for row in cis.execute(f"SELECT {columns} FROM bill ORDER BY rowid")]  # noqa: S608
        self._quantities: dict[tuple[str, int], dict[str, Decimal]] = {}
        for det, version, code, quantity in cis.execute("SELECT determinant_id, version, code, quantity FROM quantity"):
            self._quantities.setdefault((det, version), {})[code] = Decimal(quantity)
        self.demands = {
            (r[0], r[1]): (r[2], r[3], r[4]) for r in cis.execute("SELECT * FROM demand WHERE code = 'KW_MAX'")
        }
        self.closing = cis.execute("SELECT file, kind, code, count FROM closing ORDER BY rowid").fetchall()
        self.told = mdms.execute(
            "SELECT determinant_id, version, usage_point, reading_type, value FROM billed"
        ).fetchall()
        self.estimates = {
            row[0]: row[1:]
            for row in mdms.execute("SELECT usage_point, on_count, mid_count, off_count, export_count FROM estimate")
        }

    @cached_property
    def answers_by_request(self) -> dict[str, list[Answer]]:
        """Answers by request id, oldest first."""
        found: dict[str, list[Answer]] = {}
        for answer in self.answers:
            found.setdefault(answer.request_id, []).append(answer)
        return found

    @cached_property
    def bills_by_request(self) -> dict[str, list[Bill]]:
        """Bill events by request id, oldest first."""
        found: dict[str, list[Bill]] = {}
        for bill in self.bills:
            found.setdefault(bill.request_id, []).append(bill)
        return found

    @cached_property
    def told_by_determinant(self) -> dict[tuple[str, int], list[tuple[str, str]]]:
        """What the MDMS was told, by (determinant id, version): (reading type, value)."""
        found: dict[tuple[str, int], list[tuple[str, str]]] = {}
        for det, version, _, kind, value in self.told:
            found.setdefault((det, version), []).append((kind, value))
        return found

    def newest_answers(self) -> Iterator[Answer]:
        """Yield the newest version of every determinant."""
        newest: dict[str, Answer] = {}
        for answer in self.answers:
            known = newest.get(answer.determinant_id)
            if known is None or answer.version > known.version:
                newest[answer.determinant_id] = answer
        yield from newest.values()

    def quantities_of(self, answer: Answer) -> dict[str, Decimal]:
        """Return the loaded quantities of an answer, by determinant code."""
        return self._quantities.get((answer.determinant_id, answer.version), {})

    def totals_told(self) -> Iterator[tuple[str, str]]:
        """Yield (quantity, unit) of each delivered total that the MDMS was told to be billed."""
        for entries in self.told_by_determinant.values():
            for kind, value in entries:
                fields = kind.split(".")
                if fields[4] != "19" and fields[11] == "0" and fields[6] in ("12", "58"):
                    yield value, "kWh" if fields[6] == "12" else "m3"

    def point_of(self, request: Request) -> Point | None:
        """Return the usage point that a request means, or None when there is none in the city."""
        return self.points.get(request.usage_point)

    def meter_of(self, point: Point) -> Meter:
        """Return the last meter of a usage point."""
        return self.meters[point.usage_point][-1]

    def expected(self, request: Request) -> Expected | None:
        """Return what a request must come to, or None when it must stay without energy; computed once."""
        if request.request_id not in self._expected:
            self._expected[request.request_id] = self._expect(request)
        return self._expected[request.request_id]

    def _expect(self, request: Request) -> Expected | None:
        point = self.point_of(request)
        if point is None or point.trouble in ("NO_READ", "HELD"):
            return None
        start, end = request.period
        if request.reason != "REBILL" and point.trouble in script.ESTIMATED:
            on, mid, off, received = self.estimates.get(point.usage_point, (0, 0, 0, 0))
            estimate = {"ON": on, "MID": mid, "OFF": off}
            return Expected("ESTIMATED", quantities(point, self.meter_of(point), estimate, {"ALL": received}))
        return Expected("ACTUAL", quantities(point, self.meter_of(point), *counts_of(self.seed, point, start, end)))


def open_books(run: Path) -> Books:
    """Return the books of a run folder."""
    return Books(run)
