"""`[messaging]` of the site file and `amihub messaging`: what is said, what is refused, what is shown."""

import json
from pathlib import Path

import pytest
from letters_by_hand import letter, write_site
from typer.testing import CliRunner

from canonical.errors import MisconfiguredError
from messaging.letters import Arrival
from messaging.port import open_queues
from services.cli import app
from services.hub import Hub
from services.serve import serve
from services.site_file import load_site
from services.site_queues import callers_of, messaging_of


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_site(tmp_path)
    monkeypatch.setenv("AMIHUB_SITE", str(path))
    return path


def amihub(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["messaging", *arguments])
    assert found.exit_code == 0, found.output
    return found.output


def park(site: Path) -> None:
    """Have a consumer park one of three letters."""
    import threading

    from canonical.codes.message import NOT_XML
    from canonical.errors import RejectedError

    queues, stop = open_queues(messaging_of(load_site(site))), threading.Event()

    def work(arrival: Arrival) -> None:
        if arrival.letter.message_id.endswith("2"):
            stop.set()
            raise RejectedError("<secret/>", code=NOT_XML)

    queues.publish("in.mdms", [letter(number) for number in range(3)], timeout_s=10)
    queues.consume(["in.mdms"], work, refuse=lambda _arrival, _error: None, stop=stop)
    queues.close()


def test_status_shows_every_queue_and_drain_gives_back_what_was_parked(site: Path) -> None:
    amihub("declare")
    park(site)

    before = {one["queue"]: one for one in json.loads(amihub("status", "--json"))}
    shown = amihub("drain", "in.mdms", "--dry-run")
    as_json = json.loads(amihub("drain", "in.mdms", "--dry-run", "--json"))
    moved = amihub("drain", "in.mdms")
    after = {one["queue"]: one for one in json.loads(amihub("status", "--json"))}

    assert len(before) == 12
    assert before["amihub.in.mdms.park"]["letters"] == 1
    assert before["amihub.in.mdms.park"]["oldest_s"] >= 0
    assert "NOT_XML" in shown
    assert "1 would be moved back" in shown
    assert [one["message_id"] for one in as_json] == [letter(2).message_id]
    assert "1 moved back" in moved
    assert (after["amihub.in.mdms.park"]["letters"], after["amihub.in.mdms.normal"]["letters"]) == (0, 1)
    assert "amihub.in.mdms.normal" in amihub("status")


def test_a_queue_partners_role_gets_the_sites_queues(site: Path) -> None:
    hub = Hub(load_site(site))

    lines = list(hub.port("mdms_queue").ping())

    assert len(lines) == 4


def test_partners_of_queues_are_callers_whose_queue_is_their_proof(site: Path) -> None:
    section = callers_of(load_site(site))

    assert set(section.clients) == {"mdms", "other"}
    assert {one.password for one in section.clients.values()} == {""}


def test_a_site_without_queues_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "site.toml"
    path.write_text('[site]\nname="x"\nzone="UTC"\nenv="TEST"\nsender="X"\n[roles]\n')
    monkeypatch.setenv("AMIHUB_SITE", str(path))

    with pytest.raises(MisconfiguredError, match="1232 MESSAGING_ABSENT"):
        messaging_of(load_site(path))
    assert CliRunner().invoke(app, ["messaging", "status"]).exit_code == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[messaging]\nprefech = 3\n", "did you mean 'prefetch'"),
        ('[messaging.inbound."MDMS 1"]\n', "is no name of a queue"),
        ("[messaging]\nworkers = 0\n", "messaging.workers"),
        ('[messaging.inbound.mdms]\nevent_dialect = "klingon"\n', "event_dialect"),
        ('[messaging.inbound.mdms]\nreply_to = ["nowhere"]\n', "reply_to names 'nowhere'"),
    ],
    ids=["key", "name", "number", "dialect", "answers"],
)
def test_what_cannot_be_is_named_with_its_line(tmp_path: Path, wrong: str, said: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text('[site]\nname="x"\nzone="UTC"\nenv="TEST"\nsender="X"\n[roles]\n' + wrong)

    with pytest.raises(MisconfiguredError) as caught:
        load_site(path)

    assert said in caught.value.reason
    assert "site.toml:" in caught.value.reason


def test_the_brokers_address_comes_from_the_environment_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_BROKER", "amqps://hub:very-secret@broker.example/hub")

    found = messaging_of(load_site(write_site(tmp_path, broker="env:TEST_BROKER")))

    assert found.url.endswith("broker.example/hub")
    assert "very-secret" not in repr(found)


def test_a_consumer_alone_without_queues_ends_with_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "site.toml"
    path.write_text('[site]\nname="x"\nzone="UTC"\nenv="TEST"\nsender="X"\n[roles]\n')
    monkeypatch.setenv("AMIHUB_SITE", str(path))
    monkeypatch.setattr("threading.excepthook", lambda _args: None)

    assert serve(["consumer"]) == 1
