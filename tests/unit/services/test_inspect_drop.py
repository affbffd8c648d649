"""`amihub inspect` shows a billing drop register by register."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from canonical.billing import (
    BillDeterminant,
    BillingPart,
    ClosingAccount,
    MeterInPeriod,
    PartHeader,
    Quantity,
    RegisterUse,
    Status,
)
from canonical.periods import Period
from canonical.reading_types import register_code
from services.inspection import inspect_file
from sftp.formats.billing_drop import part_to_bytes

JANUARY = Period(datetime(2026, 1, 1, 5, tzinfo=UTC), datetime(2026, 2, 1, 5, tzinfo=UTC))


def drop() -> bytes:
    register = RegisterUse(
        *("M1", "T0", register_code("ELECTRICITY"), "DELIVERED", "kWh", ""),
        quantity=Decimal("50.500"),
        start_read=Decimal(100),
        start_time=JANUARY.start,
        start_quality="VALIDATED",
        stop_read=Decimal("150.5"),
        stop_time=JANUARY.end,
        stop_quality="ESTIMATED",
        raw_difference=Decimal("50.5"),
    )
    meter = MeterInPeriod("M1", "ACME", "SN1", JANUARY.start, None, "NORMAL", "", Decimal(1), True, 5, 1)
    total = Quantity("KWH_TOTAL", "kWh", "", "", "DELIVERED", Decimal("50.500"), "REGISTER", "ESTIMATED", Decimal(0))
    determinant = BillDeterminant(
        *("D1", 1, "", "A1", "G1", "U1", "6000000011", "07", None, "R1", "CYCLE", JANUARY, "America/Toronto", 31),
        status=Status.MIXED,
        commodity="ELECTRICITY",
        meters=(meter,),
        registers=(register,),
        quantities=(total,),
    )
    created = datetime(2026, 2, 1, 6, tzinfo=UTC)
    header = PartHeader(
        *("F1", "AMIHUB", "CISMASS", "TEST", created, date(2026, 2, 1), "America/Toronto", 1, "ON", "07", 1, True, 0)
    )
    return part_to_bytes(
        BillingPart(header, (determinant, replace(determinant, determinant_id="D2")), ClosingAccount(2, 2, (), 0))
    )


def test_a_drop_shows_one_channel_for_each_register(tmp_path: Path) -> None:
    (tmp_path / "BD_any.dat").write_bytes(drop())

    found = inspect_file(tmp_path / "BD_any.dat")

    assert (found.format, found.accepted, found.errors) == ("billing-drop", True, ())
    assert found.as_json()["channels"] == [
        {
            "usage_point": "U1",
            "register": "T0",
            "meter": "SN1",
            "unit": "kWh",
            "interval_minutes": None,
            "values": 2,
            "sum": "101",
            "quality": {"VALIDATED>ESTIMATED": 2},
        }
    ]


@pytest.mark.parametrize("file_format", ["auto", "billing-drop"])
def test_a_cut_drop_is_refused_and_has_no_channels(file_format: str, tmp_path: Path) -> None:
    (tmp_path / "cut.dat").write_bytes(drop()[:-90])

    found = inspect_file(tmp_path / "cut.dat", format=file_format)

    assert not found.accepted
    assert (found.as_json()["channels"], len(found.errors)) == ([], 1)
