"""What people bring to a billing story: route readers by their files, crews by what stood on meters at an exchange."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from adapters.registry import load
from canonical.ids import meter_mrid
from canonical.messages import Header, Item, Message, Rejection
from canonical.metering import MeterReadings, RegisterReading
from canonical.quality import Quality
from canonical.reading_types import register_code
from flows.billing_exchange import readings_arrived
from flows.file_handling import FileContext
from flows.manual_route import ManualReadsHandler
from store.session import Transaction

SETTINGS = {"host": "sftp.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
WALKER, CREWS = "walker", "crews"
"""Roles; a reading names its source by them."""


def walked(path: Path, transaction: Transaction, now: datetime) -> list[str]:
    """Take a file of manual reads as the hub does, and return what became of each."""
    port, wire = load("route_file", SETTINGS), path.read_bytes()
    identity = port.identify(path.name)
    facts = port.examine(BytesIO(wire), identity=identity, where=path.name)
    context = FileContext(f"id of {path.name}", WALKER, path.name, identity, facts, "0" * 64, now)
    batch: list[Item[Any] | Rejection] = list(port.items(BytesIO(wire), identity=identity, where=path.name))
    with transaction() as session:
        found = ManualReadsHandler().handle(session, context, batch, now=now)
    return [f"{one.key}: {one.verdict} {one.code}".strip() for one in found]


def exchanged(
    seen: Sequence[Sequence[Any]], points: Callable[[str], str], at: Callable[[str], datetime],
    transaction: Transaction, now: datetime,
) -> None:  # fmt: skip
    """File what crews saw on registers, as the hub does once it believes an exchange."""
    told = []
    for serial, when, value in seen:
        point, meter, code = points(serial), meter_mrid("ACM", serial), register_code("ELECTRICITY")
        own = RegisterReading(point, meter, code, at(when), Decimal(str(value)), Quality.VALIDATED, "", CREWS)
        told.append(MeterReadings(point, meter, (own,)))
    with transaction() as session:
        readings_arrived(
            session, Message(Header(f"rollout:{now}", CREWS, "created", "MeterReadings"), tuple(told)), now
        )
