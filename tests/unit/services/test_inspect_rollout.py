"""`amihub inspect` shows what files of a meter rollout say of themselves and hold, and why they would be refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.inspection import Inspection, inspect_file

ADAPTERS = Path(__file__).resolve().parents[3] / "adapters"
SHIPMENT = ADAPTERS / "shipment_file" / "golden" / "two_lots_of_which_one_failed" / "wire.dat"
DAMAGED = ADAPTERS / "shipment_file" / "golden" / "lines_that_are_rejected_alone" / "wire.dat"
READS = ADAPTERS / "route_file" / "golden" / "reads_and_a_skipped_meter" / "wire.dat"

HELD = {
    "shipment": (
        SHIPMENT,
        {"lot FAIL": 1, "lot PASS": 1, "meter FAIL": 1, "meter PASS": 3, "meter PASS without keys": 1},
    ),
    "field-orders": (
        ADAPTERS / "contractor_file" / "golden" / "orders_of_one_day" / "wire.dat",
        {"order cancel": 1, "order change": 1, "order create": 1},
    ),
    "completions": (
        ADAPTERS / "contractor_file" / "golden" / "done_unable_and_reversed" / "wire.dat",
        {"DONE": 2, "REVERSED": 1, "UNABLE": 1},
    ),
    "route": (ADAPTERS / "route_file" / "golden" / "route_of_two_stops" / "wire.dat", {"stop": 2}),
    "manual-reads": (READS, {"read": 1, "skipped": 1}),
}


def held(found: Inspection) -> dict[str, int]:
    assert found.rollout is not None
    return found.rollout.held


@pytest.mark.parametrize("name", HELD)
def test_a_file_is_known_by_its_content_and_counted_by_what_it_holds(name: str, tmp_path: Path) -> None:
    wire, expected = HELD[name]
    (tmp_path / "any").write_bytes(wire.read_bytes())

    guessed, named = inspect_file(tmp_path / "any"), inspect_file(wire, format=name)

    assert guessed == named
    assert (guessed.format, guessed.accepted, guessed.errors) == (name, True, ())
    assert held(guessed) == expected


def test_values_of_registers_are_added_up_to_the_digit(tmp_path: Path) -> None:
    (tmp_path / "mr.dat").write_bytes(READS.read_bytes().replace(b"  84211", b"84211.7"))

    found = inspect_file(READS).rollout

    assert found is not None
    assert (found.readings, str(found.sum)) == (1, "84211")
    assert (found.business_date, found.zone) == ("2026-11-02", "America/Toronto")


def test_lines_that_are_rejected_alone_are_listed_and_do_not_refuse_the_file() -> None:
    found = inspect_file(DAMAGED)

    assert found.accepted
    assert found.rollout is not None
    assert found.rollout.rejected == len(found.errors) > 0


def test_of_a_shipment_with_a_key_in_clear_nothing_is_shown(tmp_path: Path) -> None:
    key = "00112233445566778899aabbccddeeff"
    (tmp_path / "sh.dat").write_bytes(SHIPMENT.read_bytes().replace(b"vault:lot-17/00017001", key.encode()))

    found = inspect_file(tmp_path / "sh.dat")
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path / "sh.dat")])

    assert [(fault.code.split()[1], fault.line) for fault in found.errors] == [("KEY_IN_CLEAR", 4)]
    assert not found.accepted
    assert found.rollout is None
    assert key not in shown.output


@pytest.mark.parametrize(("name", "format_name"), [("CR_a.dat", "completions"), ("RX_a.dat", "route")])
def test_a_file_that_begins_with_nothing_known_is_judged_as_its_name_says(
    tmp_path: Path, name: str, format_name: str
) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind\n")

    found = inspect_file(tmp_path / name)

    assert (found.format, found.accepted) == (format_name, False)


def test_a_file_without_its_trailer_is_refused(tmp_path: Path) -> None:
    wire = HELD["completions"][0].read_bytes()
    (tmp_path / "cr.dat").write_bytes(wire[: wire.rindex(b"TRL")])

    found = inspect_file(tmp_path / "cr.dat")

    assert not found.accepted
    assert found.errors[-1].code.startswith("7003")


def test_a_person_sees_head_counts_and_sum() -> None:
    shown = CliRunner().invoke(app, ["inspect", str(READS)])
    as_json = CliRunner().invoke(app, ["inspect", str(READS), "--json", "--format", "manual-reads"])

    assert shown.exit_code == 0
    assert "from WALK to AMIHUB, of 2026-11-02 in America/Toronto" in shown.output
    assert "1 values of registers, their sum 84211" in shown.output
    assert json.loads(as_json.output)["rollout"] | {"file_id": ""} == {
        "sender": "WALK", "receiver": "AMIHUB", "file_id": "", "business_date": "2026-11-02", "zone": "America/Toronto",
        "held": {"read": 1, "skipped": 1}, "readings": 1, "sum": "84211", "rejected": 0,
    }  # fmt: skip
