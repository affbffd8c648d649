"""A message that came in is handled again for a person: same bytes, same id, a new attempt, and a rehearsal first."""

import sqlite3
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path

import pytest
from serve_by_hand import event, reading, uuid
from typer.testing import CliRunner
from upgraded import upgraded

from canonical.messages import Reply
from iec61968.bulk_call import Spooled, shell_of
from iec61968.editions import EDITIONS
from iec61968.services_spoken import Service
from iec61968.soap_call import Call, check_call
from iec61968.soap_endpoint import STRANGER
from services import cli_parked
from services.cim_site import bulk_of, operations_of, receiver_of
from services.hub import Hub, open_hub
from services.relay import sweep
from services.site_file import load_site
from services.site_queues import callers_of

SITE = """
[site]
name = "Example"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"

[roles]

[serve]
certificate = "hub.pem"
private_key = "hub.key"
policy = "POLICY"
[serve.clients.mdms]
password = "right"

[messaging]
broker = "embedded"
[messaging.inbound.wams]
"""
WRONG = event(1, f"<Surprise/>{reading()}")
"""Its schema knows no Surprise."""


class Desk:
    """A site, a caller of its web services, and a person at the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.set_policy("strict")
        with open_hub(load_site(folder / "site.toml")) as hub:
            upgraded(hub.site.store_url)
            self.file = hub.site.store_url.removeprefix("sqlite:///")

    def set_policy(self, policy: str) -> None:
        (self.folder / "site.toml").write_text(SITE.replace("POLICY", policy))

    def call(self, raw: bytes, *, caller: str = "mdms") -> Reply:
        with self.open() as hub:
            section = hub.site.model.serve
            assert section is not None
            service, edition = Service("Receive", "MeterReadings"), EDITIONS["2011"]
            call = Call(service, edition, caller, "", supported=operations_of(hub.site), policy=section.policy)
            return receiver_of(hub, section)(raw, caller=caller, check=lambda data: check_call(data, call))

    def call_at_length(self, raw: bytes) -> Reply:
        """The same, as a body that was too large to be held."""
        with self.open() as hub:
            section = hub.site.model.serve
            assert section is not None
            bulk, edition = bulk_of(hub, section), EDITIONS["2011"]
            bulk.folder.mkdir(parents=True, exist_ok=True)
            path = bulk.folder / "body"
            path.write_bytes(raw)
            shell, service = shell_of(raw) or b"", Service("Receive", "MeterReadings")
            call = Call(service, edition, "mdms", "", supported=operations_of(hub.site), policy=section.policy)
            body = Spooled(path, sha256(raw).hexdigest(), len(raw))
            return bulk.receive(body, call=call, check=lambda: check_call(shell, call), edition=edition)

    def open(self) -> AbstractContextManager[Hub]:
        return open_hub(load_site(self.folder / "site.toml"))

    def amihub(self, *arguments: str, code: int = 0) -> str:
        ended = CliRunner().invoke(cli_parked.app, [*arguments], catch_exceptions=True)
        assert ended.exit_code == code, (ended.output, ended.exception)
        return ended.output + str(ended.exception or "")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.file) as connection:
            return connection.execute(query).fetchall()

    def dump(self) -> list[str]:
        with sqlite3.connect(self.file) as connection:
            return list(connection.iterdump())

    def work(self) -> list[tuple[object, ...]]:
        return self.rows("select state, seen from work_item where key = 'mdms'")

    def sweep(self) -> None:
        with self.open() as hub:
            sweep(hub)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    return Desk(tmp_path)


def test_a_refused_message_is_taken_when_what_was_wrong_here_is_mended(desk: Desk) -> None:
    refused = desk.call(WRONG)
    desk.set_policy("off")

    said = desk.amihub("replay", "1", "--as", "ann", code=1)

    assert refused.result == "FAILED"
    assert "READINGS_UNRESOLVED" in said, "it is read now; its usage point is not known, which is another matter"
    assert desk.call(WRONG).code.endswith("READINGS_UNRESOLVED"), "its sender is told the new outcome"
    assert [row[0] for row in desk.rows("select outcome from message_attempt order by number")] == [
        "parked", "done", "repeat",
    ]  # fmt: skip
    assert desk.rows("select message_id, state from message") == [(uuid(1), "done")]
    assert desk.work() == [("RESOLVED", 1)]
    assert desk.rows('select act, "by" from act') == [("replayed", "ann")]


def test_what_is_refused_again_is_parked_again_and_its_work_counts_it(desk: Desk) -> None:
    desk.call(WRONG)

    said = desk.amihub("replay", "1", "--as", "ann", code=1)

    assert "FAILED" in said
    assert "SCHEMA_INVALID" in said
    assert desk.rows("select state from message") == [("parked",)]
    assert desk.work() == [("OPEN", 2)]


def test_a_dry_run_tells_the_outcome_and_leaves_no_trace(desk: Desk) -> None:
    desk.call(WRONG)
    desk.set_policy("off")
    before = desk.dump()

    said = desk.amihub("replay", "1", "--dry-run", "--as", "ann", code=1)

    assert "would be handled again: FAILED" in said
    assert desk.dump() == before


def test_what_was_taken_in_vain_is_handled_again_too_and_what_was_taken_is_not(desk: Desk) -> None:
    assert desk.call(event(2, reading())).result == "FAILED"  # nobody knows its usage point
    desk.amihub("replay", "1", "--as", "ann", code=1)
    desk.amihub("waive", "1", "--as", "ann", "--reason", "no", code=1)

    assert desk.rows("select attempts, state from message") == [(2, "done")]


def test_a_message_too_large_to_be_held_is_handled_again_from_the_spool(desk: Desk) -> None:
    refused = desk.call_at_length(WRONG)
    desk.set_policy("off")

    rehearsed = desk.amihub("replay", "1", "--dry-run", "--as", "ann", code=1)
    still = desk.rows("select state from message")
    desk.amihub("replay", "1", "--as", "ann", code=1)
    desk.amihub("replay", "1", "--as", "ann", code=1)

    assert (refused.result, still) == ("FAILED", [("parked",)])
    assert "READINGS_UNRESOLVED" in rehearsed
    assert desk.rows("select state, attempts from message") == [("done", 3)]
    assert desk.call_at_length(WRONG).code.endswith("READINGS_UNRESOLVED")
    assert [path.name for path in (desk.folder / "var" / "spool").rglob("*") if path.name.startswith(".")] == []


def test_a_message_from_a_queue_is_handled_again_too(desk: Desk) -> None:
    with desk.open() as hub:
        receive = receiver_of(hub, callers_of(hub.site))
        receive(b"<nonsense", caller="wams", check=lambda raw: raw)

    said = desk.amihub("replay", "1", "--as", "ann", code=1)

    assert "NOT_XML" in said
    assert desk.rows("select state, attempts from message") == [("parked", 2)]
    assert desk.rows("select state, seen from work_item where key = 'wams'") == [("OPEN", 2)]


def test_nothing_of_a_stranger_is_handled_again(desk: Desk) -> None:
    desk.call(WRONG, caller=STRANGER)

    assert "NOT_REPLAYABLE" in desk.amihub("replay", "1", "--as", "ann", code=1)
    assert desk.rows("select state from message") == [("parked",)]


def test_the_work_of_a_waived_message_is_over(desk: Desk) -> None:
    desk.call(WRONG)
    desk.call(event(3, "<Surprise/>"))
    desk.amihub("waive", "1", "--as", "ann", "--reason", "test data")
    desk.sweep()
    first = desk.work()

    desk.amihub("waive", "2", "--as", "ann", "--reason", "test data")
    desk.sweep()

    assert (first, desk.work()) == ([("OPEN", 2)], [("RESOLVED", 2)])
