"""A partner's web service in miniature, for tests of our client: raw HTTP over TLS, no code of the hub."""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

UP = "http://iec.ch/TC57/2011"


class Partner:
    """Answers every call with what `answer(request body)` returns: raw HTTP bytes, or None to stay silent."""

    def __init__(self, key_file: str, ca_file: str, answer: Callable[[bytes], bytes | None]) -> None:
        self.asked: list[bytes] = []
        self.heads: list[bytes] = []
        self._answer = answer
        self._stop = threading.Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(ca_file, key_file)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Partner":
        self._thread.start()
        return self

    def __exit__(self, *_exc: Any) -> None:
        self._stop.set()
        self._thread.join(12)
        self._socket.close()

    def _serve(self) -> None:
        self._socket.settimeout(0.1)
        while not self._stop.is_set():
            try:
                plain, _ = self._socket.accept()
            except OSError:
                continue
            try:
                self._talk(plain)
            except OSError:
                plain.close()

    def _talk(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        with self._context.wrap_socket(plain, server_side=True) as line:
            while head_and_rest := _until(line, b"\r\n\r\n"):
                head, rest = head_and_rest
                length = int((re.search(rb"(?i)content-length: (\d+)", head) or [b"", b"0"])[1])
                while len(rest) < length:
                    rest += line.recv(65536)
                self.heads.append(head)
                self.asked.append(rest)
                answer = self._answer(rest)
                if answer is None:
                    self._stop.wait(5)
                    return
                line.sendall(answer)
                if b"Connection: close" in answer:
                    return


def _until(line: ssl.SSLSocket, mark: bytes) -> tuple[bytes, bytes] | None:
    data = b""
    while mark not in data:
        chunk = line.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, rest = data.partition(mark)
    return head, rest


def http(body: bytes, status: str = "200 OK", *, cut: int = 0) -> bytes:
    """Return a raw HTTP answer; `cut` leaves that many bytes of the body unsent and hangs up."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    end = "Connection: close\r\n\r\n" if cut else "\r\n"
    return (head + end).encode() + (body[:-cut] if cut else body)


def correlation_of(asked: bytes) -> str:
    """Return the CorrelationID of a request."""
    found = re.search(rb"CorrelationID[^>]*>([^<]+)<", asked)
    assert found is not None
    return found[1].decode()


def response(
    asked: bytes,
    readings: str = "",
    *,
    noun: str = "GetMeterReadings",
    result: str = "OK",
    errors: str = "",
    correlation: str = "",
) -> bytes:
    """Return the SOAP envelope of a MeterReadingsResponseMessage to a request."""
    identity = correlation or correlation_of(asked)
    payload = f'<Payload><MeterReadings xmlns="{UP}/MeterReadings#">{readings}</MeterReadings></Payload>'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<MeterReadingsResponseMessage xmlns="{UP}/{noun}Message" xmlns:e="{UP}/schema/message"><Header>'
        "<e:Verb>reply</e:Verb><e:Noun>MeterReadings</e:Noun><e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp>"
        f"<e:MessageID>99999999-2222-3333-4444-555555555555</e:MessageID>"
        f"<e:CorrelationID>{identity}</e:CorrelationID></Header>"
        f"<Reply><e:Result>{result}</e:Result>{errors}</Reply>{payload if readings else ''}"
        "</MeterReadingsResponseMessage></s:Body></s:Envelope>"
    ).encode()


def fault(side: str, code: str = "5.1") -> bytes:
    """Return the SOAP envelope of a fault with a typed message."""
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        f"<faultcode>s:{side}</faultcode><faultstring>no</faultstring><detail>"
        f'<MeterReadingsFaultMessage xmlns="{UP}/GetMeterReadingsMessage" xmlns:e="{UP}/schema/message"><Reply>'
        f"<e:Result>FAILED</e:Result><e:Error><e:code>{code}</e:code></e:Error></Reply></MeterReadingsFaultMessage>"
        "</detail></s:Fault></s:Body></s:Envelope>"
    ).encode()
