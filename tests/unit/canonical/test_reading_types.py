"""Reading type codes: 18 numbers that read back as written, and say what a value measures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.reading_types import (
    billing_code,
    demand_code,
    interval_code,
    reading_type_from_text,
    reading_type_to_text,
    register_code,
)


@given(st.lists(st.integers(0, 2000), min_size=18, max_size=18))
def test_a_code_reads_back_as_written_even_with_unknown_numbers(numbers: list[int]) -> None:
    text = ".".join(map(str, numbers))

    assert reading_type_to_text(reading_type_from_text(text)) == text


@pytest.mark.parametrize("text", ["1.2.3", "", "3.0.129.160", ".".join(["x"] * 18)])
def test_an_alias_is_not_a_code(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        reading_type_from_text(text)


def test_a_quarter_hour_channel_says_so() -> None:
    code = interval_code(15, "RECEIVED")
    reading_type = reading_type_from_text(code)

    assert code == "0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.3.72.0"
    assert (reading_type.interval_minutes, reading_type.flow, reading_type.is_interval) == (15, "RECEIVED", True)


def test_a_register_says_its_commodity_flow_and_tier() -> None:
    water = reading_type_from_text(register_code("WATER"))
    peak = reading_type_from_text(register_code("ELECTRICITY", "DELIVERED", 1))

    assert water.commodity == "WATER"
    assert (peak.commodity, peak.tou, peak.power_of_ten) == ("ELECTRICITY", 1, 3)
    assert not peak.is_interval


def test_a_billing_quantity_is_told_from_a_snapshot() -> None:
    snapshot = register_code("ELECTRICITY")

    assert not reading_type_from_text(snapshot).is_billing_quantity
    assert reading_type_from_text(billing_code(snapshot)).is_billing_quantity
    assert reading_type_from_text(demand_code(15)).is_demand
