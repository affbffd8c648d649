"""Parcels to one partner go by one line: greeting it anew for each would cost more than what is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from canonical.commissioning import Commissioning
from canonical.messages import Header, Message
from iec61968.partner import parcel_of, tell
from iec61968.partner_settings import partner_from

AT = datetime(2026, 11, 17, 15, tzinfo=UTC)


class Busy(BaseHTTPRequestHandler):
    """A partner that is busy; it keeps lines open, or hangs up after each answer."""

    protocol_version = "HTTP/1.1"
    hangs_up = False
    greeted = 0

    def setup(self) -> None:
        type(self).greeted += 1
        super().setup()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503)
        self.send_header("Content-Length", "4")
        if self.hangs_up:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"busy")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def partner(*, hangs_up: bool) -> Iterator[tuple[str, type[Busy]]]:
    kind = type("Own", (Busy,), {"hangs_up": hangs_up, "greeted": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/cim", kind
        finally:
            server.shutdown()


def told(url: str) -> list[str]:
    given = {"url": "https://partner.example/cim", "user": "amihub", "password": "secret"}
    stated = partner_from(given, where="settings")
    one = replace(stated, peer=replace(stated.peer, url=url))
    parcels = [parcel_of(message(number), one) for number in range(3)]
    return [outcome.state for outcome in tell(parcels, one, timeout_s=5.0)]


def message(number: int) -> Message[Commissioning]:
    identity = f"00000000-0000-4000-8000-00000000000{number}"
    said = Commissioning("DECOMMISSION", identity, "NORTHMETER", f"KX{number}", identity, AT)
    header = Header(identity, "hub", "change", "MeterConfig", identity, created_at=AT, effective_at=AT)
    return Message(header, said)


def test_parcels_of_one_batch_go_by_one_line() -> None:
    with partner(hangs_up=False) as (url, seen):
        states = told(url)

    assert (states, seen.greeted) == (["unavailable"] * 3, 1)


def test_a_partner_that_hangs_up_after_each_answer_is_greeted_again() -> None:
    with partner(hangs_up=True) as (url, seen):
        states = told(url)

    assert (states, seen.greeted) == (["unavailable"] * 3, 3)
