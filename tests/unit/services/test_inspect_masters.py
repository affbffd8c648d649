"""`amihub inspect` shows what a masters or topology file says of itself and holds, and why it would be refused."""

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.inspection import inspect_file

ADAPTERS = Path(__file__).resolve().parents[3] / "adapters"
MASTERS = ADAPTERS / "masters_flatfile" / "golden"
TOPOLOGY = ADAPTERS / "gis_flatfile" / "golden" / "full_with_a_usage_point_that_moved_to_another_feeder"


def test_a_full_file_shows_its_head_and_its_versions_by_kind(tmp_path: Path) -> None:
    wire = (MASTERS / "full_of_a_cis_and_meters_of_two_kinds" / "wire.dat").read_bytes()
    (tmp_path / "any.dat.gz").write_bytes(gzip.compress(wire))

    found = inspect_file(tmp_path / "any.dat.gz")

    assert (found.format, found.accepted, found.errors) == ("masters", True, ())
    assert found.as_json()["holdings"] == {
        "sender": "CISMASS", "receiver": "AMIHUB", "mode": "FULL", "sequence": "1",
        "watermark": "2026-11-03T01:00:00-05:00", "withdrawn": 0, "rejected": 0,
        "held": {
            "customer": 2, "account": 3, "location": 1, "usage_point": 2, "meter": 3, "installation": 2, "agreement": 2,
            "topology": 1, "bill_cycle_day": 1,
        },
    }  # fmt: skip


def test_lines_that_are_rejected_alone_are_listed_and_do_not_refuse_the_file() -> None:
    found = inspect_file(MASTERS / "lines_that_are_rejected_alone" / "wire.dat")

    assert found.accepted
    assert [(fault.code[:4], fault.line) for fault in found.errors] == [
        ("2008", 2), ("7011", 3), ("7011", 4), ("7011", 6),
    ]  # fmt: skip
    assert found.holdings is not None
    assert (found.holdings.held, found.holdings.rejected) == ({"account": 1}, 4)


def test_a_topology_file_is_known_by_its_content() -> None:
    found = inspect_file(TOPOLOGY / "wire.dat")

    assert (found.format, found.accepted) == ("topology", True)
    assert found.holdings is not None
    assert found.holdings.held == {"topology": 3}


@pytest.mark.parametrize(("old", "new", "code"), [(b"TRL|", b"END|", "7003"), (b"|TX-4711|", b"|TX-4712", "7010")])
def test_what_is_wrong_is_said(tmp_path: Path, old: bytes, new: bytes, code: str) -> None:
    (tmp_path / "TP_broken.dat").write_bytes((TOPOLOGY / "wire.dat").read_bytes().replace(old, new))

    found = inspect_file(tmp_path / "TP_broken.dat")

    assert found.format == "topology"
    assert found.errors[-1].code.startswith(code)
    assert found.accepted == (code == "7010")


def test_a_person_sees_head_and_counts() -> None:
    shown = CliRunner().invoke(app, ["inspect", str(TOPOLOGY / "wire.dat")])
    as_json = CliRunner().invoke(app, ["inspect", str(TOPOLOGY / "wire.dat"), "--json", "--format", "topology"])

    assert shown.exit_code == 0
    assert "FULL number 1 from GIS to AMIHUB" in shown.output
    assert "3 topology" in shown.output
    assert json.loads(as_json.output)["holdings"]["held"] == {"topology": 3}
