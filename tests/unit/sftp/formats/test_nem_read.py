"""The NEM reader takes what real providers write and refuses, by line and reason, whatever could change a bill."""

import io
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.errors import RejectedError
from canonical.metering import MISSING
from sftp.formats import nem
from sftp.formats.nem_records import EXACT, Accumulation, Channel, Day, Fault
from sftp.formats.nem_values import values_from_text

pytestmark = pytest.mark.slow

HEAD = "100,NEM12,202601020000,MDP,HUB"
CHANNEL = "200,NMI0000001,E1,1,E1,N1,SER1,kWh,60,"
VALUES = ",".join(f"{n}.5" for n in range(24))
DAY = f"300,20260101,{VALUES},A,,,20260102000000,"
V_DAY = f"300,20260101,{VALUES},V,,,,"
HEAD13 = "100,NEM13,202601020000,MDP,HUB"
READ = "250,NMI0000001,11,1,11,11,SER1,E,000100,20260101000000,A,,,000150,20260201000000,A,,,50,kWh,,,"


def records_of(*lines: str, end: str = "\n") -> list[object]:
    return list(nem.records(io.BytesIO("".join(line + end for line in lines).encode())))


def faults_of(*lines: str) -> list[tuple[str, int]]:
    return [(r.code.name, r.line) for r in records_of(*lines) if isinstance(r, Fault)]


def days_of(records: Sequence[object]) -> list[Day]:
    return [record for record in records if isinstance(record, Day)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_plain_file_is_read_exactly(end: str) -> None:
    (day,) = days_of(records_of(HEAD, CHANNEL, DAY, "900", end=end))

    assert day.total == Decimal("288.0")
    assert (day.exponent, len(day.values), day.quality, day.line) == (-1, 24, "A", 3)


@pytest.mark.parametrize(
    ("why", "content"),
    [
        ("no line end after the last record", "\n".join((HEAD, CHANNEL, DAY, "900"))),
        ("a byte order mark", "\ufeff" + "\n".join((HEAD, CHANNEL, DAY, "900"))),
        ("spreadsheet padding", "\n".join((HEAD + ",,,", CHANNEL + ",,,,,", DAY + ",,,,", "900,,,,"))),
        ("blank lines and commas alone", "\n".join((HEAD, "", CHANNEL, DAY, ",,,", "900", "", " "))),
        ("blanks before a date", "\n".join((HEAD, CHANNEL, DAY.replace(",20260101,", ", 20260101,"), "900"))),
        ("quotes", "\n".join((HEAD, CHANNEL, DAY.replace(",A,,,", ',"A",,"a, b",'), "900"))),
        ("lower case version", "\n".join((HEAD.lower(), CHANNEL, DAY, "900"))),
        ("optional fields left out", "\n".join((HEAD, CHANNEL[:-1], DAY.rpartition(",A")[0] + ",A", "900"))),
    ],
)
def test_what_real_files_show_is_tolerated(why: str, content: str) -> None:
    records = list(nem.records(io.BytesIO(content.encode())))

    assert [r for r in records if isinstance(r, Fault)] == [], why
    assert days_of(records)[0].total == Decimal(288)


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        ((), [("NEM_HEADER", 1)]),
        ((CHANNEL, DAY, "900"), [("NEM_HEADER", 1)]),
        ((HEAD, HEAD, CHANNEL, DAY, "900"), [("NEM_HEADER", 2)]),
        ((HEAD.replace("NEM12", "NEM14"), "900"), [("NEM_HEADER", 1)]),
        ((HEAD.replace("202601020000", "202613020000"), "900"), [("NEM_HEADER", 1)]),
        ((HEAD, CHANNEL, DAY), [("NEM_END", 3)]),
        ((HEAD, CHANNEL, DAY, "900", "900"), [("NEM_END", 5)]),
        ((HEAD, CHANNEL, DAY, "900", HEAD, CHANNEL, DAY, "900"), [("NEM_END", 5)]),
        ((HEAD, DAY, "900"), [("NEM_ORDER", 2)]),
        ((HEAD, CHANNEL, "400,1,24,A,,", DAY, "900"), [("NEM_ORDER", 3)]),
        ((HEAD, CHANNEL, "500,N,,,", DAY, "900"), [("NEM_ORDER", 3)]),
        ((HEAD, CHANNEL, DAY, "400,1,24,A,,", "900"), [("NEM_ORDER", 4)]),
        ((HEAD, CHANNEL, V_DAY, "500,N,,,", "400,1,24,A,,", "900"), [("NEM_ORDER", 5)]),
        ((HEAD, READ, "900"), [("NEM_ORDER", 2)]),
        ((HEAD13, CHANNEL, DAY, "900"), [("NEM_ORDER", 2)]),
        ((HEAD13, "550,N,,E,", "900"), [("NEM_ORDER", 2)]),
        ((HEAD, CHANNEL.replace(",60,", ",7,"), DAY, "900"), [("NEM_FIELD", 2)]),
        ((HEAD, CHANNEL.replace(",60,", ",30,"), DAY, "900"), [("NEM_INTERVAL_COUNT", 3)]),
        ((HEAD, CHANNEL, DAY.replace("0.5,1.5", "0.5", 1), "900"), [("NEM_INTERVAL_COUNT", 3)]),
        ((HEAD, CHANNEL, DAY.replace("1.5,2.5", "1.5,,2.5", 1), "900"), [("NEM_INTERVAL_COUNT", 3)]),
        ((HEAD, CHANNEL, DAY.replace(",1.5,", ",,", 1), "900"), [("NEM_FIELD", 3)]),
        ((HEAD, CHANNEL, DAY.replace("20260101", "20260230"), "900"), [("NEM_FIELD", 3)]),
        ((HEAD, CHANNEL, DAY, DAY, "900"), [("NEM_DAY_REPEATED", 4)]),
        ((HEAD, CHANNEL, DAY.replace(",A,", ",X,"), "900"), [("NEM_QUALITY", 3)]),
        ((HEAD, CHANNEL, DAY.replace(",A,", ",E,"), "900"), [("NEM_QUALITY", 3)]),
        ((HEAD, CHANNEL, DAY.replace(",A,", ",S14,"), "900"), [("NEM_REASON_MISSING", 3)]),
        ((HEAD, CHANNEL, V_DAY, "900"), [("NEM_QUALITY_COVER", 3)]),
        ((HEAD, CHANNEL, V_DAY, "400,1,12,A,,", "400,14,24,A,,", "900"), [("NEM_QUALITY_COVER", 5)]),
        ((HEAD, CHANNEL, V_DAY, "400,1,12,A,,", "400,12,24,A,,", "900"), [("NEM_QUALITY_COVER", 5)]),
        ((HEAD, CHANNEL, V_DAY, "400,1,25,A,,", "900"), [("NEM_QUALITY_COVER", 4)]),
        ((HEAD, CHANNEL, V_DAY, "400,1,24,F14,,", "900"), [("NEM_REASON_MISSING", 4)]),
        ((HEAD, CHANNEL, V_DAY, "400,1,24,V,,", "900"), [("NEM_QUALITY", 4)]),
        ((HEAD, "201,x", CHANNEL, DAY, "900"), [("NEM_UNKNOWN_RECORD", 2)]),
        ((HEAD, CHANNEL, DAY + "more", "900"), []),
        ((HEAD, CHANNEL, DAY + ",more", "900"), [("NEM_FIELD", 3)]),
        ((HEAD, CHANNEL, DAY.replace(",A,,,", ',A,,"open,'), "900"), [("NEM_TEXT", 3)]),
        ((HEAD, CHANNEL, DAY.replace("0.5", "0.5\x00", 1), "900"), [("NEM_TEXT", 3)]),
        ((HEAD13, READ.replace(",E,", ",X,", 1), "900"), [("NEM_FIELD", 2)]),
        ((HEAD13, READ.replace(",50,", ",fifty,"), "900"), [("NEM_FIELD", 2)]),
        ((HEAD13, READ.replace(",A,", ",S62,", 1), "900"), [("NEM_REASON_MISSING", 2)]),
    ],
)
def test_what_must_be_refused_is_refused_with_its_line(lines: tuple[str, ...], faults: list[tuple[str, int]]) -> None:
    assert faults_of(*lines) == faults


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "NaN",
        "Infinity",
        "1_000",
        "١٢",
        "0x1",
        "1,5 ",
        "--1",
        "1-2",
        ".-5",
        "1.2.3",
        "+1",
        "9" * 41,
        "9" * 5000,
        "." + "0" * 21,
        "0." + "0" * 300 + "1",
    ],
)
def test_a_value_that_is_no_plain_decimal_number_refuses_its_day(text: str) -> None:
    assert faults_of(HEAD, CHANNEL, DAY.replace(",1.5,", f",{text},", 1), "900")


def test_values_of_any_precision_are_exact() -> None:
    texts = ["0.1", ".25", "7", "-3.125", "12345678901234567890.00001", *["0"] * 19]

    (day,) = days_of(records_of(HEAD, CHANNEL, f"300,20260101,{','.join(texts)},A,,,,", "900"))

    assert day.total == sum(map(Decimal, texts))
    assert day.exponent == -5


def test_qualities_below_a_broken_day_are_never_given_to_another() -> None:
    broken = ("300,20260102,", VALUES[:40], VALUES[41:] + ",V,,,,", "400,1,12,A,,", "400,13,24,E52,,")

    records = records_of(HEAD, CHANNEL, V_DAY, "400,1,24,A,,", *broken, "900")

    (day,) = days_of(records)
    assert [(run.count, run.quality) for run in day.runs] == [(24, "A")]
    assert [(r.code.name, r.line) for r in records if isinstance(r, Fault)] == [
        ("NEM_INTERVAL_COUNT", 5),
        ("NEM_UNKNOWN_RECORD", 6),
        ("NEM_UNKNOWN_RECORD", 7),
    ]


def test_an_interval_length_or_a_meter_may_change_inside_a_channel() -> None:
    later = DAY.replace("20260101", "20260102").replace(VALUES, ",".join(["1"] * 48))

    records = records_of(HEAD, CHANNEL, DAY, CHANNEL.replace("SER1,kWh,60", "SER2,kWh,30"), later, "900")

    assert [(d.channel.serial, len(d.values)) for d in days_of(records)] == [("SER1", 24), ("SER2", 48)]


def test_a_null_without_text_is_missing_and_never_zero() -> None:
    texts = ",".join(["1"] * 12 + [""] * 12)

    (day,) = days_of(records_of(HEAD, CHANNEL, f"300,20260101,{texts},V", "400,1,12,A", "400,13,24,N", "900"))

    assert list(day.values[12:]) == [MISSING] * 12
    assert day.total == 12


def test_a_header_and_an_end_alone_are_a_valid_empty_file() -> None:
    assert faults_of(HEAD, "900") == []


def test_the_strict_reader_raises_with_file_and_line() -> None:
    with pytest.raises(RejectedError) as caught:
        list(nem.read(io.BytesIO(f"{HEAD}\n{CHANNEL}\n".encode()), where="NEM12#1#A#B.csv"))

    assert (caught.value.code.name, caught.value.where) == ("NEM_END", "NEM12#1#A#B.csv:2")


def test_an_accumulation_comes_with_its_reads_and_transactions() -> None:
    found = [r for r in records_of(HEAD13, READ, "550,N,,E,SO1", "900") if isinstance(r, Accumulation)]

    (read,) = found
    assert (read.quantity, read.previous.read, read.current.read_at) == (Decimal(50), "000100", "20260201000000")
    assert [(before.code, now.order) for before, now in read.transactions] == [("N", "SO1")]


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    stream = io.BytesIO(b"100," + b"0" * (3 << 20))

    faults = [r for r in nem.records(stream) if isinstance(r, Fault)]

    assert [fault.code.name for fault in faults][:1] == ["NEM_TEXT"]
    assert stream.tell() < 2 << 20


def test_a_channel_without_days_is_kept() -> None:
    assert [type(r) for r in records_of(HEAD, CHANNEL, "900")][1] is Channel


@pytest.mark.parametrize("text", ["9" * 41, "9" * 5000, "." + "0" * 21, "0." + "0" * 300 + "1"])
def test_a_whole_day_of_numbers_without_end_is_refused(text: str) -> None:
    assert faults_of(HEAD, CHANNEL, f"300,20260101,{','.join([text] * 24)},A,,,,", "900") == [("NEM_FIELD", 3)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.from_regex(r"-?[0-9]{0,24}\.?[0-9]{0,9}|-?[0-9]{1,4}", fullmatch=True), min_size=1, max_size=6))
def test_scaled_values_are_what_decimal_reads(texts: list[str]) -> None:
    good = all(any(c.isdigit() for c in text) for text in texts)
    if not good:
        return
    values, exponent = values_from_text(texts)

    assert [Decimal(value).scaleb(exponent, EXACT) for value in values] == [Decimal(text) for text in texts]
