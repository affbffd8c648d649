"""Which bills stand and what they leave open, read from the hub's books on both databases."""

import json
from datetime import date
from decimal import Decimal

from unbilled_world import ZONE, City, at

from canonical.ids import meter_mrid
from canonical.unbilled import Reason, UnbilledEntry
from flows import unbilled
from flows.unbilled import Policy
from flows.unbilled.report import read_entries
from store import bulk, determinants
from store.determinants import DETERMINANT
from store.session import Transaction

POLICY = Policy(zone=ZONE.key)
NOW = at("2026-07-20", 6)


def counted(transaction: Transaction) -> UnbilledEntry:
    day = unbilled.run(POLICY, transaction=transaction, now=NOW).day
    (found,) = read_entries(transaction=transaction, day=day)
    return found


def billed_city(transaction: Transaction, *, dials: int = 6) -> City:
    """Tell one agreement, billed for June: 300 kWh up to 850."""
    city = City(transaction)
    city.point("U1"), city.agreement("G1", "U1"), city.meter("1", "U1", dials=dials)
    city.bill("R1", "U1", "2026-06-01", "2026-07-01", Decimal(300), {"1": Decimal(850)})
    return city


def better_version(transaction: Transaction, *, quantity: int, stop: int) -> None:
    """Let a second version of the determinant be calculated after the bill."""
    with transaction() as session:
        (row,) = determinants.payloads(session, {("DR1", 1)}).values()
        carry = json.loads(row["carry"]) | {"stops": [[meter_mrid("ACM", "1"), "T", str(stop)]]}
        later = {**row, "version": 2, "quantity_micro": quantity * 1_000_000, "carry": json.dumps(carry)}
        bulk.insert(session, DETERMINANT, [later])


def test_what_a_better_version_found_inside_a_billed_period_is_unbilled(transaction: Transaction) -> None:
    city = billed_city(transaction)
    better_version(transaction, quantity=305, stop=850)
    city.read("1", "U1", at("2026-07-20"), Decimal(900))

    found = counted(transaction)

    assert (found.corrected, found.quantity, found.reason) == (5, 55, Reason.AWAITING_CORRECTION)


def test_another_stop_read_is_settled_by_what_follows_and_not_counted_twice(transaction: Transaction) -> None:
    city = billed_city(transaction)
    better_version(transaction, quantity=310, stop=860)
    city.read("1", "U1", at("2026-07-20"), Decimal(900))

    found = counted(transaction)

    assert (found.corrected, found.quantity) == (0, 50)


def test_a_bill_that_was_taken_back_and_made_anew_stands(transaction: Transaction) -> None:
    city = City(transaction)
    city.point("U1"), city.agreement("G1", "U1"), city.meter("1", "U1")
    stops = {"1": Decimal(850)}
    city.bill("R1", "U1", "2026-06-01", "2026-07-01", Decimal(300), stops, events=("BILLED", "CANCELLED"))
    city.bill("R2", "U1", "2026-06-01", "2026-07-01", Decimal(300), stops)
    city.read("1", "U1", at("2026-07-20"), Decimal(900))

    found = counted(transaction)

    assert (found.quantity, found.reason, found.since_by) == (50, Reason.IN_CYCLE, "billed")


def test_a_register_that_rolled_over_long_before_its_latest_read_is_read_back_to_its_bill(
    transaction: Transaction,
) -> None:
    city = billed_city(transaction, dials=3)
    for day, value in (("2026-07-05", 950), ("2026-07-08", 10), ("2026-07-20", 120)):
        city.read("1", "U1", at(day), Decimal(value))

    found = counted(transaction)

    assert (found.quantity, found.reason) == (270, Reason.IN_CYCLE)


def test_a_new_customer_is_not_charged_for_what_was_asked_before_they_came(transaction: Transaction) -> None:
    city = City(transaction)
    city.point("U1"), city.agreement("G1", "U1", "2026-07-10"), city.meter("1", "U1")
    city.bill("R1", "U1", "2026-07-01", "2026-08-01", Decimal(1), {}, events=(), state="COLLECTING")
    for day, value in (("2026-07-01", 0), ("2026-07-10", 90), ("2026-07-20", 100)):
        city.read("1", "U1", at(day), Decimal(value))

    found = counted(transaction)

    assert (found.since, found.since_by, found.quantity) == (at("2026-07-10"), "agreement", 10)
    assert found.due == date(2026, 8, 10)
