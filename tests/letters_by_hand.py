"""A site whose partner speaks over queues, its hub, and bare messages written by hand."""

import sqlite3
from pathlib import Path

from serve_by_hand import ENVELOPE, PAYLOAD, reading, uuid

from messaging.letters import Letter

SITE = """
[site]
name = "Queues"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
data = "var"

[roles.mdms_queue]
adapter = "partner_amqp"
kind = "partner"
clock = "UTC"
multiplier = "raw"
[roles.mdms_queue.settings]
queue = "mdms"
confirms = "reply"

[messaging]
broker = "{broker}"
retry_seconds = 1
retries = 200
delivery_limit = 3
[messaging.inbound.mdms]
reply_to = ["mdms"]
[messaging.inbound.other]
[messaging.outbound.mdms]
"""


def write_site(folder: Path, *, broker: str = "embedded") -> Path:
    """Write the site file and return its path; a broker's address comes from the environment as secrets do."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "site.toml"
    path.write_text(SITE.format(broker=broker))
    return path


def event(number: int, inner: str = "", *, verb: str = "created", noun: str = "MeterReadings") -> bytes:
    """Return a bare EventMessage."""
    return (
        f'<EventMessage xmlns="{ENVELOPE}"><Header><Verb>{verb}</Verb><Noun>{noun}</Noun>'
        f"<Timestamp>2026-03-02T12:00:00Z</Timestamp><Source>SOMEBODY</Source>"
        f"<MessageID>{uuid(number)}</MessageID><CorrelationID>{uuid(number)}</CorrelationID></Header>"
        f'<Payload><MeterReadings xmlns="{PAYLOAD}">{inner or reading()}</MeterReadings></Payload></EventMessage>'
    ).encode()


def response(correlation_id: str, *, result: str = "OK", code: str = "0.0") -> bytes:
    """Return a bare ResponseMessage that answers a message."""
    return (
        f'<ResponseMessage xmlns="{ENVELOPE}"><Header><Verb>reply</Verb><Noun>MeterReadings</Noun>'
        f"<Timestamp>2026-03-02T12:00:00Z</Timestamp>"
        f"<MessageID>{uuid(990)}</MessageID><CorrelationID>{correlation_id}</CorrelationID></Header>"
        f"<Reply><Result>{result}</Result><Error><code>{code}</code></Error></Reply></ResponseMessage>"
    ).encode()


def letter(number: int, body: bytes = b"", *, reply_to: str = "") -> Letter:
    """Return a letter with a message; its properties claim another sender than its queue proves."""
    return Letter(
        body or event(number), uuid(number), source="SOMEBODY", correlation_id=uuid(number), reply_to=reply_to
    )


def rows(site: Path, statement: str) -> list[tuple[str, ...]]:
    """Return what the hub's database says."""
    connection = sqlite3.connect(site.parent / "var" / "hub.db", timeout=30)
    try:
        with connection:
            return [tuple(str(each) for each in row) for row in connection.execute(statement)]
    finally:
        connection.close()
