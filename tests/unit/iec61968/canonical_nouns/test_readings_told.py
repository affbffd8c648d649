"""Readings told to a partner: read back the same, with qualities that CIM understands wherever they came from."""

from array import array
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from canonical.messages import Header, Message
from canonical.metering import MISSING, IntervalBlock, MeterReadings, RegisterReading
from canonical.quality import Quality
from canonical.reading_types import interval_code, register_code
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.incoming import meter_readings_from_wire
from iec61968.canonical_nouns.outgoing import Speech, outgoing
from iec61968.canonical_nouns.quality_marks import marks_of
from iec61968.dialects.quality import quality_of
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.validation import require_valid

AT = datetime(2026, 3, 1, tzinfo=UTC)
METER = meter_mrid("Acme", "1")
UP = "4f1b7f0e-3c1d-5a55-9d3c-1c2b3a4d5e6f"
SPEECH = Speech(EDITIONS["2011"], "AMIHUB", MasterDataReading())


def told(payload: object, verb: str = "created") -> etree._Element:
    """Return the typed message that says a payload, after its schema was asked."""
    wire = outgoing(Message(Header("m", "AMIHUB", verb, "", "c", created_at=AT), payload), SPEECH)
    noun = wire.header.noun if wire.header else ""
    root = message_to_xml(wire, edition=SPEECH.edition, typed=noun)
    require_valid(root, SPEECH.edition)
    return etree.fromstring(etree.tostring(root))


def snapshot(value: str, quality: Quality = Quality.VALIDATED, own: str = "") -> RegisterReading:
    return RegisterReading(UP, METER, register_code("ELECTRICITY"), AT, Decimal(value), quality, own, "mdms")


VALUES = st.lists(st.one_of(st.integers(0, 10**6), st.just(MISSING)), min_size=1, max_size=20).filter(
    lambda values: values[0] != MISSING and values[-1] != MISSING
)


@given(VALUES, st.lists(st.decimals(0, 10**6, places=3), max_size=5))
def test_readings_that_are_told_are_read_back_the_same(values: list[int], snapshots: list[Decimal]) -> None:
    runs = tuple((1, Quality.MISSING if value == MISSING else Quality.VALIDATED, "") for value in values)
    block = IntervalBlock(UP, METER, interval_code(30), AT, 30, -3, array("q", values), runs, "mdms")
    registers = tuple(snapshot(str(value)) for value in snapshots)
    said = (MeterReadings(UP, METER, registers, (block,)),)

    found = meter_readings_from_wire(message_from_xml(told(said)), source="mdms").payload

    (one,) = found
    assert one.registers == registers
    assert one.blocks[0].values == block.values
    assert (one.usage_point, one.meter, one.blocks[0].start) == (UP, METER, AT)


@pytest.mark.parametrize("quality", [one for one in Quality if one not in (Quality.RAW, Quality.MISSING)])
@pytest.mark.parametrize("own", ["", "S14", "1.4.130", "3.8.0"])
def test_a_quality_is_told_by_a_code_that_means_the_same_and_keeps_what_its_source_called_it(
    quality: Quality, own: str
) -> None:
    marks = marks_of(quality, own)

    same = {Quality.FINAL_SUBSTITUTE: Quality.ESTIMATED, Quality.SUBSTITUTED: Quality.ESTIMATED}
    same[Quality.PRELIMINARY] = Quality.ESTIMATED
    assert quality_of(marks)[0] == same.get(quality, quality)
    assert own != "S14" or [mark.comment for mark in marks] == ["S14"]


@pytest.mark.parametrize(("verb", "name"), [("created", "Created"), ("reply", "Created"), ("changed", "Changed")])
def test_readings_are_told_as_an_event_whatever_they_were_asked_by(verb: str, name: str) -> None:
    root = told((MeterReadings(UP, METER, (snapshot("1"),)),), verb)

    assert etree.QName(root).localname == f"{name}MeterReadings"


def test_a_document_is_said_in_the_namespace_of_its_new_place_and_otherwise_unchanged() -> None:
    body = b'<x:EndDeviceEvents xmlns:x="http://www.iec.ch/TC57/2010/EndDeviceEvents#"/>'

    root = told(Document("EndDeviceEvents", body))

    (payload,) = [child for child in root if etree.QName(child).localname == "Payload"]
    assert etree.QName(payload[0]).namespace == "http://iec.ch/TC57/2011/EndDeviceEvents#"


def test_a_document_of_another_noun_than_it_says_is_refused() -> None:
    with pytest.raises(RejectedError, match="EXPORT_IMPOSSIBLE"):
        told(Document("EndDeviceControls", b"<EndDeviceEvents/>"))


def test_a_reading_without_a_name_for_its_type_refuses_the_message() -> None:
    odd = replace(snapshot("1"), reading_type="T1")

    with pytest.raises(RejectedError):
        told((MeterReadings(UP, METER, (odd,)),))
