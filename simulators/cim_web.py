"""The listener that the CIM simulators have in common, and their command line.

POST /cim/<Service>         a message of IEC 61968-100, HTTP Basic; also /cim/message for generic and bare ones
POST /control/send          {"verb", "noun", "objects": [...]} or {"verb", "noun", "xml"}: tell the hub; its answer
                            returns (simulators/cim_nouns.py says what an object may state)
POST /control/answers       {"NOUN": [{"result", "errors": [{"code", "reason", "id", "type"}]}, ...]}: the next answers
                           (with "swallow": true nothing is taken into the books, whatever the answer says)
POST /control/readings      [{"usage_point", "manufacturer", "serial", "reading_type", "at", "value"}, ...]: to be held
GET  /control/books/TABLE   the rows of a book
POST /control/<ACT>         what the system does beside of its own accord, as its own description says
"""

import argparse
import asyncio
import base64
import hmac
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from lxml import etree
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.cim_books import CimBooks
from simulators.cim_system import System, Take, answer_to, send
from simulators.cim_wire import soap_fault

Act = Callable[[Request], Awaitable[Response]]


class Listener:
    """What one system answers over HTTPS; its messages are taken one at a time."""

    def __init__(self, system: System, *, user: str, password: str) -> None:
        """Listen for callers who know `user` and `password`."""
        self._system = system
        self._one_at_a_time = asyncio.Lock()
        self._secret = b"Basic " + base64.b64encode(f"{user}:{password}".encode())

    def guarded(self, act: Act) -> Act:
        """Return an act for those only who know the password."""

        async def endpoint(request: Request) -> Response:
            if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._secret):
                return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="cim"'})
            return await act(request)

        return endpoint

    async def message(self, request: Request) -> Response:
        """Take a message and answer it."""
        body = await request.body()
        try:
            async with self._one_at_a_time:
                said = await run_in_threadpool(answer_to, self._system, body)
        except (etree.XMLSyntaxError, ValueError, IndexError) as error:
            return Response(soap_fault(f"not understood: {error}"), status_code=500, media_type="text/xml")
        return Response(said, media_type="text/xml; charset=utf-8")

    async def look(self, _request: Request) -> Response:
        """Say that somebody is here."""
        return Response(f"{self._system.name} speaks IEC 61968-9")

    async def order(self, request: Request) -> Response:
        """Tell the hub something."""
        return JSONResponse(await run_in_threadpool(send, self._system, await request.json()))

    def act(self, do: "Own") -> Act:
        """Return what does something of the system's own, one at a time with its messages."""

        async def endpoint(request: Request) -> Response:
            order = await request.json()
            async with self._one_at_a_time:
                return JSONResponse(await run_in_threadpool(do, self._system, order))

        return endpoint

    async def script(self, request: Request) -> Response:
        """Take the next answers by noun."""
        scripted = self._system.scripted
        for noun, answers in (await request.json()).items():
            scripted.setdefault(noun, []).extend(answers)
        return JSONResponse({noun: len(answers) for noun, answers in scripted.items()})

    async def book(self, request: Request) -> Response:
        """Show a book."""
        try:
            return JSONResponse(await run_in_threadpool(self._system.books.rows, request.path_params["table"]))
        except KeyError:
            return Response(status_code=404)

    async def seed(self, request: Request) -> Response:
        """Take readings to be held."""
        rows = [_reading(each) for each in await request.json()]
        await run_in_threadpool(self._system.books.write, "reading", rows)
        return JSONResponse({"readings": len(rows)})


def _reading(each: dict[str, Any]) -> tuple[str, ...]:
    meter = f"{each.get('manufacturer', '')} {each['serial']}".strip()
    rest = (str(each.get("quality", "")), str(each.get("reason", "")))
    return (str(each["usage_point"]), meter, str(each["reading_type"]), str(each["at"]), str(each["value"]), *rest)


Own = Callable[[System, dict[str, Any]], dict[str, Any]]
"""What a system does of its own accord when it is told to: the order, and what it answers."""


def application(system: System, *, user: str, password: str, acts: Mapping[str, Own] | None = None) -> Starlette:
    """Return the web application of a system; `user` and `password` are what callers must know."""
    own = Listener(system, user=user, password=password)
    found: tuple[tuple[str, Act, str], ...] = (
        ("/cim/{service}", own.message, "POST"),
        ("/cim/{service}", own.look, "GET"),
        ("/control/send", own.order, "POST"),
        ("/control/answers", own.script, "POST"),
        ("/control/readings", own.seed, "POST"),
        ("/control/books/{table}", own.book, "GET"),
        *((f"/control/{name}", own.act(do), "POST") for name, do in (acts or {}).items()),
    )
    return Starlette(routes=[Route(path, own.guarded(act), methods=[method]) for path, act, method in found])


def run(
    take: Take, description: str, arguments: Sequence[str] | None = None, *, acts: Mapping[str, Own] | None = None
) -> None:
    """Run the system that a command line describes, until it is stopped."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="Source in its headers, and its user at the hub")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--books", type=Path, required=True)
    parser.add_argument("--cert", required=True, help="PEM of its certificate; the key beside it ends in .key")
    parser.add_argument("--user", default="amihub", help="who calls it; the password is CIM_PASSWORD")
    parser.add_argument("--hub", default="", help="base of the hub's services; its password is CIM_HUB_PASSWORD")
    parser.add_argument("--ca", default="", help="PEM of who vouches for the hub")
    parser.add_argument(
        "--queue", default="", help="name of its queues at the broker CIM_BROKER: then no SOAP to the hub"
    )
    options = parser.parse_args(arguments)
    system = System(
        name=options.name, books=CimBooks(options.books), take=take, hub=options.hub.rstrip("/"),
        user=options.name, password=os.environ.get("CIM_HUB_PASSWORD", ""), ca_file=options.ca,
    )  # fmt: skip
    if options.queue:
        from simulators.cim_queue import attach

        attach(system, os.environ["CIM_BROKER"], options.queue)
    web = application(system, user=options.user, password=os.environ["CIM_PASSWORD"], acts=acts)
    uvicorn.run(
        web, host="127.0.0.1", port=options.port, ssl_certfile=options.cert,
        ssl_keyfile=str(Path(options.cert).with_suffix(".key")), log_level="warning",
    )  # fmt: skip
