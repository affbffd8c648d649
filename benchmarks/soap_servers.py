"""The servers of the SOAP benchmark: a bare Starlette answer, our validated GetMeterReadings, spyne's.

`python -m benchmarks.soap_servers NAME PORT` serves one of them: with uvicorn, spyne also with waitress and four
threads. `ours` walks the endpoint's own code: `read_body`, `check_call` (parse, limits, header, schema), a handler with
readings in memory, `soap_answers.answer`, which validates too, and `send_answer`. Nothing blocks, so it answers in the
event loop. `endpoint` is the whole endpoint of the hub over the same handler, with HTTP Basic and the worker thread
that it has because the hub behind it writes to a database. `least` is parsing and validating alone. `spyne` takes and
says the same messages (`benchmarks.spyne_server`), `spyne_simple` those of a simpler schema.
"""

from __future__ import annotations

import logging
import sys
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lxml import etree

from canonical.messages import Reply
from iec61968 import safe_xml, soap, soap_answers, validation
from iec61968.editions import EDITIONS
from iec61968.nouns.columns import Identity, MeterReadingColumns, QualityMark, Readings
from iec61968.nouns.meter_readings import readings_to_xml
from iec61968.nouns.scalars import microseconds
from iec61968.samples import sample_message
from iec61968.services_spoken import SERVICES
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_body import read_body
from iec61968.soap_call import Call, check_call
from iec61968.soap_endpoint import KEPT_OF_REFUSED, Endpoint, app_of, send_answer
from iec61968.spoken_nouns import NOUNS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

EDITION = EDITIONS["2011"]
SERVICE = SERVICES["GetMeterReadings"]
ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
START = datetime(2026, 3, 1, tzinfo=UTC)
LIMIT_BYTES = 32 * 1024 * 1024
CREDENTIALS = ("bench", "bench")


def request() -> bytes:
    """Return the question that every server is asked."""
    return soap.envelope(sample_message(NOUNS["GetMeterReadings"], kind="request", edition=EDITION))


@cache
def held(count: int) -> MeterReadingColumns:
    """Return that many readings of one meter, as memory holds them."""
    stamps = [microseconds((START + timedelta(minutes=15 * n)).isoformat()) for n in range(count)]
    marks = ((QualityMark("1.0.0"),),) * count
    values = array("q", range(1000, 1000 + count))
    return MeterReadingColumns(
        Identity("m-1"), Identity(), (), Readings(array("q", stamps), values, -3, marks, (ENERGY,) * count)
    )


TAKEN = Reply("OK", "")


def http_answer(raw: bytes, count: int) -> HttpAnswer:
    """Return the answer to a request, as the endpoint judges the one and says the other; both are validated.

    Raises:
        RejectedError: the request is not one that is taken.
    """
    call = Call(SERVICE, EDITION, "partner", "", supported=SERVICE.operations)
    check_call(raw, call)
    payload = readings_to_xml([held(count)], edition=EDITION)
    return soap_answers.answer(TAKEN, call, source="AMIHUB", now=START, payload=payload)


def answer(raw: bytes, count: int) -> bytes:
    """Return the body of the answer to a request; else as `http_answer`."""
    return http_answer(raw, count).body


def least() -> Callable[[bytes], bytes]:
    """Return what only parses and validates the request and an answer that is ready: nothing is read, nothing made."""
    ready, schema = answer(request(), 4), validation.compiled(EDITION)
    parser = etree.XMLParser(**safe_xml.PARSER_SETTINGS)

    def both(raw: bytes) -> bytes:
        for part in (raw, ready):
            if not schema.validate(etree.fromstring(part, parser)):
                raise SystemExit("not valid")
        return ready

    return both


def starlette_app() -> Any:
    """Return an app that answers with a word."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def hello(asked: Request) -> Response:
        await asked.body()
        return Response(b"hello")

    return Starlette(routes=[Route("/", hello, methods=["POST"])])


def plain_app(answered: Callable[[bytes], HttpAnswer]) -> ASGIApp:
    """Return an app that reads bodies and sends answers as the endpoint does, and makes them in the event loop."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await read_body(receive, LIMIT_BYTES, headers=scope["headers"], kept_of_refused=KEPT_OF_REFUSED)
        await send_answer(send, answered(body.data))

    return app


def least_app() -> ASGIApp:
    """Return an app that parses and validates, and does nothing else."""
    both = least()
    return plain_app(lambda raw: HttpAnswer(200, both(raw)))


def endpoint_app() -> ASGIApp:
    """Return the hub's endpoint whole: HTTP Basic, a worker thread for each call, an answer of four readings."""

    def take(raw: bytes, *, caller: str, check: Callable[[bytes], bytes]) -> Reply:
        check(raw)
        return TAKEN

    def said(call: Call, reply: Reply) -> HttpAnswer:
        payload = readings_to_xml([held(4)], edition=EDITION)
        return soap_answers.answer(reply, call, source="AMIHUB", now=START, payload=payload)

    return app_of(
        Endpoint(
            receive=take,
            clients=dict([CREDENTIALS]),
            now=lambda: START,
            machine_now=lambda: START,
            supported=SERVICE.operations,
            answered=said,
        )
    )


def spyne_simple_app() -> Any:
    """Return spyne's server of a simpler schema: four readings of four texts, a question of two."""
    from spyne import Application, Array, ComplexModel, DateTime, Decimal, ServiceBase, Unicode, rpc
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

    class Reading(ComplexModel):  # type: ignore[misc]
        time_stamp = DateTime
        value = Decimal
        quality = Unicode
        reading_type = Unicode

    class Service(ServiceBase):  # type: ignore[misc]
        @rpc(Unicode, Unicode, _returns=Array(Reading))  # type: ignore[untyped-decorator]
        def get_meter_readings(self: Any, usage_point: str, reason: str) -> list[Any]:
            return [Reading(time_stamp=START, value="1.250", quality="1.0.0", reading_type=ENERGY) for _ in range(4)]

    return WsgiApplication(
        Application([Service], "urn:bench", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
    )


SIMPLE_REQUEST = (
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    b'<get_meter_readings xmlns="urn:bench"><usage_point>up-1</usage_point><reason>billing</reason>'
    b"</get_meter_readings></soap:Body></soap:Envelope>"
)


def spyne_app() -> Any:
    """Return spyne's server of the very message that ours takes and answers."""
    from benchmarks.spyne_server import app

    return app()


def spyne_call() -> Callable[[], bytes]:
    """Return one call of spyne's app without HTTP.

    Raises:
        SystemExit: it is answered by a fault, or by what is no valid answer of the service.
    """
    app, raw = spyne_app(), request()

    def call() -> bytes:
        asked = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": "text/xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(raw),
        }
        return b"".join(app(asked, lambda *_: None))

    said = call()
    if b"ResponseMessage" not in said or validation.findings(etree.fromstring(said), EDITION):
        raise SystemExit(f"spyne answered {said[:300]!r}")
    return call


APPS: dict[str, Callable[[], Any]] = {
    "starlette": starlette_app,
    "least": least_app,
    "ours": lambda: plain_app(partial(http_answer, count=4)),
    "endpoint": endpoint_app,
    "spyne": spyne_app,
    "spyne_uvicorn": spyne_app,
    "spyne_simple": spyne_simple_app,
}


def serve(name: str, port: int) -> None:
    """Serve one of the apps on loopback until killed."""
    app = APPS[name]()
    if name in ("spyne", "spyne_simple"):
        import waitress

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it tells of every request that waits
        waitress.serve(app, host="127.0.0.1", port=port, threads=4)
        return
    import uvicorn

    interface: Any = "wsgi" if name == "spyne_uvicorn" else "auto"
    uvicorn.run(app, port=port, log_level="error", access_log=False, interface=interface)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
