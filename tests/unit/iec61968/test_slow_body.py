"""A body that never becomes whole is given up: nothing is taken, and the caller is hung up on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from canonical.messages import Reply
from iec61968 import soap_endpoint
from services.cim_endpoint import cim_app

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def take(raw: bytes, *, caller: str, check: Callable[[bytes], bytes]) -> Reply:
    """Stands for whoever takes messages; nothing may come to it here."""
    raise AssertionError(raw)


def test_a_body_that_does_not_come_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soap_endpoint, "BODY_S", 0.05)
    app, sent = cim_app(receive_event=take, clients={"mdms": "right"}, now=lambda: NOW), list[dict[str, Any]]()
    scope = {
        "type": "http", "method": "POST", "path": "/cim/ReceiveMeterReadings", "raw_path": b"", "root_path": "",
        "query_string": b"", "headers": [], "scheme": "https", "server": ("hub", 443), "http_version": "1.1",
    }  # fmt: skip
    parts = iter([{"type": "http.request", "body": b"<a", "more_body": True}])

    async def receive() -> Any:
        found = next(parts, None)
        if found is None:
            await asyncio.sleep(10)
        return found

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
