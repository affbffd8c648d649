"""`amihub inspect` tells anybody what a file holds, or why the hub would refuse it."""

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.cli_inspect import inspect_command
from services.inspection import inspect_file

NEM12 = (
    "100,NEM12,202601020000,MDP,HUB\n"
    "200,NMI0000001,E1,1,E1,N1,SER1,KWH,60,\n"
    f"300,20260101,{','.join(['0.25'] * 24)},A,,,,\n"
    "200,NMI0000001,E1,1,E1,N1,SER2,kWh,30,\n"
    f"300,20260102,{','.join(['0.5'] * 48)},V,,,,\n"
    "400,1,47,A,,\n"
    "400,48,48,S14,76,\n"
    "900\n"
)
CHANNEL = {
    "usage_point": "NMI0000001",
    "register": "E1",
    "meter": "SER2",
    "unit": "kWh",
    "interval_minutes": 30,
    "values": 72,
    "sum": "30",
    "quality": {"A": 1, "V": 1},
}
NEM13 = (
    "100,NEM13,202601020000,MDP,HUB\n"
    "250,NMI0000001,1141,1,11,11,SER1,E,000100,20260101000000,A,,,000150,20260201000000,A,,,50.10,kWh,,,\n"
    "250,NMI0000001,1141,1,11,11,SER1,E,000150,20260201000000,A,,,000160,20260301000000,E64,,,10,kWh,,,\n"
    "900\n"
)
CIM = """<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"><MeterReading>
<IntervalBlocks>
<IntervalReadings><timeStamp>2026-01-01T00:30:00Z</timeStamp><value>0.5</value></IntervalReadings>
<IntervalReadings><timeStamp>2026-01-01T01:00:00Z</timeStamp><value>0.25</value></IntervalReadings>
<ReadingType ref="0.0.5.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></IntervalBlocks>
</MeterReading></MeterReadings>"""

app = typer.Typer()
app.command("inspect")(inspect_command)


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(folder: Path, name: str, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def test_the_json_holds_one_channel_for_each_nmi_and_suffix_as_its_last_200_describes_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(put(tmp_path, "any.bin", NEM12)), "--json"])

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"format": "nem", "accepted": True, "errors": [], "channels": [CHANNEL]}


def test_nem13_counts_reads_and_pairs_of_qualities(tmp_path: Path) -> None:
    (channel,) = inspect_file(put(tmp_path, "x.csv", NEM13)).as_json()["channels"]

    assert (channel["values"], channel["sum"], channel["interval_minutes"]) == (2, "60.1", None)
    assert channel["quality"] == {"A>A": 1, "A>E64": 1}


def test_a_quantity_that_its_index_does_not_show_is_a_remark_and_no_refusal(tmp_path: Path) -> None:
    inspection = inspect_file(put(tmp_path, "x.csv", NEM13))

    assert inspection.accepted
    assert ["7050 NEM_INDEX_MISMATCH" in remark for remark in inspection.remarks] == [True]


@pytest.mark.parametrize("member", ["NEM12#1#A#B.csv", "nem12#without#an#extension"])
def test_the_single_member_of_a_zip_is_read_whatever_its_name(member: str, tmp_path: Path) -> None:
    assert inspect_file(zipped(tmp_path, "a.zip", {member: NEM12})).as_json()["channels"] == [CHANNEL]


def test_a_gzip_file_is_read(tmp_path: Path) -> None:
    assert inspect_file(put(tmp_path, "a.csv.gz", gzip.compress(NEM12.encode()))).accepted


def test_a_refused_file_has_no_channels_and_every_fault_with_its_line(tmp_path: Path) -> None:
    broken = NEM12.replace("300,20260101,0.25,", "300,20260101,").replace("400,48,48,S14,76,", "400,48,48,S14,,")

    result = CliRunner().invoke(app, [str(put(tmp_path, "a.csv", broken)), "--json"])

    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["accepted"], found["channels"]) == (False, [])
    assert [(e["code"], e["line"]) for e in found["errors"]] == [
        ("7043 NEM_INTERVAL_COUNT", 3),
        ("7047 NEM_REASON_MISSING", 7),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "7040 NEM_HEADER"),
        ("a.bin", b"\x00\x01\x02", "7053 FORMAT_UNKNOWN"),
        ("a.zip", b"PK\x03\x04 not really a zip", "7060 WRAPPER_UNREADABLE"),
        ("a.csv.gz", gzip.compress(NEM12.encode())[:-9], "7060 WRAPPER_UNREADABLE"),
        ("bomb.csv.gz", gzip.compress(b"0" * (20 << 20)), "7061 WRAPPER_TOO_LARGE"),
    ],
)
def test_what_cannot_be_read_at_all_is_refused_with_a_code(
    name: str, content: bytes, code: str, tmp_path: Path
) -> None:
    found = inspect_file(put(tmp_path, name, content))

    assert not found.accepted
    assert found.errors[0].code == code


def test_a_zip_with_two_members_or_with_a_bomb_is_refused(tmp_path: Path) -> None:
    two = inspect_file(zipped(tmp_path, "two.zip", {"a": NEM12, "b": NEM12}))
    bomb = inspect_file(zipped(tmp_path, "bomb.zip", {"a": "0" * (90 << 20)}))

    assert [e.code for e in two.errors] == ["7062 WRAPPER_MEMBERS"]
    assert [e.code for e in bomb.errors] == ["7061 WRAPPER_TOO_LARGE"]


def test_a_cim_document_shows_one_channel_for_each_reading_type(tmp_path: Path) -> None:
    found = inspect_file(put(tmp_path, "a.xml", CIM))

    assert found.errors == ()
    assert [(c.unit, c.interval_minutes, c.values, str(c.sum), c.quality) for c in found.channels] == [
        ("kWh", 30, 2, "0.75", {"none": 2})
    ]


def test_a_cut_cim_document_is_refused(tmp_path: Path) -> None:
    found = inspect_file(put(tmp_path, "a.xml", CIM[:-40]))

    assert not found.accepted
    assert found.as_json()["channels"] == []


def test_a_person_gets_the_verdict_a_table_and_what_to_do_next(tmp_path: Path) -> None:
    good = CliRunner().invoke(app, [str(put(tmp_path, "good.csv", NEM12))])
    bad = CliRunner().invoke(app, [str(put(tmp_path, "bad.csv", NEM12.replace("\n900\n", "\n")))])

    assert "accepted" in good.stdout
    assert "NMI0000001" in good.stdout
    assert "refused" in bad.stdout
    assert "next: Ask the provider" in bad.stdout
    assert (good.exit_code, bad.exit_code) == (0, 1)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "nowhere.csv"), "--json"])

    assert result.exit_code == 2


def test_inspecting_loads_neither_airflow_nor_the_database(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", NEM12)
    program = (
        "import sys; from pathlib import Path; from services.inspection import inspect_file; "
        f"inspect_file(Path({str(path)!r})); "
        "print(sorted({'airflow', 'sqlmodel', 'sqlalchemy', 'paramiko', 'lxml', 'numpy'} & set(sys.modules)))"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
