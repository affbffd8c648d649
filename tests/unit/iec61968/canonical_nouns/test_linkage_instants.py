"""From when on a message holds: created and effective, days and minutes of its system; and settings that cannot be."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cim_meaning import AT, LATER, POINT, TEXT, meant, refused

from canonical.codes import identity as codes
from canonical.errors import MisconfiguredError
from iec61968.canonical_nouns.conventions import MasterDataReading, master_data_reading

LINK = {"meters": [{"manufacturer": "Acme", "serial": "0017"}], "usage_points": [POINT]}


def test_a_link_without_an_instant_is_refused() -> None:
    refused(codes.LINKAGE_TIME_MISSING, "MasterDataLinkageConfig", LINK)


def test_created_and_effective_that_differ_are_refused_unless_the_site_says_which_counts() -> None:
    both = LINK | {"created": TEXT, "effective": LATER}
    april = datetime(2026, 4, 1, 4, tzinfo=UTC)

    refused(codes.LINKAGE_TIME_UNCLEAR, "MasterDataLinkageConfig", both)

    by_created = meant("MasterDataLinkageConfig", both, own=MasterDataReading(linkage_time="created"))
    by_effective = meant("MasterDataLinkageConfig", both, own=MasterDataReading(linkage_time="effective"))
    assert (by_created.effective_at, by_effective.effective_at) == (AT, april)


@pytest.mark.parametrize("name", ["created", "effective"])
@pytest.mark.parametrize("stated", ["", "created", "effective"])
def test_one_instant_alone_is_the_instant(name: str, stated: Any) -> None:
    data = meant("MasterDataLinkageConfig", LINK | {name: TEXT}, own=MasterDataReading(linkage_time=stated))

    assert data.effective_at == AT


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (MasterDataReading(granularity="minute"), datetime(2026, 3, 1, 5, 30, tzinfo=UTC)),
        (MasterDataReading(granularity="day", zone="America/Toronto"), datetime(2026, 3, 1, 5, tzinfo=UTC)),
        (MasterDataReading(granularity="day", zone="Africa/Cairo"), datetime(2026, 2, 28, 22, tzinfo=UTC)),
        (
            MasterDataReading(granularity="day", zone="America/Toronto", day_belongs_to="old"),
            datetime(2026, 3, 2, 5, tzinfo=UTC),
        ),
    ],
)
def test_an_instant_is_cut_to_the_grid_of_its_system(own: MasterDataReading, expected: datetime) -> None:
    assert meant("MasterDataLinkageConfig", LINK | {"at": TEXT}, own=own).effective_at == expected


def test_two_instants_on_the_same_day_agree_where_the_system_knows_days() -> None:
    own = MasterDataReading(granularity="day", zone="UTC")
    both = LINK | {"created": "2026-03-01T23:00:00Z", "effective": "2026-03-01T00:00:00Z"}

    assert meant("MasterDataLinkageConfig", both, own=own).effective_at == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"linkage_time": "sometimes"}, "linkage_time"), ({"zone": "Mars/Olympus"}, "zone"), ({"zone": 5}, "zone"),
        ({"granularity": "hour"}, "granularity"), ({"names": {"nmi": "NMI"}}, "nmi"),
        ({"names": {"usage_point": "x", "zone": "X"}}, "same NameType"),
        ({"serial_digits": {"Acme": "8"}}, "serial_digits"),
        ({"multiplier_kinds": "ctRatio"}, "multiplier_kinds"), ({"tou_buckets": {"1": 2}}, "tou_buckets"),
    ],
)  # fmt: skip
def test_a_convention_that_cannot_be_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        master_data_reading(settings, where="cis_cim settings")
