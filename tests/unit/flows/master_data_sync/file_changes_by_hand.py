"""Files of changes as a test writes them: items of one file, taken without a server."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from master_data_sync_by_hand import NOW, World, day

from canonical.billing import ItemVerdict
from canonical.holdings import Holding, Kind, Withdrawn
from canonical.ids import meter_mrid
from canonical.messages import FileFacts, FileIdentity, Item
from flows.file_handling import FileContext
from flows.master_data_sync.file_changes import ChangesHandler

ACME = {serial: meter_mrid("ACME", serial) for serial in ("1", "2", "3")}


def held(kind: Kind, object_id: str, since: float = 0, until: float | None = None, /, **facts: str) -> Holding:
    """Return a holding from one day of the year to another."""
    return Holding(kind, object_id, day(since), day(until) if until is not None else None, facts)


def point_held(mrid: str = "U1", since: float = 0, until: float | None = None, **facts: str) -> Holding:
    """Return a usage point of the north as a file holds it."""
    given = {"name": f"NMI-{mrid}", "zone": "America/Toronto", "commodity": "ELECTRICITY", "read_source": "AMI"}
    return held("usage_point", mrid, since, until, **{**given, "district": "N", **facts})


def meter_held(serial: str = "1", since: float = 0, until: float | None = None, **facts: str) -> Holding:
    """Return a meter of ACME as a file holds it."""
    given = {"manufacturer": "ACME", "serial": serial, "commodity": "ELECTRICITY", "multiplier": "1"}
    return held("meter", ACME[serial], since, until, **{**given, **facts})


def hung(serial: str, point: str, since: float, until: float | None = None) -> Holding:
    """Return a meter of ACME at a usage point as a file holds it."""
    return held("installation", f"{point}/{ACME[serial]}", since, until, usage_point=point, meter=ACME[serial])


def file_of(number: int, role: str = "cis_north", *, said: float = 100) -> FileContext:
    """Return a file that is true up to a day of the year; a later number, a minute later."""
    watermark = (day(said) + timedelta(minutes=number)).isoformat()
    identity = FileIdentity("masters", "CISN", run_type="CHANGES", sequence=number)
    facts = FileFacts({"watermark": watermark, "mode": "CHANGES"}, {}, {}, 0, 0)
    return FileContext(f"file-{role}-{number}", role, f"MX_{number}.dat", identity, facts, "0" * 64, NOW)


def give(
    world: World,
    number: int,
    items: Sequence[Holding | Withdrawn],
    *,
    role: str = "cis_north",
    said: float = 100,
    now: datetime = NOW,
    batch: int = 500,
) -> list[ItemVerdict]:
    """Take a file of changes, in batches, and return its verdicts in order."""
    handler = ChangesHandler(world.policy, world.routes, world.encode)
    file = file_of(number, role, said=said)
    lines: list[Item[Any]] = [Item(line, f"{one.kind} {one.object_id}", one) for line, one in enumerate(items, 2)]
    verdicts: list[ItemVerdict] = []
    for start in range(0, len(lines), batch):
        with world.transaction() as session:
            if start == 0:
                handler.begin(session, file)
            verdicts += handler.handle(session, file, lines[start : start + batch], now=now)
    return verdicts
