"""One entry: where it begins, what is averaged, how old it is, why, and what it is worth."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from unbilled_world import CODE, ZONE, at

from canonical.codes import billing as codes
from canonical.customers import BillCycleDay, CustomerAgreement
from canonical.metering import Installation, Register, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.quality import Quality
from canonical.unbilled import EVIDENCE, Reason, UnbilledEntry, age_of
from flows.unbilled import Average, Policy
from flows.unbilled.entry import entry_of, money
from flows.unbilled.reasons import RULES
from flows.unbilled.rows import entry_from, row_of
from flows.unbilled.subject import Asked, Bill, Subject

POLICY = Policy(zone=ZONE.key)
REGISTER = Register("T", CODE, "kWh", "DELIVERED", 5, 0)


def agreement(**fields: Any) -> CustomerAgreement:
    made = CustomerAgreement(
        "G1", "A1", "U1", "RESIDENTIAL", "R1", "07", "", net_metering=False, valid_from=at("2026-01-01"), valid_to=None
    )
    return replace(made, **fields)


def bill(start: str, end: str, daily: int = 10, **fields: Any) -> Bill:
    period = Period(at(start), at(end))
    days = (date.fromisoformat(end) - date.fromisoformat(start)).days
    made = Bill(
        period, Decimal(daily * days), Decimal(daily), days, {("M", "T"): Decimal(100)}, {}, is_estimated=False,
        is_assumed=False,
    )  # fmt: skip
    return replace(made, **fields)


def read(day: str, value: int) -> RegisterReading:
    return RegisterReading("U1", "M", CODE, at(day), Decimal(value), Quality.VALIDATED, "", "mdms")


def subject(as_of: str = "2026-07-10", **fields: Any) -> Subject:
    made = Subject(
        agreement=agreement(),
        span=Period(at("2026-01-01"), at(as_of)),
        known_since=at("2026-01-01"),
        is_over=False,
        usage_point_id="U1",
        usage_point=UsagePoint("U1", "N1", ZONE.key, "ELECTRICITY", "AMI", at("2026-01-01")),
        commodity="ELECTRICITY",
        installations=(
            Installation("U1", "M", "ACM", "1", "ELECTRICITY", at("2026-01-01"), None, Decimal(1), (REGISTER,)),
        ),
        bills=(bill("2026-06-01", "2026-07-01"),),
        registers=(read("2026-07-10", 190),),
    )
    return replace(made, **fields)


def entry(one: Subject, policy: Policy = POLICY, *, day: str = "") -> UnbilledEntry:
    found = entry_of(one, policy, day=date.fromisoformat(day) if day else one.span.end.astimezone(ZONE).date())
    assert found is not None
    return found


def asked(state: str, code: object = "", *, status: str = "", reason: str = "CYCLE") -> Asked:
    return Asked("R9", Period(at("2026-07-01"), at("2026-08-01")), state, status, str(code) if code else "", reason)


def test_it_goes_on_from_the_billed_read() -> None:
    found = entry(subject())

    assert (found.quantity, found.basis, found.since_by) == (Decimal(90), "reads", "billed")
    assert (found.billed_reads, found.latest_reads) == ({"1 T": "100"}, {"1 T": "190"})
    assert (found.reason, found.age) == (Reason.IN_CYCLE, "0-5")


def test_an_entry_comes_back_from_its_row_as_it_was() -> None:
    found = entry(subject(bills=(bill("2026-06-01", "2026-07-01", misbilled=Decimal("1.5")),)))

    assert entry_from(row_of(found, counted_at=found.as_of)) == found


@pytest.mark.parametrize(
    ("days", "age"),
    [(0, "0-5"), (5, "0-5"), (6, "6-30"), (30, "6-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"),
     (91, ">90")],
)  # fmt: skip
def test_ages_fall_into_their_buckets(days: int, age: str) -> None:
    assert age_of(days) == age


def test_age_counts_from_the_business_date_of_the_cycle() -> None:
    days = (BillCycleDay("07", date(2026, 7, 18), Period(at("2026-07-01"), at("2026-07-16"))),)

    found = entry(subject("2026-08-20", cycle_days=days, registers=(read("2026-08-20", 200),)))

    assert (found.due, found.age_days, found.age) == (date(2026, 7, 18), 33, "31-60")


def test_age_counts_from_the_usual_cycle_where_the_calendar_does_not_say() -> None:
    days = (BillCycleDay("07", date(2026, 12, 1), Period(at("2026-11-01"), at("2026-12-01"))),)

    found = entry(subject("2026-08-20", cycle_days=days, registers=(read("2026-08-20", 200),)))

    assert (found.due, found.age_days) == (date(2026, 8, 1), 19)


def test_without_reads_the_season_a_year_ago_says_the_average() -> None:
    year_ago = bill("2025-07-01", "2025-08-01", 33)

    found = entry(subject("2026-07-15", bills=(year_ago, bill("2025-08-01", "2026-07-01", 10)), registers=()))

    assert (found.quantity, found.average_by, found.basis) == (Decimal(14 * 33), "season", "average")


def test_without_a_year_the_last_bills_say_the_average_by_their_days() -> None:
    bills = (bill("2026-05-01", "2026-06-01", 31), bill("2026-06-01", "2026-07-01", 10))

    found = entry(subject("2026-07-15", bills=bills, registers=()))

    assert (found.averaged, found.average_by) == (round(Decimal(31 * 31 + 30 * 10) / 61 * 14, 3), "bills")


@pytest.mark.parametrize(("daily", "by", "quantity"), [(20, "profile", 280), (None, "none", 0)])
def test_without_bills_the_profile_says_the_average(daily: int | None, by: str, quantity: int) -> None:
    use = None if daily is None else Decimal(daily)
    policy = replace(POLICY, averages=(Average("ELECTRICITY", Decimal("0.1"), daily_use=use),), since=date(2026, 7, 1))

    found = entry(subject("2026-07-15", bills=(), registers=()), policy)

    assert (found.averaged, found.average_by) == (quantity, by)


def test_a_day_of_23_hours_is_one_day_of_average() -> None:
    bills = (bill("2026-02-01", "2026-03-01", 10),)

    found = entry(subject("2026-03-31", bills=bills, registers=()))

    assert found.averaged == 30 * 10


def test_a_short_silence_is_not_averaged() -> None:
    found = entry(subject("2026-07-13"))

    assert (found.quantity, found.averaged) == (90, 0)


def test_an_agreement_that_was_told_late_counts_from_when_the_hub_learned_of_it() -> None:
    found = entry(
        subject(bills=(), known_since=at("2026-07-02"), registers=(read("2026-07-02", 100), read("2026-07-10", 150)))
    )

    assert (found.since, found.since_by, found.quantity) == (at("2026-07-02"), "known", 50)


def test_an_agreement_that_was_told_at_once_counts_from_its_beginning() -> None:
    begins = at("2026-06-20")
    one = subject(bills=(), span=Period(begins, at("2026-07-10")), known_since=begins + timedelta(days=3))

    found = entry(one)

    assert (found.since, found.since_by) == (begins, "agreement")


def test_a_customer_who_left_and_is_billed_whole_has_no_entry() -> None:
    one = subject("2026-07-01", is_over=True, registers=())

    assert entry_of(one, POLICY, day=date(2026, 8, 1)) is None


def test_the_last_bill_of_a_customer_who_left_is_due_at_the_end() -> None:
    found = entry(subject(is_over=True), day="2026-07-20")

    assert (found.due, found.age_days, found.reason) == (date(2026, 7, 10), 10, Reason.NOT_REQUESTED)


REASONS: list[tuple[Reason, str, dict[str, Any]]] = [
    (Reason.NO_SA, "2026-07-10", {"agreement": None}),
    (Reason.NO_METER, "2026-07-10", {"installations": ()}),
    (Reason.MISSING_CUSTOMER_INFO, "2026-07-10", {"usage_point": None}),
    (Reason.MISSING_CUSTOMER_INFO, "2026-07-10", {"agreement": agreement(account="")}),
    (Reason.MISSING_CUSTOMER_INFO, "2026-07-10", {"asked": (asked("AWAITING_SYNC"),)}),
    (Reason.AWAITING_CORRECTION, "2026-07-10", {"bills": (bill("2026-06-01", "2026-07-01", is_noticed=True),)}),
    (Reason.AWAITING_CORRECTION, "2026-07-10", {"cancelled": (Period(at("2026-05-01"), at("2026-06-01")),)}),
    (Reason.METER_DATA_MISMATCH, "2026-07-10", {"registers": (read("2026-07-10", 90),)}),
    (Reason.METER_DATA_MISMATCH, "2026-07-10", {"asked": (asked("HELD", codes.DETERMINANT_MISMATCH),)}),
    (Reason.TARIFF_MISMATCH, "2026-07-10", {"agreement": agreement(tou_calendar="TOU")}),
    (Reason.TOU_NOT_READY, "2026-07-10", {"asked": (asked("HELD", codes.TOU_NOT_READY),)}),
    (Reason.HELD_VALIDATION, "2026-07-10", {"asked": (asked("HELD", codes.IMPLAUSIBLE_USAGE, status="HELD"),)}),
    (Reason.HELD_VALIDATION, "2026-07-10", {"asked": (asked("ACKED", codes.ZERO_USAGE, status="HELD"),)}),
    (Reason.NON_COMMUNICATING, "2026-07-10", {"registers": ()}),
    (Reason.NON_COMMUNICATING, "2026-07-10", {"asked": (asked("SENT", codes.NO_READ, status="NO_READ"),)}),
    (Reason.IN_CYCLE, "2026-07-10", {}),
    (Reason.IN_CYCLE, "2026-08-20", {"asked": (asked("COLLECTING", codes.NO_READ),)}),
    (Reason.AWAITING_BILL, "2026-08-20", {"asked": (asked("ACKED", status="ACTUAL"),)}),
    (Reason.NOT_REQUESTED, "2026-08-20", {}),
]


@pytest.mark.parametrize(("reason", "as_of", "fields"), REASONS)
def test_each_reason_is_told_by_its_evidence(reason: Reason, as_of: str, fields: dict[str, Any]) -> None:
    whole = {"registers": (read(as_of, 190),)} | fields

    found = entry(subject(as_of, **whole))

    assert found.reason is reason, found.evidence
    assert found.evidence


def test_of_two_reasons_the_one_that_stands_first_is_told() -> None:
    lost = subject(installations=(), agreement=agreement(account=""), asked=(asked("HELD", codes.ZERO_USAGE),))

    assert entry(lost).reason is Reason.NO_METER


def test_a_supply_without_meter_by_design_is_no_lost_meter() -> None:
    point = UsagePoint("U1", "N1", ZONE.key, "ELECTRICITY", "NONE", at("2026-01-01"))

    assert entry(subject(installations=(), usage_point=point)).reason is not Reason.NO_METER


def test_a_meter_read_by_hand_is_silent_only_once_its_bill_is_overdue() -> None:
    point = UsagePoint("U1", "N1", ZONE.key, "ELECTRICITY", "MANUAL", at("2026-01-01"))

    assert entry(subject("2026-07-25", usage_point=point)).reason is Reason.IN_CYCLE
    assert entry(subject("2026-08-25", usage_point=point)).reason is Reason.NON_COMMUNICATING


def test_the_rules_stand_in_the_order_of_precedence_and_every_reason_is_explained() -> None:
    order = [*(reason for reason, _ in RULES), Reason.NOT_REQUESTED]

    assert order == list(Reason) == list(EVIDENCE)


def test_money_is_rounded_once_and_received_energy_is_credited() -> None:
    kind = Average("ELECTRICITY", Decimal("0.14255"), received_rate=Decimal("0.04"))

    assert money(Decimal("1.5"), Decimal("0.1"), kind, POLICY) == 21
    assert money(Decimal(1000), Decimal(0), kind, replace(POLICY, minor_digits=0)) == 143
    assert money(Decimal(1000), Decimal(0), None, POLICY) is None


def test_the_rate_of_the_tariff_goes_before_that_of_the_class_and_that_of_all() -> None:
    averages = tuple(
        Average("ELECTRICITY", Decimal(rate), tariff=tariff, customer_class=kind)
        for rate, tariff, kind in ((1, "", ""), (2, "", "RESIDENTIAL"), (3, "R1", ""))
    )
    policy = replace(POLICY, averages=averages)

    rates = [
        policy.average(tariff=tariff, customer_class=kind, commodity="ELECTRICITY")
        for tariff, kind in (("R1", "RESIDENTIAL"), ("R2", "RESIDENTIAL"), ("R2", "COMMERCIAL"))
    ]

    assert [one.rate for one in rates if one] == [3, 2, 1]
    assert policy.average(tariff="R1", customer_class="", commodity="GAS") is None
