"""A partner's web service, written from the wire alone: four bindings, three editions, and every way to go wrong.

It shares no code with the hub: HTTP by the standard library, XML by lxml and by hand.
"""

import base64
import gzip
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACES = {
    "2011": ("http://iec.ch/TC57/2011/schema/message", "http://iec.ch/TC57/2011"),
    "www": ("http://www.iec.ch/TC57/2011/schema/message", "http://www.iec.ch/TC57/2011"),
    "2017": ("http://iec.ch/TC57/2011/schema/message", "http://iec.ch/TC57/2017"),
}
"""Namespace of the envelope, and what stands before `/<Noun>Message`, by edition."""

KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
GENERIC = ("RequestMessage", "EventMessage", "ResponseMessage")


@dataclass
class Asked:
    """A request as it came."""

    headers: dict[str, str]
    raw: bytes
    binding: str = ""
    message: Any = None
    """The message's own element."""

    operation: str = ""
    """With the string binding: the name of the operation; else that of the message."""

    path: str = ""

    def text(self, name: str) -> str:
        """Return the text of the first element of that name in the header."""
        found = self.message.find(f"{{*}}Header/{{*}}{name}")
        return (found.text or "") if found is not None else ""


@dataclass
class Said:
    """An answer to be sent."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    """Bytes of the body that are not sent before hanging up."""

    wait_s: float = 0.0
    """Silence before the answer."""

    drip_s: float = 0.0
    """Silence before every byte of the body."""


Answer = Callable[[Asked], Said]


def taken_apart(headers: dict[str, str], raw: bytes, path: str) -> Asked:
    """Return a request with its message, whatever the binding."""
    root: Any = etree.fromstring(raw)
    if not root.tag.startswith(f"{{{SOAP}}}"):
        return Asked(headers, raw, "bare", root, etree.QName(root).localname, path)
    message = root.find(f"{{{SOAP}}}Body")[0]
    name = etree.QName(message).localname
    if name in GENERIC:
        return Asked(headers, raw, "generic", message, name, path)
    if len(message) == 1 and not len(message[0]):
        return Asked(headers, raw, "string", etree.fromstring(message[0].text.encode()), name, path)
    return Asked(headers, raw, "typed", message, name, path)


def edition_of(asked: Asked) -> str:
    """Return the edition in which a message is written."""
    namespace, header = etree.QName(asked.message).namespace, asked.message[0][0].tag
    for name, (envelope, typed) in NAMESPACES.items():
        own = namespace == envelope if asked.binding != "typed" else namespace.startswith(f"{typed}/")
        if own and header == f"{{{envelope}}}Verb":
            return name
    raise AssertionError(f"no edition: {namespace} {header}")


def wrapped(asked: Asked, message: str, *, is_fault: bool = False) -> bytes:
    """Return a message in the binding in which the request came."""
    if asked.binding == "bare":
        return message.encode()
    inner = message
    if asked.binding == "string":
        root: Any = etree.fromstring(asked.raw)
        space = etree.QName(root.find(f"{{{SOAP}}}Body")[0]).namespace
        inner = (
            f'<{asked.operation}Response xmlns="{space}"><return>{escape(message)}</return></{asked.operation}Response>'
        )
    elif is_fault:
        inner = (
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>refused</faultstring>"
            f"<detail>{message}</detail></s:Fault>"
        )
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def response(
    asked: Asked, *, result: str = "OK", errors: str = "", payload: str = "", correlation: str = "", noun: str = ""
) -> bytes:
    """Return a response message to a request, in its binding and edition; `errors` are (code, reason) elements."""
    envelope, typed = NAMESPACES[edition_of(asked)]
    noun = noun or asked.text("Noun")
    query = f"Get{noun}" if asked.message.tag.endswith(("GetMeterReadings", "GetEndDeviceEvents")) else noun
    is_typed = asked.binding == "typed"
    name, space = (f"{noun}ResponseMessage", f"{typed}/{query}Message") if is_typed else ("ResponseMessage", envelope)
    body = f"<Payload>{payload}</Payload>" if payload else ""
    message = (
        f'<{name} xmlns="{space}" xmlns:e="{envelope}"><Header><e:Verb>reply</e:Verb><e:Noun>{noun}</e:Noun>'
        "<e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp><e:MessageID>99999999-2222-3333-4444-555555555555</e:MessageID>"
        f"<e:CorrelationID>{correlation or asked.text('CorrelationID')}</e:CorrelationID></Header>"
        f"<Reply><e:Result>{result}</e:Result>{errors}</Reply>{body}</{name}>"
    )
    return wrapped(asked, message)


def error(code: str, reason: str = "no") -> str:
    """Return an Error element."""
    return f"<e:Error><e:code>{code}</e:code><e:level>FATAL</e:level><e:reason>{reason}</e:reason></e:Error>"


def fault(asked: Asked, side: str, code: str, reason: str = "no") -> bytes:
    """Return a fault in the binding in which the request came."""
    envelope, typed = NAMESPACES[edition_of(asked)]
    noun = asked.text("Noun")
    name, space = (f"{noun}FaultMessage", f"{typed}/{noun}Message")
    if asked.binding != "typed":
        name, space = "FaultMessage", envelope
    message = (
        f'<{name} xmlns="{space}" xmlns:e="{envelope}"><Reply><e:Result>FAILED</e:Result>{error(code, reason)}'
        f"</Reply></{name}>"
    )
    return wrapped(asked, message, is_fault=True).replace(b"s:Client", f"s:{side}".encode())


def ok(asked: Asked) -> Said:
    """Take everything."""
    return Said(response(asked))


def readings_answer(asked: Asked) -> Said:
    """Answer a question for readings with one register reading of each usage point; take anything else."""
    points = [one.text for one in asked.message.iterfind(".//{*}GetMeterReadings/{*}UsagePoint/{*}mRID")]
    inner = "".join(
        "<MeterReading><Meter><mRID>m-1</mRID></Meter><Readings><timeStamp>2026-03-01T00:00:00Z</timeStamp>"
        f'<value>7.250</value><ReadingType ref="{KWH}"/></Readings>'
        f"<UsagePoint><mRID>{escape(point or '')}</mRID></UsagePoint></MeterReading>"
        for point in points
    )
    payload = f'<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">{inner}</MeterReadings>'
    return Said(response(asked, payload=payload if points else "", noun="MeterReadings"))


def gzipped(asked: Asked) -> Said:
    """Take everything, in an answer that is packed as HTTP allows."""
    return Said(gzip.compress(response(asked)), headers={"Content-Encoding": "gzip"})


class CimPartner:
    """The running service; `asked` holds every request."""

    def __init__(
        self,
        key_file: str,
        cert_file: str,
        *,
        answer: Answer = ok,
        client_ca: str = "",
        user: str = "",
        password: str = "",
    ) -> None:
        self.asked: list[Asked] = []
        self.answer = answer
        self._wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        self._stop = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert_file, key_file)
        if client_ca:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # callers hang up on purpose
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base(self) -> str:
        """Address without a path."""
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "CimPartner":
        self._thread.start()
        return self

    def __exit__(self, *_exc: Any) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        length = int(handler.headers.get("Content-Length", "0"))
        raw = handler.rfile.read(length)
        if self._wanted and handler.headers.get("Authorization") != self._wanted:
            self._send(handler, Said(b"", 401))
            return
        asked = taken_apart({name.lower(): value for name, value in handler.headers.items()}, raw, handler.path)
        self.asked.append(asked)
        said = self.answer(asked)
        if said.wait_s and self._stop.wait(said.wait_s):
            return
        self._send(handler, said)

    def _send(self, handler: BaseHTTPRequestHandler, said: Said) -> None:
        handler.send_response(said.status)
        for name, value in ({"Content-Type": "text/xml; charset=utf-8"} | said.headers).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(said.body)))
        handler.end_headers()
        for byte in said.body if said.drip_s else b"":
            if self._stop.wait(said.drip_s):
                return
            handler.wfile.write(bytes((byte,)))
        handler.wfile.write(b"" if said.drip_s else said.body[: len(said.body) - said.cut])
        if said.cut:
            handler.close_connection = True


def _handler(partner: CimPartner) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            partner.serve(self)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
