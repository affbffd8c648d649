"""`amihub cim` and `amihub inspect --format cim` for every noun."""

import json
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner

from iec61968.bindings import BindingName, wrap
from iec61968.editions import EDITIONS, SOAP_11
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.spoken_nouns import NOUNS
from services.cli import app

pytestmark = pytest.mark.slow

RUN = CliRunner()


def sample(folder: Path, *arguments: str) -> Path:
    found = RUN.invoke(app, ["cim", "sample", *arguments])
    assert found.exit_code == 0, found.output
    file = folder / "sample.xml"
    file.write_text(found.stdout)
    return file


def inspected(file: Path) -> dict[str, object]:
    found = RUN.invoke(app, ["inspect", str(file), "--format", "cim", "--json"])
    said: dict[str, object] = json.loads(found.stdout)
    assert (found.exit_code == 0) is said["accepted"]
    return said


@pytest.mark.parametrize("edition", ["2011", *(pytest.param(one, marks=pytest.mark.slow) for one in ("www", "2017"))])
@pytest.mark.parametrize("name", NOUNS)
def test_a_sample_is_valid_and_inspected_for_what_it_is(name: str, edition: str, tmp_path: Path) -> None:
    file = sample(tmp_path, name, "--message", "request", "--full", "--edition", edition)

    assert RUN.invoke(app, ["cim", "validate", str(file)]).exit_code == 0
    said = inspected(file)
    message = said["message"]
    assert isinstance(message, dict)
    verb = "get" if NOUNS[name].is_query else "create"
    assert (message["kind"], message["verb"], message["noun"]) == ("request", verb, NOUNS[name].answer)
    assert message["message_id"] != message["correlation_id"]
    assert said["accepted"]
    assert isinstance(said["objects"], int)
    assert said["objects"] >= 1
    assert said["extensions"] == []


@pytest.mark.parametrize(("kind", "verb"), [("response", "reply"), ("event", "created"), ("payload", None)])
def test_each_kind_of_message_is_told_from_the_others(kind: str, verb: str | None, tmp_path: Path) -> None:
    said = inspected(sample(tmp_path, "EndDeviceEvents", "--message", kind))

    assert isinstance(said["message"], dict)
    assert (said["message"]["kind"], said["message"]["verb"], said["objects"]) == (kind, verb, 1)


def test_vendor_extensions_are_listed_and_taken_but_a_misspelled_element_is_refused(tmp_path: Path) -> None:
    text = sample(tmp_path, "EndDeviceControls", "--message", "event").read_text()
    file = tmp_path / "vendor.xml"

    vendor = "<scheduleStrategy>Run now</scheduleStrategy><EndDeviceControlType"
    file.write_text(text.replace("<EndDeviceControlType", vendor, 1))
    assert inspected(file)["extensions"] == ["EndDeviceControls/EndDeviceControl/scheduleStrategy"]
    assert RUN.invoke(app, ["cim", "validate", str(file)]).exit_code == 1

    file.write_text(
        text.replace("<EndDeviceControlType", "<issuerTrakingID>1</issuerTrakingID><EndDeviceControlType", 1)
    )
    assert not inspected(file)["accepted"]


def test_a_loose_header_and_a_soap_envelope_are_no_reason_to_refuse(tmp_path: Path) -> None:
    file = tmp_path / "loose.xml"
    file.write_text(
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        '<m:EventMessage xmlns:m="http://iec.ch/TC57/2011/schema/message"><m:Header><m:Verb>created</m:Verb>'
        "<m:Noun>MeterReadings</m:Noun><m:CorrelationID>1001</m:CorrelationID></m:Header><m:Payload>"
        '<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"><MeterReading><Meter><mRID>a</mRID>'
        "<serialNumber>7</serialNumber></Meter></MeterReading></MeterReadings></m:Payload></m:EventMessage>"
        "</s:Body></s:Envelope>"
    )

    said = inspected(file)

    expected = {
        "kind": "event",
        "verb": "created",
        "noun": "MeterReadings",
        "message_id": None,
        "correlation_id": "1001",
    }
    assert (said["message"], said["objects"]) == (expected, 1)
    assert said["extensions"] == ["MeterReadings/MeterReading/Meter/serialNumber"]


def test_a_mistake_is_said_with_line_path_and_what_was_expected(tmp_path: Path) -> None:
    file = sample(tmp_path, "MeterConfig")
    file.write_text(file.read_text().replace("mRID>", "mrid>"))

    found = RUN.invoke(app, ["cim", "validate", str(file)])

    assert found.exit_code == 1
    assert "line 4, /MeterConfig/Meter/mrid: Element 'mrid'" in found.stdout
    assert "expected, /MeterConfig/Meter" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["wsdl", "MeterReadngs"], "MeterReadings meant"),
        (["wsdl", "GetMeterConfig", "--kind", "send"], "is a query"),
        (["sample", "MeterConfig", "--message", "event", "--verb", "create"], "no event"),
    ],
)
def test_what_does_not_exist_is_said_and_ends_with_two(arguments: list[str], said: str) -> None:
    found = RUN.invoke(app, ["cim", *arguments])

    assert found.exit_code == 2
    assert said in found.output


@pytest.mark.parametrize("kind", ["execute", "get", "send", "receive", "reply"])
def test_a_wsdl_of_each_kind_is_printed_with_its_schemas_beside_it(kind: str, tmp_path: Path) -> None:
    zeep = pytest.importorskip("zeep")
    found = RUN.invoke(app, ["cim", "wsdl", "UsagePointConfig", "--kind", kind, "--schemas", str(tmp_path)])
    (tmp_path / "service.wsdl").write_text(found.stdout)

    client = zeep.Client(str(tmp_path / "service.wsdl"))

    (operations,) = (port.binding.all().keys() for s in client.wsdl.services.values() for port in s.ports.values())
    assert f"{'Get' if kind == 'get' else 'Create' if kind == 'execute' else 'Created'}UsagePointConfig" in operations


@pytest.mark.slow
@pytest.mark.parametrize("carrier", ["typed", "generic", "string", "bare", "soap 1.2"])
@pytest.mark.parametrize("edition", ["2011", "www", "2017"])
def test_a_message_is_validated_in_whatever_carries_it(carrier: str, edition: str, tmp_path: Path) -> None:
    raw = etree.fromstring(sample(tmp_path, "EndDeviceEvents", "--message", "event", "--edition", edition).read_bytes())
    message = message_from_xml(raw)
    if carrier == "typed":
        carried = wrap(raw, "typed")
    elif carrier == "soap 1.2":
        carried = wrap(raw, "typed").replace(SOAP_11.encode(), b"http://www.w3.org/2003/05/soap-envelope")
    else:
        binding: BindingName = carrier  # type: ignore[assignment]
        carried = wrap(message_to_xml(message, edition=EDITIONS[edition]), binding)
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(carried)
    bad.write_bytes(carried.replace(b"createdDateTime", b"createdDatetime"))

    ends = [RUN.invoke(app, ["cim", "validate", str(file)]) for file in (good, bad)]

    assert [end.exit_code for end in ends] == [0, 1], ends[0].output
    assert "Element 'createdDatetime': This element is not expected" in ends[1].output
    assert "/EndDeviceEvents/EndDeviceEvent/createdDatetime" in ends[1].output
