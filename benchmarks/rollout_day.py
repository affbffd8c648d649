"""A day of meter exchanges in this process: lines judged, five systems told, every order closed.

    python -m benchmarks.rollout_day 10000

Each exchange has a usage point, an agreement, an old and a new meter. Completions are handed to the product's file
handler in batches of 2,000 lines and judged by the rules EX01 to EX20; then every step of the sequence is made by the
adapters (`cis_cim`, `mdms_cim`, `hes_cim`, `wams_cim`, twice) as valid messages of IEC 61968, enqueued, leased, carried
and recorded. The five systems are ports in this process that confirm at once and answer from what they were told: what
they and the wire would take is not measured. Heard, read and verified at the end of the third day; every order closes.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from adapters.registry import load
from canonical.commissioning import Commissioning
from canonical.event_kinds import EventKind
from canonical.events import EndDeviceEvent
from canonical.holdings import registers_text
from canonical.ids import meter_mrid, mint
from canonical.master_data import MasterData, Meter
from canonical.messages import FileFacts, FileIdentity, Item, Message, Outcome, Parcel
from canonical.metering import MeterReadings, Register, RegisterReading, UsagePoint
from canonical.quality import Quality
from canonical.rollout import Completion, MeterSeen, RegisterValue
from flows.delivery import DeliveryPolicy, relay_once
from flows.file_handling import FileContext
from flows.meter_rollout import sequence, strays, validate, verification
from flows.meter_rollout.completions import CompletionsHandler
from flows.meter_rollout.policy import Policy
from flows.routing import Routes, Sending
from store import end_device_events, readings, reference, rollout_steps
from store.reference import AGREEMENT, INSTALLATION, USAGE_POINT
from store.reference_masters import METER
from store.session import Transaction, open_engine, transactions
from store.tables import METADATA

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
T = datetime(2026, 3, 2, 15, tzinfo=UTC)
NOW = T + timedelta(hours=6)
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
TOTAL = Register("T", KWH, "kWh", "DELIVERED", 5, 1)
ADAPTERS = {"cis": "cis_cim", "mdms": "mdms_cim", "hes": "hes_cim", "wams": "wams_cim", "oms": "cis_cim"}
POLICY = Policy(
    zone="America/Toronto", roles={name: name for name in ADAPTERS}, askable=frozenset({"mdms", "hes", "cis"})
)
PATIENCE = DeliveryPolicy(batch=400, in_flight=1000, timeout_s=1, lease_s=900)
CHUNK = 2_000
_point = partial(mint, "usage_point")
"""mRID of the n-th usage point: random to look at, as real ones are."""


class System:
    """A system that confirms at once, and holds what it was told; its messages are made by the product's adapter."""

    def __init__(self, name: str) -> None:
        base = "services_url" if ADAPTERS[name] == "mdms_cim" else "url"
        self.port = load(ADAPTERS[name], {base: "https://cim.example/cim", "user": "amihub", "password": "bench"})
        self.status: dict[str, str] = {}
        self.by_ami: set[str] = set()
        self.carried = 0

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Make the message, and keep what it says."""
        payload = message.payload
        if isinstance(payload, Commissioning):
            self.status[payload.meter] = "Active" if payload.act == "COMMISSION" else "Removed"
        elif isinstance(payload, MasterData) and isinstance(payload.things[0], UsagePoint):
            self.by_ami.add(payload.things[0].usage_point)
        parcel: Parcel = self.port.encode(message, spool=spool)
        return parcel

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Confirm everything."""
        self.carried += len(parcels)
        return [Outcome("confirmed")] * len(parcels)

    def held(self, noun: str, ids: Sequence[str], *, as_of: datetime, timeout_s: float) -> Iterator[MasterData]:
        """Answer from what was told."""
        if noun == "MeterConfig":
            things: tuple[Any, ...] = tuple(
                Meter(one, "ACME", one, "ELECTRICITY", Decimal(1), status=self.status.get(one, "")) for one in ids
            )
        else:
            read_by = {one: "AMI" if one in self.by_ami else "MANUAL" for one in ids}
            things = tuple(UsagePoint(one, one, "UTC", "ELECTRICITY", by, as_of) for one, by in read_by.items())
        yield MasterData("create", noun, as_of, things)


def populate(transaction: Transaction, number: int) -> None:
    """Let the masters know everything before the day, in bulk."""
    for start in range(0, number, CHUNK):
        some = range(start, min(start + CHUNK, number))
        with transaction() as session:
            span = {"valid_from": SINCE, "valid_to": None}
            points = [
                {"usage_point": _point(n), "name": f"NMI{n}", "zone": "America/Toronto", "commodity": "ELECTRICITY",
                 "read_source": "MANUAL", "district": "D1", "route": f"R{n % 97}", **span} for n in some
            ]  # fmt: skip
            agreements = [
                {"agreement": f"A{n}", "account": f"K{n}", "usage_point": _point(n), "tariff": "FLAT", "cycle": "C1",
                 "customer_class": "RESIDENTIAL", "tou_calendar": "", "net_metering": False, **span} for n in some
            ]  # fmt: skip
            meters = [
                {"meter": meter_mrid(maker, f"{mark}{n}"), **_plate(maker, f"{mark}{n}"), "model": "X", "firmware": "",
                 "status": "", **span} for n in some for maker, mark in (("OLDCO", "O"), ("ACME", "N"))
            ]  # fmt: skip
            hanging = [
                {"meter": meter_mrid("OLDCO", f"O{n}"), "usage_point": _point(n), **_plate("OLDCO", f"O{n}"),
                 "installed_at": SINCE, "removed_at": None, "split": None} for n in some
            ]  # fmt: skip
            told = ((USAGE_POINT, points), (AGREEMENT, agreements), (METER, meters), (INSTALLATION, hanging))
            for table, rows in told:
                reference.record(session, table, rows, now=SINCE)


def _plate(maker: str, serial: str) -> dict[str, str]:
    return {
        "manufacturer": maker, "serial": serial, "serial_normal": serial, "commodity": "ELECTRICITY",
        "multiplier": "1", "registers": registers_text((TOTAL,)),
    }  # fmt: skip


def completion(n: int) -> Completion:
    """Return what the field reports of one exchange."""
    at = T + timedelta(seconds=n % 18_000)
    return Completion(
        "", _point(n), "DONE", at, removed=MeterSeen(f"O{n}"), removed_at=at,
        final_readings=(RegisterValue("T", Decimal("1234.5")),), installed=MeterSeen(f"N{n}"), installed_at=at,
        first_readings=(RegisterValue("T", Decimal(3)),), installer="crew 7",
    )  # fmt: skip


def judge(transaction: Transaction, number: int) -> None:
    """Take in and judge the lines of a day.

    Raises:
        SystemExit: not every one was believed.
    """
    handler = CompletionsHandler(POLICY)
    identity = FileIdentity("completions", "CREWS")
    file = FileContext("file-1", "wams", "CP_day.dat", identity, FileFacts({}, {}, {}, 0, 0), "0" * 64, NOW)
    for start in range(0, number, CHUNK):
        items = [Item(n + 1, str(n + 1), completion(n), "") for n in range(start, min(start + CHUNK, number))]
        with transaction() as session:
            handler.handle(session, file, items, now=NOW)
    done = validate.validate_due(policy=POLICY, transaction=transaction, now=NOW)
    if done.believed != number:
        raise SystemExit(f"{done} of {number}")


class Office:
    """The hub's loops over one store."""

    def __init__(self, transaction: Transaction, spool: Path) -> None:
        self.transaction, self.spool = transaction, spool
        self.systems = {name: System(name) for name in ADAPTERS}
        self.machine_now = SINCE

    def settle(self, now: datetime) -> None:
        """Advance and carry until nothing more comes of it."""
        sending = Sending(Routes(), lambda role, message: self.systems[role].encode(message, spool=self.spool), now)

        def ask(role: str, noun: Any, ids: Sequence[str]) -> Iterable[MasterData]:
            return self.systems[role].held(noun, ids, as_of=now, timeout_s=1)

        due = partial(sequence.due, policy=POLICY, transaction=self.transaction, now=now, limit=sequence.AT_ONCE)
        while batches := due():
            for batch in batches:
                sequence.advance_batch(batch, policy=POLICY, sending=sending, ask=ask, transaction=self.transaction)
            self._carry(now)

    def _carry(self, now: datetime) -> None:
        while True:
            self.machine_now += timedelta(seconds=1)
            report = relay_once(
                self.systems, transaction=self.transaction, spool=self.spool, now=now, machine_now=self.machine_now,
                policies=dict.fromkeys(self.systems, PATIENCE),
            )  # fmt: skip
            if not report.carried:
                return

    def speak(self, number: int) -> None:
        """Have the new meters register, and read for three days; none of it is measured by itself."""
        for start in range(0, number, CHUNK):
            some = range(start, min(start + CHUNK, number))
            events = [
                EndDeviceEvent("hes", "3.6.5.58", EventKind.REGISTERED, NOW, meter=meter_mrid("ACME", f"N{n}"))
                for n in some
            ]
            told = []
            for n in some:
                meter = meter_mrid("ACME", f"N{n}")
                days = (T + timedelta(days=day, hours=14) for day in range(1, 4))
                own = tuple(
                    RegisterReading(_point(n), meter, KWH, day, Decimal(5), Quality.VALIDATED, "", "mdms")
                    for day in days
                )
                told.append(MeterReadings(_point(n), meter, own))
            with self.transaction() as session:
                end_device_events.keep(session, events, message_id=f"events-{start}", now=NOW)
                readings.keep(session, told, now=NOW)

    def look(self, now: datetime) -> None:
        """Look which meters are heard and verified."""
        for step in (verification.hear, verification.verify, strays.find):
            step(policy=POLICY, transaction=self.transaction, now=now)


def day(number: int, folder: Path) -> dict[str, float]:
    """Do a day of exchanges from the first line to the last order's end, and return its figures.

    Raises:
        SystemExit: not every order closed.
    """
    engine = open_engine(f"sqlite:///{folder}/hub.db")
    METADATA.create_all(engine)
    transaction = transactions(engine)
    populate(transaction, number)
    office = Office(transaction, folder)
    begun = (time.monotonic(), time.process_time())
    judge(transaction, number)
    judged = (time.monotonic(), time.process_time())
    office.settle(NOW)
    told = (time.monotonic(), time.process_time())
    office.speak(number)
    spoken = (time.monotonic(), time.process_time())
    later = NOW + timedelta(days=5)
    office.look(later)
    office.settle(later)
    office.look(later)
    office.settle(later)
    ended = (time.monotonic(), time.process_time())
    with transaction() as session:
        states = {(row["step"], row["state"]): row["number"] for row in rollout_steps.counts(session)}
    if any(state not in ("CONFIRMED", "SEEN", "NOT_NEEDED") for _, state in states):
        raise SystemExit(f"not everything was done: {states}")
    engine.dispose()
    cpu = judged[1] - begun[1] + told[1] - judged[1] + ended[1] - spoken[1]
    return {
        "validate_s": judged[0] - begun[0],
        "sync_s": told[0] - judged[0] + ended[0] - spoken[0],
        "cpu_ms": cpu / number * 1000,
        "messages": float(sum(one.carried for one in office.systems.values())),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own_folder:
        sys.stdout.write(json.dumps(day(int(sys.argv[1]), Path(own_folder))) + "\n")
