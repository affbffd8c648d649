"""What is written is read back the same, and a mutated file is refused or read exactly: nothing is ever lost."""

import io
import random
from array import array
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.metering import MISSING
from sftp.formats import nem, nem_write
from sftp.formats.nem_records import (
    Accumulation,
    Channel,
    Day,
    End,
    Fault,
    Header,
    IndexRead,
    QualityRun,
    Record,
    Transaction,
)

pytestmark = pytest.mark.slow

NAMES = st.text("ABCXYZ0123456789", min_size=1, max_size=10)
TEXTS = st.text("ABC xyz,\"'äß", max_size=12).map(str.strip)
QUALITIES = st.sampled_from([("A", ""), ("E52", ""), ("S14", "76"), ("F51", "0")])


def bytes_of(records: list[Record]) -> bytes:
    out = io.BytesIO()
    nem_write.write(records, out)
    return out.getvalue()


def without_lines(records: list[Record | Fault]) -> list[tuple[object, ...]]:
    """Return the records as tuples that do not say on which line they stood."""
    return [
        (type(r), *(str(getattr(r, name)) for name in r.__slots__ if name not in ("line", "channel"))) for r in records
    ]


@st.composite
def days(draw: st.DrawFn, channel: Channel, day: date) -> Day:
    count = channel.intervals
    values = draw(st.lists(st.integers(-(10**6), 10**9), min_size=count, max_size=count))
    cuts = sorted(draw(st.sets(st.integers(1, count - 1), max_size=3)))
    bounds = [0, *cuts, count]
    runs = tuple(QualityRun(end - start, *draw(QUALITIES), draw(TEXTS)) for start, end in pairwise(bounds))
    transactions = tuple(Transaction("N", draw(NAMES), "", draw(NAMES)) for _ in range(draw(st.integers(0, 2))))
    exponent = draw(st.integers(-5, 0))
    quality = nem_write.quality_of_runs(runs)
    return Day(channel, day, exponent, array("q", values), quality, runs, transactions=transactions)


@st.composite
def interval_files(draw: st.DrawFn) -> list[Record]:
    records: list[Record] = [Header("NEM12", "202601020000", draw(NAMES), draw(TEXTS))]
    for number in range(draw(st.integers(0, 3))):
        minutes = draw(st.sampled_from([30, 60]))
        channel = Channel(f"NMI{number}", draw(TEXTS), draw(NAMES), "E1", "N1", draw(NAMES), "kWh", minutes)
        records.append(channel)
        first = draw(st.dates(date(2000, 1, 1), date(2030, 1, 1)))
        records += [draw(days(channel, first + timedelta(days=n))) for n in range(draw(st.integers(0, 2)))]
    return [*records, End()]


@settings(max_examples=60, deadline=None)
@given(interval_files())
def test_interval_records_survive_the_way_there_and_back(records: list[Record]) -> None:
    written = bytes_of(records)

    found = list(nem.records(io.BytesIO(written)))

    assert without_lines(found) == without_lines([*records])
    assert bytes_of([r for r in found if not isinstance(r, Fault)]) == written


@st.composite
def accumulations(draw: st.DrawFn) -> Accumulation:
    reads = [
        IndexRead(f"{draw(st.integers(0, 99999)):05}", f"2026{month:02}01000000", *draw(QUALITIES), draw(TEXTS))
        for month in (1, 2)
    ]
    quantity = Decimal(draw(st.integers(-(10**9), 10**9))).scaleb(draw(st.integers(-5, 0)))
    pairs = tuple((Transaction("N", draw(NAMES)), Transaction("E")) for _ in range(draw(st.integers(0, 2))))
    return Accumulation(
        *(draw(NAMES), draw(TEXTS), draw(NAMES), "11", "11", draw(NAMES), draw(st.sampled_from("EI"))),
        previous=reads[0],
        current=reads[1],
        quantity=quantity,
        unit="kWh",
        transactions=pairs,
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(accumulations(), max_size=4))
def test_accumulation_records_survive_the_way_there_and_back(accumulated: list[Accumulation]) -> None:
    records: list[Record] = [Header("NEM13", "202601020000", "A", "B"), *accumulated, End()]
    written = bytes_of(records)

    found = list(nem.records(io.BytesIO(written)))

    assert without_lines(found) == without_lines([*records])
    assert bytes_of([r for r in found if not isinstance(r, Fault)]) == written


def test_a_missing_value_is_written_as_nothing() -> None:
    channel = Channel("N", "E1", "1", "E1", "", "S", "kWh", 60)
    day = Day(channel, date(2026, 1, 1), -1, array("q", [MISSING] * 24), "N", (QualityRun(24, "N"),))

    assert b",,,," in bytes_of([Header("NEM12", "202601020000", "A", "B"), channel, day, End()])


def small_file() -> list[str]:
    chance = random.Random(5)  # noqa: S311  # a fixed file, not a secret
    lines = ["100,NEM12,202601020000,MDP,HUB"]
    for suffix in ("E1", "B1"):
        lines.append(f"200,NMI0000001,E1B1,1,{suffix},N1,SER1,kWh,60,")
        for day in (1, 2, 3):
            values = ",".join(f"{chance.randint(0, 99999) / 1000}" for _ in range(24))
            lines.append(f"300,2026010{day},{values},V,,,20260104000000,")
            lines += ["400,1,10,A,,", "400,11,24,S14,76,broken", "500,N,,,"]
    return [*lines, "900"]


def naive_sum(text: str) -> Decimal:
    """Return the sum of the first 24 values of every 300, without any thought."""
    rows = [line.split(",") for line in text.splitlines() if line.startswith("300,")]
    return sum((Decimal(v) for row in rows for v in row[2:26]), Decimal(0))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_read_as_its_text_says(data: st.DataObject) -> None:
    text = "\n".join(small_file()) + "\n"
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.sampled_from([0, 1, 1, 2, 30]))
        put = data.draw(
            st.sampled_from(["", ",", "\n", ".", "-", "9", '"', " ", "\r", "A", "V", "e", "\x00", "300,", "\n900\n"])
        )
        text = text[:at] + put + text[at + length :]

    found = list(nem.records(io.BytesIO(text.encode())))

    if not any(isinstance(record, Fault) for record in found):
        read = sum((record.total for record in found if isinstance(record, Day)), Decimal(0))
        assert read == naive_sum(text.translate(str.maketrans("", "", ' "\r')))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_give_records_or_faults(content: bytes) -> None:
    found = list(nem.records(io.BytesIO(content)))

    assert any(isinstance(record, Fault) for record in found)
