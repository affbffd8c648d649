"""Names used twice, numbers and texts as other countries and spreadsheets write them, and files that come late."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hub_by_hand import HubByHand, hash_of, reference_file, reference_name, req, request_file, request_name, upt

from servers.openssh import private_sshd

pytestmark = pytest.mark.servers

ROOMY = 200
"""Good lines beside a bad one: one in two hundred is below the threshold of one percent."""


def mtr(serial: str, multiplier: str) -> str:
    """Return the line of a meter at up-1."""
    return f"MTR|ACME|{serial}|up-1|ELECTRICITY|2024-01-01T00:00:00-05:00||{multiplier}"


NUMBERS = {
    "decimal comma": ("1,5", "7017 DECIMAL_COMMA"),
    "thousands separator": ("1,000", "7018 THOUSANDS_SEPARATOR"),
    "both": ("1.000,5", "7017 DECIMAL_COMMA"),
    "exponent": ("1E3", "7019 EXPONENT"),
}
"""Multipliers that no layout of ours allows, and what the sender is told."""

SPLIT = f'REQ|SPLIT|CYCLE|ELECTRICITY|"up\n-1"|||||{"2026-02-01T00:00:00-05:00"}|2026-03-01T00:00:00-05:00||\n'


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubByHand]:
    with private_sshd() as server:
        hub = HubByHand(tmp_path_factory.mktemp("bad_values") / "site", server)
        hub.found()
        hub.offer(reference_name(1), reference_file(1, upt("up-1")))
        hub.offer(request_name(1), request_file(1, req("R1")))
        assert hub.amihub("billing", "run", "mass").code == 0
        for sequence, multiplier in enumerate((text for text, _ in NUMBERS.values()), 2):
            lines = [upt(f"up-{sequence}-{n}") for n in range(ROOMY)]
            hub.offer(reference_name(sequence), reference_file(sequence, *lines, mtr(f"{sequence:08}", multiplier)))
        hub.offer(request_name(1), request_file(1, req("OTHER")))
        hub.offer(request_name(2), with_a_line_break(2))
        hub.offer(request_name(3, day="20260228"), request_file(3, req("LATE"), day="2026-02-28"))
        run = hub.amihub("billing", "run", "mass")
        assert (run.code, "Traceback" in run.text) == (0, False), run.text
        yield hub


def with_a_line_break(sequence: int) -> bytes:
    """Return a request file in which a quoted value goes over a line end."""
    keys = [f"S{n}" for n in range(ROOMY)]
    data = request_file(
        sequence, *(req(key) for key in keys), trailer=f"TRL|{ROOMY + 1}|0|{hash_of([*keys, 'SPLIT'])}"
    ).splitlines(keepends=True)
    return b"".join([*data[:-1], SPLIT.encode(), data[-1]])


def answer(hub: HubByHand, name: str) -> dict[str, Any]:
    """Return the acknowledgement of a file."""
    found = hub.answer(name)
    assert found is not None, f"{name}: no answer"
    return found


def items(hub: HubByHand) -> set[str]:
    """Return the request ids that the hub took on."""
    with sqlite3.connect(hub.folder / "var" / "hub.db") as store:
        return {row[0] for row in store.execute("SELECT request_id FROM billing_item")}


@pytest.mark.parametrize("case", NUMBERS)
def test_a_number_in_another_notation_is_refused_with_its_line(hub: HubByHand, case: str) -> None:
    told = answer(hub, reference_name(2 + list(NUMBERS).index(case)))

    refused = [item for item in told["items"] if item["verdict"] == "REJECTED"]
    assert told["verdict"] == "ACCEPTED_WITH_ERRORS"
    assert [(item["line"], item["code"]) for item in refused] == [(ROOMY + 2, NUMBERS[case][1])]
    assert refused[0]["reason"]


def test_a_quoted_line_break_is_refused_and_not_joined(hub: HubByHand) -> None:
    told = answer(hub, request_name(2))

    refused = [item for item in told["items"] if item["verdict"] == "REJECTED"]
    assert told["verdict"] == "ACCEPTED_WITH_ERRORS"
    assert [(item["line"], item["code"]) for item in refused] == [
        (ROOMY + 2, "7020 QUOTED_FIELD"),
        (ROOMY + 3, "7009 UNKNOWN_RECORD"),
    ]
    assert "SPLIT" not in items(hub)


def test_a_name_used_again_for_other_content_is_refused_beside_the_first_answer(hub: HubByHand) -> None:
    stem = request_name(1).removesuffix(".dat")
    second = json.loads((hub.server.files / "inbound" / f"{stem}.2.ack").read_text())

    assert (second["verdict"], second["code"][5:]) == ("REJECTED", "NAME_REUSED")
    assert answer(hub, request_name(1))["verdict"] == "ACCEPTED"
    assert "OTHER" not in items(hub)


def test_a_file_that_comes_after_its_day_is_applied(hub: HubByHand) -> None:
    assert answer(hub, request_name(3, day="20260228"))["verdict"] == "ACCEPTED"
    assert "LATE" in items(hub)
