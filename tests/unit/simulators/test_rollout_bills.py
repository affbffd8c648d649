"""What the bills of exchanged accounts must say, and who is on the manual route behind the exchanges."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from simulators import rollout_city
from simulators.audit_rollout_bills import AMI, MANUAL, MIXED, expected_segments, kinds_of
from simulators.audit_truth import counts_of, quantities
from simulators.city import FILE_NAME, PERIOD_DAYS
from simulators.local_days import midnight
from simulators.rollout_billing import WALKED, hang
from simulators.rollout_reader import Stop, hangs, shown, stops_of
from simulators.rollout_site import truth_of
from simulators.rollout_truth import Truth


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    rollout_city.found(tmp_path / "city", seed=7, points=120)
    return truth_of(tmp_path)


def test_old_and_new_meter_together_measured_what_flowed_in_the_period(truth: Truth) -> None:
    start, end = (midnight(rollout_city.BILL_DATE - timedelta(days=back)) for back in (PERIOD_DAYS, 0))
    billed = {point.account for point in truth.points if point.cycle == rollout_city.BILLED}
    measured: Counter[str] = Counter()
    for one in expected_segments(truth):
        if one.register == "T0" and one.account in billed:
            measured[one.account] += int(Decimal(one.kwh).scaleb(3))

    flowed = {
        point.account: quantities(point, truth.old[point.usage_point], *counts_of(truth.seed, point, start, end))
        for point in truth.points
        if point.account in billed
    }
    assert {account: Decimal(count).scaleb(-3) for account, count in measured.items()} == {
        account: found["KWH_TOTAL"] for account, found in flowed.items()
    }


def test_an_exchanged_account_has_two_segments_that_touch(truth: Truth) -> None:
    one = truth.exchanges[0]

    old, new = (
        segment
        for segment in expected_segments(truth)
        if segment.account == one.point.account and segment.register == "T1"
    )

    assert (old.serial, new.serial, old.ended) == (one.old.serial, one.new.serial, new.began)


def test_accounts_of_every_kind_are_in_a_small_city(truth: Truth) -> None:
    kinds = Counter(kinds_of(truth, list(enumerate(truth.points))).values())

    assert set(kinds) == {AMI, MANUAL, MIXED}


def test_the_truth_of_the_exchanges_is_the_same_behind_them(truth: Truth, tmp_path: Path) -> None:
    before = list(truth.exchanges)

    hang(tmp_path / "city" / FILE_NAME, truth)

    assert truth_of(tmp_path).exchanges == before


def test_a_reader_finds_the_stops_of_a_route_and_reads_the_meter_that_hangs(truth: Truth, tmp_path: Path) -> None:
    point, meter = next(iter(hangs(truth)))
    route = tmp_path / "RX_1.dat"
    route.write_text(
        "HDR|route|1|f|AMIHUB|READERS|TEST|2026-11-23T05:00:00-05:00|2026-11-23|Z|1|R24|2026-11-23T05:00:00-05:00\n"
        f"STP|000001|{point.usage_point}|RB| m |{meter.manufacturer}|{meter.serial}|L|A||  1.0|2.0\n"
        "REG|000001|T0|type|kWh|DELIVERED|6|3||0|N\nREG|000001|D1|type|kW|DELIVERED|6|3||0|Y\nTRL|1|2\n"
    )

    (stop,) = stops_of(route)

    assert stop == Stop("R24", "2026-11-23", point.usage_point, meter.serial, "1.0", "2.0", ("T0",))
    assert list(shown(truth.seed, point, meter, stop, WALKED)) == ["T0"]
