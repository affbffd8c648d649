"""Messages that break the standard where they may: taken, logged once without a value, counted, shown."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_cim import YEAR, hub_of, message, post, result
from typer.testing import CliRunner

from services.cli import app
from services.hub import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with hub_of(tmp_path) as hub:
        yield hub


def wrong(number: int, events: int = 2) -> bytes:
    """Return events whose severity stands at a place that the schema does not know, with a value nobody may read."""
    inner = "".join(
        "<EndDeviceEvent><createdDateTime>2026-03-02T11:58:00Z</createdDateTime>"
        f"<Assets><mRID>m-{number}-{n}</mRID></Assets>"
        '<EndDeviceEventType ref="3.26.0.85"/><severity>secret-of-a-customer</severity></EndDeviceEvent>'
        for n in range(events)
    )
    payload = f'<EndDeviceEvents xmlns="{YEAR}/EndDeviceEvents#">{inner}</EndDeviceEvents>'
    return message("CreatedEndDeviceEvents", payload, number=number)


def send(hub: Hub, body: bytes, user: str = "loose") -> bytes:
    return post(hub, body, "/cim/ReceiveEndDeviceEvents", user).content


def test_findings_are_logged_once_for_each_message_without_values_and_counted(
    hub: Hub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.INFO):
        answers = [result(send(hub, wrong(number))) for number in (1, 2, 2)]
    monkeypatch.setenv("AMIHUB_SITE", str(hub.site.path))
    counted = CliRunner().invoke(app, ["messages", "findings", "--source", "loose"]).output
    shown = CliRunner().invoke(app, ["messages", "show", "1"]).output

    assert answers == ["OK"] * 3
    told = [record.getMessage() for record in caplog.records if "breaks the standard" in record.getMessage()]
    assert len(told) == 2
    assert "secret" not in " ".join(told) + counted + shown
    assert "2 messages" in counted
    assert "breaks the standard" in shown
    assert "/EndDeviceEvents/EndDeviceEvent/severity" in shown


def test_where_the_schema_is_enforced_nothing_is_counted_because_nothing_is_taken(hub: Hub) -> None:
    from flows.message_findings import counts

    assert result(send(hub, wrong(1), "hes")) == "FAULT"
    assert counts(transaction=hub.transaction) == []
