"""Every malformed call, sent to a real `amihub serve` over TLS: refused by its own code, archived, without effect."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
from hub_by_hand import HubByHand, reference_file, reference_name, upt
from serve_by_hand import (
    ENVELOPE,
    KWH,
    MESSAGE,
    PATH,
    PAYLOAD,
    Answer,
    ServedByHand,
    basic,
    event,
    reading,
    serving,
    uuid,
)
from soap_certificates import certificate

from servers.openssh import private_sshd

pytestmark = pytest.mark.servers  # the last test looks for what all others sent: a file stays with one worker

KEPT = 65_536  # bytes that are kept of what is too large or comes from a stranger
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: hub\r\nAuthorization: {basic('mdms', 'right')}\r\n"
LIMIT = 32 * 1024 * 1024
METER = "MTR|ACME|00000001|up-1|ELECTRICITY|2024-01-01T00:00:00-05:00||1"
REGISTER = f"REG|ACME|00000001|1|{KWH}|kWh|DELIVERED|6|0|||N"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedByHand]:
    folder = tmp_path_factory.mktemp("bad_soap")
    with private_sshd() as server:
        hub = HubByHand(folder / "site", server)
        hub.found()
        hub.offer(reference_name(1), reference_file(1, upt("up-1"), METER, REGISTER))
        run = hub.amihub("billing", "run", "mass")
        told = hub.answer(reference_name(1))
        assert told is not None, run.text
        assert told["verdict"] == "ACCEPTED", told
        with serving(hub, certificate(folder)) as running:
            yield running


def code_of(answer: Answer) -> str:
    """Return number and name of the code that the sender reads."""
    root = ElementTree.fromstring(answer.body)  # noqa: S314 - our own server's answer
    text = root.findtext(".//faultstring") or root.findtext(f".//{{{ENVELOPE}}}reason") or ""
    return text.split(":")[0]


def swapped(body: bytes) -> bytes:
    """Return a message whose value stands before its time stamp."""
    stamp, value = b"<timeStamp>2026-03-01T00:00:00Z</timeStamp>", b"<value>1.5</value>"
    return body.replace(stamp + value, value + stamp)


LAUGHS = b'<!DOCTYPE a [<!ENTITY b0 "ha">%s]><a>&b20;</a>' % b"".join(
    b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 21)
)
MALFORMED: dict[str, tuple[Callable[[int], bytes], int, str]] = {
    "not xml": (lambda n: b"hello %d" % n, 500, "1101 NOT_XML"),
    "cut short": (lambda n: event(n, reading())[:-40], 500, "1101 NOT_XML"),
    "empty": (lambda _: b"", 500, "1101 NOT_XML"),
    "billion laughs": (lambda _: LAUGHS, 500, "1102 DTD_REFUSED"),
    "external entity": (
        lambda n: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + event(n, reading("&x;")),
        500,
        "1102 DTD_REFUSED",
    ),
    "document type": (lambda _: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>', 500, "1102 DTD_REFUSED"),
    "undeclared entity": (lambda n: event(n, reading("&x;")), 500, "1101 NOT_XML"),
    "100,000 attributes": (
        lambda _: b"<a " + b" ".join(b'b%d="1"' % n for n in range(100_000)) + b"/>",
        500,
        "1104 XML_LIMITS",
    ),
    "10,000 deep": (lambda _: b"<a>" * 10_000 + b"</a>" * 10_000, 500, "1104 XML_LIMITS"),
    "utf-16": (lambda n: event(n, reading()).decode().encode("utf-16"), 500, "1105 UNSUPPORTED_ENCODING"),
    "not soap": (lambda _: b"<EventMessage/>", 500, "1106 NOT_SOAP"),
    "wrong message namespace": (
        lambda n: event(n, reading(), namespace=MESSAGE.replace("2011", "2009")),
        500,
        "1107 WRONG_NAMESPACE",
    ),
    "wrong payload namespace": (
        lambda n: event(n, reading(), payload=PAYLOAD.replace("2011", "2009")),
        500,
        "1107 WRONG_NAMESPACE",
    ),
    "mandatory element missing": (
        lambda n: event(n, reading().replace(f'<ReadingType ref="{KWH}"/>', "")),
        500,
        "1108 SCHEMA_INVALID",
    ),
    "wrong order": (lambda n: swapped(event(n, reading())), 500, "1108 SCHEMA_INVALID"),
    "bad instant": (lambda n: event(n, reading(at="yesterday")), 500, "1108 SCHEMA_INVALID"),
    "naive instant of a reading": (lambda n: event(n, reading(at="2026-03-01T00:00:00")), 500, "1117 BAD_XML_VALUE"),
    "naive instant of the header": (
        lambda n: event(n, reading(), stamp="2026-03-02T12:00:00"),
        500,
        "1117 BAD_XML_VALUE",
    ),
    "value in words": (lambda n: event(n, reading("many")), 500, "1117 BAD_XML_VALUE"),
    "no message id": (
        lambda n: event(n, reading()).replace(f"<e:MessageID>{uuid(n)}</e:MessageID>".encode(), b""),
        500,
        "1108 SCHEMA_INVALID",
    ),
    "unknown verb": (lambda n: event(n, reading(), operation="ZappedMeterReadings"), 500, "1109 UNKNOWN_VERB"),
    "unknown verb in the header": (lambda n: event(n, reading(), verb="zap"), 500, "1109 UNKNOWN_VERB"),
    "unknown noun": (lambda n: event(n, reading(), operation="CreatedTeapots"), 500, "1110 UNKNOWN_NOUN"),
    "unknown noun in the header": (lambda n: event(n, reading(), noun="Teapots"), 500, "1110 UNKNOWN_NOUN"),
    "nobody takes it": (
        lambda n: event(n, reading(), operation="DeletedMeterReadings", verb="deleted"),
        500,
        "1113 NOT_SUPPORTED_HERE",
    ),
}
"""What is sent under a message number, HTTP status, beginning of the code."""


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_call_is_refused_by_its_own_code_archived_and_changes_nothing(
    served: ServedByHand, case: str
) -> None:
    make, status, code = MALFORMED[case]
    body = make(100 + list(MALFORMED).index(case))
    archived, before = served.archive(), served.effects()

    answer = served.call(body, Content_Type="text/xml; charset=utf-8")

    assert (answer.status, code_of(answer)[: len(code)]) == (status, code), answer.text
    _archived_alone(served, archived, ("mdms", "parked", code, len(body)))
    assert served.effects() == before


def _archived_alone(
    served: ServedByHand, before: dict[int, tuple[str, str, str, int]], wanted: tuple[str, str, str, int]
) -> None:
    """Check that one message more is kept: its source, state, beginning of its code, and bytes."""
    new = [row for entry, row in served.archive().items() if entry not in before]
    source, state, code, size = wanted
    assert [(row[0], row[1], row[2][: len(code)], row[3]) for row in new] == [(source, state, code, size)]
    assert served.process.poll() is None


def refused(served: ServedByHand, code: str, source: str, size: int, answer: Callable[[], Answer]) -> Answer:
    """Make a call that is refused, and check code, archive, effects and that the server is alive."""
    archived, before = served.archive(), served.effects()
    said = answer()
    assert code_of(said) == code, said.text
    _archived_alone(served, archived, (source, "parked", code, size))
    assert served.effects() == before
    return said


def test_a_soap_action_of_another_operation_is_refused(served: ServedByHand) -> None:
    body = event(200, reading())
    action = '"http://iec.ch/TC57/2011/MeterReadings/ChangedMeterReadings"'

    refused(served, "1111 WRONG_SOAP_ACTION", "mdms", len(body), lambda: served.call(body, SOAPAction=action))


def test_a_body_in_a_content_encoding_is_refused_as_it_came(served: ServedByHand) -> None:
    body = gzip.compress(event(201, reading()), mtime=0)

    said = refused(
        served,
        "1105 UNSUPPORTED_ENCODING",
        "mdms",
        len(body),
        lambda: served.call(body, Content_Encoding="gzip"),
    )

    assert "gzip" in said.text


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_an_oversize_body_is_refused_and_its_beginning_kept(served: ServedByHand, chunked: bool) -> None:
    body = (b"<a>%d" % chunked).ljust(LIMIT + 400_000, b"x")

    said = refused(served, "1103 MESSAGE_TOO_LARGE", "mdms", KEPT, lambda: served.call(body, chunked=chunked))

    assert said.status == 413


def test_a_body_announced_too_large_is_refused_before_it_is_sent(served: ServedByHand) -> None:
    with served.raw() as tls:
        tls.sendall(f"{HEAD}Content-Length: {200 * LIMIT}\r\n\r\n".encode() + b"<b>".ljust(KEPT + 1, b"y"))
        answer = tls.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "authorization",
    ["", basic("mdms", "wrong"), basic("nobody", "right"), "Basic %%%", "Bearer x"],
    ids=["none", "wrong password", "unknown user", "no base64", "another scheme"],
)
def test_wrong_credentials_are_refused_and_kept_under_no_callers_name(served: ServedByHand, authorization: str) -> None:
    body = event(210, reading(), payload=f"urn:{authorization.encode().hex()}")

    said = refused(
        served,
        "1112 WRONG_CREDENTIALS",
        "unauthenticated",
        len(body),
        lambda: served.call(body, authorization=authorization),
    )

    assert (said.status, said.headers["www-authenticate"]) == (401, 'Basic realm="cim"')


def test_a_caller_that_hangs_up_in_the_middle_leaves_nothing_but_a_line_in_the_log(served: ServedByHand) -> None:
    body, archived = event(230, reading()), served.archive()
    with served.raw() as tls:
        tls.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode())
        for at in range(0, 300, 100):
            tls.sendall(body[at : at + 100])
            time.sleep(0.2)
    time.sleep(0.5)

    assert served.archive() == archived
    assert served.call(None, method="GET", path=f"{PATH}?wsdl").status == 200
    assert "hung up" in served.log.read_text()
    assert "Traceback" not in served.log.read_text()


def test_slow_callers_do_not_keep_others_from_being_served(served: ServedByHand) -> None:
    def hang(_: int) -> None:
        with served.raw() as tls:
            tls.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n<a".encode())
            time.sleep(2)

    with ThreadPoolExecutor(60) as pool:
        hanging = [pool.submit(hang, n) for n in range(60)]
        time.sleep(0.5)
        began = time.monotonic()
        status = served.call(None, method="GET", path=f"{PATH}?wsdl").status
        took = time.monotonic() - began
        assert not any(one.exception() for one in hanging)
    assert status == 200
    assert took < 2


def test_get_says_what_there_is_and_the_wsdl_is_served(served: ServedByHand) -> None:
    before = served.archive()

    plain = served.call(None, method="GET")
    wsdl = served.call(None, method="GET", path=f"{PATH}?wsdl")

    assert plain.status == 404
    assert "?wsdl" in plain.text
    assert wsdl.status == 200
    assert ElementTree.fromstring(wsdl.body).tag.endswith("definitions")  # noqa: S314 - our own server's answer
    assert served.call(None, method="PUT").status == 405
    assert served.archive() == before


def test_plain_http_gets_no_answer_and_harms_nobody(served: ServedByHand) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as plain:
        plain.sendall(b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 0\r\n\r\n")
        plain.settimeout(10)
        assert not plain.recv(1000).startswith(b"HTTP")
    assert served.process.poll() is None


def test_after_all_that_a_good_message_is_taken_once_and_its_id_is_good_for_nothing_else(served: ServedByHand) -> None:
    before, good = served.effects(), event(1, reading("7.250"))

    first = served.call(good)
    again = served.call(good)
    other = served.call(event(1, reading("9.999")))

    assert first.status == 200
    assert ElementTree.fromstring(first.body).findtext(f".//{{{ENVELOPE}}}Result") == "OK", first.text  # noqa: S314
    assert again.body == first.body
    assert (other.status, code_of(other)) == (500, "1001 MSG_ID_REUSED")
    assert served.effects() == before | {"register_reading": before["register_reading"] + 1}
    assert served.query("SELECT value FROM register_reading") == [("7.250",)]


def test_people_find_every_refused_call_and_its_code(served: ServedByHand) -> None:
    found = served.searched("--source", "mdms", "--state", "parked", "--limit", "1000")
    strangers = served.searched("--source", "unauthenticated", "--limit", "1000")

    assert {facts["code"].split()[0] for facts in found} >= {"1101", "1102", "1103", "1104", "1105", "1107", "1108"}
    assert {facts["code"] for facts in strangers} == {"1112 WRONG_CREDENTIALS"}
    assert "Traceback" not in served.log.read_text()
