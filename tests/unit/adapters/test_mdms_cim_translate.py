"""What the MDMS says, in canonical words."""

from array import array
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mdms_cim.adapter import batches, build, readings_of_answer
from adapters.mdms_cim.translate import columns_from_notice
from canonical.billing import BilledNotice
from canonical.errors import MisconfiguredError, RejectedError
from canonical.ids import meter_mrid
from canonical.metering import MISSING, IntervalBlock, MeterReadings, ReadingQuestion
from canonical.periods import Period
from canonical.quality import Quality
from iec61968.canonical_nouns.interval_blocks import blocks_from_columns
from iec61968.canonical_nouns.readings import columns_from_readings, readings_from_columns
from iec61968.nouns.columns import NO_VALUE, Block, Identity, MeterReadingColumns, Name, QualityMark, Readings, Span
from iec61968.nouns.meter_readings import decode_each, readings_from_xml, readings_to_xml

HALF_HOUR = "0.0.5.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
DETERMINANT = "8.0.0.4.1.1.12.0.0.0.0.1.0.0.0.3.72.0"
DEMAND = "0.8.53.0.1.1.8.0.0.0.0.0.0.0.0.3.38.0"
MINUTE = 60_000_000
START = 1_772_323_200_000_000  # 2026-03-01T00:00:00Z
ACME = Identity("", (Name(" 007a", "serial", "Acme"),))


def meant(one: MeterReadingColumns) -> MeterReadings:
    return readings_from_columns(one, source="mdms")


def block(stamps: list[int], values: list[int], marks: tuple[tuple[QualityMark, ...], ...] = ()) -> Block:
    """Return a half-hour block; stamps are minutes after the start."""
    column = array("q", (START + minute * MINUTE for minute in stamps))
    return Block(HALF_HOUR, column, array("q", values), -3, marks or ((),) * len(stamps))


def made(one: Block) -> list[IntervalBlock]:
    return list(blocks_from_columns(one, usage_point="up", meter="m", source="mdms"))


def test_an_interval_stamped_at_its_end_begins_one_length_earlier() -> None:
    (found,) = made(block([30, 60], [5, 7]))

    assert (found.start, found.interval_minutes, list(found.values)) == (datetime(2026, 3, 1, tzinfo=UTC), 30, [5, 7])
    assert found.period.end == datetime(2026, 3, 1, 1, tzinfo=UTC)


def test_an_interval_left_out_is_missing_and_never_a_quantity() -> None:
    (found,) = made(block([30, 120], [5, 7]))

    assert list(found.values) == [5, MISSING, MISSING, 7]
    assert found.qualities == (
        (1, Quality.VALIDATED, ""),
        (2, Quality.MISSING, ""),
        (1, Quality.VALIDATED, ""),
    )
    assert found.total == Decimal("0.012")


def test_a_value_that_the_source_calls_missing_is_none() -> None:
    (found,) = made(block([30, 60], [5, 0], ((), (QualityMark("2.5.259"),))))

    assert list(found.values) == [5, MISSING]
    assert found.qualities[1] == (1, Quality.MISSING, "2.5.259")


def test_intervals_out_of_order_are_put_in_order_and_a_doubled_one_counts_once() -> None:
    (found,) = made(block([60, 30, 60], [7, 5, 7]))

    assert list(found.values) == [5, 7]


def test_two_values_for_one_interval_are_refused() -> None:
    with pytest.raises(RejectedError, match="two values"):
        made(block([30, 30], [5, 7]))


def test_a_clock_that_was_set_opens_a_new_block() -> None:
    first, second = made(block([30, 60, 97, 127], [1, 2, 3, 4]))

    assert (list(first.values), list(second.values)) == ([1, 2], [3, 4])
    assert second.start == datetime(2026, 3, 1, 1, 7, tzinfo=UTC)


def test_a_stamp_decades_away_is_refused_instead_of_filled() -> None:
    with pytest.raises(RejectedError, match="missing in a row"):
        made(block([30, 30 * 10_000_000], [1, 2]))


@given(st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=60).filter(lambda v: v[0] and v[-1]))
def test_a_block_written_and_read_back_is_the_same_block(values: list[int | None]) -> None:
    runs = tuple((1, Quality.MISSING, "") if v is None else (1, Quality.VALIDATED, "1.0.0") for v in values)
    merged: list[tuple[int, Quality, str]] = []
    for count, word, code in runs:
        if merged and merged[-1][1:] == (word, code):
            merged[-1] = (merged[-1][0] + count, word, code)
        else:
            merged.append((count, word, code))
    meter = meter_mrid("Acme", "007A")
    column = array("q", (MISSING if v is None else v for v in values))
    start = datetime(2026, 3, 8, 5, tzinfo=UTC)
    one = IntervalBlock("up", meter, HALF_HOUR, start, 30, -3, column, tuple(merged), "mdms")
    said = MeterReadings("up", meter, (), (one,), serial="007A")

    wire = readings_to_xml([columns_from_readings(said, manufacturer="Acme")])

    assert [meant(c) for c in readings_from_xml(wire)] == [said]


def columns(*rows: tuple[int, int, str, Span | None]) -> MeterReadingColumns:
    readings = Readings(
        array("q", (row[0] for row in rows)),
        array("q", (row[1] for row in rows)),
        -1,
        ((),) * len(rows),
        tuple(row[2] for row in rows),
        tuple(row[3] for row in rows),
    )
    return MeterReadingColumns(ACME, Identity("up"), (), readings)


MARCH = Span(START, START + 31 * 1440 * MINUTE)


def test_snapshots_have_no_period_and_quantities_of_a_period_keep_theirs() -> None:
    found = meant(
        columns(
            (START, 1005, REGISTER, MARCH),
            (START + 90 * MINUTE, 65, DEMAND, MARCH),
            (NO_VALUE, 4100, DETERMINANT, MARCH),
        )
    )

    snapshot, demand, determinant = found.registers
    assert (found.meter, found.serial) == (meter_mrid("ACME", "007A"), " 007a")
    assert (snapshot.value, snapshot.period) == (Decimal("100.5"), None)
    assert demand.taken_at == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    assert (
        demand.period
        == determinant.period
        == Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    )
    assert determinant.taken_at == datetime(2026, 4, 1, tzinfo=UTC)


def test_a_reading_without_a_value_is_a_remark_never_a_zero() -> None:
    found = meant(columns((START, NO_VALUE, REGISTER, None)))

    assert found.registers == ()
    assert found.events == (f"no value of {REGISTER} at 2026-03-01T00:00:00+00:00 quality VALIDATED",)


def test_a_serial_without_its_manufacturer_mints_no_meter() -> None:
    one = MeterReadingColumns(Identity("", (Name("007", "serial"),)))

    found = meant(one)

    assert (found.meter, found.serial) == ("", "007")


@pytest.mark.parametrize("code", ["", "kWh", "1.2.3", HALF_HOUR + ".1"])
def test_a_reading_type_that_is_not_eighteen_numbers_is_refused(code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        meant(columns((START, 1, code, None)))

    assert caught.value.code.number == "1117"


def test_a_notice_says_determinant_version_and_exact_quantity() -> None:
    period = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    notice = BilledNotice("up", "m", REGISTER, "det-1", 3, period, Decimal("410.250"), "ACTUAL", period.end)

    (read,) = readings_from_xml(readings_to_xml([columns_from_notice(notice)]))

    assert read.readings.qualities == ((QualityMark("5.0.1", "BILLED det-1 v3"),),)
    assert read.readings.reading_types == ("8.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0",)
    assert (list(read.readings.values), read.readings.exponent, read.readings.reasons) == ([410250], -3, ("billing",))
    assert (read.meter.mrid, read.usage_point.mrid, read.readings.periods[0]) == ("m", "up", MARCH)


@given(st.permutations([f"up-{n}" for n in range(7)]), st.integers(1, 4))
def test_batches_do_not_depend_on_the_order_of_the_questions(points: list[str], size: int) -> None:
    march = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    april = Period(march.end, march.end + timedelta(days=30))
    asked = [ReadingQuestion(p, period, fresh=f) for p in points for period in (march, april) for f in (True, False)]

    made_of = list(batches(asked, size))

    assert made_of == list(batches(sorted(asked, key=str), size))
    assert all(len({(q.period, q.fresh) for q in batch}) == 1 and len(batch) <= size for batch in made_of)
    assert sum(map(len, made_of)) == len(asked)


GOOD = {"url": "https://a/x", "events_url": "https://a/y", "user": "u", "password": "p"}


@pytest.mark.parametrize(
    "wrong",
    [{"url": ""}, {"url": "http://a"}, {"edition": "1999"}, {"batch": 0}, {"policy": "maybe"}, {"typo": 1}],
)
def test_a_wrong_setting_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        build({**GOOD, **wrong})

    assert next(iter(wrong)) in caught.value.reason


def test_one_bad_meter_reading_of_an_answer_is_reported_with_code_and_place_and_the_others_are_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def reading(point: str, value: str) -> str:
        stamped = f"<timeStamp>2026-03-01T00:00:00Z</timeStamp><value>{value}</value>"
        return (
            f'<MeterReading><Readings>{stamped}<ReadingType ref="{REGISTER}"/></Readings>'
            f"<UsagePoint><mRID>{point}</mRID></UsagePoint></MeterReading>"
        )

    raw = (
        '<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">'
        + reading("up-1", "1.5")
        + reading("up-2", "out of order")
        + reading("up-3", "2.5")
        + "</MeterReadings>"
    ).encode()

    kept = list(readings_of_answer(decode_each(BytesIO(raw)), source="mdms", where="answer"))

    assert [one.usage_point for one in kept] == ["up-1", "up-3"]
    (record,) = caplog.records
    assert "1117" in record.getMessage()
    assert "MeterReading[2]" in record.getMessage()
    with pytest.raises(RejectedError):
        readings_from_xml(raw)
