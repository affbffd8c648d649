"""A route in miniature: usage points with meters, what was read before, and reads as a reader brings them back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from canonical.billing import ItemVerdict
from canonical.holdings import registers_text
from canonical.ids import meter_mrid
from canonical.messages import FileFacts, FileIdentity, Item, Message, Parcel
from canonical.metering import MeterReadings, Register, RegisterReading
from canonical.quality import Quality
from canonical.rollout import ManualRead, MeterSeen, RouteExtract
from flows.file_handling import FileContext
from flows.manual_route import Extraction, ManualReadsHandler, RoutePolicy, extract
from flows.routing import Routes, Sending
from store import readings, reference
from store.reference import INSTALLATION, USAGE_POINT
from store.reference_masters import SERVICE_LOCATION, USAGE_POINT_LOCATION
from store.session import Transaction

T = datetime(2026, 11, 1, 5, tzinfo=UTC)
"""One in the morning of the first of November in Toronto, before clocks go back that day."""

TOTAL = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
REGISTERS = (
    Register("TOT", TOTAL, "kWh", "DELIVERED", 5, 0),
    Register("E1", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "kWh", "DELIVERED", 0, 3, "", 15),
)


def day(number: float) -> datetime:
    return T + timedelta(days=number)


def mrid(serial: str) -> str:
    return meter_mrid("ACME", serial)


@dataclass
class Street:
    """A hub that has one route, and what went to its reader."""

    transaction: Transaction
    sent: list[RouteExtract] = field(default_factory=list)
    policy: RoutePolicy = field(
        default_factory=lambda: RoutePolicy("walker", "America/Toronto", {"": Decimal(100)}, frozenset({"mdms"}))
    )
    number: int = 0

    def encode(self, role: str, message: Message[Any]) -> Parcel:
        self.sent.append(message.payload)
        body = repr(message.payload).encode()
        return Parcel("x", "text/plain", sha256(body).hexdigest(), len(body), body)

    def point(self, name: str, *, source: str = "MANUAL", house: str = "", route: str = "R-7") -> None:
        """Add a usage point of the route at a house."""
        own = {"usage_point": name, "valid_from": day(-400), "valid_to": None, "said": None, "stated_at": None}
        row = {**own, "name": f"NMI-{name}", "zone": "America/Toronto", "commodity": "ELECTRICITY"}
        place = {name: "" for name in ("suite", "region", "country", "postal_code", "access_method")}
        with self.transaction() as session:
            more = {"read_source": source, "district": "N", "route": route}
            reference.record(session, USAGE_POINT, [{**row, **more}], now=day(-300))
            if house:
                lies = {**own, "location": f"L-{name}"}
                reference.record(session, USAGE_POINT_LOCATION, [lies], now=day(-300))
                del own["usage_point"]
                there = {**own, **place, "location": f"L-{name}", "street": "Elm", "number": house, "town": "Toronto"}
                reference.record(session, SERVICE_LOCATION, [{**there, "needs_inspection": False}], now=day(-300))

    def hang(self, name: str, serial: str, since: float, until: float | None = None, *, multiplier: str = "1") -> None:
        """Hang a meter, or say until when it hung."""
        row = {
            "meter": mrid(serial), "usage_point": name, "manufacturer": "ACME", "serial": serial,
            "serial_normal": serial, "commodity": "ELECTRICITY", "installed_at": day(since),
            "removed_at": day(until) if until is not None else None, "multiplier": multiplier,
            "registers": registers_text(REGISTERS), "split": None,
        }  # fmt: skip
        with self.transaction() as session:
            reference.record(session, INSTALLATION, [row], now=day(since))

    def knows(self, name: str, serial: str, value: int, at: float, source: str = "mdms") -> None:
        """Add a read that a feed told before."""
        own = RegisterReading(name, mrid(serial), TOTAL, day(at), Decimal(value), Quality.VALIDATED, "", source)
        with self.transaction() as session:
            readings.keep(session, [MeterReadings(name, mrid(serial), (own,))], now=day(at))

    def extract(self, on: date, at: float, **more: Any) -> Extraction:
        """Hand the route out."""
        sending = Sending(Routes(), self.encode, day(at))
        return extract("R-7", on, policy=self.policy, sending=sending, transaction=self.transaction, **more)

    def read(self, *reads: ManualRead, at: float = 40) -> list[ItemVerdict]:
        """Take a file of reads."""
        self.number += 1
        facts = FileFacts({}, {}, {}, len(reads), 0)
        file = FileContext(
            f"f{self.number}", "walker", "MR", FileIdentity("manual_reads", "W"), facts, "0" * 64, day(at)
        )
        items: Sequence[Item[Any]] = [Item(line, f"RDG {line}", one) for line, one in enumerate(reads, 2)]
        with self.transaction() as session:
            return list(ManualReadsHandler().handle(session, file, items, now=day(at)))

    def held(self, name: str) -> list[tuple[str, Decimal, str]]:
        """Return meter, value and source quality of what is kept of manual reads."""
        from canonical.periods import Period

        with self.transaction() as session:
            found = readings.registers_held(session, {name}, Period(day(-500), day(500)))
        return [(one.meter, one.value, one.source_quality) for one in found.get(name, ()) if one.source == "walker"]


def read(name: str, serial: str, value: int | None, at: float, **more: Any) -> ManualRead:
    """Return a read of the route's total register, or why there is none."""
    skip = "" if value is not None else "locked"
    number = Decimal(value) if value is not None else None
    own = {"register": "TOT", "skip_reason": skip, **more}
    meter = MeterSeen(serial, "ACME" if serial else "")
    return ManualRead("R-7", name, "", meter, value=number, read_at=day(at), **own)
