"""What the register of unbilled energy must say after the billing day, by the city's truth and the CIS's books."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from simulators.audit_books import Bill, Books, Request, open_books
from simulators.audit_truth import counts_of, quantities
from simulators.city_book import Point

NEVER_READ = ("NO_READ",)
"""Troubles of usage points of which nobody knows a read."""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """What one agreement has unbilled by reads."""

    agreement: str
    quantity: Decimal
    unit: str


def expected_in(run: Path) -> dict[str, Unbilled]:
    """Return what must be unbilled by reads, by agreement of the city: nothing where a bill stands, else what flowed.

    The last read of everybody is that of the period's end: what flowed after it, and at those who are billed on other
    days, nobody knows.
    """
    books = open_books(run)
    asked: dict[str, list[Request]] = {}
    for request in books.requests.values():
        asked.setdefault(request.usage_point, []).append(request)
    return {
        point.agreement: Unbilled(
            point.agreement,
            _unbilled(books, point, asked.get(point.usage_point, ())),
            "kWh" if point.commodity == "ELECTRICITY" else "m3",
        )
        for point in books.points.values()
    }


def _unbilled(books: Books, point: Point, requests: Sequence[Request]) -> Decimal:
    """Return what flowed in the period for which an agreement's bill was asked, and is on no bill that stands."""
    is_billed = any(_stands(books.bills_by_request.get(request.request_id, ())) for request in requests)
    if not requests or is_billed or point.trouble in NEVER_READ:
        return Decimal(0)
    start, end = requests[0].period
    flowed = quantities(point, books.meter_of(point), *counts_of(books.seed, point, start, end))
    return flowed["KWH_TOTAL"] if "KWH_TOTAL" in flowed else flowed["M3_TOTAL"]


def _stands(bills: Sequence[Bill]) -> bool:
    """Return whether the last event of a request's bill left it standing."""
    return bool(bills) and bills[-1].event != "CANCELLED"


def disagreements(expected: Mapping[str, Unbilled], said: Mapping[str, tuple[Decimal, str]]) -> Iterator[str]:
    """Yield every agreement of which the register says something else; `said` is (quantity, unit) by agreement."""
    for name, wanted in expected.items():
        quantity, unit = said.get(name, (None, ""))
        if (quantity, unit) != (wanted.quantity, wanted.unit):
            yield f"agreement {name}: {wanted.quantity} {wanted.unit} are unbilled, the register says {quantity} {unit}"
    for name in said.keys() - expected.keys():
        yield f"agreement {name} is in the register and not in the city"
