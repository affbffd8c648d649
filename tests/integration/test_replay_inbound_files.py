"""Files that came in are handled again for a person: a refused one whole, of another the items that were rejected."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_by_hand import SITE, HubByHand, reference_file, reference_name, req, request_file, request_name, upt

from servers.openssh import private_sshd

pytestmark = pytest.mark.servers

BAD = req("R2", "up-1", start="not-a-date")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubByHand]:
    with private_sshd() as server:
        found = HubByHand(tmp_path, server)
        found.found()
        yield found


def passes(hub: HubByHand) -> str:
    return hub.amihub("billing", "run", "mass").text


def entry_of(hub: HubByHand, name: str) -> dict[str, Any]:
    (file,) = json.loads(hub.amihub("files", "show", name, "--json").out)
    return dict(file)


def answers(hub: HubByHand, name: str) -> list[dict[str, Any]]:
    """Every acknowledgement of a file that lies with the CIS, in order."""
    found = (hub.server.files / "inbound").glob(f"{name.split('.')[0]}*.ack")
    return [json.loads(path.read_text()) for path in sorted(found, key=lambda path: (len(path.name), path.name))]


def work_of(hub: HubByHand, key: str) -> list[str]:
    rows = json.loads(hub.amihub("work", "list", "--json").out)
    return [row["code"] for row in rows if row["key"] == key]


def test_a_file_refused_for_too_many_errors_is_applied_when_more_are_allowed(hub: HubByHand) -> None:
    name = request_name(1)
    hub.offer(reference_name(1), reference_file(1, upt("up-1")))
    hub.offer(name, request_file(1, req("R1"), BAD))
    passes(hub)
    before, entry = work_of(hub, f"cis/{name}"), str(entry_of(hub, name)["entry"])
    refused_again = hub.amihub("parked", "replay", entry, "--as", "ann")
    hub.write_site(SITE + "max_error_percent = 60\n")

    rehearsed = hub.amihub("parked", "replay", entry, "--dry-run", "--as", "ann")
    still = entry_of(hub, name)["state"]
    done = hub.amihub("parked", "replay", entry, "--as", "ann")
    passes(hub)

    assert before == ["7086 TOO_MANY_ERRORS"]
    assert (refused_again.code, "TOO_MANY_ERRORS" in refused_again.text) == (1, True)
    assert (rehearsed.code, still) == (0, "rejected")
    assert "would be handled again: ACCEPTED_WITH_ERRORS (1 accepted, 1 rejected" in rehearsed.text
    assert "is handled again: ACCEPTED_WITH_ERRORS (1 accepted, 1 rejected" in done.text
    # The same refusal said again is the same file; what changes lies beside it.
    assert [said["verdict"] for said in answers(hub, name)] == ["REJECTED", "ACCEPTED_WITH_ERRORS"]
    assert work_of(hub, f"cis/{name}") == []
    hub.offer(name, request_file(1, req("R1"), BAD))
    passes(hub)
    assert answers(hub, name)[-1]["verdict"] == "DUPLICATE"


def test_an_item_rejected_for_want_of_its_master_is_accepted_when_the_master_came(hub: HubByHand) -> None:
    name = request_name(1)
    hub.write_site(SITE + "max_error_percent = 60\n")
    hub.offer(reference_name(1), reference_file(1, upt("up-1")))
    hub.offer(name, request_file(1, req("R1"), req("R9", "up-9")))
    passes(hub)
    entry = str(entry_of(hub, name)["entry"])
    too_early = hub.amihub("parked", "replay", entry, "--as", "ann")
    hub.offer(reference_name(2), reference_file(2, upt("up-9")))
    passes(hub)

    rehearsed = hub.amihub("parked", "replay", entry, "--line", "3", "--dry-run", "--as", "ann")
    done = hub.amihub("parked", "replay", entry, "--line", "3", "--as", "ann")
    again = hub.amihub("parked", "replay", entry, "--as", "ann")
    passes(hub)

    assert "0 of 1 items taken now" in too_early.text
    assert "would be handled again: ACCEPTED 1 of 1 items taken now" in rehearsed.text
    assert "is handled again: ACCEPTED 1 of 1 items taken now (2 accepted" in done.text
    assert (again.code, "NOT_REPLAYABLE" in again.text) == (1, True)
    last = answers(hub, name)[-1]
    assert (last["verdict"], [item["verdict"] for item in last["items"]]) == ("ACCEPTED", ["ACCEPTED", "ACCEPTED"])
    shown = json.loads(hub.amihub("messages", "show", entry, "--json").out)
    assert (shown["reply"]["result"], shown["reply"]["details"]) == ("OK", {"ACCEPTED": "2"})
    assert [act["reason"] for act in shown["acts"]] == ["0 of 1 items taken", "1 of 1 items taken"]
    (run,) = json.loads(hub.amihub("billing", "status", "mass", "--json").out)
    assert (run["scheduled"], run["accepted"], run["rejected"]) == (2, 2, 0)
