"""Headers that say too little: what a tolerant endpoint fills in, so that the message can be worked with."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from canonical.errors import RejectedError
from iec61968.bindings import unwrap
from iec61968.editions import EDITIONS
from iec61968.inbound import normalized
from iec61968.message_codec import message_from_xml
from iec61968.wire import WireHeader

CAME = datetime(2026, 3, 2, 12, tzinfo=UTC)
ENVELOPE = EDITIONS["2011"].message


def bare(stamp: str = "", ids: str = "", verb: str = "created", payload: str = "MeterReadings") -> bytes:
    return (
        f'<EventMessage xmlns="{ENVELOPE}"><Header><Verb>{verb}</Verb><Noun>MeterReadings</Noun>{stamp}{ids}</Header>'
        f'<Payload><MeterReadings xmlns="{EDITIONS["2011"].profile(payload)}"/></Payload></EventMessage>'
    ).encode()


def header(raw: bytes) -> WireHeader:
    found = normalized(unwrap(raw), expected=EDITIONS["2011"], policy="report", received_at=CAME)
    read = message_from_xml(unwrap(found.raw).message).header
    assert read is not None
    return read


@pytest.mark.parametrize("stamp", ["", "<Timestamp>1999-01-01T00:00:00</Timestamp>", "<Timestamp>soon</Timestamp>"])
def test_a_message_that_does_not_say_when_it_was_written_was_written_when_it_came(stamp: str) -> None:
    assert header(bare(stamp)).timestamp == CAME


def test_a_time_with_an_offset_stays_as_it_is() -> None:
    stamp = header(bare("<Timestamp>2026-03-01T08:00:00+08:00</Timestamp>")).timestamp

    assert stamp == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_message_without_an_id_has_one_of_its_content() -> None:
    one, same, other = (header(bare(verb=verb)).message_id for verb in ("created", "created", "changed"))

    assert one == same != other


def test_a_foreign_id_stays_the_same_id_and_a_missing_correlation_is_the_messages_own() -> None:
    one, other = (header(bare(ids=f"<MessageID>{number}</MessageID>")) for number in (7, 8))

    assert one.message_id != other.message_id
    assert one.correlation_id == one.message_id


def test_a_strict_endpoint_reads_no_payload_by_its_name_alone() -> None:
    raw = bare("<Timestamp>2026-03-01T00:00:00Z</Timestamp>", "<MessageID/><CorrelationID/>", payload="Teapots")

    with pytest.raises(RejectedError):
        normalized(unwrap(raw), expected=EDITIONS["2011"], policy="strict")
    found = normalized(unwrap(raw), expected=EDITIONS["2011"], policy="report", received_at=CAME)
    assert etree.QName(message_from_xml(unwrap(found.raw).message).payload.parts[0]).namespace == EDITIONS[
        "2011"
    ].profile("MeterReadings")
