"""Shipments in miniature: files of lots and meters as a test writes them, and what they lead to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlmodel import select

from canonical.billing import ItemVerdict
from canonical.ids import meter_mrid
from canonical.messages import FileFacts, FileIdentity, Item, Message, Outcome, Parcel
from canonical.metering import Register
from canonical.rollout import ShippedLot, ShippedMeter
from flows.file_handling import FileContext
from flows.master_data_sync import Policy
from flows.routing import Routes, Sending
from flows.shipments import ShipmentHandler, ShipmentPolicy, follow
from store import deliveries, shipments
from store.rows import Row
from store.session import Transaction

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
SHIPPED = datetime(2026, 11, 1, tzinfo=UTC)
REGISTER = Register("T", "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "kWh", "DELIVERED", 5, 1)


def mrid(serial: str) -> str:
    return meter_mrid("ACME", serial)


def meter(serial: str, lot: str = "L1", **fields: Any) -> ShippedMeter:
    given = {
        "commodity": "ELECTRICITY", "model": "SM-3", "firmware": "4.2", "configuration": "TOU2",
        "multiplier": Decimal(1), "registers": (REGISTER,), "test_result": "PASS", "module": f"M{serial}",
        "key_reference": f"vault:{lot}/{serial}",
    }  # fmt: skip
    return ShippedMeter("ACME", serial, lot=lot, **{**given, **fields})


def lot(name: str = "L1", result: Any = "PASS") -> ShippedLot:
    return ShippedLot("ACME", name, result)


@dataclass
class Dock:
    """A hub that takes shipments without a wire, and what it sent."""

    transaction: Transaction
    policy: ShipmentPolicy = field(default_factory=lambda: ShipmentPolicy(("wams", "mdms", "hes")))
    masters: Policy = field(default_factory=Policy)
    sent: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """Role, verb and mRIDs of each message, in order."""

    now: datetime = NOW

    def encode(self, role: str, message: Message[Any]) -> Parcel:
        things = getattr(message.payload, "things", message.payload)
        names = tuple(mrid(one.serial) if isinstance(one, ShippedMeter) else one.meter for one in things)
        self.sent.append((role, message.header.verb, names))
        body = f"{role} {message.header.message_id} {message.payload!r}".encode()
        return Parcel("x", "text/xml", sha256(body).hexdigest(), len(body), body)

    @property
    def sending(self) -> Sending:
        return Sending(Routes(), self.encode, self.now)

    def take(self, *things: ShippedLot | ShippedMeter, number: int = 1, batch: int = 500) -> list[ItemVerdict]:
        """Take a shipment file in batches, and return its verdicts."""
        self.now += timedelta(minutes=1)
        handler = ShipmentHandler(self.policy, self.masters, Routes(), self.encode)
        facts = FileFacts({"shipment": f"DN-{number}", "shipped_at": SHIPPED.isoformat()}, {}, {}, len(things), 0)
        identity = FileIdentity("shipment", "ACME", sequence=number)
        file = FileContext(f"file-{number}", "acme", f"SH_{number}.dat", identity, facts, "0" * 64, NOW)
        lines: list[Item[Any]] = [Item(line, getattr(one, "serial", ""), one) for line, one in enumerate(things, 2)]
        verdicts: list[ItemVerdict] = []
        for start in range(0, len(lines), batch):
            with self.transaction() as session:
                if start == 0:
                    handler.begin(session, file)
                verdicts += handler.handle(session, file, lines[start : start + batch], now=self.now)
        return verdicts

    def answer(self, role: str, state: Any = "confirmed", code: str = "", reason: str = "") -> None:
        """Have a role answer everything that it was told, and look at the answers."""
        with self.transaction() as session:
            for row in session.exec(select(deliveries.Delivery)).all():
                if row.destination == role and row.state in ("pending", "parked"):
                    deliveries.settle(row, Outcome(state, code, reason), now=self.now)
                    session.add(row)
        follow(queue="rollout", transaction=self.transaction, now=self.now)

    def row(self, serial: str) -> Row:
        with self.transaction() as session:
            return shipments.of_meters(session, {mrid(serial)})[mrid(serial)]

    def states(self, *serials: str) -> list[str]:
        return [f"{row['state']} {row['code']}".strip() for row in map(self.row, serials)]


def serials(number: int) -> Sequence[str]:
    return [f"{one:05d}" for one in range(number)]
