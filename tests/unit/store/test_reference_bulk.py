"""Many masters at once: what is billed bounds history, what exists is changed in sets, what is known is found."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Integer
from sqlmodel import Session, select

from store import bulk, reference_bulk
from store.billing import BILLING_ITEM
from store.columns import Exact, Facts, Instant
from store.determinants import BILLED
from store.reference_bulk import Writing
from store.reference_masters import CUSTOMER, CustomerRow
from store.session import Transaction

NOW = datetime(2026, 11, 2, tzinfo=UTC)
BLANK: dict[type, Any] = {Instant: NOW, Exact: Decimal(0), Facts: {}, Boolean: False, Integer: 0}


def blank(table: Any, **given: Any) -> dict[str, Any]:
    """Return a row with something in every column."""
    empty = {one.name: None if one.nullable else _blank_of(one.type) for one in table.columns}
    return {**empty, **given}


def _blank_of(kind: Any) -> Any:
    return next((value for own, value in BLANK.items() if isinstance(kind, own)), "")


def at(month: int) -> datetime:
    return datetime(2026, month, 1, tzinfo=UTC)


def test_the_end_of_the_last_billed_period_is_known_of_usage_points_that_were_billed(transaction: Transaction) -> None:
    with transaction() as session:
        items = [blank(BILLING_ITEM, item_id=f"I{n}", request_id=f"R{n}", usage_point=f"U{n}") for n in (1, 2)]
        bulk.insert(session, BILLING_ITEM, items)
        billed = [("I1", at(3), "BILLED"), ("I1", at(5), "BILLED"), ("I1", at(9), "CANCELLED")]
        rows = [
            blank(BILLED, billed_id=f"B{n}", item_id=item, period_end=end, event=event)
            for n, (item, end, event) in enumerate(billed)
        ]
        bulk.insert(session, BILLED, rows)

        found = reference_bulk.billed_until(session, {"U1", "U2", "U3"})

    assert found == {"U1": at(5)}


def test_rows_are_closed_added_and_restated_in_one_writing(transaction: Transaction) -> None:
    with transaction() as session:
        reference_bulk.write(session, CUSTOMER, Writing(fresh=[_customer("C1"), _customer("C2")]), now=NOW)
        one, two = reference_bulk.held(session, CUSTOMER, "customer", {"C1", "C2", "C9"})
        changed = Writing([_customer("C1", name="new", version=2)], [one["row"]], [(two["row"], {"name": "x"}, None)])
        reference_bulk.write(session, CUSTOMER, changed, now=NOW)

        left = session.exec(select(CustomerRow).where(CustomerRow.replaced_at == None)).all()  # noqa: E711
        seen = sorted((row.customer, row.name, row.version, row.said, row.stated_at) for row in left)

    assert seen == [("C1", "new", 2, None, NOW), ("C2", "", 1, {"name": "x"}, None)]
    assert _known(transaction) == {"C1", "C2"}


def _known(transaction: Transaction) -> set[str]:
    with transaction() as session:
        return reference_bulk.known(session, CUSTOMER, "customer", {"C1", "C2", "C3"})


def _customer(name: str, /, **given: Any) -> dict[str, Any]:
    row = blank(CUSTOMER, customer=name, **{"version": 1, "stated_at": NOW, **given})
    row.pop("row")
    row.pop("replaced_at")
    return row


def test_a_look_for_nothing_finds_nothing(transaction: Transaction) -> None:
    def look(session: Session) -> tuple[Any, ...]:
        return (
            reference_bulk.held(session, CUSTOMER, "customer", ()),
            reference_bulk.known(session, CUSTOMER, "customer", ()),
            reference_bulk.origins(session, "customer", ()),
            reference_bulk.billed_until(session, ()),
        )

    with transaction() as session:
        assert look(session) == ([], set(), {}, {})
