"""What registers and channels counted: rollovers, versions, outliers; cut anywhere, the parts add up to the whole."""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.metering import MISSING, Installation, IntervalBlock, Register, RegisterReading
from canonical.periods import Period
from canonical.quality import Quality
from canonical.reading_types import interval_code, register_code
from flows.unbilled import Policy
from flows.unbilled.energy import measure
from flows.unbilled.intervals import interval_sum
from flows.unbilled.reads import Contradiction, Counted, Read, count, valid_reads
from flows.unbilled.spans import Span
from flows.unbilled.subject import Subject

POLICY = Policy(zone="UTC")
START = datetime(2026, 6, 1, tzinfo=UTC)
CODE, HOURLY = register_code("ELECTRICITY"), interval_code(60)
REGISTER = Register("T", CODE, "kWh", "DELIVERED", 3, 0)
CHANNEL = Register("E", HOURLY, "kWh", "DELIVERED", 0, 3, interval_minutes=60)


def day(n: int) -> datetime:
    return START + timedelta(days=n)


def hung(
    meter: str, begins: int, ends: int | None, multiplier: int, registers: Sequence[Register] = (REGISTER,)
) -> Installation:
    removed = None if ends is None else day(ends)
    return Installation(
        "U", meter, "ACM", meter, "ELECTRICITY", day(begins), removed, Decimal(multiplier), tuple(registers)
    )


def reading(
    meter: str, n: int, value: Decimal | int, quality: str = "VALIDATED", source: str = "mdms"
) -> RegisterReading:
    return RegisterReading("U", meter, CODE, day(n), Decimal(value), Quality(quality), "", source)


def subject(installations: Sequence[Installation], blocks: Sequence[IntervalBlock] = ()) -> Subject:
    span = Period(START, day(400))
    return Subject(
        None, span, START, is_over=False, usage_point_id="U", usage_point=None, commodity="ELECTRICITY",
        installations=tuple(installations), blocks=tuple(blocks),
    )  # fmt: skip


def reads_of(values: Sequence[int]) -> list[Read]:
    return [Read(day(n), Decimal(value), Decimal(value)) for n, value in enumerate(values)]


def counted(values: Sequence[int], **more: Read | bool) -> Counted | Contradiction | None:
    return count(reads_of(values), REGISTER, Decimal(1), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "quantity"),
    [
        ([100, 350], 250),
        ([950, 40], 90),
        ([950, 990, 40, 960, 5], 90 + 920 + 45),
        ([100, 120, 50, 130], 30),
        ([100, 100], 0),
    ],
    ids=["plain", "rolls over", "rolls over twice", "one read between is wrong", "stands still"],
)
def test_a_register_counts_over_its_reads(values: list[int], quantity: int) -> None:
    found = counted(values)

    assert isinstance(found, Counted)
    assert found.quantity == quantity


@pytest.mark.parametrize(
    ("values", "says"), [([400, 250], "went back"), ([100, 1000], "3 dials")], ids=["went back", "too many digits"]
)
def test_reads_that_cannot_be_true_are_no_quantity(values: list[int], says: str) -> None:
    found = counted(values)

    assert isinstance(found, Contradiction)
    assert says in found.text


def test_one_read_alone_tells_nothing() -> None:
    assert counted([100]) is None


def test_after_an_estimate_that_was_too_high_less_than_nothing_is_unbilled() -> None:
    billed = Read(START, Decimal(400), Decimal(400))

    found = counted([380, 390], start=billed, may_fall=True)

    assert isinstance(found, Counted)
    assert found.quantity == -10


def test_the_latest_version_counts_estimates_do_not_and_what_is_taken_back_is_gone() -> None:
    told = [
        reading("A", 0, 10), reading("A", 0, 11), reading("A", 1, 99, "ESTIMATED"), reading("A", 2, 20),
        reading("A", 2, 20, "UNUSABLE"), reading("A", 3, 30), reading("A", 3, 31, "ESTIMATED"),
    ]  # fmt: skip

    found = valid_reads(told)["A", CODE]

    assert [(one.taken_at, one.value) for one in found] == [(day(0), 11), (day(3), 30)]


def test_a_feed_that_applies_the_multiplier_is_not_multiplied_again() -> None:
    meter = hung("A", 0, None, 40)
    told = [reading("A", 0, 4000, source="mdms"), reading("A", 5, 4400, source="mdms")]
    span = Span(Period(START, day(5)))

    raw = measure(subject([meter]), [span], valid_reads(told), POLICY)
    applied = measure(subject([meter]), [span], valid_reads(told), Policy(zone="UTC", multipliers={"mdms": "applied"}))

    assert raw.contradictions, "4000 on three dials"
    assert applied.delivered == 400


def test_a_read_of_a_person_counts_once_beside_those_of_a_feed_that_applies_the_multiplier() -> None:
    meter = hung("A", 0, None, 40)
    told = [reading("A", 0, 4000, source="mdms"), reading("A", 5, 110, source="walker")]
    feeds = Policy(zone="UTC", multipliers={"": "applied", "walker": "raw"})

    found = measure(subject([meter]), [Span(Period(START, day(5)))], valid_reads(told), feeds)

    assert found.delivered == 400


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Installation], list[RegisterReading], Decimal, list[int]]:
    """Return meters one after the other, their reads with rollovers, the truth, and the days of exchanges and reads."""
    meters, told, truth, cuts, begins = [], [], Decimal(0), [], 0
    for n in range(draw(st.integers(1, 3))):
        multiplier = draw(st.sampled_from([1, 20, 40]))
        days = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=6)))
        ends = begins + days[-1]
        meters.append(hung(f"M{n}", begins, ends, multiplier))
        total = draw(st.integers(0, 999))
        told.append(reading(f"M{n}", begins, total % 1000))
        for at in days:
            # A register that rolls over is read close enough to be believed: from above 900, by less than 500.
            step = draw(st.integers(0, 499 if total % 1000 > 900 else 999 - total % 1000))
            total, truth = total + step, truth + step * multiplier
            told.append(reading(f"M{n}", begins + at, total % 1000))
            cuts.append(begins + at)
        begins = ends
    return meters, told, truth, cuts


@settings(max_examples=150, deadline=None)
@given(lives(), st.data())
def test_cut_at_any_read_or_exchange_the_parts_add_up_to_the_whole_and_to_the_truth(
    life: tuple[list[Installation], list[RegisterReading], Decimal, list[int]], data: st.DataObject
) -> None:
    meters, told, truth, cuts = life
    some = sorted(data.draw(st.sets(st.sampled_from(cuts))) | {0, cuts[-1]})
    reads = valid_reads(told)

    whole = measure(subject(meters), [Span(Period(START, day(cuts[-1])))], reads, POLICY)
    parts = [measure(subject(meters), [Span(Period(day(a), day(b)))], reads, POLICY) for a, b in pairwise(some)]

    assert whole.delivered == truth
    assert sum(part.delivered for part in parts) == truth
    assert whole.read_at == day(cuts[-1])


def block(begin: datetime, values: list[int], quality: str = "VALIDATED") -> IntervalBlock:
    runs = ((len(values), Quality(quality), ""),)
    return IntervalBlock("U", "A", HOURLY, begin, 60, -3, array("q", values), runs, "mdms")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=2, max_size=60), st.sets(st.integers(1, 59)), st.integers(0, 59))
def test_intervals_cut_anywhere_add_up_to_the_whole(values: list[int], hours: set[int], minute: int) -> None:
    meter = hung("A", -1, None, 3, [CHANNEL])
    end = START + timedelta(hours=len(values))
    cuts = [START, *sorted(START + timedelta(hours=h, minutes=minute) for h in hours if h < len(values) - 1), end]

    parts = [
        interval_sum([block(START, values)], meter, CHANNEL, Period(a, b), policy=POLICY) for a, b in pairwise(cuts)
    ]

    assert sum(part.quantity for part in parts if part is not None) == Decimal(sum(values)).scaleb(-3) * 3


def test_missing_and_estimated_intervals_leave_a_gap_and_a_later_version_replaces() -> None:
    meter, span = hung("A", -1, None, 1, [CHANNEL]), Period(START, START + timedelta(hours=6))
    told = [
        block(START, [1000, 1000, MISSING, 1000, 1000, 1000]),
        block(START + timedelta(hours=4), [5000], "ESTIMATED"),
        block(START + timedelta(hours=5), [7000]),
        block(START, [0], "UNUSABLE"),
    ]

    found = interval_sum(told, meter, CHANNEL, span, policy=POLICY)

    assert found is not None
    assert found.quantity == 1 + 1 + 1 + 7
    hours = [(int((p.start - START).total_seconds()) // 3600, p.minutes // 60) for p in found.covered]
    assert hours == [(1, 1), (3, 3)]


def test_a_channel_without_any_value_tells_nothing() -> None:
    meter, span = hung("A", -1, None, 1, [CHANNEL]), Period(START, START + timedelta(hours=6))

    assert interval_sum([block(START, [1, 2], "ESTIMATED")], meter, CHANNEL, span, policy=POLICY) is None


def test_reads_of_the_bench_before_a_meter_was_hung_do_not_count() -> None:
    meter = hung("A", 2, None, 1)
    told = [reading("A", 1, 3), reading("A", 2, 17), reading("A", 5, 30)]

    found = measure(subject([meter]), [Span(Period(START, day(6)))], valid_reads(told), POLICY)

    assert found.delivered == 13
    assert found.covered == [Period(day(2), day(5))]


def test_the_interval_in_which_a_meter_came_counts_for_it() -> None:
    came = START + timedelta(minutes=30)
    meter = Installation("U", "A", "ACM", "A", "ELECTRICITY", came, None, Decimal(1), (CHANNEL,))

    found = interval_sum([block(START, [500, 1000])], meter, CHANNEL, Period(came, day(1)), policy=POLICY)

    assert found is not None
    assert found.quantity == Decimal("1.5")
