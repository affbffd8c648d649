"""What a partner behind a queue is told, and what its broker's confirms mean."""

import gzip
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from queues_by_hand import Seen, consuming, settings, until

from adapters.partner_amqp.adapter import QueuePartner, build
from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.codes.message import EXPORT_IMPOSSIBLE
from canonical.documents import Document
from canonical.errors import MisconfiguredError, RejectedError
from canonical.messages import Header, Message
from canonical.metering import MeterReadings, RegisterReading
from canonical.quality import Quality
from iec61968.nouns import meter_readings
from messaging.port import open_queues
from messaging.settings import Messaging

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


@pytest.fixture
def messaging(tmp_path: Path) -> Messaging:
    return settings(tmp_path)


def partner(messaging: Messaging, **different: object) -> QueuePartner:
    values: Mapping[str, object] = {"queue": messaging.topology.sets[1].partner, "messaging": messaging, **different}
    return build(values)


def told(**header: Any) -> Message[tuple[MeterReadings, ...]]:
    reading = RegisterReading("up-1", "meter-1", KWH, NOW, Decimal("1.50"), Quality.VALIDATED, "3.0.0", "mdms")
    fields: dict[str, Any] = {
        "message_id": "m-1",
        "source": "mdms",
        "verb": "created",
        "noun": "MeterReadings",
        "created_at": NOW,
    }
    return Message(Header(**(fields | header)), (MeterReadings("up-1", "meter-1", (reading,)),))


def test_readings_are_told_as_a_bare_event_whose_letter_says_what_it_is(messaging: Messaging, tmp_path: Path) -> None:
    port, seen = partner(messaging), Seen()
    message = told(priority="high", causation_id="c-1", effective_at=NOW, expires_at=NOW + timedelta(hours=2))

    parcel = port.encode(message, spool=tmp_path)
    again = port.encode(message, spool=tmp_path)
    outcomes = port.carry([parcel], spool=tmp_path, timeout_s=10)
    with consuming(messaging, seen, messaging.topology.sets[1].key):
        until(lambda: len(seen.done) == 1)

    letter = seen.done[0].letter
    assert parcel == again
    assert [outcome.state for outcome in outcomes] == ["confirmed"]
    assert (letter.verb, letter.noun, letter.priority, letter.causation_id) == (
        "created",
        "MeterReadings",
        "high",
        "c-1",
    )
    assert (letter.effective_at, letter.expires_at, letter.schema_version) == (NOW, NOW + timedelta(hours=2), "2011")
    assert letter.message_id == letter.correlation_id == parcel.confirm_name
    (columns,) = meter_readings.decode(BytesIO(letter.body))
    assert Decimal(columns.readings.values[0]).scaleb(columns.readings.exponent) == Decimal("1.5")


def test_where_the_partner_answers_the_brokers_confirm_is_only_sent(messaging: Messaging, tmp_path: Path) -> None:
    port, seen = partner(messaging, confirms="reply", packed=True), Seen()

    outcomes = port.carry([port.encode(told(), spool=tmp_path)], spool=tmp_path, timeout_s=10)
    with consuming(messaging, seen, messaging.topology.sets[1].key):
        until(lambda: len(seen.done) == 1)

    letter = seen.done[0].letter
    assert [outcome.state for outcome in outcomes] == ["sent"]
    assert letter.reply_to == f"amihub.in.{messaging.topology.sets[0].partner}.normal"
    assert letter.content_encoding == "gzip"
    assert b"<EventMessage" in gzip.decompress(letter.body)


def test_one_outcome_for_each_parcel_and_what_finds_no_room_is_tried_again(tmp_path: Path) -> None:
    messaging = settings(tmp_path)
    topology = replace(messaging.topology, sets=tuple(replace(one, longest=2) for one in messaging.topology.sets))
    port = partner(replace(messaging, topology=topology))
    parcels = [port.encode(told(message_id=f"m-{n}"), spool=tmp_path) for n in range(3)]

    outcomes = port.carry(parcels, spool=tmp_path, timeout_s=10)

    assert [outcome.state for outcome in outcomes] == ["confirmed", "confirmed", "unavailable"]


def test_a_document_goes_in_the_form_that_the_partner_wants(messaging: Messaging, tmp_path: Path) -> None:
    body = b'<EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#"/>'
    message = Message(
        Header("m-1", "cis", "create", "EndDeviceControls", created_at=NOW), Document("EndDeviceControls", body)
    )

    event = partner(messaging).encode(message, spool=tmp_path)
    request = partner(messaging, form="request").encode(message, spool=tmp_path)

    assert (event.name, request.name) == ("created EndDeviceControls", "create EndDeviceControls")
    assert b"<EventMessage" in (event.body or b"")
    assert b"<RequestMessage" in (request.body or b"")


def test_what_cannot_be_said_is_refused_by_code(messaging: Messaging, tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        partner(messaging).encode(Message(told().header, "words"), spool=tmp_path)

    assert caught.value.code == EXPORT_IMPOSSIBLE


@pytest.mark.parametrize(
    "wrong",
    [{"queue": ""}, {"edition": "1999"}, {"form": "poem"}, {"confirms": "hope"}, {"packed": "yes"}, {"colour": "red"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_setting_is_named(messaging: Messaging, wrong: dict[str, object]) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        partner(messaging, **wrong)

    assert caught.value.code == BAD_ADAPTER_SETTINGS
    assert next(iter(wrong)) in caught.value.reason


def test_ping_tells_of_the_partners_own_queues(messaging: Messaging) -> None:
    open_queues(messaging).declare()

    lines = list(partner(messaging).ping())

    assert len(lines) == 4
    assert all(line.startswith(messaging.topology.sets[1].exchange) for line in lines)
