"""One shipped meter as its row, and back: which state it comes in, and what a second shipment of it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.codes.rollout import KEYS_MISSING
from canonical.codes.shipments import LOT_FAILED, METER_FAILED, SHIPPED_OTHERWISE, STOCK_STATE
from canonical.errors import ErrorCode
from canonical.holdings import registers_of, registers_text, text_of
from canonical.ids import meter_mrid
from canonical.master_data import Meter
from canonical.names import normal_serial
from canonical.rollout import ShippedMeter
from store.rows import Row

IN_STOCK = "In stock"
"""Life cycle state of a meter that nobody hung yet, as its master words it (domain 2.2)."""

CONTENT = ("shipment", "lot", "model", "firmware", "configuration", "facts", "has_keys", "key_reference")
"""Columns in which two shipments of one meter may differ."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One meter of a shipment with the row that it becomes."""

    meter: ShippedMeter
    row: Mapping[str, Any]

    @property
    def mrid(self) -> str:
        """Return the meter's mRID."""
        return str(self.row["meter"])


def is_lot_failed(lot: Row | None) -> bool:
    """Return whether a lot blocks its meters: it failed, and nobody released it."""
    return lot is not None and lot["result"] == "FAIL" and not lot["released_by"]


def arrived(meter: ShippedMeter, *, shipment: str, shipped_at: datetime, lot: Row | None, now: datetime) -> Arrived:
    """Return the row of a meter that nobody has heard of yet; `now` is business time."""
    block = _block(meter, lot)
    row = {
        "meter": meter_mrid(meter.manufacturer, meter.serial),
        "manufacturer": normal_serial(meter.manufacturer),
        "serial": normal_serial(meter.serial),
        "shipment": shipment,
        "lot": meter.lot,
        "model": meter.model,
        "firmware": meter.firmware,
        "configuration": meter.configuration,
        "facts": _facts(meter),
        "has_keys": not _lacks_keys(meter),
        "key_reference": meter.key_reference or meter.wrapped_by,
        "state": "BLOCKED" if block is not None else "STOCK",
        "code": str(block) if block is not None else "",
        "told": {},
        "shipped_at": shipped_at,
        "known_at": now,
        "changed_at": now,
    }
    return Arrived(meter, row)


def again(before: Row, fresh: Arrived) -> tuple[Arrived | None, ErrorCode | None]:
    """Return what a meter that is known becomes by a further shipment, or why it is refused; None and None: the same.

    What still lies in stock, and what came back, is as the last shipment says; what was hung stays as it was shipped.
    """
    differs = any(before[name] != fresh.row[name] for name in CONTENT)
    if before["state"] in ("STOCK", "BLOCKED"):
        if not differs and (before["state"], before["code"]) == (fresh.row["state"], fresh.row["code"]):
            return None, None
        kept = {"told": before["told"], "known_at": before["known_at"]}
        return Arrived(fresh.meter, {**fresh.row, **kept}), None
    if not differs:
        return None, None
    if before["state"] == "RETURNED":
        return Arrived(fresh.meter, {**fresh.row, "told": before["told"], "known_at": before["known_at"]}), None
    return None, STOCK_STATE if before["state"] == "DISPOSED" else SHIPPED_OTHERWISE


def _block(meter: ShippedMeter, lot: Row | None) -> ErrorCode | None:
    """Return why a meter must not be hung; None where it may."""
    if is_lot_failed(lot):
        return LOT_FAILED
    if meter.test_result == "FAIL":
        return METER_FAILED
    return KEYS_MISSING if _lacks_keys(meter) else None


def _lacks_keys(meter: ShippedMeter) -> bool:
    """Return whether keys are missing; a meter without a module talks to nobody and needs none."""
    return bool(meter.module or meter.module_kind) and not meter.has_keys


def _facts(meter: ShippedMeter) -> dict[str, str]:
    """Return what is known of a meter as canonical texts; never a key."""
    return {
        "serial": meter.serial,
        "manufacturer": meter.manufacturer,
        "commodity": meter.commodity,
        "multiplier": text_of(meter.multiplier),
        "registers": registers_text(meter.registers),
        "module": meter.module,
        "module_kind": meter.module_kind,
        "test_result": meter.test_result,
        "tested_at": text_of(meter.tested_at),
    }


def meter_of(row: Row | Mapping[str, Any], *, status: str = IN_STOCK) -> Meter:
    """Return a shipped meter as masters tell of it."""
    facts = row["facts"]
    return Meter(
        meter=row["meter"],
        manufacturer=facts["manufacturer"],
        serial=facts["serial"],
        commodity=facts["commodity"],
        multiplier=Decimal(facts["multiplier"]),
        registers=registers_of(facts["registers"]),
        model=row["model"],
        firmware=row["firmware"],
        status=status,
    )


def shipped_of(row: Row | Mapping[str, Any], key: Row | None) -> ShippedMeter:
    """Return a shipped meter as it is told to who keeps it: with lot, configuration, module, never a key in clear.

    `key` is its wrapped key, None where it has none; whether a system is told of that is its adapter's to say.
    """
    facts = row["facts"]
    return ShippedMeter(
        manufacturer=facts["manufacturer"],
        serial=facts["serial"],
        commodity=facts["commodity"],
        model=row["model"],
        firmware=row["firmware"],
        configuration=row["configuration"],
        multiplier=Decimal(facts["multiplier"]),
        registers=registers_of(facts["registers"]),
        lot=row["lot"],
        test_result=facts["test_result"],
        module=facts["module"],
        module_kind=facts["module_kind"],
        key_reference=row["key_reference"] if key is None else "",
        wrapped_key=key["wrapped"] if key is not None else "",
        wrapped_by=key["wrapped_by"] if key is not None else "",
    )
