"""Messages as other systems really send them: read, counted, and told where they break the standard."""

import gzip
from pathlib import Path

import pytest
from inspected_messages import ENVELOPE, FAMILY, IDS, READING, READINGS, device_events, event, inspected

EVENT = '<createdDateTime>2026-03-01T00:00:00Z</createdDateTime><EndDeviceEventType ref="3.26.0.85"/>'


def test_a_power_event_of_a_head_end_in_korea_has_its_code_in_the_mrid_and_times_without_offset(tmp_path: Path) -> None:
    inner = device_events(
        "<mRID>3.26.9.185</mRID><createdDateTime>20260301</createdDateTime>".replace("20260301", "2026-03-01T09:00:00")
        + "<Assets><mRID>m-1</mRID></Assets><EndDeviceEventType/>"
    )
    loose = event(inner, noun="EndDeviceEvents", rest="<CorrelationID/>").replace("+08:00", "")

    said = inspected(tmp_path, loose)

    assert (said["accepted"], said["objects"], said["errors"]) == (True, 1, [])
    assert said["message"] == {
        "kind": "event",
        "verb": "created",
        "noun": "EndDeviceEvents",
        "message_id": None,
        "correlation_id": None,
    }
    assert [sentence for sentence in said["tolerated"] if "without an offset" in sentence] == [
        "Header/Timestamp: an instant without an offset",
        "EndDeviceEvents/EndDeviceEvent/createdDateTime: an instant without an offset is read as UTC",
    ]
    assert any("CorrelationID" in sentence for sentence in said["tolerated"])


def test_a_bare_event_of_a_head_end_in_taiwan_is_read_from_its_gzip_file(tmp_path: Path) -> None:
    inner = READINGS.replace("<ReadingQualities>", "<ReadingQualities><comment>17</comment>", 1).replace(
        'ref="1.0.0"', 'ref="5.4.260"'
    )
    head = "<Revision>2.0</Revision><Context>PRODUCTION</Context>"
    one = "11111111-2222-3333-4444-000000000001"
    same = f"<MessageID>{one}</MessageID><CorrelationID>{one}</CorrelationID>" + "".join(
        f"<Property><Name>{name}</Name><Value>{value}</Value></Property>"
        for name, value in (("ReadingTypeGroup", "LP"), ("QOSLevel", "LEVEL-2"), ("MessageIndex", "1/1"))
    )

    said = inspected(tmp_path, gzip.compress(event(inner, head=head, rest=same).encode()), "lp.xml.gz")

    assert (said["accepted"], said["objects"], said["tolerated"]) == (True, 1, [])
    assert said["message"]["message_id"] == said["message"]["correlation_id"] == one
    assert [(c["values"], c["sum"], c["quality"]) for c in said["channels"]] == [(1, "1.25", {"5.4.260": 1})]


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="utf-16"?>'])
def test_a_command_of_an_mdms_in_iran_travels_as_a_text(declared: str, tmp_path: Path) -> None:
    request = (
        f'{declared}<RequestMessage xmlns="{ENVELOPE}"><Header><Verb>create</Verb><Noun>EndDeviceControls</Noun>'
        "<CorrelationID>1001</CorrelationID></Header><Payload>"
        f'<EndDeviceControls xmlns="{FAMILY}/EndDeviceControls#"><EndDeviceControl>'
        '<EndDeviceControlType ref="3.0.129.160"/><EndDevices><mRID>m-1</mRID></EndDevices></EndDeviceControl>'
        "</EndDeviceControls></Payload></RequestMessage>"
    )
    escaped = request.replace("&", "&amp;").replace("<", "&lt;")
    soap = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header/><soapenv:Body>'
        f'<ns1:doCommand xmlns:ns1="http://mdm.example/"><xml>{escaped}</xml></ns1:doCommand>'
        "</soapenv:Body></soapenv:Envelope>"
    )

    said = inspected(tmp_path, soap)

    assert (said["accepted"], said["objects"]) == (True, 1)
    assert said["message"]["correlation_id"] == "1001"
    assert (said["message"]["kind"], said["message"]["verb"]) == ("request", "create")
    assert any("CorrelationID" in sentence or "Timestamp" in sentence for sentence in said["tolerated"])


def test_an_event_with_a_reply_and_no_payload_is_what_a_platform_tells_of_its_command(tmp_path: Path) -> None:
    typed = (
        f'<CreatedMeterConfig xmlns="{FAMILY}/MeterConfigMessage" xmlns:m="{ENVELOPE}"><Header><m:Verb>created</m:Verb>'
        "<m:Noun>MeterConfig</m:Noun><m:CorrelationID>c-1</m:CorrelationID></Header><Reply><m:Result>FAILED</m:Result>"
        "<m:Error><m:code>IDC2001</m:code><m:level>FATAL</m:level><m:details>no such meter</m:details><m:object>"
        "<m:Name><m:name>m-1</m:name></m:Name></m:object></m:Error></Reply></CreatedMeterConfig>"
    )

    said = inspected(tmp_path, typed)

    assert (said["accepted"], said["objects"], said["message"]["kind"]) == (True, 0, "event")
    assert "Reply: an event has none" in said["tolerated"]


def test_a_cancelled_event_with_two_l_is_read_and_its_verb_said_as_it_stands(tmp_path: Path) -> None:
    said = inspected(tmp_path, event(device_events(EVENT), noun="EndDeviceEvents", verb="cancelled"))

    assert (said["accepted"], said["message"]["verb"], said["message"]["kind"]) == (True, "cancelled", "event")
    assert "Header/Verb: 'cancelled' is not a verb of the standard" in said["tolerated"]


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.iec.ch/TC57/2011/EndDeviceEvents#",
        "http://iec.ch/TC57/2009/EndDeviceEvents#",
        "http://iec.ch/TC57/2017/EndDeviceEvents#",
        "http://iec.ch/TC57/CIM-c4e#",
        "http://iec.ch/TC57/2011/schema/message",
        "",
    ],
)
def test_a_payload_in_a_namespace_of_the_family_is_read_as_its_noun(namespace: str, tmp_path: Path) -> None:
    said = inspected(tmp_path, event(device_events(EVENT, namespace=namespace), noun="EndDeviceEvents"))
    bare = inspected(tmp_path, device_events(EVENT, namespace=namespace))

    assert (said["accepted"], said["objects"]) == (True, 1), said
    assert any(namespace in sentence and "is read as" in sentence for sentence in said["tolerated"])
    assert (bare["accepted"], bare["objects"], bare["message"]["noun"]) == (True, 1, "EndDeviceEvents")


@pytest.mark.parametrize("host", ["http://www.iec.ch/TC57/2011", "http://iec.ch/TC57/2017"])
def test_typed_messages_of_other_editions_are_read(host: str, tmp_path: Path) -> None:
    envelope = "http://www.iec.ch/TC57/2011/schema/message" if "www" in host else ENVELOPE
    typed = (
        f'<a:CreatedMeterReadings xmlns:a="{host}/MeterReadingsMessage" xmlns:b="{envelope}"><a:Header>'
        "<b:Verb>created</b:Verb><b:Noun>MeterReadings</b:Noun><b:Timestamp>2026-03-01T00:00:00Z</b:Timestamp>"
        + IDS.replace("<", "<b:").replace("<b:/", "</b:")
        + f"</a:Header><a:Payload>{READINGS}</a:Payload></a:CreatedMeterReadings>"
    )

    said = inspected(tmp_path, typed)

    assert (said["accepted"], said["objects"], said["tolerated"]) == (True, 1, [])


def test_a_payload_whose_parts_are_in_no_namespace_is_read(tmp_path: Path) -> None:
    inner = f'<x:MeterReadings xmlns:x="{FAMILY}/MeterReadings#" xmlns="">{READING}</x:MeterReadings>'

    said = inspected(tmp_path, event(inner))

    assert (said["accepted"], said["objects"], said["channels"][0]["sum"]) == (True, 1, "1.25")
    assert any("another namespace" in sentence for sentence in said["tolerated"])


@pytest.mark.parametrize(
    "stamp", ["2026-03-01T00:15:00", "2026-03-01 00:15:00", "2026-03-01T00:15:00+0800", "2026-03-01T00:15Z"]
)
def test_readings_with_loose_times_are_counted_all_the_same(stamp: str, tmp_path: Path) -> None:
    said = inspected(tmp_path, event(READINGS.replace("2026-03-01T00:15:00Z", stamp)))

    assert (said["accepted"], said["objects"], said["channels"][0]["values"]) == (True, 1, 1), said["errors"]
    assert said["tolerated"]


def test_vendor_extensions_of_a_large_platform_are_listed(tmp_path: Path) -> None:
    config = (
        f'<MeterConfig xmlns="{FAMILY}/MeterConfig#"><Ping>Yes</Ping><Meter><serialNumber>7</serialNumber>'
        "<Names><name>m-1</name></Names><ConnectionAttributes><Attribute><name>host</name><value>h</value></Attribute>"
        "</ConnectionAttributes></Meter></MeterConfig>"
    )
    typed = (
        f'<CreateMeterConfig xmlns="{FAMILY}/MeterConfigMessage" xmlns:m="{ENVELOPE}"><Header><m:Verb>create</m:Verb>'
        f"<m:Noun>MeterConfig</m:Noun></Header><Payload>{config}</Payload></CreateMeterConfig>"
    )

    said = inspected(tmp_path, typed)

    assert (said["accepted"], said["objects"]) == (True, 1)
    assert said["extensions"] == ["MeterConfig/Ping", "MeterConfig/Meter/ConnectionAttributes"]


def test_a_message_about_a_noun_that_is_not_spoken_still_says_what_it_is(tmp_path: Path) -> None:
    said = inspected(tmp_path, event(f'<Teapots xmlns="{FAMILY}/Teapots#"/>', noun="Teapots"))

    assert not said["accepted"]
    assert (said["message"]["noun"], said["errors"][0]["code"]) == ("Teapots", "1110 UNKNOWN_NOUN")


@pytest.mark.parametrize(
    "version", ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"]
)
def test_a_fault_in_either_version_of_soap_is_a_fault(version: str, tmp_path: Path) -> None:
    fault = (
        f'<s:Envelope xmlns:s="{version}"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring>'
        f'<detail><MeterReadingsFaultMessage xmlns="{FAMILY}/MeterReadingsMessage" xmlns:e="{ENVELOPE}"><Reply>'
        "<e:Result>FAILED</e:Result></Reply></MeterReadingsFaultMessage></detail></s:Fault></s:Body></s:Envelope>"
    )

    said = inspected(tmp_path, fault)

    assert (said["accepted"], said["message"]["kind"]) == (True, "fault")
