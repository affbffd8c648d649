"""What the register of unbilled energy must say after the billing day, by the city's truth and the CIS's books."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from simulators.audit_books import Books, Request, open_books
from simulators.audit_truth import counts_of, quantities

NEVER_READ = ("NO_READ",)
"""Troubles of usage points of which nobody knows a read."""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """What one agreement has unbilled by reads."""

    agreement: str
    quantity: Decimal
    unit: str


def expected_in(run: Path) -> dict[str, Unbilled]:
    """Return what must be unbilled by reads, by agreement: nothing where a bill was made, else what flowed.

    The last read of everybody is that of the period's end: what flowed after it nobody knows.
    """
    books = open_books(run)
    found = {}
    for request in books.requests.values():
        point = books.point_of(request)
        if point is None:
            continue
        unit = "kWh" if point.commodity == "ELECTRICITY" else "m3"
        found[point.agreement] = Unbilled(point.agreement, _unbilled(books, request), unit)
    return found


def _unbilled(books: Books, request: Request) -> Decimal:
    """Return what flowed in the period of a request and is on no bill."""
    point = books.points[request.usage_point]
    is_billed = any(bill.event == "BILLED" for bill in books.bills_by_request.get(request.request_id, ()))
    if is_billed or point.trouble in NEVER_READ:
        return Decimal(0)
    start, end = request.period
    flowed = quantities(point, books.meter_of(point), *counts_of(books.seed, point, start, end))
    return flowed["KWH_TOTAL"] if "KWH_TOTAL" in flowed else flowed["M3_TOTAL"]


def disagreements(expected: Mapping[str, Unbilled], said: Mapping[str, tuple[Decimal, str]]) -> Iterator[str]:
    """Yield every agreement of which the register says something else; `said` is (quantity, unit) by agreement."""
    for name, wanted in expected.items():
        quantity, unit = said.get(name, (None, ""))
        if (quantity, unit) != (wanted.quantity, wanted.unit):
            yield f"agreement {name}: {wanted.quantity} {wanted.unit} are unbilled, the register says {quantity} {unit}"
    for name in said.keys() - expected.keys():
        yield f"agreement {name} is in the register and in no request"
