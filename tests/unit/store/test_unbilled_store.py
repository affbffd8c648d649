"""The register's tables on both databases: pages of subjects, totals that add up, a day replaced, old entries gone."""

from datetime import date, timedelta

from unbilled_world import City, at

from store import unbilled, unbilled_subjects
from store.session import Transaction

NOW = at("2026-07-20", 6)


def row(
    day: str, agreement: str, *, reason: str = "IN_CYCLE", micro: int = 1, money: int | None = 7
) -> dict[str, object]:
    return {
        "day": day, "agreement": agreement, "usage_point": f"U{agreement}", "account": "", "customer_class": "C",
        "tariff": "R1", "cycle": "07", "commodity": "ELECTRICITY", "unit": "kWh", "reason": reason, "evidence": "why",
        "as_of": NOW, "since": NOW, "since_by": "billed", "due": day, "age_days": 0, "age": "0-5", "basis": "reads",
        "average_by": "", "quantity_micro": micro, "averaged_micro": 0, "corrected_micro": 0, "received_micro": 2,
        "money_minor": money, "read_at": None, "billed_reads": {}, "latest_reads": {}, "work": [], "counted_at": NOW,
    }  # fmt: skip


def test_agreements_come_in_pages_and_none_twice(transaction: Transaction) -> None:
    city = City(transaction)
    for n in range(7):
        city.agreement(f"G{n}", f"U{n}", end="2026-07-01" if n == 3 else "")
    city.agreement("G8", "U8", "2026-08-01")
    city.agreement("G9", "U9", "2026-06-01", end="2026-06-02")

    found, after = [], ("", 0)
    with transaction() as session:
        while page := unbilled_subjects.agreements(session, at=NOW, ended_since=at("2026-06-15"), after=after, limit=3):
            found += [one["agreement"] for one in page]
            after = (page[-1]["agreement"], page[-1]["row"])

    assert found == [f"G{n}" for n in range(7)]


def test_meters_without_agreement_and_agreements_without_meter_are_found_by_the_masters_alone(
    transaction: Transaction,
) -> None:
    city = City(transaction)
    city.agreement("G1", "U1"), city.meter("1", "U1")
    city.meter("2", "U2")
    city.agreement("G3", "U3", end="2026-07-01"), city.meter("3", "U3")
    city.agreement("G4", "U4")
    city.agreement("G5", "U5"), city.meter("5", "U5", end="2026-07-01")

    with transaction() as session:
        lonely = unbilled_subjects.metered_without_agreement(session, at=NOW, limit=10)
        behind = unbilled_subjects.metered_without_agreement(session, at=NOW, after="U2", limit=10)
        unmetered = unbilled_subjects.agreements_without_meter(session, at=NOW, limit=10)
        before = unbilled_subjects.agreements_without_meter(session, at=at("2026-06-15"), limit=10)

    assert (lonely, behind) == (["U2", "U3"], ["U3"])
    assert [one["agreement"] for one in unmetered] == ["G4", "G5"]
    assert [one["agreement"] for one in before] == ["G4"]


def test_totals_of_a_day_add_up_and_say_how_many_entries_have_no_rate(transaction: Transaction) -> None:
    big = 9_000_000_000_000_000
    with transaction() as session:
        unbilled.write(session, [row("2026-07-20", "A", micro=big), row("2026-07-20", "B", micro=big, money=None)])
        unbilled.write(session, [row("2026-07-20", "C", reason="NO_METER", money=-3)])
        entries = unbilled.finish(session, date(2026, 7, 20), counted_at=NOW, keep_since=date(2026, 6, 1))
        by_reason = unbilled.totals(session, "2026-07-20", ("reason",))
        (whole,) = unbilled.totals(session, "2026-07-20", ("unit",))

    assert entries == 3
    assert [(one["reason"], one["entries"], one["unpriced"]) for one in by_reason] == [
        ("IN_CYCLE", 2, 1),
        ("NO_METER", 1, 0),
    ]
    assert (whole["quantity_micro"], whole["received_micro"], whole["money_minor"]) == (2 * big + 1, 6, 4)
    assert isinstance(whole["quantity_micro"], int)


def test_old_entries_are_forgotten_their_totals_stay_for_the_trend(transaction: Transaction) -> None:
    with transaction() as session:
        for n, day in enumerate(("2026-07-01", "2026-07-02", "2026-07-20"), 1):
            unbilled.write(session, [row(day, "A", micro=n)])
            unbilled.finish(session, date.fromisoformat(day), counted_at=NOW, keep_since=date(2026, 6, 1))
        unbilled.finish(session, date(2026, 7, 20), counted_at=NOW, keep_since=date(2026, 7, 2))
        days = [unbilled.entries(session, day) for day in ("2026-07-01", "2026-07-02", "2026-07-20")]
        trend = unbilled.trend(session, "2026-07-20", days=2)

    assert [len(found) for found in days] == [0, 1, 1]
    assert [(one["day"], one["quantity_micro"]) for one in trend] == [("2026-07-02", 2), ("2026-07-20", 3)]


def test_a_later_run_of_the_day_drops_what_only_the_earlier_one_said(transaction: Transaction) -> None:
    later = NOW + timedelta(hours=1)
    with transaction() as session:
        unbilled.write(session, [row("2026-07-20", "A"), row("2026-07-20", "B")])
        unbilled.write(session, [{**row("2026-07-20", "A", micro=5), "counted_at": later}])
        entries = unbilled.finish(session, date(2026, 7, 20), counted_at=later, keep_since=date(2026, 6, 1))
        (left,) = unbilled.entries(session, "2026-07-20")

    assert (entries, left["agreement"], left["quantity_micro"]) == (1, "A", 5)
