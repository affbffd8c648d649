"""A quantity that is not the difference of its index reads is explained, never replaced."""

from decimal import Decimal

import pytest

from sftp.formats.nem_index import mismatch_cause


@pytest.mark.parametrize(
    ("previous", "current", "quantity", "cause"),
    [
        ("100", "150", "50", None),
        ("100", "150", "50.000", None),
        ("0", "987.00", "-987", "direction"),
        ("99999.0", "19.0", "20.0", "rollover"),
        ("999999999999.00", "9.00", "10.000", "rollover"),
        ("9999900.00", "65.00", "165", "rollover"),
        ("0", "99005.1", "994.9", "reversed rollover"),
        ("100", "150", "2000", "multiplier"),
        ("000950", "0010015", "65", "unexplained"),
        ("100", "100", "-10", "unexplained"),
    ],
)
def test_the_cause_of_a_mismatch_is_named(previous: str, current: str, quantity: str, cause: str | None) -> None:
    assert mismatch_cause(Decimal(previous), Decimal(current), Decimal(quantity)) == cause
