"""The command line finds messages and deliveries again, and lets a person decide about the parked ones."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from typer.testing import CliRunner
from upgraded import upgraded

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Header, Message, Outcome, Parcel, Reply
from flows.delivery import relay_once
from flows.spine import receive
from services import cli_db, cli_messages, cli_parked
from store import deliveries, migrate
from store.session import Session, Transaction, open_engine, transactions

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SITE = """
[site]
name = "Example"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"

[roles]

[billing]

[store]
url = "sqlite:///hub.db"
"""


class Desk:
    """A site of its own, with a partner that takes one delivery and refuses another."""

    def __init__(self, folder: Path) -> None:
        (folder / "site.toml").write_text(SITE)
        (folder / "var").mkdir()
        self.url = f"sqlite:///{folder}/var/hub.db"
        upgraded(self.url)
        self.engine = open_engine(self.url)
        self.transaction: Transaction = transactions(self.engine)
        self.spool = folder

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        return [Outcome("sent") if p.name == "good" else Outcome("rejected", "7004 X", "short") for p in parcels]

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        body, name = str(message.payload).encode(), str(message.payload)
        return Parcel(name, "text/plain", sha256(body).hexdigest(), len(body), body, key=name, confirm_name=name)

    def receive(self, message_id: str, text: str, *, correlation_id: str = "talk", causation_id: str = "") -> Reply:
        def translate(raw: bytes) -> Message[str]:
            header = Header(
                message_id, "mdms", "created", "MeterReadings", correlation_id, causation_id=causation_id, lane="up-1"
            )
            return Message(header, raw.decode())

        def handle(session: Session, message: Message[str]) -> Reply:
            if message.payload == "wrong":
                raise RejectedError("no such meter", code=codes.NOT_IN_STORE, where="line 3")
            for name in message.payload.split():
                header = Header(f"out-{name}", "hub", "created", "Bill", correlation_id, causation_id=message_id)
                parcel = self.encode(Message(header, name), spool=self.spool)
                deliveries.enqueue(session, header=header, parcel=parcel, destination="cis", now=NOW)
            return Reply("OK")

        return receive(
            text.encode(), source="mdms", translate=translate, handle=handle, transaction=self.transaction, now=NOW
        )

    def relay(self) -> None:
        relay_once({"cis": self}, transaction=self.transaction, spool=self.spool, now=NOW, machine_now=NOW)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))
    desk = Desk(tmp_path)
    yield desk
    desk.engine.dispose()


def run(app: Any, *words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_search_narrows_by_what_is_known_of_a_message(desk: Desk) -> None:
    desk.receive("m1", "good")
    desk.receive("m2", "wrong")

    assert "2 messages" in run(cli_messages.app, "search", "--source", "mdms", "--key", "up-1")
    (found,) = json.loads(run(cli_messages.app, "search", "--state", "parked", "--json"))
    assert (found["message_id"], found["code"], found["place"]) == ("m2", "1008 NOT_IN_STORE", "line 3")
    assert "0 messages" in run(cli_messages.app, "search", "--since", "2026-03-03T00:00:00")
    assert "1 messages" in run(cli_messages.app, "search", "--key", "m1", "--correlation", "talk")


def test_show_prints_header_reply_and_attempts(desk: Desk) -> None:
    desk.receive("m1", "good")
    desk.receive("m1", "good")

    shown = json.loads(run(cli_messages.app, "show", "1", "--json"))
    text = run(cli_messages.app, "show", "1")

    assert (shown["facts"]["noun"], shown["reply"]["result"]) == ("MeterReadings", "OK")
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["done", "repeat"]
    assert all(word in text for word in ("message id       m1", "reply", "attempts", "repeat"))


def test_trace_draws_what_caused_what_through_messages_and_deliveries(desk: Desk) -> None:
    desk.receive("m1", "good bad")
    desk.relay()
    desk.receive("ack-1", "fine", correlation_id="other", causation_id="out-good")

    (root,) = json.loads(run(cli_messages.app, "trace", "ack-1", "--json"))
    lines = run(cli_messages.app, "trace", "talk").splitlines()

    assert root["facts"]["message_id"] == "m1"
    good, bad = root["caused"]
    assert (good["facts"]["state"], bad["facts"]["state"]) == ("sent", "parked")
    assert [node["facts"]["message_id"] for node in good["caused"]] == ["ack-1"]
    assert [line.lstrip("│├└─ ").split()[0] for line in lines] == [
        "message",
        "delivery",
        "message",
        "delivery",
        "delivery",
    ]


def test_a_delivery_that_names_no_cause_hangs_below_its_conversation(desk: Desk) -> None:
    desk.receive("m1", "good")
    header = Header("note", "hub", "created", "Note", correlation_id="talk")
    with desk.transaction() as session:
        parcel = desk.encode(Message(header, "note"), spool=desk.spool)
        deliveries.enqueue(session, header=header, parcel=parcel, destination="cis", now=NOW)

    (root,) = json.loads(run(cli_messages.app, "trace", "m1", "--json"))

    assert [node["facts"]["message_id"] for node in root["caused"]] == ["out-good", "note"]


def test_causes_named_in_a_circle_are_all_printed(desk: Desk) -> None:
    desk.receive("m1", "x", causation_id="m2")
    desk.receive("m2", "y", causation_id="m1")

    assert len(run(cli_messages.app, "trace", "m1").splitlines()) == 4


def test_a_parked_delivery_is_looked_at_dry_run_replayed_once_and_its_act_kept(desk: Desk) -> None:
    desk.receive("m1", "bad")
    desk.relay()
    (parked,) = json.loads(run(cli_parked.app, "list", "--json"))

    dry = run(cli_parked.app, "replay", parked["id"], "--dry-run")
    run(cli_parked.app, "replay", parked["id"], "--as", "ann")
    again = run(cli_parked.app, "replay", parked["id"], "--as", "bob")

    assert "last outcome rejected 7004 X short (attempt 1)" in dry
    assert dry.rstrip().endswith("bad")
    assert "one new attempt" in again
    shown = json.loads(run(cli_parked.app, "show", parked["id"], "--json"))
    assert [(act["act"], act["by"]) for act in shown["acts"]] == [("replayed", "ann")]


def test_a_waived_message_and_delivery_are_settled_with_who_and_why(desk: Desk) -> None:
    desk.receive("m1", "bad")
    desk.receive("m2", "wrong")
    desk.relay()
    message, delivery = json.loads(run(cli_parked.app, "list", "--json"))

    for one in (message, delivery):
        run(cli_parked.app, "waive", one["id"], "--as", "ann", "--reason", "test data")

    assert "Nothing is parked." in run(cli_parked.app, "list")
    shown = json.loads(run(cli_parked.app, "show", message["id"], "--json"))
    assert (shown["facts"]["state"], shown["acts"][0]["reason"]) == ("waived", "test data")


def test_a_message_that_nobody_at_this_site_takes_is_not_handled_again(desk: Desk) -> None:
    assert desk.receive("m2", "wrong").result == "FAILED"
    (parked,) = json.loads(run(cli_parked.app, "list", "--json"))

    refused = CliRunner().invoke(cli_parked.app, ["replay", parked["id"], "--as", "ann"])

    assert isinstance(refused.exception, RejectedError)
    assert refused.exception.code is codes.NOT_REPLAYABLE
    assert json.loads(run(cli_messages.app, "show", parked["id"], "--json"))["facts"]["state"] == "parked"


def test_the_database_says_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.toml").write_text(SITE)
    monkeypatch.setenv("AMIHUB_SITE", str(tmp_path / "site.toml"))

    before = CliRunner().invoke(cli_db.app, ["status"])
    run(cli_db.app, "upgrade")

    assert (before.exit_code, "none" in before.output) == (1, True)
    assert migrate.head() in run(cli_db.app, "status")


def test_the_relay_runs_until_it_is_told_to_stop(desk: Desk) -> None:
    from services.hub import open_hub
    from services.relay import run_relay

    stop = Event()
    with open_hub() as hub:
        thread = Thread(target=run_relay, args=(hub, stop), kwargs={"idle_s": 60})
        thread.start()
        stop.set()
        thread.join(timeout=10)

    assert not thread.is_alive()


def test_the_relay_says_which_role_is_missing_and_what_nobody_confirmed(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    from services.hub import open_hub
    from services.relay import drain, sweep

    header = Header("part-1", "hub", "created", "Bill")
    parcel = desk.encode(Message(header, "good"), spool=desk.spool)
    with desk.transaction() as session:
        deliveries.enqueue(session, header=header, parcel=parcel, destination="cis", now=NOW, confirm_by=NOW)

    with open_hub() as hub:
        waiting = drain(hub)
        desk.relay()
        overdue = sweep(hub)

    assert (waiting.carried, overdue) == (0, 1)
    assert "this site has no role cis" in caplog.text
    assert "unconfirmed" in run(cli_parked.app, "list")
