"""Which read answers for a bill instant, an installation, a removal."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from billing_contexts import OCTOBER, at, meter, read
from hypothesis import given
from hypothesis import strategies as st

from canonical.metering import RegisterReading
from canonical.periods import Period, local_day
from canonical.quality import Quality
from flows.billing_exchange.best_read import best_read, start_boundary, stop_boundary
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.segments import segments_of

TORONTO = ZoneInfo("America/Toronto")
POLICY = Policy(read_lag_minutes=120, read_lead_minutes=4320)
STOP = OCTOBER.end
SEGMENT = segments_of([meter()], OCTOBER, "ELECTRICITY")[0]
BOUNDARY = stop_boundary(SEGMENT, POLICY, zone=TORONTO)


def chosen(*readings: RegisterReading, allow_estimates: bool = True) -> str | None:
    found = best_read(readings, BOUNDARY, POLICY, allow_estimates=allow_estimates)
    return str(found.value) if found else None


def test_the_window_reaches_from_lag_before_to_lead_after_the_bill_instant() -> None:
    assert (BOUNDARY.earliest, BOUNDARY.latest) == (STOP - timedelta(hours=2), STOP + timedelta(days=3))
    assert chosen(read(STOP - timedelta(hours=2), "1")) == "1"
    assert chosen(read(STOP - timedelta(hours=2, seconds=1), "1")) is None
    assert chosen(read(STOP + timedelta(days=3), "1")) == "1"
    assert chosen(read(STOP + timedelta(days=3, seconds=1), "1")) is None


def test_the_nearest_read_wins_among_equals() -> None:
    assert chosen(read(STOP + timedelta(hours=5), "5"), read(STOP + timedelta(hours=1), "1")) == "1"


def test_actual_reads_of_ami_come_before_manual_edited_questionable_customers_and_estimates() -> None:
    far = STOP + timedelta(days=2)
    order = [
        read(far, "0"),
        read(STOP, "1", source="manual"),
        read(STOP, "2", quality=Quality.EDITED),
        read(STOP, "3", quality=Quality.QUESTIONABLE),
        read(STOP, "4", quality=Quality.CUSTOMER),
        read(STOP, "5", quality=Quality.ESTIMATED),
    ]
    sources = [replace(r, source=r.source if r.source == "manual" else f"feed{n}") for n, r in enumerate(order)]

    for n in range(len(order)):
        assert chosen(*reversed(sources[n:])) == str(n)


def test_of_two_versions_of_one_read_the_later_received_counts() -> None:
    assert chosen(read(STOP, "1"), read(STOP, "2")) == "2"
    assert chosen(read(STOP, "1"), read(STOP, "2", quality=Quality.EDITED)) == "2"


def test_an_estimate_never_replaces_a_read_of_the_same_instant() -> None:
    assert chosen(read(STOP, "1"), read(STOP, "2", quality=Quality.ESTIMATED)) == "1"
    assert chosen(read(STOP, "2", quality=Quality.ESTIMATED), read(STOP, "1")) == "1"


def test_a_read_that_its_source_takes_back_no_longer_answers() -> None:
    assert chosen(read(STOP, "1"), read(STOP, "1", quality=Quality.UNUSABLE)) is None
    assert chosen(read(STOP, "1"), read(STOP, "1", quality=Quality.MISSING)) == "1"


def test_estimates_are_left_out_when_none_is_allowed() -> None:
    assert chosen(read(STOP, "1", quality=Quality.SUBSTITUTED), allow_estimates=False) is None


def test_a_read_before_an_installation_or_after_a_removal_belongs_to_nobody_here() -> None:
    came, went = at("2026-10-05T09:00:00-04:00"), at("2026-10-20T16:00:00-04:00")
    segment = segments_of([meter(since=came, until=went)], OCTOBER, "ELECTRICITY")[0]
    start, stop = (f(segment, POLICY, zone=TORONTO) for f in (start_boundary, stop_boundary))
    second = timedelta(seconds=1)

    def answers(boundary: object, when: object) -> bool:
        return best_read([read(when, "1")], boundary, POLICY, allow_estimates=True) is not None  # type: ignore[arg-type]

    assert answers(start, came)
    assert not answers(start, came - second)
    assert answers(stop, went)
    assert not answers(stop, went + second)


def test_invariant_4_a_read_on_the_removal_instant_is_the_removed_meters_and_on_the_installation_the_new_ones() -> None:
    swap = at("2026-10-14T10:00:00-04:00")
    old, new = segments_of([meter("OLD", until=swap), meter("NEW", since=swap)], OCTOBER, "ELECTRICITY")

    assert stop_boundary(old, POLICY, zone=TORONTO).latest == swap
    assert start_boundary(new, POLICY, zone=TORONTO).earliest == swap


def test_the_start_of_a_short_period_never_takes_the_read_of_its_end() -> None:
    day = local_day(date(2026, 10, 10), TORONTO)
    segment = segments_of([meter()], day, "ELECTRICITY")[0]
    only_the_end = [read(day.end, "9")]

    assert best_read(only_the_end, start_boundary(segment, POLICY, zone=TORONTO), POLICY, allow_estimates=True) is None
    assert best_read(only_the_end, stop_boundary(segment, POLICY, zone=TORONTO), POLICY, allow_estimates=True)


@given(offsets=st.lists(st.integers(-400, 6000), min_size=1, max_size=12))
def test_the_answer_does_not_depend_on_the_order_in_which_different_reads_came(offsets: list[int]) -> None:
    readings = [read(STOP + timedelta(minutes=m), str(m)) for m in dict.fromkeys(offsets)]
    nearest = [m for m in offsets if -120 <= m <= 4320]

    found, back = chosen(*readings), chosen(*reversed(readings))
    expected = min(map(abs, nearest), default=None)

    assert (None if found is None else abs(int(found))) == expected
    assert (None if back is None else abs(int(back))) == expected


@given(cuts=st.lists(st.integers(1, 43_000), max_size=5, unique=True))
def test_segments_cover_the_period_once_and_in_order(cuts: list[int]) -> None:
    edges = [at("2020-01-01T00:00:00+00:00"), *(OCTOBER.start + timedelta(minutes=m) for m in sorted(cuts)), None]
    hung = [meter(f"M{n}", since=a, until=b) for n, (a, b) in enumerate(itertools.pairwise(edges)) if a]
    segments = segments_of(reversed(hung), OCTOBER, "ELECTRICITY")

    assert segments[0].period.start == OCTOBER.start
    assert segments[-1].period.end == OCTOBER.end
    assert all(a.period.end == b.period.start for a, b in itertools.pairwise(segments))
    assert sum(s.period.minutes for s in segments) == Period(OCTOBER.start, OCTOBER.end).minutes
