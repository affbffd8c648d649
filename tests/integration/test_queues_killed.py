"""Publishers, consumers and the broker are killed mid-stream: nothing is lost, and nothing has an effect twice."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hub_by_hand import AMIHUB
from letters_by_hand import letter, rows, write_site
from queues_by_hand import Seen, consuming, letters, opened, settings, until
from serve_by_hand import uuid

from messaging.letters import Letter
from messaging.port import Queues, open_queues
from messaging.settings import Messaging
from servers.rabbitmq import RabbitServer, private_rabbitmq
from services.site_file import load_site
from services.site_queues import messaging_of

WORKER = Path(__file__).with_name("letter_worker.py")
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["embedded", pytest.param("rabbit", marks=pytest.mark.servers)])
def url(request: pytest.FixtureRequest) -> str:
    """Where the queues are."""
    if request.param == "embedded":
        return ""
    server: RabbitServer = request.getfixturevalue("rabbitmq_server")
    return server.url


def worker(verb: str, messaging: Messaging) -> "subprocess.Popen[str]":
    """Start a process that will be killed."""
    key = messaging.topology.sets[0].key
    return subprocess.Popen(
        [sys.executable, str(WORKER), verb, key, str(messaging.file.parent), *filter(None, [messaging.url])],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_what_a_killed_publisher_was_told_is_confirmed_is_there(tmp_path: Path, url: str) -> None:
    messaging, seen = settings(tmp_path, url), Seen()

    with opened(messaging):
        process = worker("publish", messaging)
        assert process.stdout is not None
        confirmed = [process.stdout.readline().strip() for _ in range(105)]
        process.kill()
        confirmed += process.communicate()[0].split()
        with consuming(messaging, seen):
            until(lambda: set(confirmed) <= set(seen.ids))

    assert len(confirmed) >= 105


@pytest.mark.slow
def test_a_letter_that_ends_its_process_each_time_is_parked_and_takes_no_other_with_it(
    tmp_path: Path, url: str
) -> None:
    messaging, told = settings(tmp_path, url), ""

    with opened(messaging) as queues:
        queues.publish(messaging.topology.sets[0].key, letters(30), timeout_s=20)
        crashes = 0
        while "DELIVERED_TOO_OFTEN" not in told:
            process = worker("crash", messaging)
            try:
                told += process.communicate(timeout=4)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                told += process.communicate()[0]
            else:
                crashes += 1
            assert crashes < 9
        (parked,) = queues.parked(messaging.topology.sets[0].key, limit=9)

    lines = told.splitlines()
    assert crashes == messaging.topology.delivery_limit
    assert parked.letter.message_id == "id-3"
    assert {line for line in lines if " " not in line} == {f"id-{n}" for n in range(30) if n != 3}
    assert [line for line in lines if " " in line] == ["id-3 DELIVERED_TOO_OFTEN"]


@contextmanager
def hub_consumer(site: Path, url: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Run `amihub serve --only consumer`, killed at the end of the block if it still runs."""
    with (site.parent / "consumer.log").open("ab") as log:
        process = subprocess.Popen(
            [str(AMIHUB), "serve", "--only", "consumer"],
            env={**os.environ, "AMIHUB_SITE": str(site), "TEST_BROKER": url},
            cwd=site.parent,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.mark.servers
def test_broker_and_hub_are_killed_mid_stream_and_every_message_is_handled_once(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path / "site", broker="env:TEST_BROKER")
    (site.parent / "var").mkdir()
    shutil.copyfile(sqlite_template, site.parent / "var" / "hub.db")
    with private_rabbitmq() as server:
        monkeypatch.setenv("TEST_BROKER", server.url)
        queues = open_queues(messaging_of(load_site(site)))
        queues.declare()
        with hub_consumer(site, server.url):
            _publish_surely(queues, [letter(number) for number in range(40)])
            until(lambda: _handled(site) >= 12, seconds=60)
        _let_leases_end(site)
        with hub_consumer(site, server.url) as second:
            _publish_surely(queues, [letter(number) for number in range(40, 80)])
            until(lambda: _handled(site) >= 52, seconds=60)
            server.kill()
            lost = queues.publish("in.mdms", [letter(80)], timeout_s=5)
            server.start()
            _publish_surely(queues, [letter(number) for number in range(80, 120)])
            until(lambda: _handled(site) >= 120, seconds=60)
            until(lambda: all(not one.letters for one in queues.depths()), seconds=60)
            second.terminate()
            assert second.wait(timeout=30) == 0
        queues.close()

    assert [outcome.state for outcome in lost] == ["unavailable"]
    told = rows(site, "SELECT message_id FROM message WHERE state = 'done'")
    assert sorted(told) == [(uuid(number),) for number in range(120)]
    # Each handling of these readings, whose meter nobody knows, counts at a work item: once for each message.
    assert rows(site, "SELECT sum(seen) FROM work_item") == [("120",)]


def _publish_surely(queues: Queues, wanted: list[Letter]) -> None:
    """Publish as the relay does: what is not confirmed goes again."""
    for _ in range(200):
        outcomes = queues.publish("in.mdms", wanted, timeout_s=5)
        wanted = [one for one, outcome in zip(wanted, outcomes, strict=True) if outcome.state != "confirmed"]
        if not wanted:
            return
        time.sleep(0.2)
    raise AssertionError("the broker did not come back")


def _let_leases_end(site: Path) -> None:
    """Make as much time pass as the claims of a dead process last."""
    rows(site, "UPDATE message_claim SET leased_until = '2020-01-01 00:00:00.000000' WHERE state = 'working'")


def _handled(site: Path) -> int:
    return int(rows(site, "SELECT count(*) FROM message WHERE state = 'done'")[0][0])
