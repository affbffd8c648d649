"""Every NEM12/NEM13 file of real providers comes out as a straight Decimal reading of its text says."""

import io
import json
import zipfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aemo_mdff_reader
import nemreader
import pytest

from adapters.mdms_nem.channels import UNITS
from adapters.mdms_nem.translate import readings_from_records
from canonical.messages import Rejection
from services.inspection import inspect_file
from sftp.formats import nem, nem_write
from sftp.formats.nem_records import Day, Record

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
EXPECTED: list[dict[str, Any]] = (
    json.loads((SAMPLES / "nem" / "expected.json").read_text()) if (SAMPLES / "nem").is_dir() else []
)
ACCEPTED = [entry for entry in EXPECTED if entry["strict"] == "accept"]
AEMO = ZoneInfo("Etc/GMT-10")

pytestmark = pytest.mark.skipif(not EXPECTED, reason="the samples of real providers are not beside the checkout")


def name_of(entry: dict[str, Any]) -> str:
    return str(entry["file"])


def text_of(entry: dict[str, Any]) -> bytes:
    path = SAMPLES / str(entry["file"])
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.namelist()[0])


def written(records: list[Record]) -> bytes:
    out = io.BytesIO()
    nem_write.write(records, out)
    return out.getvalue()


@pytest.mark.parametrize("entry", EXPECTED, ids=name_of)
def test_inspecting_a_real_file_says_what_its_text_says(entry: dict[str, Any]) -> None:
    found = inspect_file(SAMPLES / entry["file"]).as_json()

    assert found["format"] == "nem"
    assert found["accepted"] == (entry["strict"] == "accept")
    assert bool(found["errors"]) == (entry["strict"] == "reject")
    assert found["channels"] == [
        {
            "usage_point": channel["nmi"],
            "register": channel["suffix"],
            "meter": channel["meter"],
            "unit": channel["uom"],
            "interval_minutes": int(channel["interval"]) if "interval" in channel else None,
            "values": channel.get("intervals", channel.get("reads")),
            "sum": channel["sum"],
            "quality": channel["quality"],
        }
        for channel in (entry["raw_channels"] if entry["strict"] == "accept" else [])
    ]


@pytest.mark.parametrize("entry", ACCEPTED, ids=name_of)
def test_a_file_written_back_reads_the_same_and_a_second_write_is_byte_identical(entry: dict[str, Any]) -> None:
    first = list(nem.read(io.BytesIO(text_of(entry)), where="sample"))

    once = written(first)
    second = list(nem.read(io.BytesIO(once), where="written"))

    assert written(second) == once
    assert len(second) == len(first)
    for before, after in zip(first, second, strict=True):
        if isinstance(before, Day):
            assert isinstance(after, Day)
            assert (after.values, after.exponent, after.runs) == (before.values, before.exponent, before.runs)


@pytest.mark.parametrize("entry", ACCEPTED, ids=name_of)
def test_what_the_hub_takes_from_a_file_is_the_decimal_sum_of_its_text(entry: dict[str, Any]) -> None:
    taken: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    refused = set()
    for found in readings_from_records(
        nem.read(io.BytesIO(text_of(entry)), where="sample"), zone=AEMO, source="mdms_files"
    ):
        channel = tuple(found.key.split("/")[:2])
        if isinstance(found, Rejection):
            refused.add(channel)
            continue
        taken[channel] += sum((block.total for block in found.payload.blocks), Decimal(0))
        taken[channel] += sum((r.value for r in found.payload.registers if r.period), Decimal(0))

    for channel in entry["raw_channels"]:
        key = (channel["nmi"], channel["suffix"])
        if channel["uom"].upper() in UNITS:
            power = UNITS[channel["uom"].upper()][1]
            assert taken[key] == Decimal(channel["sum"]).scaleb(power)
        else:
            assert key in refused
            assert key not in taken


# nemreader leaves the file that it opened to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("entry", ACCEPTED, ids=name_of)
def test_other_readers_find_the_same_values_in_what_we_write(entry: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "NEM#1#HUB#TEST.csv"
    path.write_bytes(written(list(nem.read(io.BytesIO(text_of(entry)), where="sample"))))

    assert sums_of_nemreader(path) == expected_sums(entry)
    assert sums_of_aemo_mdff_reader(path, is_interval="250" not in entry["records"]) == expected_sums(entry)


Sums = dict[tuple[str, str], tuple[int, Decimal]]


def expected_sums(entry: dict[str, Any]) -> Sums:
    return {
        (c["nmi"], c["suffix"]): (c.get("intervals", c.get("reads")), Decimal(c["sum"])) for c in entry["raw_channels"]
    }


def sums_of_nemreader(path: Path) -> Sums:
    found = nemreader.NEMFile(str(path), strict=True).nem_data().readings
    return {
        (nmi, suffix): (len(readings), sum((exact(r.read_value) for r in readings), Decimal(0)))
        for nmi, channels in found.items()
        for suffix, readings in channels.items()
    }


def sums_of_aemo_mdff_reader(path: Path, *, is_interval: bool) -> Sums:
    found: Sums = {}
    if is_interval:
        for reading in aemo_mdff_reader.parse(str(path)):
            count, total = found.get((reading.nmi, reading.nmi_suffix), (0, Decimal(0)))
            found[reading.nmi, reading.nmi_suffix] = (count + 1, total + exact(reading.value))
    else:
        for accumulated in aemo_mdff_reader.parse_accumulations(str(path)):
            count, total = found.get((accumulated.nmi, accumulated.nmi_suffix), (0, Decimal(0)))
            found[accumulated.nmi, accumulated.nmi_suffix] = (count + 1, total + exact(accumulated.quantity))
    return found


def exact(value: float) -> Decimal:
    """Return the decimal that another reader's float was read from: its shortest text."""
    return Decimal(repr(float(value)))
