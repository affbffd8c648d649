"""What a system holds of master data: versions of things in canonical text, the same words for every system.

Two systems that hold the same say the same texts, so that holdings can be hashed, compared and told on without knowing
what they are about. A field that a system does not hold, or did not state, is absent; an empty text is a value.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from canonical.metering import Register

Kind = Literal[
    "customer",
    "account",
    "location",
    "usage_point",
    "meter",
    "installation",
    "agreement",
    "topology",
    "bill_cycle_day",
]
"""What a holding is about."""

FIELDS: Mapping[Kind, tuple[str, ...]] = {
    "customer": ("kind", "name", "telephone", "special_need"),
    "account": ("customer", "cycle"),
    "location": (
        *("street", "number", "suite", "town", "region", "postal_code", "country"),
        *("access_method", "needs_inspection"),
    ),
    "usage_point": ("name", "zone", "commodity", "read_source", "district", "route", "location"),
    "meter": (
        *("manufacturer", "serial", "commodity", "multiplier"),
        *("registers", "model", "firmware", "status"),
    ),
    "installation": ("usage_point", "meter", "manufacturer", "serial"),
    "agreement": (*("account", "usage_point", "customer_class", "tariff", "cycle", "tou_calendar", "net_metering"),),
    "topology": ("transformer", "feeder"),
    "bill_cycle_day": ("period_start", "period_end"),
}
"""Fields of each kind, in order; kinds stand in the order in which they depend on each other (domain 2.7).

Manufacturer and serial of an installation are those of its meter, normalized: they name it where mRIDs are not spoken.
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """One version of one thing, as one system holds it."""

    kind: Kind
    object_id: str
    """The hub's id: of a usage point and a meter the mRID, of an installation `usage point/meter`, of topology the
    usage point, of a cycle's day `cycle/date`, otherwise the master's id."""

    valid_from: datetime
    """First instant at which it holds, UTC; of an installation when the meter was hung, of a cycle's day the start of
    its period."""

    valid_to: datetime | None
    """First instant at which it no longer holds, UTC; None while it is open."""

    facts: Mapping[str, str]
    """Canonical texts (`text_of`) by field of `FIELDS`; a field that is not stated is absent."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A thing that a system takes back as a mistake: it never was."""

    kind: Kind
    object_id: str
    at: datetime
    """When the system took it back, UTC."""


def text_of(value: object) -> str:
    """Return the one text that a value has: equal values, equal texts.

    Booleans are `true` and `false`, numbers have no zeros behind them and no exponent, instants are UTC to the second
    with `Z` (to the microsecond where there is one), dates are ISO 8601, None is empty.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            # `normalize` would round what has more digits than its context.
            text = format(value, "f")
            text = text.rstrip("0").rstrip(".") if "." in text else text
            return text.removeprefix("-") if not value else text
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class HeldChanges:
    """What a system is told of master data in one file: all that the hub holds, or what changed since the last one."""

    mode: Literal["FULL", "CHANGES"]
    watermark: datetime
    """Business time up to which every change is in it, UTC."""

    holdings: Iterable[Holding | Withdrawn]
    """Taken once. Of a FULL file in order of `FIELDS`, none withdrawn."""

    sequence: int
    """Rises by one for each receiver and mode."""


def registers_text(registers: Iterable[Register]) -> str:
    """Return the registers of a meter as the one JSON text that they have, whatever their order."""
    return json.dumps(
        sorted(
            [r.register, r.reading_type, r.unit, r.flow, r.dials, r.decimals, r.tou_bucket, r.interval_minutes,
             r.is_demand]
            for r in registers
        )
    )  # fmt: skip


def registers_of(text: str) -> tuple[Register, ...]:
    """Return the registers that a text of `registers_text` holds; of an empty text none."""
    return tuple(Register(*fields) for fields in json.loads(text or "[]"))
