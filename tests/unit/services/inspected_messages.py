"""Messages to be inspected, and what `amihub inspect --json` says of them."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from services.cli import app

ENVELOPE = "http://iec.ch/TC57/2011/schema/message"
FAMILY = "http://iec.ch/TC57/2011"
IDS = (
    "<MessageID>11111111-2222-3333-4444-000000000001</MessageID>"
    "<CorrelationID>11111111-2222-3333-4444-000000000002</CorrelationID>"
)
READING = (
    "<MeterReading><IntervalBlocks><IntervalReadings><timeStamp>2026-03-01T00:15:00Z</timeStamp><value>1.25</value>"
    '<ReadingQualities><ReadingQualityType ref="1.0.0"/></ReadingQualities></IntervalReadings>'
    '<ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></IntervalBlocks><Meter><mRID>m-1</mRID></Meter>'
    "</MeterReading>"
)
READINGS = f'<MeterReadings xmlns="{FAMILY}/MeterReadings#">{READING}</MeterReadings>'


def inspected(folder: Path, text: str | bytes, name: str = "message.xml") -> dict[str, Any]:
    """Return what `amihub inspect --json` says."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = CliRunner().invoke(app, ["inspect", str(file), "--format", "cim", "--json"])
    assert isinstance(found.exception, SystemExit | None), found.exception
    said: dict[str, Any] = json.loads(found.stdout)
    assert (found.exit_code == 0) is said["accepted"]
    return said


def event(inner: str, *, noun: str = "MeterReadings", verb: str = "created", rest: str = IDS, head: str = "") -> str:
    """Return a generic event."""
    return (
        f'<EventMessage xmlns="{ENVELOPE}"><Header><Verb>{verb}</Verb><Noun>{noun}</Noun>{head}'
        f"<Timestamp>2026-03-01T08:00:00+08:00</Timestamp>{rest}</Header><Payload>{inner}</Payload></EventMessage>"
    )


def device_events(inner: str, *, namespace: str = f"{FAMILY}/EndDeviceEvents#") -> str:
    """Return a payload with one event of a device."""
    return f'<EndDeviceEvents xmlns="{namespace}"><EndDeviceEvent>{inner}</EndDeviceEvent></EndDeviceEvents>'
