"""The envelope of IEC 61968-100 whole, through every binding and edition, written strictly and read back equal."""

import gzip
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canonical.errors import RejectedError
from iec61968 import validation
from iec61968.bindings import BINDINGS, BindingName, StringOperation, unwrap, wrap
from iec61968.compression import CompressionLimits, compress, expand
from iec61968.editions import EDITIONS
from iec61968.envelope import ReplyError, WireReply
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.wire import Operation, OperationSet, WireHeader, WireId, WireMessage, WirePayload, WireRequest

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
UUID = "11111111-2222-3333-4444-555555555555"
FULL = WireHeader(
    *("get", "GetMeterReadings", UUID, UUID, NOW, "2026-03-02T12:00:00Z", "CIS", "2.0", "n-1", NOW),
    *("TESTING", True, "https://cis.example/reply", False, "clerk", "Example City", "a comment"),
    (("MessageIndex", "1/2"), ("Empty", "")),
)
KINDS = {
    "request": WireMessage(
        "request",
        FULL,
        "RequestMessage",
        WireRequest(NOW, NOW, (("MaximumExecutionTime", "60"),), (WireId("up-1", "uuid", "UsagePoint", "t", "a"),)),
    ),
    "response": WireMessage(
        "response",
        FULL,
        "ResponseMessage",
        reply=WireReply("PARTIAL", (ReplyError("2.12", "FATAL", "unknown", "d", "up-1", "UsagePoint", 7),)),
    ),
    "event": WireMessage("event", FULL, "EventMessage", payload=WirePayload(ids=(WireId("x", "name"),))),
    "fault": WireMessage("fault", None, "FaultMessage", reply=WireReply("FAILED", (ReplyError("1.8"),))),
}


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("binding", ["generic", "string", "bare"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_through_every_binding_and_edition_and_comes_back_equal(
    kind: str, binding: BindingName, edition: str
) -> None:
    element = message_to_xml(KINDS[kind], edition=EDITIONS[edition])

    carried = unwrap(wrap(element, binding))

    assert carried.binding == binding
    assert message_from_xml(carried.message) == KINDS[kind]
    assert validation.findings(element, EDITIONS[edition]) == ()


def test_the_string_operation_is_recognized_by_any_name() -> None:
    called = StringOperation("execute", "arg0", "http://partner.example/ws")
    element = message_to_xml(KINDS["event"], edition=EDITIONS["2011"])

    carried = unwrap(wrap(element, "string", operation=called))

    assert (carried.binding, carried.operation) == ("string", called)


def test_a_typed_message_is_told_from_a_generic_one_and_from_a_string() -> None:
    event = message_to_xml(
        WireMessage("event", FULL, "CreatedMeterReadings"), edition=EDITIONS["2011"], typed="MeterReadings"
    )

    assert unwrap(wrap(event, "typed")).binding == "typed"
    assert set(BINDINGS) == {"typed", "generic", "string", "bare"}


def test_operations_in_sequence_come_in_the_order_of_their_ids() -> None:
    body = etree.fromstring('<MeterConfig xmlns="http://iec.ch/TC57/2011/MeterConfig#"/>')
    operations = (Operation(2, "MeterConfig", "create", body), Operation(1, "UsagePointConfig", "change"))
    message = WireMessage("request", FULL, payload=WirePayload(operation_set=OperationSet(operations, True, True)))

    read = message_from_xml(message_to_xml(message, edition=EDITIONS["2011"])).payload.operation_set

    assert read is not None
    assert [(one.operation_id, one.noun, one.verb) for one in read.operations] == [
        (1, "UsagePointConfig", "change"),
        (2, "MeterConfig", "create"),
    ]
    assert (read.in_sequence, read.all_or_nothing) == (True, True)


def test_a_packed_payload_is_valid_and_read_as_if_it_had_come_open() -> None:
    body = etree.fromstring('<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"><a/></MeterReadings>')
    message = WireMessage("event", FULL, payload=WirePayload((body,)))

    element = message_to_xml(message, edition=EDITIONS["2011"], packed=True)

    assert validation.findings(element, EDITIONS["2011"]) == ()
    assert b"MeterReadings#" not in etree.tostring(element)
    assert etree.tostring(message_from_xml(element).payload.parts[0]) == etree.tostring(body)


@given(st.binary(max_size=2000))
def test_compressing_and_expanding_gives_the_same_bytes(data: bytes) -> None:
    assert expand(compress(data)) == data


BAD = {
    "no base64": "a*b",
    "no gzip": b64encode(b"hello").decode(),
    "cut": b64encode(gzip.compress(b"hello")[:-3]).decode(),
    "goes on": b64encode(gzip.compress(b"hello") + b"x").decode(),
    "a bomb": b64encode(gzip.compress(b"\0" * 50_000_000)).decode(),
    "empty": "",
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_expanded_within_limits_is_refused(name: str) -> None:
    with pytest.raises(RejectedError) as caught:
        expand(BAD[name], limits=CompressionLimits(total_bytes=1_000_000))

    assert str(caught.value.code) == "1130 COMPRESSED_REFUSED"


STRICT: dict[str, dict[str, Any]] = {
    "a MessageID that is no UUID": {"message_id": "1001"},
    "an empty CorrelationID": {"correlation_id": ""},
    "no timestamp": {"timestamp": None},
    "an unknown verb": {"verb": "zap"},
}


@pytest.mark.parametrize("name", STRICT)
def test_what_the_strict_form_forbids_is_never_written(name: str) -> None:
    from dataclasses import replace

    with pytest.raises(RejectedError):
        message_to_xml(WireMessage("event", replace(FULL, **STRICT[name])), edition=EDITIONS["2011"])


def test_a_tolerant_endpoint_reads_what_the_strict_form_forbids() -> None:
    loose = etree.fromstring(
        "<EventMessage><Header><Verb>updated</Verb><Noun>MeterReadings</Noun>"
        "<Timestamp>20260302</Timestamp><MessageID>1001</MessageID></Header></EventMessage>"
    )

    message = message_from_xml(loose, strict=False)

    assert message.header is not None
    assert (message.header.verb, message.header.message_id, message.header.timestamp) == ("changed", "1001", None)
    with pytest.raises(RejectedError):
        message_from_xml(loose)
