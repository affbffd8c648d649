"""Canonical texts: equal values have equal texts, and registers come back from theirs."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from held_worlds import REGISTERS
from hypothesis import given
from hypothesis import strategies as st

from canonical.holdings import registers_of, registers_text, text_of
from canonical.metering import Register


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6), st.integers(0, 5))
def test_equal_numbers_have_one_text(number: Decimal, zeros: int) -> None:
    longer = Decimal(f"{number:f}" + ("" if "." in f"{number:f}" else ".") + "0" * zeros)

    assert text_of(longer) == text_of(number)
    assert Decimal(text_of(number)) == number
    assert "E" not in text_of(number)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-720, 720))
def test_one_instant_has_one_text_whatever_its_offset(instant: datetime, minutes: int) -> None:
    try:
        elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    except OverflowError:  # the first and last day that there is
        elsewhere = instant

    assert text_of(elsewhere) == text_of(instant)
    assert datetime.fromisoformat(text_of(instant)) == instant


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (False, "false"), (Decimal("-0.0"), "0"), (Decimal("1E+3"), "1000"),
        (Decimal("0.00"), "0"),
        (Decimal("12345678901234567890123456789012345678.5"), "12345678901234567890123456789012345678.5"),
        (date(2026, 11, 3), "2026-11-03"), (datetime(2026, 11, 3, 5, tzinfo=UTC), "2026-11-03T05:00:00Z"), (7, "7"),
    ],
)  # fmt: skip
def test_values_have_the_texts_that_are_agreed(value: object, text: str) -> None:
    assert text_of(value) == text


@given(REGISTERS, st.randoms())
def test_registers_have_one_text_in_whatever_order_they_are_told(registers: list[Register], dice: object) -> None:
    shuffled = sorted(registers, key=lambda _: dice.random())  # type: ignore[attr-defined]

    assert registers_text(shuffled) == registers_text(registers)
    assert sorted(map(repr, registers_of(registers_text(registers)))) == sorted(map(repr, registers))
    assert registers_of("") == ()
