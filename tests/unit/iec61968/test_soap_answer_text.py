"""What a question is answered with: valid by its schema in every binding and edition, or not said at all."""

from array import array
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree

from canonical.errors import RejectedError
from canonical.messages import Reply
from iec61968 import validation
from iec61968.bindings import BINDINGS, BindingName, unwrap
from iec61968.editions import EDITIONS
from iec61968.envelope import header_from_xml
from iec61968.message_codec import message_from_xml
from iec61968.nouns.columns import Identity, MeterReadingColumns, QualityMark, Readings
from iec61968.nouns.meter_readings import decode, encode
from iec61968.services_spoken import SERVICES
from iec61968.soap_answers import answer
from iec61968.soap_call import Call
from iec61968.wire import WireHeader
from iec61968.xml_text import header_instant, text

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
ID = "8f726530-e48c-598d-aba6-abbcbf416547"
ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
MARKS = (QualityMark("1.0.0"),)
HELD = MeterReadingColumns(
    Identity("m-1"), readings=Readings(array("q", [0, 1]), array("q", [5, 7]), -3, (MARKS, MARKS), (ENERGY, ENERGY))
)


def call(edition: str = "2011", binding: BindingName = "typed") -> Call:
    asked = Call(SERVICES["GetMeterReadings"], EDITIONS[edition], "cis", "", binding=binding)
    asked.wire = WireHeader("get", "MeterReadings", ID, ID, NOW, source="cis")
    return asked


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("edition", EDITIONS)
def test_an_answer_with_readings_is_valid_and_holds_them_unchanged(edition: str, binding: BindingName) -> None:
    asked = call(edition, binding)
    payload = b"".join(encode([HELD], edition=asked.edition))

    told = answer(Reply("OK", ID), asked, source="HUB", now=NOW, payload=payload, properties=[("AsOf", "a < b & c")])

    message = unwrap(told.body).message
    validation.require_valid(message, asked.edition)
    found = message_from_xml(message)
    assert told.status == 200
    assert found.header is not None
    assert found.header.properties == (("AsOf", "a < b & c"),)
    part = etree.tostring(found.payload.parts[0], with_tail=False)
    assert tuple(decode(BytesIO(part), edition=asked.edition)) == (HELD,)


def test_an_answer_that_would_break_its_schema_is_a_fault_of_ours_and_is_not_sent() -> None:
    payload = b'<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"><Bogus/></MeterReadings>'

    told = answer(Reply("OK", ID), call(), source="HUB", now=NOW, payload=payload)

    assert told.status == 503
    assert b"faultcode>soap:Server" in told.body
    assert b"<Bogus" not in told.body


def test_readings_that_end_differently_and_no_readings_at_all_are_written_as_they_are() -> None:
    marks = ((), MARKS, (*MARKS, QualityMark("3.8.0", "checked")))
    mixed = Readings(array("q", [0, 1, 2]), array("q", [5, 7, 9]), -3, marks, (ENERGY, ENERGY, ENERGY))
    held = (MeterReadingColumns(Identity("m"), readings=mixed), MeterReadingColumns(Identity("n")))

    assert tuple(decode(BytesIO(b"".join(encode(held))))) == held


@given(st.text(st.characters(max_codepoint=0x10FFFF), max_size=20))
def test_a_text_is_written_so_that_it_reads_back_equal_or_is_refused(value: str) -> None:
    try:
        written = text(value)
    except RejectedError:
        with pytest.raises(ValueError, match=r"XML compatible|surrogates"):
            etree.Element("a").text = value
        return

    assert (etree.fromstring(f"<a>{written}</a>").text or "") == value


def test_a_header_in_a_message_is_read_back_from_its_text() -> None:
    told = answer(Reply("OK", ID), call(), source="HUB & Co", now=NOW)

    header = header_from_xml(unwrap(told.body).message[0])

    assert (header.source, header.correlation_id, header.created_at, header.verb) == ("HUB & Co", ID, NOW, "reply")


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])))
def test_an_instant_is_said_in_whole_seconds_of_utc_and_never_rounded_up(at: datetime) -> None:
    assume(at.year > 1)

    said = datetime.fromisoformat(header_instant(at))

    assert (said, said.tzinfo) == (at.replace(microsecond=0), UTC)
