"""The servers of the SOAP benchmark: a bare Starlette answer, our validated GetMeterReadings, spyne's.

`python -m benchmarks.soap_servers NAME PORT` serves one of them with uvicorn. Ours walks the endpoint's own code:
`check_call` (parse, limits, header, schema), a handler with readings in memory, and an answer that is validated too.
"""

import sys
from array import array
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from lxml import etree

from iec61968 import soap, validation
from iec61968.editions import EDITIONS, default_namespace
from iec61968.envelope import ReplyError, WireReply, header_to_xml, reply_to_xml
from iec61968.nouns.columns import Identity, MeterReadingColumns, QualityMark, Readings
from iec61968.nouns.meter_readings import to_xml
from iec61968.nouns.scalars import microseconds
from iec61968.samples import sample_message
from iec61968.services_spoken import SERVICES
from iec61968.soap_call import Call, check_call
from iec61968.spoken_nouns import NOUNS

EDITION = EDITIONS["2011"]
SERVICE = SERVICES["GetMeterReadings"]
ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
START = datetime(2026, 3, 1, tzinfo=UTC)


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


def answer(raw: bytes, count: int) -> bytes:
    """Return the response to a request; both are validated.

    Raises:
        RejectedError: the request is not one that is taken, or the response would not be valid.
    """
    call = Call(SERVICE, EDITION, "partner", "", supported=SERVICE.operations)
    check_call(raw, call)
    if call.header is None:
        raise SystemExit("no header was read")
    namespace = EDITION.typed_message(SERVICE.message_noun)
    root = etree.Element(f"{{{namespace}}}MeterReadingsResponseMessage", nsmap=default_namespace(namespace))
    root.append(header_to_xml(call.header, edition=EDITION, namespace=namespace))
    root.append(reply_to_xml(WireReply("OK", (ReplyError("0.0", "INFORM"),)), edition=EDITION, namespace=namespace))
    etree.SubElement(root, f"{{{namespace}}}Payload").append(to_xml([held(count)], edition=EDITION))
    validation.require_valid(root, EDITION)
    return soap.envelope(root)


def starlette_app(count: int) -> Any:
    """Return an app that answers with readings, or with a word where `count` is 0."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def hello(asked: Request) -> Response:
        await asked.body()
        return Response(b"hello")

    async def readings(asked: Request) -> Response:
        raw = await asked.body()
        return Response(await run_in_threadpool(answer, raw, count), media_type="text/xml")

    return Starlette(routes=[Route("/", readings if count else hello, methods=["POST"])])


def spyne_app() -> Any:
    """Return spyne's server of a simpler schema: four readings, request validated by lxml."""
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


SPYNE_REQUEST = (
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    b'<get_meter_readings xmlns="urn:bench"><usage_point>up-1</usage_point><reason>billing</reason>'
    b"</get_meter_readings></soap:Body></soap:Envelope>"
)

if __name__ == "__main__":
    import uvicorn

    name, port = sys.argv[1], int(sys.argv[2])
    app = spyne_app() if name == "spyne" else starlette_app({"starlette": 0, "ours": 4, "ours_96": 96}[name])
    uvicorn.run(app, port=port, log_level="error", access_log=False, interface="wsgi" if name == "spyne" else "auto")
