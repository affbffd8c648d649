"""What an exchange is about, as one attempt of its sequence tells it: meters, instants, readings; of many at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.holdings import registers_of
from canonical.master_data import Meter
from canonical.metering import RegisterReading
from store import reference, rollout_steps
from store.reference_masters import METER
from store.rows import Row
from store.session import Session

Facts = Mapping[str, Any]

Key = tuple[str, bool]
"""Order, and whether what it told before is meant."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange as systems are told of it."""

    order_id: str
    usage_point: str
    """mRID."""

    usage_point_name: str
    old: Meter | None
    """None: a first installation."""

    new: Meter | None
    """None: a removal for good."""

    removed_at: datetime
    installed_at: datetime
    """Of a removal for good, the instant of the removal, and the other way round."""

    final_readings: tuple[RegisterReading, ...] = ()
    first_readings: tuple[RegisterReading, ...] = ()
    cause: str = ""
    """Message that told of it."""

    @property
    def at(self) -> datetime:
        """Return the instant at which links change: one for both, that of the new meter (domain 2.3)."""
        return self.installed_at if self.new is not None else self.removed_at


def facts_of(order: Row) -> dict[str, Any]:
    """Return what an attempt tells of an order, as JSON holds it: it stays so when the order is corrected later."""
    return {
        "usage_point": order["usage_point"], "name": order["usage_point_name"], "old": order["old_meter"],
        "new": order["new_meter"], "removed_at": _text(order["removed_at"]),
        "installed_at": _text(order["installed_at"]), "cause": order["result_id"],
    }  # fmt: skip


def has(facts: Facts, needs: str) -> bool:
    """Return whether an exchange has the meter that a step is about."""
    if needs == "either":
        return bool(facts["old"] or facts["new"])
    return bool(facts["old"] if needs == "removed" else facts["new"])


def exchanges(
    session: Session, wanted: Mapping[Key, Facts], *, read: Collection[Key] | None = None
) -> dict[Key, Exchange]:
    """Return the exchanges that attempts tell of, those of `read` (None: all) with their readings: a few queries."""
    meters = _meters(session, {facts[name] for facts in wanted.values() for name in ("old", "new")} - {""})
    spoken = {key: _spoken(key, facts, meters) for key, facts in wanted.items()}
    shown = [one for key, one in spoken.items() if read is None or key in read]
    taken = rollout_steps.readings_at(
        session, {(one.usage_point, at) for one in shown for at in (one.removed_at, one.installed_at)}
    )
    return {key: _with_readings(one, taken) if taken else one for key, one in spoken.items()}


def _spoken(key: Key, facts: Facts, meters: Mapping[str, Sequence[Row]]) -> Exchange:
    removed, installed = _instant(facts["removed_at"]), _instant(facts["installed_at"])
    first = installed or removed
    if first is None:
        raise ValueError(f"order {key[0]} has no instant of an exchange")
    return Exchange(
        key[0],
        facts["usage_point"],
        facts["name"],
        _meter(meters, facts["old"], removed or first),
        _meter(meters, facts["new"], first),
        removed or first,
        installed or first,
        cause=facts["cause"],
    )


def _with_readings(one: Exchange, taken: Mapping[tuple[str, str, datetime], list[RegisterReading]]) -> Exchange:
    """Return an exchange with what stood on the meters when they went and came."""

    def stood(meter: Meter | None, at: datetime) -> tuple[RegisterReading, ...]:
        return tuple(taken.get((one.usage_point, meter.meter, at), ())) if meter is not None else ()

    return Exchange(
        one.order_id, one.usage_point, one.usage_point_name, one.old, one.new, one.removed_at,
        one.installed_at, stood(one.old, one.removed_at), stood(one.new, one.installed_at), one.cause,
    )  # fmt: skip


def _meters(session: Session, wanted: set[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in reference.current(session, METER, "meter", wanted):
        found.setdefault(row["meter"], []).append(row)
    return found


def _meter(meters: Mapping[str, Sequence[Row]], meter: str, at: datetime) -> Meter | None:
    """Return a meter as it is configured at an instant; one of which no master tells is known by its id alone."""
    if not meter:
        return None
    rows = sorted(meters.get(meter, ()), key=lambda row: row["valid_from"])
    if not rows:
        return Meter(meter, "", "", "ELECTRICITY", Decimal(0))
    row = next((one for one in reversed(rows) if one["valid_from"] <= at), rows[0])
    return Meter(
        meter, row["manufacturer"], row["serial"], row["commodity"], Decimal(row["multiplier"]),
        registers_of(row["registers"]), row["model"], row["firmware"], row["status"],
    )  # fmt: skip


def _text(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
