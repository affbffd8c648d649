"""The hub's web services over real TLS: zeep, untouched, and callers that get everything wrong."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import uvicorn
import zeep
from lxml import etree
from soap_certificates import certificate

from canonical.errors import RejectedError
from canonical.messages import Reply
from services.cim_endpoint import cim_app

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MESSAGE_ID = "11111111-2222-3333-4444-555555555555"
MESSAGE = "http://iec.ch/TC57/2011/MeterReadingsMessage"
PAYLOAD = "http://iec.ch/TC57/2011/MeterReadings#"


class Taker:
    """A spine in miniature: archives every byte string, then checks; keeps what was taken."""

    def __init__(self) -> None:
        self.archived: list[tuple[str, bytes]] = []
        self.taken: list[bytes] = []

    def __call__(self, raw: bytes, *, caller: str, check: Callable[[bytes], None]) -> Reply:
        self.archived.append((caller, raw))
        try:
            check(raw)
        except RejectedError as error:
            return Reply("FAILED", "", str(error.code), error.reason)
        self.taken.append(raw)
        return Reply("OK")


@dataclass
class Served:
    """A running endpoint."""

    base: str
    ca_file: str
    taker: Taker

    def post(
        self,
        body: bytes,
        *,
        action: str | None = None,
        credentials: tuple[str, str] = ("mdms", "right"),
        path: str = "",
    ) -> Any:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        if action is not None:
            headers["SOAPAction"] = f'"{action}"'
        return requests.post(
            path or f"{self.base}/cim/ReceiveMeterReadings",
            data=body,
            headers=headers,
            auth=credentials,
            verify=self.ca_file,
            timeout=20,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    key_file, ca_file = certificate(folder)
    taker = Taker()
    app = cim_app(receive_event=taker, clients={"mdms": "right"}, now=lambda: NOW, limit_bytes=200_000)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, ssl_certfile=ca_file, ssl_keyfile=key_file, log_level="warning", ws="none"
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        thread.join(0.02)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield Served(f"https://127.0.0.1:{port}", ca_file, taker)
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def served(server: Served) -> Served:
    server.taker.archived.clear()
    server.taker.taken.clear()
    return server


def event(
    inner: str = "",
    *,
    operation: str = "CreatedMeterReadings",
    verb: str = "created",
    noun: str = "MeterReadings",
    namespace: str = MESSAGE,
    payload: str = PAYLOAD,
) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{operation} xmlns="{namespace}" xmlns:e="http://iec.ch/TC57/2011/schema/message"><Header>'
        f"<e:Verb>{verb}</e:Verb><e:Noun>{noun}</e:Noun><e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp>"
        f"<e:MessageID>{MESSAGE_ID}</e:MessageID><e:CorrelationID>{MESSAGE_ID}</e:CorrelationID></Header>"
        f'<Payload><MeterReadings xmlns="{payload}">{inner}</MeterReadings></Payload></{operation}>'
        "</s:Body></s:Envelope>"
    ).encode()


READING = (
    "<MeterReading><Readings><timeStamp>2026-03-01T00:00:00Z</timeStamp><value>1.5</value>"
    '<ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></Readings></MeterReading>'
)


def zeep_client(served: Served, service: str) -> zeep.Client:
    session = requests.Session()
    session.trust_env = False  # an environment that names its own bundle would win over ours
    session.verify = served.ca_file
    session.auth = ("mdms", "right")
    return zeep.Client(f"{served.base}/cim/{service}?wsdl", transport=zeep.Transport(session=session))  # type: ignore[no-untyped-call]


def header(verb: str, noun: str = "MeterReadings") -> dict[str, Any]:
    return {"Verb": verb, "Noun": noun, "Timestamp": NOW, "MessageID": MESSAGE_ID, "CorrelationID": MESSAGE_ID}


def test_zeep_untouched_loads_the_served_wsdl_and_its_created_readings_are_taken(served: Served) -> None:
    client = zeep_client(served, "ReceiveMeterReadings")
    reading = {"timeStamp": NOW, "value": "7.250", "ReadingType": {"ref": "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"}}

    answer = client.service.CreatedMeterReadings(
        Header=header("created"), Payload={"MeterReadings": {"MeterReading": [{"Readings": [reading]}]}}
    )

    assert (answer.Reply.Result, answer.Header.Verb, answer.Header.CorrelationID) == ("OK", "reply", MESSAGE_ID)
    assert len(served.taker.taken) == 1
    assert b"7.250" in served.taker.taken[0]


def test_an_operation_that_nothing_takes_is_refused_as_a_typed_fault_that_zeep_reads(served: Served) -> None:
    client = zeep_client(served, "GetMeterReadings")

    with pytest.raises(zeep.exceptions.Fault) as caught:
        client.service.GetMeterReadings(
            Header=header("get"), Request={"GetMeterReadings": {"UsagePoint": [{"mRID": "up-1"}]}}
        )

    detail = caught.value.detail[0]
    typed = client.wsdl.types.get_element(detail.tag).parse(detail, client.wsdl.types)  # type: ignore[no-untyped-call]
    assert typed.Reply.Result == "FAILED"
    assert typed.Reply.Error[0].code == "5.2"
    assert "1113 NOT_SUPPORTED_HERE" in typed.Reply.Error[0].reason
    assert served.taker.taken == []


def _code(answer: Any) -> str:
    fault = etree.fromstring(answer.content).find(".//faultstring")
    assert fault is not None
    return str(fault.text).split(":")[0]


_BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>'
_EXTERNAL = b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'
MALFORMED: dict[str, tuple[bytes, str]] = {
    "not xml": (b"hello", "1101 NOT_XML"),
    "cut short": (event(READING)[:-40], "1101 NOT_XML"),
    "empty": (b"", "1101 NOT_XML"),
    "entity expansion": (_BOMB, "1102 DTD_REFUSED"),
    "external entity": (_EXTERNAL, "1102 DTD_REFUSED"),
    "oversize": (b"<a>" + b"x" * 300_000 + b"</a>", "1103 MESSAGE_TOO_LARGE"),
    "nested ten thousand deep": (b"<a>" * 10_000 + b"</a>" * 10_000, "1104 XML_LIMITS"),
    "nested beyond the limit": (b"<a>" * 100 + b"</a>" * 100, "1104 XML_LIMITS"),
    "too many attributes": (b"<a " + b" ".join(b'b%d="1"' % n for n in range(10_000)) + b"/>", "1104 XML_LIMITS"),
    "utf-16": (event().decode().encode("utf-16"), "1105 UNSUPPORTED_ENCODING"),
    "latin-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "1105 UNSUPPORTED_ENCODING"),
    "not soap": (b"<EventMessage/>", "1106 NOT_SOAP"),
    "soap 1.2": (event().replace(b"schemas.xmlsoap.org/soap/", b"www.w3.org/2003/05/"), "1106 NOT_SOAP"),
    "wrong message namespace": (event(namespace=MESSAGE.replace("2011", "2009")), "1107 WRONG_NAMESPACE"),
    "wrong payload namespace": (event(payload="http://iec.ch/TC57/2009/MeterReadings#"), "1107 WRONG_NAMESPACE"),
    "schema-invalid": (event("<MeterReading><Reading/></MeterReading>"), "1108 SCHEMA_INVALID"),
    "no uuid": (event().replace(MESSAGE_ID.encode(), b"1001"), "1108 SCHEMA_INVALID"),
    "unknown verb in the operation": (event(operation="ZappedMeterReadings"), "1109 UNKNOWN_VERB"),
    "unknown verb in the header": (event(verb="zap"), "1109 UNKNOWN_VERB"),
    "another verb in the header": (event(verb="changed"), "1109 UNKNOWN_VERB"),
    "unknown noun in the operation": (event(operation="CreatedTeapots"), "1110 UNKNOWN_NOUN"),
    "unknown noun in the header": (event(noun="Teapots"), "1110 UNKNOWN_NOUN"),
    "nothing takes it": (event(operation="DeletedMeterReadings", verb="deleted"), "1113 NOT_SUPPORTED_HERE"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_call_is_archived_refused_with_its_own_code_and_changes_nothing(served: Served, name: str) -> None:
    body, code = MALFORMED[name]

    answer = served.post(body)

    assert _code(answer) == code
    assert answer.status_code in (413, 500)
    assert [caller for caller, _ in served.taker.archived] == ["mdms"]
    assert body.startswith(served.taker.archived[0][1])
    assert served.taker.taken == []


def test_wrong_credentials_are_refused_and_archived_under_no_callers_name(served: Served) -> None:
    answer = served.post(event(READING), credentials=("mdms", "wrong"))

    assert (answer.status_code, _code(answer)) == (401, "1112 WRONG_CREDENTIALS")
    assert served.taker.archived == [("unauthenticated", event(READING))]
    assert served.taker.taken == []


def test_a_soap_action_of_another_operation_is_refused_and_none_at_all_is_taken(served: Served) -> None:
    right = "http://iec.ch/TC57/2011/MeterReadings/CreatedMeterReadings"

    assert _code(served.post(event(READING), action=right.replace("Created", "Changed"))) == "1111 WRONG_SOAP_ACTION"
    assert served.post(event(READING), action=right).status_code == 200
    assert served.post(event(READING)).status_code == 200


def test_a_comment_inside_a_number_does_not_cut_it(served: Served) -> None:
    from adapters.mdms_cim.translate import readings_from_event

    raw = event(READING.replace("1.5", "1<!-- x -->.5<![CDATA[2]]>"))

    message = readings_from_event(raw)

    assert str(message.payload[0].registers[0].value) == "1.52"
    assert message.header.message_id == MESSAGE_ID


def test_an_unknown_service_and_an_unknown_schema_are_not_found(served: Served) -> None:
    assert served.post(event(), path=f"{served.base}/cim/Nothing").status_code == 404
    get = requests.get(f"{served.base}/cim/schemas/Nothing.xsd", verify=served.ca_file, timeout=10)
    assert get.status_code == 404
