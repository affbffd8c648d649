import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from standin_hub import one_day

from simulators import city
from simulators.audit_master_register import Unbilled, disagreements, expected_in


@pytest.fixture
def run(tmp_path: Path) -> Path:
    city.found(tmp_path / "city", seed=3, points=60, days=1, calm=True)
    one_day(tmp_path)
    return tmp_path


def test_where_everybody_is_billed_nothing_is_unbilled_by_reads(run: Path) -> None:
    expected = expected_in(run)

    assert len(expected) == 60
    assert {one.quantity for one in expected.values()} == {Decimal(0)}
    assert {one.unit for one in expected.values()} == {"kWh", "m3"}


def test_what_flowed_and_is_on_no_bill_is_unbilled_to_the_thousandth(run: Path) -> None:
    with sqlite3.connect(run / "cis" / "books.sqlite") as db:
        request, total = db.execute("SELECT request_id, quantity FROM bill LIMIT 1").fetchone()
        (account,) = db.execute("SELECT account FROM request WHERE request_id = ?", (request,)).fetchone()
        db.execute("DELETE FROM bill WHERE request_id = ?", (request,))
    db.close()

    unbilled = [one for one in expected_in(run).values() if one.quantity]

    assert [(one.agreement, one.quantity) for one in unbilled] == [(account.replace("AC", "AG"), Decimal(total))]


def test_a_register_that_says_another_quantity_or_too_much_is_named() -> None:
    expected = {"A": Unbilled("A", Decimal("1.5"), "kWh"), "B": Unbilled("B", Decimal(0), "m3")}
    right = {"A": (Decimal("1.500"), "kWh"), "B": (Decimal(0), "m3")}

    assert list(disagreements(expected, right)) == []
    assert len(list(disagreements(expected, {**right, "A": (Decimal("1.499"), "kWh")}))) == 1
    assert len(list(disagreements(expected, {"A": right["A"]}))) == 1
    assert len(list(disagreements(expected, {**right, "C": right["A"]}))) == 1
