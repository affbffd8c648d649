"""Envelope, services and schemas in every edition."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canonical.errors import RejectedError
from canonical.messages import Header
from canonical.periods import Period
from iec61968 import validation, wsdl
from iec61968.dialects.quality import quality_of, quality_of_ref
from iec61968.dialects.reply_codes import is_fine, is_retryable, reply_code
from iec61968.editions import EDITIONS, Edition
from iec61968.envelope import (
    ReplyError,
    WireReply,
    header_from_xml,
    header_to_xml,
    reply_from_xml,
    reply_to_xml,
    verb_of,
)
from iec61968.nouns import get_meter_readings
from iec61968.nouns.columns import QualityMark
from iec61968.nouns.get_meter_readings import GetMeterReadings
from iec61968.samples import sample_message
from iec61968.security import caller_of
from iec61968.services_spoken import SERVICES
from iec61968.spoken_nouns import NOUNS

WORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
)
UUIDS = st.uuids().map(str)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda instant: instant.replace(microsecond=0)
)


def response(edition: Edition, header: Header, reply: WireReply) -> etree._Element:
    namespace = edition.typed_message("MeterReadings")
    root = etree.Element(f"{{{namespace}}}MeterReadingsResponseMessage")
    root.append(header_to_xml(header, edition=edition, namespace=namespace))
    root.append(reply_to_xml(reply, edition=edition, namespace=namespace))
    return root


@pytest.mark.parametrize("name", EDITIONS)
@given(
    header=st.builds(
        Header,
        UUIDS,
        WORDS,
        st.just("reply"),
        st.just("MeterReadings"),
        UUIDS,
        created_at=INSTANTS,
        reply_address=WORDS,
    ),
    reply=st.builds(
        WireReply,
        st.sampled_from(["OK", "PARTIAL", "FAILED"]),
        st.lists(
            st.builds(ReplyError, WORDS.filter(bool), st.sampled_from(["INFORM", "FATAL"]), WORDS, WORDS, WORDS),
            max_size=3,
        ).map(tuple),
    ),
)
def test_header_and_reply_are_valid_and_read_back_equal_in_every_edition(
    name: str, header: Header, reply: WireReply
) -> None:
    root = response(EDITIONS[name], header, reply)

    validation.require_valid(root, EDITIONS[name])
    assert header_from_xml(root[0]) == header
    assert reply_from_xml(root[1]) == reply


def test_a_header_without_uuids_is_never_written_and_read_only_by_a_tolerant_policy() -> None:
    header = Header("1001", "x", "created", "MeterReadings", "1001", created_at=datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(RejectedError):
        header_to_xml(header, edition=EDITIONS["2011"], namespace="urn:x")
    element = etree.fromstring("<Header><Verb>updated</Verb><MessageID>1001</MessageID><Timestamp>2026-03-01T00:00:00</Timestamp></Header>")  # fmt: skip # noqa: E501

    with pytest.raises(RejectedError):
        header_from_xml(element)
    read = header_from_xml(element, strict=False)
    assert (read.message_id, read.verb, read.created_at) == ("1001", "changed", None)


def test_an_offset_in_a_timestamp_is_the_same_instant_in_utc() -> None:
    instant = datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    identity = str(UUID(int=1))
    header = Header(identity, "x", "created", "MeterReadings", identity, created_at=instant)

    read = header_from_xml(header_to_xml(header, edition=EDITIONS["2011"], namespace="urn:x"))

    assert read.created_at == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("verb", ["zap", "", "CREATED", "subscribe"])
def test_a_verb_that_does_not_exist_has_its_own_code(verb: str) -> None:
    with pytest.raises(RejectedError) as caught:
        verb_of(verb)

    assert caught.value.code.number == "1109"


@pytest.mark.parametrize("name", EDITIONS)
def test_every_wsdl_names_every_operation_its_action_and_its_schema(name: str) -> None:
    edition = EDITIONS[name]
    for service in SERVICES.values():
        text = wsdl.wsdl(service, edition, address="https://hub.example/cim/x", schema_folder="schemas/")
        root = etree.fromstring(text.encode())

        actions = [e.get("soapAction") for e in root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}operation")]
        assert actions == [edition.soap_action(service.message_noun, operation) for operation in service.operations]
        assert root.get("targetNamespace") == edition.wsdl(service.name)
        assert f"schemas/{service.message_noun}Message.xsd" in text


def test_a_wrong_element_is_explained_with_its_line_its_path_and_what_was_expected() -> None:
    raw = b'<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">\n<MeterReading/>\n<MeterReading><Readings><vale/></Readings></MeterReading></MeterReadings>'
    root = etree.fromstring(raw)

    (found,) = validation.findings(root, EDITIONS["2011"])

    assert (found.line, found.xpath) == (3, "/MeterReadings/MeterReading[2]/Readings/vale")
    assert "Element 'vale'" in found.sentence
    assert "{" not in found.sentence
    assert "ReadingType" in validation.explain(root, EDITIONS["2011"])[0]


QUESTIONS = st.builds(
    GetMeterReadings,
    st.lists(WORDS.filter(bool), max_size=4).map(tuple),
    st.none() | st.tuples(INSTANTS, INSTANTS).map(lambda ends: Period(min(ends), max(ends))),
    st.sampled_from(["", "billing", "moveOut"]),
    st.sampled_from(["", "METER"]),
    st.lists(WORDS.filter(bool), max_size=2).map(tuple),
)


@given(QUESTIONS)
def test_a_question_is_valid_and_reads_back_equal(question: GetMeterReadings) -> None:
    element = get_meter_readings.to_xml(question)

    validation.require_valid(element, EDITIONS["2011"])
    assert get_meter_readings.from_xml(element) == question


@pytest.mark.parametrize(
    ("ref", "word"),
    [
        ("1.0.0", "VALIDATED"),
        ("3.8.12", "ESTIMATED"),
        ("3.7.0", "EDITED"),
        ("2.5.259", "MISSING"),
        ("2.5.256", "QUESTIONABLE"),
        ("3.10.0", "QUESTIONABLE"),
        ("5.4.130", "CUSTOMER"),
        ("what", "QUESTIONABLE"),
        ("1.99.0", "QUESTIONABLE"),
    ],
)
def test_a_quality_code_has_its_word_and_an_unknown_one_is_questionable(ref: str, word: str) -> None:
    assert quality_of_ref(ref) == word


def test_of_several_qualities_the_worst_counts_and_all_codes_are_kept() -> None:
    marks = (QualityMark("1.0.0"), QualityMark("3.8.0"), QualityMark("3.7.0"))

    assert quality_of(marks) == ("ESTIMATED", "1.0.0 3.8.0 3.7.0")
    assert quality_of(()) == ("VALIDATED", "")


def test_reply_codes_follow_their_tables() -> None:
    assert (reply_code("1109"), reply_code("6011"), reply_code("2001")) == ("2.9", "5.3", "2.4")
    assert [is_retryable(code) for code in ("4.1", "5.1", "7.1", "2.12", "5.7")] == [True, True, True, False, False]
    assert is_fine("0.3")
    assert not is_fine("1.8")


@pytest.mark.parametrize(
    ("sent", "caller"),
    [
        ("Basic bWRtczpyaWdodA==", "mdms"),
        ("basic bWRtczpyaWdodA==", "mdms"),
        ("Basic bWRtczp3cm9uZw==", None),
        ("Basic bm9ib2R5OnJpZ2h0", None),
        ("Basic !!!", None),
        ("Bearer x", None),
        ("", None),
    ],
)
def test_only_the_right_user_with_the_right_password_is_a_caller(sent: str, caller: str | None) -> None:
    assert caller_of(sent, {"mdms": "right"}) == caller


def test_a_place_is_said_from_the_message_on_whatever_carries_it() -> None:
    root = sample_message(NOUNS["MeterConfig"], kind="request", edition=EDITIONS["2011"])
    next(root.iter("{*}mRID")).tag = "{http://iec.ch/TC57/2011/MeterConfig#}zap"
    carrier = etree.Element("carrier")
    etree.SubElement(carrier, "before")
    carrier.append(root)

    (found,) = validation.findings(root, EDITIONS["2011"])

    assert found.xpath == "/CreateMeterConfig/Payload/MeterConfig/Meter/zap"
