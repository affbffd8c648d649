"""What the endpoint makes of HTTP itself: paths, headers, bodies in pieces, callers who hang up; without a server."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical.errors import RejectedError
from canonical.messages import Reply
from iec61968 import soap, soap_body
from iec61968.bulk_call import Bulk
from iec61968.editions import EDITIONS
from iec61968.safe_xml import XmlLimits
from iec61968.samples import sample_message
from iec61968.security import Client
from iec61968.soap_endpoint import KEPT_OF_REFUSED, STRANGER, Endpoint, app_of
from iec61968.spoken_nouns import NOUNS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVENT = soap.envelope(sample_message(NOUNS["MeterReadings"], kind="event", edition=EDITIONS["2011"]))
RIGHT = (b"authorization", b"Basic " + base64.b64encode(b"mdms:right"))
WRONG = (b"authorization", b"Basic " + base64.b64encode(b"mdms:wrong"))
PATH = "/cim/ReceiveMeterReadings"


@dataclass
class Taker:
    """Takes what is right, and keeps what came."""

    came: list[tuple[str, bytes]] = field(default_factory=list)

    def __call__(self, raw: bytes, *, caller: str, check: Callable[[bytes], bytes]) -> Reply:
        self.came.append((caller, raw))
        try:
            check(raw)
        except RejectedError as error:
            return Reply("FAILED", "", str(error.code), error.reason, {"where": error.where})
        return Reply("OK")


@dataclass
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes
    asked: int
    """How often the endpoint has asked for more of the body."""


def endpoint(taker: Taker, **others: Any) -> Endpoint:
    return Endpoint(taker, {"mdms": "right"}, now=lambda: NOW, machine_now=lambda: NOW, **others)


def ask(
    endpoint: Endpoint,
    pieces: Sequence[bytes] = (EVENT,),
    headers: Sequence[tuple[bytes, bytes]] = (RIGHT,),
    *,
    path: str = PATH,
    method: str = "POST",
    root_path: str = "",
    hangs_up: bool = False,
) -> Answer:
    """Send a request in pieces; with `hangs_up` the caller goes away behind them."""
    scope = {
        "type": "http", "method": method, "path": root_path + path, "raw_path": path.encode(), "root_path": root_path,
        "query_string": b"", "headers": list(headers), "scheme": "https", "server": ("hub", 443), "http_version": "1.1",
    }  # fmt: skip
    last = len(pieces) - (not hangs_up)
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": n < last} for n, piece in enumerate(pieces)
    ]
    sent: list[Any] = []
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app_of(endpoint)(scope, receive, send))  # type: ignore[arg-type]
    return Answer(sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], asked)


def test_a_message_is_taken_and_answered_with_its_length() -> None:
    taker = Taker()

    told = ask(endpoint(taker))

    assert (told.status, taker.came) == (200, [("mdms", EVENT)])
    assert told.headers == {
        b"content-type": b"text/xml; charset=utf-8",
        b"content-length": str(len(told.body)).encode(),
    }
    assert b"<e:Result>OK</e:Result>" in told.body


@pytest.mark.parametrize("size", [1, 7, 500, len(EVENT) - 1])
def test_a_body_in_pieces_is_the_same_body(size: int) -> None:
    taker = Taker()

    told = ask(endpoint(taker), [EVENT[at : at + size] for at in range(0, len(EVENT), size)])

    assert (told.status, taker.came) == (200, [("mdms", EVENT)])


@pytest.mark.parametrize("pieces", [[], [EVENT[:100]], [EVENT]])
def test_a_caller_who_hangs_up_before_the_end_has_sent_nothing(pieces: list[bytes]) -> None:
    taker = Taker()

    told = ask(endpoint(taker), pieces, hangs_up=True)

    assert (told.status, taker.came) == (408, [])
    assert told.headers[b"connection"] == b"close"


@pytest.mark.parametrize("headers", [[], [WRONG], [WRONG, RIGHT], [(b"authorization", b"\xff")]])
def test_a_caller_without_proof_is_asked_for_it_and_the_first_header_counts(headers: list[tuple[bytes, bytes]]) -> None:
    taker = Taker()

    told = ask(endpoint(taker), headers=headers)

    assert (told.status, taker.came) == (401, [(STRANGER, EVENT)])
    assert told.headers[b"www-authenticate"] == b'Basic realm="cim"'
    assert b"1112 WRONG_CREDENTIALS" in told.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/cim/ReceiveTeapots", 404),
        ("POST", "/cim/", 404),
        ("POST", "/other", 404),
        ("POST", "/cim/schemas/MeterReadings.xsd", 405),
        ("PUT", PATH, 405),
        ("GET", PATH, 404),
        ("GET", "/cim/schemas/MeterReadings.xsd", 200),
        ("POST", PATH + "/", 307),
        ("POST", "/cim/message", 200),
    ],
)
def test_a_path_is_found_or_it_is_not(method: str, path: str, status: int) -> None:
    assert ask(endpoint(Taker()), method=method, path=path).status == status


def test_behind_a_proxy_the_paths_begin_where_it_says() -> None:
    assert ask(endpoint(Taker()), root_path="/hub").status == 200


def test_a_service_that_is_not_offered_is_not_found() -> None:
    assert ask(endpoint(Taker(), services=("GetMeterReadings",))).status == 404


def test_what_goes_on_behind_the_limit_is_refused_and_not_read_to_its_end() -> None:
    taker = Taker()

    told = ask(endpoint(taker, limits=XmlLimits(total_bytes=1000)), [b" " * 900, b" " * 200, b" " * 200, b" "])

    assert (told.status, told.asked) == (413, 2)
    assert told.headers[b"connection"] == b"close"
    assert b"1103 MESSAGE_TOO_LARGE" in told.body
    assert [len(raw) for _, raw in taker.came] == [1000]


def test_of_what_says_itself_that_it_is_too_large_only_a_beginning_is_waited_for() -> None:
    taker, piece = Taker(), b" " * 10_000

    told = ask(
        endpoint(taker, limits=XmlLimits(total_bytes=500_000)), [piece] * 99, [RIGHT, (b"content-length", b"990000")]
    )

    assert (told.status, told.asked) == (413, 7)
    assert [len(raw) for _, raw in taker.came] == [KEPT_OF_REFUSED]


def test_a_stranger_may_send_more_only_where_somebody_proves_himself_in_the_message() -> None:
    pieces = [EVENT, b" " * KEPT_OF_REFUSED]
    signing: dict[str, Any] = {"mdms": Client("right", "token")}
    taker = Taker()

    alone = ask(endpoint(taker), pieces, [])
    among = ask(Endpoint(taker, signing, now=lambda: NOW, machine_now=lambda: NOW), pieces, [])

    assert (alone.status, among.status) == (401, 401)
    assert alone.headers[b"connection"] == b"close"
    assert b"connection" not in among.headers


@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_large_body_lies_in_a_file_until_it_is_taken_or_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs_up: bool
) -> None:
    monkeypatch.setattr(soap_body, "HELD_BYTES", 100)
    taker = Taker()
    pieces = [EVENT[at : at + 400] for at in range(0, len(EVENT), 400)]

    def bulk(body: Any, **_named: Any) -> Reply:
        raise AssertionError(body)  # its beginning says that it is no message of readings

    told = ask(endpoint(taker, bulk=Bulk(tmp_path / "spool", bulk)), pieces, hangs_up=hangs_up)

    assert told.status == (408 if hangs_up else 200)
    assert taker.came == ([] if hangs_up else [("mdms", EVENT)])
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_coding_of_the_body_is_refused_in_whatever_letters() -> None:
    told = ask(endpoint(Taker()), headers=[RIGHT, (b"content-encoding", b" GZIP ")])

    assert (told.status, b"UNSUPPORTED_ENCODING" in told.body) == (500, True)


def test_a_soap_action_in_quotes_is_compared_without_them() -> None:
    action = "http://iec.ch/TC57/2011/MeterReadings/CreatedMeterReadings"

    right = ask(endpoint(Taker()), headers=[RIGHT, (b"soapaction", f' "{action}" '.encode())])
    wrong = ask(endpoint(Taker()), headers=[RIGHT, (b"soapaction", b'"urn:other"')])

    assert (right.status, wrong.status) == (200, 500)
    assert b"WRONG_SOAP_ACTION" in wrong.body
