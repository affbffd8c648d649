"""Determinants and what the next bill needs of them, to and from JSON text as the store keeps it. Exact both ways."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from canonical.billing import BillDeterminant, Status
from canonical.periods import Period
from flows.billing_exchange.context import Calculated, LastBill

_ESTIMATES = frozenset({"ESTIMATED", "FINAL_SUBSTITUTE", "SUBSTITUTED", "PRELIMINARY"})


def determinant_to_text(determinant: BillDeterminant) -> str:
    """Return a determinant as JSON, fields by name."""
    return json.dumps(determinant, default=_plain, separators=(",", ":"))


def determinant_from_text(text: str) -> BillDeterminant:
    """Return the determinant that JSON text holds."""
    found: BillDeterminant = _reader(BillDeterminant)(json.loads(text))
    return found


def carry_to_text(calculated: Calculated, last: LastBill | None, *, request_id: str) -> str:
    """Return as JSON what the next bill of the usage point needs of this one."""
    determinant = calculated.determinant
    if determinant is None:
        return "{}"
    ends_estimated = determinant.status is Status.ESTIMATED or any(
        use.stop_quality in _ESTIMATES for use in determinant.registers
    )
    unused = calculated.daily_quantity == 0
    return json.dumps(
        {
            "request_id": request_id,
            "stops": [[meter, register, str(value)] for (meter, register), value in calculated.stops.items()],
            "residuals": {code: str(value) for code, value in calculated.residuals.items()},
            "daily": str(calculated.daily_quantity),
            "estimates": (last.consecutive_estimates if last else 0) + 1 if ends_estimated else 0,
            "zeros": (last.zero_cycles if last else 0) + 1 if unused else 0,
        },
        separators=(",", ":"),
    )


def last_bill(row: Mapping[str, Any]) -> LastBill:
    """Return the last bill that a stored determinant stands for."""
    kept = json.loads(row["carry"])
    return LastBill(
        period=Period(row["period_start"], row["period_end"]),
        request_id=kept.get("request_id", ""),
        determinant_id=row["determinant_id"],
        version=row["version"],
        stops={(meter, register): Decimal(value) for meter, register, value in kept.get("stops", ())},
        residuals={code: Decimal(value) for code, value in kept.get("residuals", {}).items()},
        daily_quantity=Decimal(kept.get("daily", "0")),
        consecutive_estimates=kept.get("estimates", 0),
        zero_cycles=kept.get("zeros", 0),
    )


def daily_quantity(row: Mapping[str, Any]) -> Decimal:
    """Return the daily quantity of a stored determinant."""
    return Decimal(json.loads(row["carry"]).get("daily", "0"))


def total_of(determinant: BillDeterminant) -> Decimal:
    """Return the delivered total of a determinant (KWH_TOTAL, M3_TOTAL), or zero when it carries no energy."""
    for quantity in determinant.quantities:
        if quantity.code.endswith("_TOTAL") and quantity.flow == "DELIVERED":
            return quantity.quantity
    return Decimal(0)


def micro(quantity: Decimal) -> int:
    """Return a quantity in millionths of its unit, as the store counts."""
    return int(quantity.scaleb(6).to_integral_value())


def from_micro(count: int) -> Decimal:
    """Return the quantity that the store counts."""
    return Decimal(count).scaleb(-6).normalize() + Decimal(0)


def plain(quantity: Decimal) -> str:
    """Return a quantity as people write it: no exponent, no trailing zeros."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(value: Any) -> Any:
    """Return what JSON does not know as something that it does."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


@lru_cache(maxsize=64)
def _names(kind: Any) -> tuple[str, ...]:
    """Return the field names of a dataclass."""
    return tuple(field.name for field in fields(kind))


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what turns a JSON value into a value of a type."""
    if kind is Decimal:
        return Decimal
    if kind is datetime:
        return datetime.fromisoformat
    if get_origin(kind) in (Union, UnionType):
        inner = _reader(next(a for a in get_args(kind) if a is not NoneType))
        return lambda value: None if value is None else inner(value)
    if get_origin(kind) is tuple:
        each = _reader(get_args(kind)[0])
        return lambda value: tuple(map(each, value))
    if kind is Status:
        return Status
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        return _object_reader(kind)
    return lambda value: value


def _object_reader(kind: Any) -> Callable[[Any], Any]:
    """Return what turns a JSON object into a dataclass."""
    hints = get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _names(kind)}
    return lambda value: kind(**{name: readers[name](part) for name, part in value.items()})
