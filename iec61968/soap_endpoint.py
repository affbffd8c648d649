"""Web services offered over HTTP: WSDLs, schemas, and operations that end in a durable take or a coded refusal."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope, Send
from starlette.types import Receive as HttpReceive

from canonical.errors import MisconfiguredError, UnavailableError
from canonical.messages import Reply
from iec61968 import soap_answers, wsdl
from iec61968.bulk_call import Bulk, Spooled, edition_of_head, shell_of
from iec61968.editions import EDITIONS, Edition
from iec61968.proof import prove
from iec61968.safe_xml import XmlLimits
from iec61968.security import Clients, NonceCache, caller_of, client_of
from iec61968.services_spoken import SERVICES, Service
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_body import Body, discard, read_body
from iec61968.soap_call import Call, check_call
from iec61968.validation import Policy

log = logging.getLogger(__name__)

XML = "text/xml; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"
ANY_SERVICE = "/cim/message"
"""Takes generic messages of every noun: in SOAP, in a string operation, or bare."""

KEPT_OF_REFUSED = 65_536
"""Bytes that are archived of a body that is too large, or whose sender has not proven who it is."""

BODY_S = 300.0
"""Seconds of the machine within which a body must have come whole; who is slower is hung up on."""

_ANY = Service("Receive", "MeterReadings")
"""Stands for the service until the message has said which one it means."""

STRANGER = "unauthenticated"
"""Source under which the calls of unproven senders are archived."""


class Receive(Protocol):
    """Takes one message durably: archives the bytes first, then runs `check`, and reads what that returns."""

    def __call__(self, raw: bytes, *, caller: str, check: Callable[[bytes], bytes]) -> Reply:
        """Return what the sender is told; a refusal that `check` raises is archived and returned as FAILED."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is offered, to whom, and who takes it."""

    receive: Receive
    clients: Clients
    """Callers by user, and how they prove themselves."""

    now: Callable[[], datetime]
    """Business time, for what is answered."""

    machine_now: Callable[[], datetime]
    """The machine's time, for tokens and signatures."""

    supported: Collection[str] = ("CreatedMeterReadings", "ChangedMeterReadings")
    """Operations that `receive` knows how to handle."""

    services: Collection[str] = tuple(SERVICES)
    edition: Edition = EDITIONS["2011"]
    policy: Policy = "strict"
    limits: XmlLimits = field(default_factory=lambda: XmlLimits(total_bytes=32 * 1024 * 1024))
    source: str = "AMIHUB"
    """Source in the headers of what is answered."""

    nonces: NonceCache = field(default_factory=NonceCache)

    noted: Callable[[Call], bool] = lambda _call: True
    """Counts where a message that was taken breaks the standard; says whether that is news."""

    bulk: Bulk | None = None
    """What takes bodies that are too large to be held; None: they are refused."""

    answered: "Callable[[Call, Reply], HttpAnswer | None]" = lambda _call, _reply: None
    """Answers a question whose request was taken; None where the reply alone is the answer."""


def app_of(endpoint: Endpoint) -> ASGIApp:
    """Return the application that serves an endpoint below `/cim/`.

    Calls of its services are taken here, before any router: what Starlette wraps around a request costs as much as
    judging a small message. Everything else goes by Starlette's routes.
    """
    services = {f"/cim/{name}": SERVICES[name] for name in endpoint.services} | {ANY_SERVICE: _ANY}
    pages = Starlette(routes=_pages(endpoint))

    async def app(scope: Scope, receive: HttpReceive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            service = services.get(scope["path"].removeprefix(scope.get("root_path", "")))
            if service is not None:
                await _call(service, dict(reversed(scope["headers"])), receive, send, endpoint)
                return
        await pages(scope, receive, send)

    return app


def _pages(endpoint: Endpoint) -> list[Route]:
    """Return the routes of what is read: WSDLs and schemas; and of calls that nobody takes."""

    async def documents(request: Request) -> Response:
        return _document(request, endpoint)

    async def schema(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in wsdl.schema_names():
            return PlainTextResponse("no such schema\n", 404)
        return Response(wsdl.schema(name, endpoint.edition), media_type=XML)

    async def unknown(_request: Request) -> Response:
        return PlainTextResponse("no such service\n", 404)

    return [
        Route("/cim/schemas/{name}", schema, methods=["GET"]),
        Route("/cim/{service}", documents, methods=["GET"]),
        Route("/cim/{service}", unknown, methods=["POST"]),
    ]


def _document(request: Request, endpoint: Endpoint) -> Response:
    """Return the WSDL of a service, with schemas under `/cim/schemas/`."""
    name = request.path_params["service"]
    service = SERVICES[name] if name in endpoint.services else None
    if service is None or "wsdl" not in {key.lower() for key in request.query_params}:
        return PlainTextResponse(f"services: {', '.join(f'/cim/{name}?wsdl' for name in endpoint.services)}\n", 404)
    address = str(request.url.replace(query=""))
    text = wsdl.wsdl(service, endpoint.edition, address=address, schema_folder="schemas/")
    return Response(text, media_type=XML)


async def _call(
    service: Service, headers: Mapping[bytes, bytes], receive: HttpReceive, send: Send, endpoint: Endpoint
) -> None:
    """Read, take or refuse, answer one call; of a header that came twice, the first counts."""
    caller = caller_of(headers.get(b"authorization", b"").decode("latin-1"), endpoint.clients)
    try:
        async with asyncio.timeout(BODY_S):
            body = await _body(headers, receive, endpoint, caller)
    except (ConnectionResetError, TimeoutError):
        # Nothing whole came, so there is nothing to archive; the caller has no answer and sends it again.
        log.warning("%s hung up, or took more than %g s, before its message was whole", caller or STRANGER, BODY_S)
        await send_answer(send, HttpAnswer(408, b"the message did not come whole\n"), TEXT, closes=True)
        return
    action = headers.get(b"soapaction", b"").decode("latin-1").strip().strip('"')
    call = Call(
        service, endpoint.edition, caller, action, body.too_large, endpoint.supported, endpoint.policy, endpoint.limits
    )
    call.any_service = service is _ANY
    call.received_at = endpoint.now()
    call.content_encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    answer = await run_in_threadpool(_take_body, body, call, endpoint)
    await send_answer(send, answer, closes=body.too_large)


async def _body(headers: Mapping[bytes, bytes], receive: HttpReceive, endpoint: Endpoint, caller: str | None) -> Body:
    """Return the body of a call, as much of it as its caller may send."""
    # A stranger may still prove itself in the message, where anybody does so.
    may_prove = caller or any(client_of(endpoint.clients, user).tier != "basic" for user in endpoint.clients)
    return await read_body(
        receive,
        endpoint.limits.total_bytes if may_prove else KEPT_OF_REFUSED,
        headers=headers.items(),
        kept_of_refused=KEPT_OF_REFUSED,
        folder=endpoint.bulk.folder if endpoint.bulk and caller else None,
        folder_limit=endpoint.bulk.limit_bytes if endpoint.bulk else 0,
        is_bulk=lambda begun: shell_of(begun) is not None,
    )


async def send_answer(send: Send, answer: HttpAnswer, kind: bytes = XML.encode(), *, closes: bool = False) -> None:
    """Send an answer; `closes` hangs up behind it, so that nothing more of what the caller sends is read."""
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(answer.body))]
    if answer.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="cim"'))
    if closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _take_body(body: Body, call: Call, endpoint: Endpoint) -> HttpAnswer:
    """Hand a body on: as a whole where it is small enough to be held, else as a stream of readings."""
    if body.path is None:
        return _take(body.data[:KEPT_OF_REFUSED] if body.too_large else body.data, call, endpoint)
    try:
        shell = shell_of(body.data)
        if shell is not None and endpoint.bulk is not None:
            found = Spooled(body.path, body.sha256, body.size)
            return _take_bulk(endpoint.bulk, found, shell, edition_of_head(body.data, endpoint.edition), call, endpoint)
        call.too_large = body.size > endpoint.limits.total_bytes
        return _take(body.data[:KEPT_OF_REFUSED] if call.too_large else body.path.read_bytes(), call, endpoint)
    finally:
        discard(body.path)


def _take_bulk(bulk: Bulk, body: Spooled, shell: bytes, edition: Edition, call: Call, endpoint: Endpoint) -> HttpAnswer:
    """Hand a message whose readings lie in a file to whoever takes it durably; return what to answer."""
    prove(shell, call, endpoint.clients, endpoint.nonces, machine_now=endpoint.machine_now())
    try:
        reply = bulk.receive(body, call=call, check=lambda: check_call(shell, call), edition=edition)
    except (UnavailableError, MisconfiguredError) as error:
        return soap_answers.unavailable(error.code, call)
    _tell_reported(call, endpoint)
    return soap_answers.answer(reply, call, source=endpoint.source, now=endpoint.now())


def _take(raw: bytes, call: Call, endpoint: Endpoint) -> HttpAnswer:
    """Hand one call to whoever takes it durably; return what to answer."""
    prove(raw, call, endpoint.clients, endpoint.nonces, machine_now=endpoint.machine_now())
    kept = raw if call.caller else raw[:KEPT_OF_REFUSED]
    try:
        reply = endpoint.receive(kept, caller=call.caller or STRANGER, check=lambda data: check_call(data, call))
        found = endpoint.answered(call, reply) if reply.result in ("OK", "PARTIAL") else None
    except (UnavailableError, MisconfiguredError) as error:
        return soap_answers.unavailable(error.code, call)
    _tell_reported(call, endpoint)
    if found is not None:
        return found
    return soap_answers.answer(reply, call, source=endpoint.source, now=endpoint.now())


def _tell_reported(call: Call, endpoint: Endpoint) -> None:
    """Log and count that a message breaks the standard where its caller may do so: where, never with which value."""
    if call.reported and endpoint.noted(call):
        log.warning(
            "%s of %s breaks the standard in %d places, first at %s",
            call.operation or "a message",
            call.caller or STRANGER,
            len(call.reported),
            call.reported[0].xpath,
        )
