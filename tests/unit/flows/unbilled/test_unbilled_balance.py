"""Register + billed + exceptions = delivered: a small city whose truth is known, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import pytest
from unbilled_world import ZONE, City, at

from canonical.codes.billing import UNBILLED_NOT_COUNTED
from canonical.errors import RejectedError
from canonical.unbilled import Reason
from flows import unbilled
from flows.unbilled import Policy
from flows.unbilled.report import read_entries
from store.session import Session, Transaction
from store.unbilled import latest_day

pytestmark = pytest.mark.slow

NOW = at("2026-07-20", 6)
DAY = date(2026, 7, 20)
POLICY = Policy(zone=ZONE.key, since=date(2026, 6, 1), batch=2)


def delivered_everywhere(city: City) -> Decimal:
    """Tell a city with every kind of trouble, and return what was delivered from June 1 to the latest reads."""
    dec = Decimal
    # U1 is billed for June and goes on: 30 x 10 + 20 x 11.
    city.point("U1"), city.agreement("G1", "U1"), city.meter("1", "U1")
    for day, value in (("2026-06-01", 500), ("2026-07-01", 800), ("2026-07-20", 1020)):
        city.read("1", "U1", at(day), dec(value))
    city.bill("R1", "U1", "2026-06-01", "2026-07-01", dec(300), {"1": dec(800)})
    # U2 is exchanged in July for a meter with transformers, which begins at 7 and rolls over.
    city.point("U2"), city.agreement("G2", "U2")
    city.meter("2a", "U2", end="2026-07-10"), city.meter("2b", "U2", "2026-07-10", multiplier=20, dials=3)
    for day, value in (("2026-06-01", 10), ("2026-07-01", 100), ("2026-07-10", 130)):
        city.read("2a", "U2", at(day), dec(value))
    for day, value in (("2026-07-10", 950), ("2026-07-15", 990), ("2026-07-20", "4.5")):
        city.read("2b", "U2", at(day), dec(value))
    city.bill("R2", "U2", "2026-06-01", "2026-07-01", dec(90), {"2a": dec(100)})
    # U3 has a meter that counts for nobody; U4's bill was taken back; U5 was billed 8 less than delivered.
    city.point("U3"), city.meter("3", "U3")
    city.point("U4"), city.agreement("G4", "U4"), city.meter("4", "U4")
    city.point("U5"), city.agreement("G5", "U5"), city.meter("5", "U5")
    for serial, values in (("3", (0, 40, 66)), ("4", (5, 50, 58)), ("5", (0, 20, 30))):
        for day, value in zip(("2026-06-01", "2026-07-01", "2026-07-20"), values, strict=True):
            city.read(serial, f"U{serial}", at(day), dec(value))
    city.bill("R4", "U4", "2026-06-01", "2026-07-01", dec(45), {"4": dec(50)}, events=("BILLED", "CANCELLED"))
    city.bill("R5", "U5", "2026-06-01", "2026-07-01", dec(20), {"5": dec(20)}, billed=dec(12))
    # U6 was handed on and is not billed yet.
    city.point("U6"), city.agreement("G6", "U6"), city.meter("6", "U6")
    city.read("6", "U6", at("2026-06-01"), dec(1)), city.read("6", "U6", at("2026-07-20"), dec(100))
    city.bill("R6", "U6", "2026-06-01", "2026-07-01", dec(60), {"6": dec(61)}, events=(), state="SENT")
    return dec(520) + (dec(120) + dec("54.5") * 20) + dec(66) + dec(53) + dec(30) + dec(99)


def test_register_and_bills_and_exceptions_add_up_to_what_was_delivered(transaction: Transaction) -> None:
    truth = delivered_everywhere(City(transaction))
    unbilled.run(POLICY, transaction=transaction, now=NOW)

    (found,) = unbilled.balance(POLICY, since=date(2026, 6, 1), day=DAY, transaction=transaction)

    assert found.delivered == truth == Decimal(1978)
    assert found.register + found.billed + found.exceptions == found.delivered
    assert (found.billed, found.without_agreement, found.differences) == (Decimal(402), Decimal(66), {})
    assert str(found) == (
        "register 1,510 + billed 402 + exceptions 66 = delivered 1,978 kWh "
        "(exceptions: 66 without agreement, 0 at 0 usage points)"
    )


def test_energy_that_neither_bills_nor_register_know_is_a_difference_with_its_place(transaction: Transaction) -> None:
    city = City(transaction)
    delivered_everywhere(city)
    unbilled.run(POLICY, transaction=transaction, now=NOW)
    # Told after the day was counted: the register of that day does not know it.
    city.read("1", "U1", at("2026-07-20", 5), Decimal(1030))

    (found,) = unbilled.balance(POLICY, since=date(2026, 6, 1), day=DAY, transaction=transaction)

    assert found.differences == {"U1": Decimal(10)}
    assert found.register + found.billed + found.exceptions == found.delivered == Decimal(1988)


def test_the_same_day_again_replaces_its_entries_and_forgets_those_that_are_gone(transaction: Transaction) -> None:
    city = City(transaction)
    delivered_everywhere(city)
    first = unbilled.run(POLICY, transaction=transaction, now=NOW)
    city.agreement("G3", "U3", "2026-07-01")
    city.read("1", "U1", at("2026-07-20", 5), Decimal(1030))

    again = unbilled.run(POLICY, transaction=transaction, now=at("2026-07-20", 8))

    entries = list(read_entries(transaction=transaction, day=DAY))
    assert (first.entries, again.entries, len(entries)) == (6, 6, 6)
    assert Reason.NO_SA not in {entry.reason for entry in entries}
    assert {e.agreement: e.quantity for e in entries}["G1"] == 230


def test_a_past_day_is_counted_up_to_its_own_end(transaction: Transaction) -> None:
    city = City(transaction)
    delivered_everywhere(city)

    counted = unbilled.run(POLICY, transaction=transaction, now=NOW, day=date(2026, 7, 9))

    assert counted.as_of == datetime(2026, 7, 10, 4, tzinfo=UTC)
    quantities = {e.agreement: e.quantity for e in read_entries(transaction=transaction, day=date(2026, 7, 9))}
    assert quantities["G1"] == 9 * 10, "nothing was read after July 1: the average of the last bill"
    assert quantities["G2"] == 30, "the removed meter alone"


def test_a_day_that_was_not_counted_has_no_proof(transaction: Transaction) -> None:
    with pytest.raises(RejectedError) as refused:
        unbilled.balance(POLICY, since=date(2026, 6, 1), day=DAY, transaction=transaction)

    assert refused.value.code == UNBILLED_NOT_COUNTED


class DyingError(RuntimeError):
    """The machine went away."""


def dying(transaction: Transaction, at_most: int) -> Transaction:
    """Return transactions of a process that dies when it has committed some."""
    left = count(at_most, -1)

    @contextmanager
    def mortal() -> Iterator[Session]:
        with transaction() as session:
            yield session
            if next(left) <= 0:
                raise DyingError

    return mortal


@pytest.mark.parametrize("committed", range(6))
def test_a_run_that_died_anywhere_is_made_whole_by_the_next_one(transaction: Transaction, committed: int) -> None:
    delivered_everywhere(City(transaction))
    with pytest.raises(DyingError):
        unbilled.run(POLICY, transaction=dying(transaction, committed), now=NOW)
    with transaction() as session:
        assert latest_day(session) == ""

    counted = unbilled.run(POLICY, transaction=transaction, now=at("2026-07-20", 7))

    (found,) = unbilled.balance(POLICY, since=date(2026, 6, 1), day=DAY, transaction=transaction)
    assert counted.entries == 6
    assert (found.register, found.delivered, found.different) == (1510, 1978, 0)
