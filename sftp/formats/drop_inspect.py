"""What a billing drop holds, one channel for each register, for a person who looks at a file (`amihub inspect`)."""

from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any

from canonical.billing import BillDeterminant, RegisterUse
from canonical.errors import RejectedError
from canonical.messages import Item, Rejection

_EXACT = Context(prec=100)


def channels_of(determinants: Iterable[Item[BillDeterminant] | Rejection]) -> dict[str, Any]:
    """Return format, whether a file is accepted, its errors, and its channels in order of first appearance.

    A channel is one (usage point, meter, register); its values are REG records, its sum their quantities, its quality
    counted as `start>stop`, for interval channels as the stop quality or else the determinant's status. `channels`
    is empty for a file that must be refused whole; a determinant that is rejected alone stands in `errors`.
    """
    channels: dict[tuple[str, str, str], dict[str, Any]] = {}
    errors: list[dict[str, Any]] = []
    try:
        for found in determinants:
            if isinstance(found, Rejection):
                errors.append({"code": found.code, "line": found.line, "reason": found.reason})
                continue
            serials = {m.meter: m.serial for m in found.payload.meters}
            for register in found.payload.registers:
                _count(channels, found.payload, register, serials.get(register.meter, ""))
    except RejectedError as error:
        line = _line(error.where)
        return _answer([{"code": str(error.code), "line": line, "reason": error.reason}], [], accepted=False)
    for channel in channels.values():
        channel["sum"] = format(channel["sum"], "f")
    return _answer(errors, list(channels.values()), accepted=True)


def _answer(errors: list[dict[str, Any]], channels: list[dict[str, Any]], *, accepted: bool) -> dict[str, Any]:
    """Return the answer of one inspection."""
    return {"format": "billing-drop", "accepted": accepted, "errors": errors, "channels": channels}


def _count(
    channels: dict[tuple[str, str, str], dict[str, Any]],
    determinant: BillDeterminant,
    register: RegisterUse,
    serial: str,
) -> None:
    """Add one REG record to its channel."""
    is_interval = register.start_read is None and register.stop_read is None
    channel = channels.setdefault(
        (determinant.usage_point, register.meter, register.register),
        {
            "usage_point": determinant.usage_point,
            "register": register.register,
            "meter": serial,
            "unit": register.unit,
            "interval_minutes": (determinant.interval_minutes or None) if is_interval else None,
            "values": 0,
            "sum": Decimal(0),
            "quality": {},
        },
    )
    quality = f"{register.start_quality}>{register.stop_quality}"
    if is_interval:
        quality = register.stop_quality or str(determinant.status)
    channel["values"] += 1
    channel["sum"] = _EXACT.add(channel["sum"], register.quantity)
    channel["quality"][quality] = channel["quality"].get(quality, 0) + 1


def _line(where: str) -> int:
    """Return the line that an error's place names, 0 for none."""
    _, found, rest = where.rpartition("line ")
    return int(rest.split(",")[0]) if found else 0
