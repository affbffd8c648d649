"""The MDMS's web services: GetMeterReadings and ReceiveMeterReadings over HTTPS with HTTP Basic."""

import asyncio
import base64
import hmac
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from lxml import etree
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulators.local_days import utc_text
from simulators.mdms_state import Mdms, refusal
from simulators.mdms_xml import Span, meter_readings

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGE = "http://iec.ch/TC57/2011/schema/message"
PAYLOAD = "http://iec.ch/TC57/2011/MeterReadings#"
GET = "http://iec.ch/TC57/2011/GetMeterReadingsMessage"
EVENT = "http://iec.ch/TC57/2011/MeterReadingsMessage"


def header_text(verb: str, correlation: str, *, at: datetime, message_id: str | None = None) -> str:
    """Return the children of a message header."""
    return (
        f"<Verb>{verb}</Verb><Noun>MeterReadings</Noun><Timestamp>{utc_text(at)}</Timestamp><Source>MDMS</Source>"
        f"<MessageID>{message_id or uuid.uuid4()}</MessageID><CorrelationID>{correlation}</CorrelationID>"
    )


def _envelope(body: str) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body>'
    return f"{head}{body}</s:Body></s:Envelope>".encode()


def response_message(
    namespace: str, correlation: str, result: str, errors: str, payload: str, *, at: datetime
) -> bytes:
    """Return a whole MeterReadingsResponseMessage."""
    header = header_text("reply", correlation, at=at)
    data = f'<m:Payload><MeterReadings xmlns="{PAYLOAD}">{payload}</MeterReadings></m:Payload>' if payload else ""
    return _envelope(
        f'<m:MeterReadingsResponseMessage xmlns:m="{namespace}"><m:Header xmlns="{MESSAGE}">{header}</m:Header>'
        f'<m:Reply xmlns="{MESSAGE}"><Result>{result}</Result>{errors}</m:Reply>{data}</m:MeterReadingsResponseMessage>'
    )


def fault(text: str) -> bytes:
    """Return a SOAP fault of our own making."""
    return _envelope(f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{text}</faultstring></s:Fault>")


def _texts(element: "etree._Element", name: str) -> list[str]:
    return [node.text or "" for node in element.iter(f"{{*}}{name}")]


def answer_question(mdms: Mdms, body: bytes, *, now: datetime) -> bytes:
    """Return the answer to a GetMeterReadings envelope."""
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    start = datetime.fromisoformat(_texts(root, "start")[0]).astimezone(UTC)
    end = datetime.fromisoformat(_texts(root, "end")[0]).astimezone(UTC)
    fresh = "METER" in _texts(root, "source")
    asked = [mrid for up in root.iter("{*}UsagePoint") for mrid in _texts(up, "mRID")]
    correlation = (_texts(root, "CorrelationID") or _texts(root, "MessageID") or [""])[0]
    span, found, errors, log = Span(start, end), [], [], []
    for usage_point in asked:
        code = refusal(mdms, usage_point, end, fresh=fresh, now=now)
        log.append((utc_text(now), usage_point, utc_text(start), utc_text(end), int(fresh), code or "OK"))
        if code:
            errors.append(_error(code, usage_point))
        else:
            found.append(meter_readings(mdms, mdms.points[usage_point], span, now=now))
    mdms.books.asked(log)
    result = "OK" if not errors else "PARTIAL" if found else "FAILED"
    return response_message(GET, correlation, result, "".join(errors), "".join(found), at=now)


def _error(code: str, usage_point: str) -> str:
    reason = {"2.12": "invalid usage point", "5.7": "requested data unavailable", "5.3": "attempted and failed"}[code]
    return (
        f"<Error><code>{code}</code><level>WARNING</level><reason>{reason}</reason>"
        f'<ID kind="uuid" objectType="UsagePoint">{usage_point}</ID></Error>'
    )


def take_notice(mdms: Mdms, body: bytes, *, now: datetime) -> bytes:
    """Take billed notices into the books and return the answer."""
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    correlation = (_texts(root, "CorrelationID") or _texts(root, "MessageID") or [""])[0]
    rows = []
    for reading in root.iter("{*}MeterReading"):
        usage_point = next((m for up in reading.iter("{*}UsagePoint") for m in _texts(up, "mRID")), "")
        for value in reading.iter("{*}Readings"):
            comment = next((text for text in _texts(value, "comment") if text.startswith("BILLED ")), "")
            if comment:
                _, determinant, version = comment.split()
                kind = next((str(t.get("ref")) for t in value.iter("{*}ReadingType")), "")
                number = (_texts(value, "value") or [""])[0]
                rows.append((determinant, int(version.removeprefix("v")), usage_point, kind, number, utc_text(now)))
    mdms.books.billed(rows)
    return response_message(EVENT, correlation, "OK", "", "", at=now)


def application(mdms: Mdms, *, user: str, password: str, clock: Callable[[], datetime]) -> Starlette:
    """Return the web application of the MDMS."""
    one_at_a_time = asyncio.Lock()
    secret = b"Basic " + base64.b64encode(f"{user}:{password}".encode())

    def guarded(act: Callable[..., bytes]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if not hmac.compare_digest(request.headers.get("authorization", "").encode(), secret):
                return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="mdms"'})
            body = await request.body()
            if mdms.knobs.spend("hang_up"):
                return StreamingResponse(_cut(), media_type="text/xml", headers={"content-length": "100000"})
            if mdms.knobs.spend("fault"):
                return Response(fault("out of order"), status_code=500, media_type="text/xml")
            try:
                async with one_at_a_time:
                    answer = await run_in_threadpool(act, mdms, body, now=clock())
            except (etree.XMLSyntaxError, IndexError, ValueError) as error:
                return Response(fault(f"not understood: {error}"), status_code=500, media_type="text/xml")
            return Response(answer, media_type="text/xml; charset=utf-8")

        return endpoint

    return Starlette(
        routes=[
            Route("/cim/GetMeterReadings", guarded(answer_question), methods=["POST"]),
            Route("/cim/ReceiveMeterReadings", guarded(take_notice), methods=["POST"]),
        ]
    )


async def _cut() -> AsyncIterator[bytes]:
    """Send the head of an answer and then nothing: the connection ends before its stated length."""
    yield b"<?xml version"
