"""The MDMS tells the hub of reads that came late: ChangedMeterReadings to its HTTPS endpoint, until it is taken."""

import ssl
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
from lxml import etree

from simulators.city_book import CycleDay, Point
from simulators.local_days import utc_text
from simulators.mdms_soap import EVENT, MESSAGE, PAYLOAD, SOAP, header_text
from simulators.mdms_state import Mdms
from simulators.mdms_xml import Span, meter_readings

ACTION = "http://iec.ch/TC57/2011/MeterReadings/ChangedMeterReadings"


@dataclass(frozen=True, slots=True)
class HubEndpoint:
    """Where the hub listens, and who we are there."""

    url: str
    user: str
    password: str
    ca_file: Path


def event_message(message_id: str, payload: str, *, at: datetime) -> bytes:
    """Return a ChangedMeterReadings envelope."""
    header = header_text("changed", message_id, at=at, message_id=message_id)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body>'
        f'<m:ChangedMeterReadings xmlns:m="{EVENT}"><m:Header xmlns="{MESSAGE}">{header}</m:Header>'
        f'<m:Payload><MeterReadings xmlns="{PAYLOAD}">{payload}</MeterReadings></m:Payload>'
        f"</m:ChangedMeterReadings></s:Body></s:Envelope>"
    ).encode()


def tell_late_actuals(mdms: Mdms, cycle: CycleDay, hub: HubEndpoint, *, now: datetime) -> bool:
    """Tell the actual reads of a cycle's points that were billed on estimates; return whether all are taken."""
    points: Sequence[Point] = [
        p for p in mdms.points.values() if p.cycle == cycle.cycle and p.trouble == "ESTIMATE_LATE"
    ]
    context = ssl.create_default_context(cafile=str(hub.ca_file))
    taken = True
    with httpx.Client(verify=context, auth=(hub.user, hub.password), timeout=30) as client:
        for point in points:
            message_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"late/{point.usage_point}/{cycle.business_date}"))
            if mdms.books.db.execute("SELECT 1 FROM told WHERE message_id = ?", (message_id,)).fetchone():
                continue
            payload = meter_readings(mdms, point, Span(*cycle.period), now=now)
            answer = _post(client, hub.url, event_message(message_id, payload, at=now))
            if answer != "OK":
                taken = False
                continue
            with mdms.books.db:
                mdms.books.db.execute(
                    "INSERT INTO told VALUES (?,?,?,?)", (message_id, point.usage_point, utc_text(now), answer)
                )
    return taken


def _post(client: httpx.Client, url: str, body: bytes) -> str:
    """Return the Result of the hub's answer, or what went wrong."""
    try:
        answer = client.post(
            url, content=body, headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{ACTION}"'}
        )
        found = next(etree.fromstring(answer.content).iter("{*}Result"), None)
    except (httpx.HTTPError, etree.XMLSyntaxError) as error:
        return f"no answer: {error}"
    return (found.text or "") if found is not None else f"status {answer.status_code}"
