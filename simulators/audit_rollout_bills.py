"""Bills of the cycle in which meters were exchanged: every account once, its energy that of the meters that hung there.

What CIS and MDMS hold of requests, answers and bills is followed by `simulators.auditor`, hop by hop. Here is what only
an exchange makes: which meters an answer is made of, from when to when, and what they showed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from simulators import auditor
from simulators.audit_books import open_books
from simulators.audit_masters import Check
from simulators.city import PERIOD_DAYS
from simulators.city_book import Meter, Point
from simulators.local_days import midnight, utc_text
from simulators.rollout_city import BILL_DATE, BILLED, is_piloted
from simulators.rollout_truth import Truth, faces, streams_of, text_of

AMI, MANUAL, MIXED = "AMI all the time", "people", "people, then AMI"
"""Who read an account in the period."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """What one register of one meter measured in its part of a bill period."""

    account: str
    serial: str
    register: str
    began: str
    """In UTC."""

    first: str
    ended: str
    last: str
    kwh: str
    """Multiplier applied."""


def audit_bills(run: Path, truth: Truth) -> list[Check]:
    """Return what is wrong with the bills of a run folder."""
    billed = [(number, point) for number, point in enumerate(truth.points) if point.cycle == BILLED]
    return [_books(run, billed), _kinds(run, truth, billed), _segments(run, truth, billed)]


def _books(run: Path, billed: list[tuple[int, Point]]) -> Check:
    """Follow every request over the books of CIS and MDMS, and look whether every account has one bill."""
    report = auditor.audit(run)
    problems = [f"account {one.account}, hop {one.hop}: {one.text}" for one in report.findings]
    books = open_books(run)
    bills = Counter(books.requests[one.request_id].account for one in books.bills if one.request_id in books.requests)
    problems += [
        f"account {point.account} has {bills[point.account]} bills" for _, point in billed if bills[point.account] != 1
    ]
    return Check("every account of the cycle is billed once, to the thousandth of a kWh", tuple(problems), len(billed))


def _kinds(run: Path, truth: Truth, billed: list[tuple[int, Point]]) -> Check:
    """Look whether accounts of every kind are there, and whether one run bills them all."""
    found = Counter(kinds_of(truth, billed).values())
    problems = [f"nobody is read by {kind}" for kind in (AMI, MANUAL, MIXED) if not found[kind]]
    runs = {(rows[0][5], rows[0][8], rows[0][11], rows[0][12]) for rows in _parts(run)}
    if len(runs) != 1:
        problems.append(f"{len(runs)} runs instead of one: {sorted(runs)}")
    counted = ", ".join(f"{found[kind]:,} by {kind}" for kind in (AMI, MANUAL, MIXED))
    return Check(f"one run bills whoever is read: {counted}", tuple(problems), sum(found.values()))


def kinds_of(truth: Truth, billed: list[tuple[int, Point]]) -> Mapping[str, str]:
    """Return who read each account of the cycle."""
    exchanged = {one.point.account for one in truth.exchanges}
    return {
        point.account: MIXED if point.account in exchanged else AMI if is_piloted(number) else MANUAL
        for number, point in billed
    }


def _segments(run: Path, truth: Truth, billed: list[tuple[int, Point]]) -> Check:
    """Compare the meters and registers of every answer with what hung there and what it showed."""
    accounts = {point.account for _, point in billed}
    expected = {one for one in expected_segments(truth) if one.account in accounts}
    stated = set(_stated(run))
    problems = [f"account {one.account} lacks {_words(one)}" for one in sorted(expected - stated)]
    problems += [f"account {one.account} has {_words(one)}" for one in sorted(stated - expected)]
    return Check("each bill is made of the meters that hung there, from when to when", tuple(problems), len(expected))


def expected_segments(truth: Truth) -> Iterator[Segment]:
    """Yield what every register of the cycle measured: on both meters where one was exchanged."""
    start, end = midnight(BILL_DATE - timedelta(days=PERIOD_DAYS)), midnight(BILL_DATE)
    exchanged = {one.point.usage_point: one for one in truth.exchanges}
    for point in truth.points:
        one = exchanged.get(point.usage_point)
        parts = [(truth.old[point.usage_point], start, end)]
        if one is not None:
            parts = [(one.old, start, one.at), (one.new, one.at, end)]
        for meter, began, ended in parts:
            yield from _measured(truth.seed, point, meter, began, ended)


def _measured(seed: int, point: Point, meter: Meter, began: datetime, ended: datetime) -> Iterator[Segment]:
    streams = streams_of(seed, point)
    first, last = (faces(meter, point, streams, at) for at in (began, ended))
    for register, count in last.items():
        used = (count - first[register]) % 10 ** (meter.dials + 3) * meter.multiplier
        ends = (utc_text(began), text_of(first[register]), utc_text(ended), text_of(count))
        yield Segment(point.account, meter.serial, register, *ends, text_of(used))


def _stated(run: Path) -> Iterator[Segment]:
    """Yield the registers of every answer that the CIS was sent."""
    for rows in _parts(run):
        account, serials = "", dict[str, str]()
        for row in rows:
            if row[0] == "SVC":
                account, serials = row[4], {}
            elif row[0] == "MTR":
                serials[row[1]] = row[3]
            elif row[0] == "REG":
                began, ended = (utc_text(datetime.fromisoformat(row[n])) for n in (8, 11))
                shown = (f"{Decimal(row[n]):.3f}" for n in (7, 10, 15))
                first, last, kwh = shown
                yield Segment(account, serials[row[1]], row[2], began, first, ended, last, kwh)


def _parts(run: Path) -> Iterator[list[list[str]]]:
    for path in sorted((run / "cis" / "root" / "inbound").glob("BD_*.dat")):
        yield [line.split("|") for line in path.read_text().splitlines()]


def _words(one: Segment) -> str:
    return f"{one.serial} {one.register} {one.first} at {one.began} to {one.last} at {one.ended}: {one.kwh} kWh"
