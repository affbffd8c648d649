"""A small city for the unbilled-revenue register: what it delivered is known, the hub holds only what it was told."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from canonical.ids import meter_mrid
from canonical.metering import MeterReadings, RegisterReading
from canonical.quality import Quality
from canonical.reading_types import register_code
from store import bulk, readings
from store.billing import BILLING_ITEM
from store.determinants import BILLED, DETERMINANT
from store.reference import AGREEMENT, INSTALLATION, USAGE_POINT
from store.session import Transaction

ZONE = ZoneInfo("America/Toronto")
CODE = register_code("ELECTRICITY")


def at(day: str, hour: int = 0) -> datetime:
    """Return a local hour of a day."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE).replace(hour=hour).astimezone(UTC)


@dataclass
class City:
    """Writes masters, readings and bills into the hub's store as its flows would."""

    transaction: Transaction
    known_at: datetime = field(default_factory=lambda: at("2026-06-01"))

    def point(self, name: str, *, commodity: str = "ELECTRICITY", read_source: str = "AMI") -> None:
        """Tell a usage point."""
        row = {"usage_point": name, "name": f"N{name}", "zone": ZONE.key, "commodity": commodity,
               "read_source": read_source, "district": "", "route": "", "valid_from": at("2026-01-01"),
               "valid_to": None, "said": None, **self._version()}  # fmt: skip
        self._insert(USAGE_POINT, row)

    def agreement(self, name: str, point: str, start: str = "2026-06-01", end: str = "", **fields: Any) -> None:
        """Tell an agreement."""
        row = {"agreement": name, "account": f"A{name}", "usage_point": point, "customer_class": "RESIDENTIAL",
               "tariff": "R1", "cycle": "07", "tou_calendar": "", "net_metering": False, "valid_from": at(start),
               "valid_to": at(end) if end else None, "said": None, **self._version(), **fields}  # fmt: skip
        self._insert(AGREEMENT, row)

    def meter(
        self, serial: str, point: str, start: str = "2026-01-01", end: str = "", *, multiplier: int = 1, dials: int = 6
    ) -> None:
        """Hang a meter with one register of delivered energy."""
        registers = [["T", CODE, "kWh", "DELIVERED", dials, 3, "", 0, False]]
        row = {"meter": meter_mrid("ACM", serial), "usage_point": point, "manufacturer": "ACM", "serial": serial,
               "serial_normal": serial, "commodity": "ELECTRICITY", "installed_at": at(start),
               "removed_at": at(end) if end else None, "multiplier": str(multiplier),
               "registers": json.dumps(registers), "split": None, **self._version()}  # fmt: skip
        self._insert(INSTALLATION, row)

    def read(self, serial: str, point: str, when: datetime, value: Decimal, quality: str = "VALIDATED") -> None:
        """Tell a read of a meter."""
        meter = meter_mrid("ACM", serial)
        reading = RegisterReading(point, meter, CODE, when, value, Quality(quality), "", "mdms")
        with self.transaction() as session:
            readings.keep(session, [MeterReadings(point, meter, (reading,))], now=when)

    def bill(
        self,
        name: str,
        point: str,
        start: str,
        end: str,
        quantity: Decimal,
        stops: dict[str, Decimal],
        *,
        billed: Decimal | None = None,
        events: tuple[str, ...] = ("BILLED",),
        state: str = "BILLED",
        estimates: int = 0,
    ) -> None:
        """Let the CIS ask for a bill, get it, and say what it billed (`events`; none: not yet)."""
        days = (date.fromisoformat(end) - date.fromisoformat(start)).days
        micro = int(quantity.scaleb(6))
        item = {"item_id": f"I{name}", "interface": "mass", "run_id": "run", "line": 1, "request_id": name,
                "reason": "CYCLE", "commodity": "ELECTRICITY", "usage_point": point, "agreement": "", "account": "",
                "cycle": "07", "period_start": at(start), "period_end": at(end), "replaces": "", "asked_as": "",
                "fingerprint": "", "deadline": None, "state": state, "step": "", "next_due_at": None, "failures": 0,
                "determinant_id": f"D{name}", "supersedes_id": "", "version": 1, "sent_version": 1,
                "status": "ACTUAL", "code": "", "answer": "", "quantity_micro": micro, "unit": "kWh",
                "released": False, "via": "", "recheck": False}  # fmt: skip
        carry = {"request_id": name, "stops": [[meter_mrid("ACM", s), "T", str(v)] for s, v in stops.items()],
                 "residuals": {}, "daily": str(quantity / days), "estimates": estimates, "zeros": 0}  # fmt: skip
        determinant = {"determinant_id": f"D{name}", "version": 1, "item_id": f"I{name}", "usage_point": point,
                       "commodity": "ELECTRICITY", "period_start": at(start), "period_end": at(end),
                       "status": "ACTUAL", "days": days, "quantity_micro": micro, "unit": "kWh", "records": 1,
                       "payload": "{}", "trail": "[]", "carry": json.dumps(carry), "calculated_at": at(end),
                       "locked_at": None}  # fmt: skip
        self._insert(BILLING_ITEM, item)
        self._insert(DETERMINANT, determinant)
        for n, event in enumerate(events):
            row = {"billed_id": f"B{name}{n}", "determinant_id": f"D{name}", "version": 1, "item_id": f"I{name}",
                   "bill_id": f"BILL{name}", "period_start": at(start), "period_end": at(end),
                   "quantity_micro": micro if billed is None else int(billed.scaleb(6)), "event": event,
                   "at": at(end) + timedelta(hours=n), "source": "test", "assumed": False, "matches": True,
                   "interface": "mass", "notified_at": at(end)}  # fmt: skip
            self._insert(BILLED, row)

    def _version(self) -> dict[str, Any]:
        return {"version": 1, "known_at": self.known_at, "replaced_at": None}

    def _insert(self, table: Any, row: dict[str, Any]) -> None:
        with self.transaction() as session:
            bulk.insert(session, table, [row])
