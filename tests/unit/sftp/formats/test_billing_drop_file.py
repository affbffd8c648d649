"""The billing drop: what is written is read, what is broken is named."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from canonical.billing import (
    BillDeterminant,
    BillingPart,
    ClosingAccount,
    Demand,
    MeterInPeriod,
    PartHeader,
    Quantity,
    RegisterUse,
    Remark,
    Status,
)
from canonical.errors import RejectedError
from canonical.messages import Item, Rejection
from canonical.periods import Period
from sftp.formats import billing_drop
from sftp.layout import Form

START, END = datetime(2026, 10, 1, 4, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)
FORMS: tuple[Form, ...] = ("delimited", "fixed")

words = st.text("aZ0 .,;=%'\"\u00e9\u20ac\U0001f600", max_size=6).map(lambda text: text.strip(" "))
names = words.filter(bool)
numbers = st.integers(-(10**12), 10**12).map(lambda n: Decimal(n).scaleb(-3))
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda instant: instant.replace(microsecond=0)
)
counts = st.integers(0, 999)


def periods() -> st.SearchStrategy[Period]:
    return st.tuples(instants, st.integers(1, 60)).map(lambda t: Period(t[0], t[0] + timedelta(days=t[1])))


meters = st.builds(
    MeterInPeriod, names, words, names, st.none() | instants, st.none() | instants,
    st.sampled_from(["NORMAL", "OUT", "IN"]), words, numbers, st.booleans(), counts, st.integers(0, 9),
)  # fmt: skip
registers = st.builds(
    RegisterUse, names, names, words, st.sampled_from(["DELIVERED", "RECEIVED", "NET", "TOTAL"]), names, words, numbers,
    st.none() | numbers, st.none() | instants, words, st.none() | numbers, st.none() | instants, words, counts,
    st.none() | numbers, words,
)  # fmt: skip
quantities = st.builds(
    Quantity, names, names, words, words, st.sampled_from(["DELIVERED", "NET"]), numbers,
    st.sampled_from(["REGISTER", "INTERVAL", "MDMS"]), words, numbers,
)  # fmt: skip
demands = st.builds(
    Demand, names, numbers, instants, counts, st.sampled_from(["BLOCK", "ROLLING"]), counts, st.none() | instants, words
)
remarks = st.builds(Remark, names, names, words, st.none() | numbers)


def tuples(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=2).map(tuple)


determinants = st.builds(
    BillDeterminant, names, counts, words, words, words, words, words, words, st.none() | periods(), words,
    st.sampled_from(["CYCLE", "FINAL", "REBILL"]), periods(), st.just("America/Toronto"), counts,
    st.sampled_from(Status), st.sampled_from(["ELECTRICITY", "GAS", "WATER"]), words, words, counts, counts, counts,
    counts, counts, counts, st.booleans(), words, tuples(meters), tuples(registers), tuples(quantities),
    tuples(demands), tuples(remarks),
)  # fmt: skip
headers = st.builds(
    PartHeader, names, names, names, names, instants, st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.just("America/Toronto"), counts, st.sampled_from(["ON", "OFF", "COR", "CAN"]), words, counts, st.booleans(),
    counts, words,
)  # fmt: skip
closings = st.builds(
    ClosingAccount, counts, counts, st.just((("NO_READ 6007", 3), ("REJECTED 2001", 1))), counts, counts
)


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(headers, st.lists(determinants, max_size=3), st.none() | closings, st.sampled_from(FORMS))
def test_a_part_is_read_back_as_it_was_and_written_again_with_the_same_bytes(
    header: PartHeader, found: list[BillDeterminant], closing: ClosingAccount | None, form: Form
) -> None:
    part = BillingPart(header, tuple(found), closing)

    wire = billing_drop.part_to_bytes(part, form=form)
    back = billing_drop.part_from_bytes(wire)

    assert back == part
    assert billing_drop.part_to_bytes(back, form=form) == wire


def determinant(n: int = 1) -> BillDeterminant:
    meter = MeterInPeriod(f"m{n}", "ACME", f"S{n}", None, None, "NORMAL", "", Decimal(40), True, 5, 1)
    register = RegisterUse(
        f"m{n}", "T1", "0.0", "DELIVERED", "kWh", "", Decimal("480.0"), Decimal("99994.5"), START, "VALIDATED",
        Decimal("6.5"), END, "ESTIMATED", 1, Decimal("12.0"),
    )  # fmt: skip
    total = Quantity("KWH_TOTAL", "kWh", "", "", "DELIVERED", Decimal("480.0"), "REGISTER", "VALIDATED", Decimal(0))
    return BillDeterminant(
        f"d{n}", 1, "", "ACC", "AGR", f"up{n}", "", "07", None, f"R{n}", "CYCLE", Period(START, END), "America/Toronto",
        31, Status.ACTUAL, "ELECTRICITY", meters=(meter,), registers=(register,), quantities=(total,),
    )  # fmt: skip


HEADER = PartHeader(
    "BD",
    "AMIHUB",
    "CIS",
    "TEST",
    START,
    date(2026, 11, 1),
    "America/Toronto",
    1,
    "ON",
    "07",
    1,
    is_last=True,
    revision=0,
)


def wire(*found: BillDeterminant) -> list[str]:
    return billing_drop.part_to_bytes(BillingPart(HEADER, found)).decode().split("\n")


def read(lines: list[str]) -> list[Item[BillDeterminant] | Rejection]:
    return list(billing_drop.determinants(io.BytesIO("\n".join(lines).encode())))


def test_one_bad_line_rejects_its_determinant_alone_and_says_line_and_byte() -> None:
    lines = wire(determinant(1), determinant(2), determinant(3))
    at = next(n for n, line in enumerate(lines) if line.startswith("REG|m2"))
    lines[at] = lines[at].replace("|99994.5|", "|99994,5|")

    found = read(lines)

    assert [isinstance(each, Item) for each in found] == [True, False, True]
    rejection = found[1]
    assert isinstance(rejection, Rejection)
    assert (rejection.line, rejection.key, rejection.code) == (at + 1, "d2", "7017 DECIMAL_COMMA")
    assert "\n".join(lines).encode()[rejection.byte_offset :].startswith(b"99994,5")


def test_the_same_determinant_twice_is_taken_once_and_two_different_ones_not_at_all() -> None:
    found = read(wire(determinant(1), determinant(1), determinant(2), replace(determinant(2), days=30)))

    assert [each.code[5:] if isinstance(each, Rejection) else each.key for each in found] == [
        "d1", "REPEATED_IN_FILE", "CONFLICT_IN_FILE", "CONFLICT_IN_FILE",
    ]  # fmt: skip


def test_examining_counts_what_reading_gives_and_states_the_totals_of_the_control_file() -> None:
    facts = billing_drop.examine(io.BytesIO("\n".join(wire(determinant(1), determinant(2))).encode()))

    assert (facts.items, facts.bad_items, facts.records["REG"], facts.records["TRL"]) == (2, 0, 2, 1)
    assert facts.totals == {"DET.KWH_TOTAL.kWh": Decimal("960.0"), "REG": Decimal("960.0")}


def test_a_point_in_another_zone_keeps_its_offsets_through_reading_and_writing() -> None:
    part = BillingPart(HEADER, (replace(determinant(), zone="America/Winnipeg"),))
    first = billing_drop.part_to_bytes(part)

    back = billing_drop.part_from_bytes(first)

    assert b"2026-09-30T23:00:00-05:00" in first
    assert billing_drop.part_to_bytes(back) == first


@pytest.mark.parametrize("form", FORMS)
def test_a_value_that_would_break_a_line_is_refused_when_written(form: Form) -> None:
    for text in ("a\nb", "a\x01b", *(["a|b"] if form == "delimited" else ["x" * 41])):
        part = BillingPart(HEADER, (replace(determinant(), account=text),))
        with pytest.raises(RejectedError, match=r"SVC\.account|would break|wider"):
            billing_drop.part_to_bytes(part, form=form)


def test_inspecting_gives_one_channel_for_each_register_with_its_sum_and_qualities() -> None:
    interval = RegisterUse("m1", "E1", "0.0", "DELIVERED", "kWh", "", Decimal("7.125"))
    lines = wire(replace(determinant(1), registers=(determinant(1).registers[0], interval), interval_minutes=15))

    answer = billing_drop.inspect(io.BytesIO("\n".join(lines).encode()))

    assert (answer["format"], answer["accepted"], answer["errors"]) == ("billing-drop", True, [])
    assert answer["channels"] == [
        {
            "usage_point": "up1", "register": "T1", "meter": "S1", "unit": "kWh", "interval_minutes": None, "values": 1,
            "sum": "480.0", "quality": {"VALIDATED>ESTIMATED": 1},
        },
        {
            "usage_point": "up1", "register": "E1", "meter": "S1", "unit": "kWh", "interval_minutes": 15, "values": 1,
            "sum": "7.125", "quality": {"ACTUAL": 1},
        },
    ]  # fmt: skip


def test_inspecting_a_cut_file_says_so_and_shows_nothing_of_it() -> None:
    answer = billing_drop.inspect(io.BytesIO("\n".join(wire(determinant())[:-2]).encode()))

    assert (answer["accepted"], answer["channels"]) == (False, [])
    assert answer["errors"][0]["code"] == "7003 TRAILER_MISSING"


def test_checking_names_each_rule_that_the_numbers_break() -> None:
    good = determinant()
    register, total = good.registers[0], good.quantities[0]
    received = replace(total, code="KWH_RCVD_TOTAL", flow="RECEIVED", quantity=Decimal(500))
    net = replace(total, code="KWH_NET_TOTAL", flow="NET", quantity=Decimal(0))
    broken = {
        "DROP_REGISTER": replace(good, registers=(replace(register, rollovers=0),)),
        "DROP_BUCKETS": replace(good, quantities=(total, replace(total, tou_bucket="ON", quantity=Decimal(1)))),
        "DROP_NET": replace(good, quantities=(total, received, net)),
        "DROP_EXCHANGE": replace(good, meters=(replace(good.meters[0], role="OUT", exchange_pair_id="x"),)),
        "DROP_STATUS": replace(good, missing_intervals=4),
    }  # fmt: skip

    assert billing_drop.check(good) == []
    for name, each in broken.items():
        assert name in {problem.code.name for problem in billing_drop.check(each)}
