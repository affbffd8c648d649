"""Follows one request over every hop of the other systems' books, and twins beside each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from simulators.audit_books import Answer, Books, Expected, Request
from simulators.audit_truth import required_codes, true_peak
from simulators.city_book import Point
from simulators.local_days import place


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement."""

    account: str
    hop: str
    """requested, acknowledged, loaded, billed, told to the MDMS, closing account."""

    text: str


def audit_item(books: Books, request: Request) -> Iterator[Finding]:
    """Yield every disagreement about one request."""
    who = request.account
    point = books.point_of(request)
    if point is None:
        answers = books.answers_by_request.get(request.request_id, [])
        refused = request.verdict == "REJECTED" or any(a.status == "REJECTED" for a in answers)
        if not refused:
            yield Finding(who, "acknowledged", f"{request.request_id} names nobody and was not rejected")
        return
    if request.verdict != "ACCEPTED":
        yield Finding(
            who, "acknowledged", f"{request.request_id} was told {request.verdict or 'nothing'} {request.code}"
        )
        return
    expected = books.expected(request)
    answer = _the_answer(books, request)
    if answer is None:
        yield Finding(who, "loaded", f"{request.request_id} has no answer in the CIS")
        return
    if expected is None:
        if answer.status != point.trouble:
            yield Finding(who, "loaded", f"{request.request_id} should be {point.trouble}, is {answer.status}")
        if books.bills_by_request.get(request.request_id):
            yield Finding(who, "billed", f"{request.request_id} was billed without energy")
        return
    yield from _loaded(books, request, point, answer, expected)
    yield from _billed(books, request, point, answer, expected)


def _the_answer(books: Books, request: Request) -> Answer | None:
    answers = books.answers_by_request.get(request.request_id, [])
    return max(answers, key=lambda answer: answer.version, default=None)


def _loaded(books: Books, request: Request, point: Point, answer: Answer, expected: Expected) -> Iterator[Finding]:
    """Compare what was loaded with the truth, code by code."""
    who, name = request.account, request.request_id
    determinants = {a.determinant_id for a in books.answers_by_request[request.request_id]}
    if len(determinants) > 1:
        yield Finding(who, "loaded", f"{name} has {len(determinants)} determinants")
    if answer.status != expected.status:
        yield Finding(who, "loaded", f"{name} should be {expected.status}, is {answer.status} {answer.code}")
    if answer.account and answer.account != who:
        yield Finding(who, "loaded", f"{name} was answered for account {answer.account}")
    loaded = books.quantities_of(answer)
    for code in required_codes(point):
        if code not in loaded:
            yield Finding(who, "loaded", f"{name} has no {code}")
    for code, quantity in loaded.items():
        true = expected.quantities.get(code)
        if true is None and quantity:
            yield Finding(who, "loaded", f"{name} has {quantity} of {code}, which its meter does not measure")
        elif true is not None and quantity != true:
            yield Finding(who, "loaded", f"{name} has {quantity} of {code}, true is {true}")
    yield from _demand(books, request, point, answer, expected)


def _demand(books: Books, request: Request, point: Point, answer: Answer, expected: Expected) -> Iterator[Finding]:
    found = books.demands.get((answer.determinant_id, answer.version))
    if found is None or expected.status != "ACTUAL" or point.kind != "REGISTER":
        return
    value, at = true_peak(books.seed, point, books.meter_of(point), *request.period)
    told_at = datetime.fromisoformat(found[2]).astimezone(UTC)
    if Decimal(found[1]) != value or told_at != at:
        text = f"{request.request_id} has {found[1]} kW at {found[2]}, true is {value} at {at.isoformat()}"
        yield Finding(request.account, "loaded", text)


def _billed(books: Books, request: Request, point: Point, answer: Answer, expected: Expected) -> Iterator[Finding]:
    """Compare bills, cancellations and what the MDMS was told with what was loaded."""
    who, name = request.account, request.request_id
    bills = books.bills_by_request.get(request.request_id, [])
    wanted = ["REBILLED"] if request.reason == "REBILL" else ["BILLED"]
    rebilled = (
        any(other.replaces == request.request_id for other in books.requests.values())
        if point.trouble == "ESTIMATE_LATE"
        else False
    )
    if rebilled:
        wanted.append("CANCELLED")
    events = [bill.event for bill in bills]
    if events != wanted:
        yield Finding(who, "billed", f"{name} has bill events {events or 'none'}, expected {wanted}")
    if _must_be_rebilled(books, request, point) and not rebilled:
        yield Finding(who, "rebilled", f"{name} was billed on an estimate, its actual read came and nobody asked again")
    total = Decimal(expected.total[0])
    for bill in bills:
        if Decimal(bill.quantity) != total:
            yield Finding(who, "billed", f"{name}: bill {bill.bill_id} has {bill.quantity}, true is {total}")
    told = books.told_by_determinant.get((answer.determinant_id, answer.version), [])
    if bills and not told:
        yield Finding(who, "told to the MDMS", f"{name}: the MDMS was not told that {answer.determinant_id} was billed")
    for kind, value in told:
        code = _code_of(kind)
        if code in expected.quantities and Decimal(value) != expected.quantities[code]:
            yield Finding(who, "told to the MDMS", f"{name}: {code} {value}, true is {expected.quantities[code]}")


def _must_be_rebilled(books: Books, request: Request, point: Point) -> bool:
    """Return whether the actual read came after the bill: an estimate of a day that is not the last one."""
    last = books.cycles[-1].business_date
    return point.trouble == "ESTIMATE_LATE" and request.reason != "REBILL" and request.business_date != last


def _code_of(kind: str) -> str:
    """Return the determinant code of a CIM reading type."""
    fields = kind.split(".")
    tier = {"0": "TOTAL", "1": "ON", "2": "MID", "3": "OFF"}.get(fields[11], "")
    if fields[6] == "58":
        return "M3_TOTAL"
    if fields[6] != "12" or fields[4] == "4":
        return ""
    return f"KWH_{'RCVD_' if fields[4] == '19' else ''}{tier}"


def audit_twins(books: Books) -> Iterator[Finding]:
    """Yield twins whose bills differ although one physical consumption stands behind them."""
    pairs: dict[str, list[Point]] = {}
    for point in books.points.values():
        if point.trouble == "TWIN":
            pairs.setdefault(point.stream, []).append(point)
    by_point = {answer.usage_point: answer for answer in books.newest_answers()}
    for stream, points in pairs.items():
        found = [books.quantities_of(by_point[p.usage_point]) for p in points if p.usage_point in by_point]
        if any(other != found[0] for other in found[1:]):
            yield Finding(points[1].account, "loaded", f"twins of {stream} differ: {found}")


__all__ = ["Finding", "audit_item", "audit_twins", "place"]
