"""A NEM file provider as a port: names, clock, what is taken, what is refused, how it is acknowledged."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.mdms_nem.adapter import NemFiles, build
from adapters.mdms_nem.channels import interval_channel, register_channel
from adapters.mdms_nem.settings import fixed_zone
from canonical.billing import FileAcknowledgement
from canonical.errors import MisconfiguredError, RejectedError
from canonical.messages import FileIdentity, Header, Item, Message, Rejection
from canonical.metering import MeterReadings
from canonical.ports import Destination, MeterDataFiles
from canonical.reading_types import interval_code, register_code

SETTINGS = {"host": "sftp.example", "user": "hub", "host_keys": ["ssh-ed25519 AAAA"], "zone": "Etc/GMT+5"}
READINGS = FileIdentity("readings", "MDP", "HUB")


def port() -> NemFiles:
    return build(SETTINGS)


def nem12(*days: str, suffix: str = "E1", unit: str = "kWh", value: str = "0.5") -> bytes:
    rows = [f"300,{day},{','.join([value] * 24)},A,,,,\n" for day in days]
    return "".join(
        ("100,NEM12,202611020015,MDP,HUB\n", f"200,6000000011,{suffix},1,{suffix},N1,SN1,{unit},60,\n", *rows, "900\n")
    ).encode()


def items_of(content: bytes) -> Sequence[Item[Any] | Rejection]:
    return list(port().items(io.BytesIO(content), identity=READINGS, where="f"))


def readings_of(content: bytes) -> list[MeterReadings]:
    found = [item.payload for item in items_of(content) if isinstance(item, Item)]
    assert all(isinstance(payload, MeterReadings) for payload in found)
    return found


def test_the_port_answers_what_the_flows_ask() -> None:
    inbox: MeterDataFiles = port()
    destination: Destination = port()

    assert callable(inbox.items)
    assert callable(destination.carry)


@pytest.mark.parametrize(
    ("name", "sender", "receiver"),
    [
        ("NEM12#20261101A#MDMS#AMIHUB.csv", "MDMS", "AMIHUB"),
        ("nem12#S01#INTEGM#nemmco.ZIP", "INTEGM", "NEMMCO"),
        ("NEM13#1#A#B", "A", "B"),
        ("NEM12#1#A#B.csv.zip", "A", "B"),
    ],
)
def test_a_nem_name_says_who_sends_readings(name: str, sender: str, receiver: str) -> None:
    assert port().identify(name) == FileIdentity("readings", sender, receiver)


def test_the_name_of_masters_says_date_and_sequence() -> None:
    found = port().identify("RF_MDMS_AMIHUB_TEST_METERS_20261101_000007_r1.dat")

    assert (found.kind, found.sender, found.business_date) == ("reference", "MDMS", date(2026, 11, 1))
    assert (found.sequence, found.revision, found.env) == (7, 1, "TEST")


@pytest.mark.parametrize(
    "name",
    ["NEM12#1#A.csv", "NEM14#1#A#B.csv", "NEM12#1 2#A#B.csv", "readings.csv", "RF_M_H_T_MASTER_20261101_000001_r0.dat",
     "RF_M_H_T_METERS_20261301_000001_r0.dat"],
)  # fmt: skip
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(RejectedError) as caught:
        port().identify(name)

    assert caught.value.code.name == "UNKNOWN_NAME"


def test_a_day_starts_at_midnight_of_the_feeds_own_clock() -> None:
    (reading,) = readings_of(nem12("20261101"))

    (block,) = reading.blocks
    assert block.start == datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert block.period.minutes == 1440
    assert (reading.usage_point, reading.usage_point_name, reading.meter, reading.serial) == (
        "",
        "6000000011",
        "",
        "SN1",
    )


def test_consecutive_days_make_one_block_and_a_gap_makes_two() -> None:
    found = readings_of(nem12("20261101", "20261102", "20261104"))

    assert [len(reading.blocks[0].values) for reading in found] == [48, 24]


@pytest.mark.parametrize(
    ("unit", "value", "kwh"),
    [("kWh", "0.5", "12"), ("WH", "500", "12"), ("MWh", "0.0005", "12"), ("wh", "0.1", "0.0024")],
)
def test_units_are_scaled_exactly_to_kwh(unit: str, value: str, kwh: str) -> None:
    (reading,) = readings_of(nem12("20261101", unit=unit, value=value))

    assert reading.blocks[0].total == Decimal(kwh)


@pytest.mark.parametrize(
    ("suffix", "unit"), [("V1", ""), ("E1", "kvarh"), ("Q1", "kWh"), ("E1", "therm"), ("E#", "kWh")]
)
def test_a_channel_that_the_hub_cannot_keep_is_rejected_alone(suffix: str, unit: str) -> None:
    good, bad = nem12("20261101"), nem12("20261101", suffix=suffix, unit=unit)
    lines = [*good.splitlines(keepends=True)[:-1], *bad.splitlines(keepends=True)[1:]]

    found = items_of(
        b"".join(line.replace(b"6000000011,E1,", b"6000000012,E1,") if n == 1 else line for n, line in enumerate(lines))
    )

    assert [type(item) for item in found] == [Item, Rejection]
    assert isinstance(found[1], Rejection)
    assert (found[1].line, found[1].code) == (5, "7052 NEM_CHANNEL_UNKNOWN")


def test_a_value_beyond_64_bits_is_refused_rather_than_rounded() -> None:
    (found,) = items_of(nem12("20261101", value="12345678901234567890.5"))

    assert isinstance(found, Rejection)
    assert found.code == "7044 NEM_FIELD"


def test_examining_counts_records_items_and_totals() -> None:
    facts = port().examine(io.BytesIO(nem12("20261101", "20261103")), identity=READINGS, where="f")

    assert facts.records == {"100": 1, "200": 1, "300": 2, "900": 1}
    assert (facts.items, facts.bad_items, facts.totals) == (2, 0, {"E1.kWh": Decimal(24)})
    assert facts.header["sender"] == "MDP"


def test_a_broken_file_is_refused_whole_with_file_and_line() -> None:
    with pytest.raises(RejectedError) as caught:
        port().examine(io.BytesIO(nem12("20261101", "20261101")), identity=READINGS, where="NEM12#1#A#B.csv")

    assert (caught.value.code.name, caught.value.where) == ("NEM_DAY_REPEATED", "NEM12#1#A#B.csv:4")


def test_plain_channels_have_the_reading_types_that_masters_use() -> None:
    assert interval_channel("E1", "kWh", 30).reading_type == interval_code(30)
    assert interval_channel("B1", "kWh", 15).reading_type == interval_code(15, "RECEIVED")
    assert register_channel("11", "kWh", "E").reading_type == register_code("ELECTRICITY")
    assert register_channel("12", "KWH", "I").reading_type == register_code("ELECTRICITY", "RECEIVED")


def test_two_channels_of_one_flow_stay_apart() -> None:
    codes = {interval_channel(suffix, "kWh", 30).reading_type for suffix in ("E1", "E2", "E3", "EA", "B1")}
    registers = {register_channel(suffix, "kWh", "E").reading_type for suffix in ("11", "41")}

    assert (len(codes), len(registers)) == (5, 2)


@pytest.mark.parametrize("zone", ["America/Toronto", "Australia/Sydney", "Nowhere/Land", "../etc/passwd"])
def test_a_zone_whose_days_are_not_all_1440_minutes_is_refused(zone: str) -> None:
    with pytest.raises(MisconfiguredError):
        fixed_zone(zone)


def test_brisbane_keeps_its_offset_and_is_taken() -> None:
    assert fixed_zone("Australia/Brisbane").key == "Australia/Brisbane"


@pytest.mark.parametrize("change", [{"zone": ""}, {"host": ""}, {"colour": "blue"}])
def test_settings_that_cannot_be_used_are_named(change: dict[str, object]) -> None:
    with pytest.raises(MisconfiguredError):
        build({**SETTINGS, **change})


def test_an_acknowledgement_is_named_after_the_file_and_always_the_same_bytes(tmp_path: Path) -> None:
    answer = FileAcknowledgement("NEM12#1#A#B.zip", "00", "ACCEPTED", "", "", (), datetime(2026, 11, 1, tzinfo=UTC))
    message = Message(Header("m1", "AMIHUB", "reply", "FileAcknowledgement"), answer)

    parcel = port().encode(message, spool=tmp_path)

    assert (parcel.name, parcel.key) == ("NEM12#1#A#B.ack", "m1")
    assert json.loads(parcel.body or b"")["verdict"] == "ACCEPTED"
    assert parcel == port().encode(message, spool=tmp_path)
