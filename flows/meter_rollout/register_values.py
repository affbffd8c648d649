"""Which register each value of a completion belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from canonical.metering import Register
from canonical.reading_types import Commodity, register_code
from canonical.rollout import RegisterValue

_TOTAL = ("", "total", "TOTAL")
"""How sources name the only value that they give."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Values by register."""

    values: tuple[tuple[Register, Decimal], ...]
    strange: tuple[RegisterValue, ...]
    """Values whose register the meter does not have."""

    missing: tuple[Register, ...]
    """Cumulative registers of which no value was told."""


def matched(registers: Sequence[Register], values: Sequence[RegisterValue]) -> Matched:
    """Return values by register: by its id, by reading type; a value that names neither is the total."""
    found: dict[str, tuple[Register, Decimal]] = {}
    strange = []
    for value in values:
        register = _register(registers, value)
        if register is None:
            strange.append(value)
        else:
            found[register.register] = (register, value.value)
    missing = [one for one in registers if is_cumulative(one) and one.register not in found]
    return Matched(tuple(found.values()), tuple(strange), tuple(missing))


def is_cumulative(register: Register) -> bool:
    """Return whether a register only counts up, so that a crew reads it."""
    return not register.is_demand and register.interval_minutes == 0


def reading_type_of(value: RegisterValue, registers: Sequence[Register], commodity: Commodity) -> str:
    """Return the reading type of a value, by its register; of a meter whose registers nobody knows, the total's."""
    register = _register(registers, value)
    if register is not None:
        return register.reading_type
    return value.reading_type or register_code(commodity)


def _register(registers: Sequence[Register], value: RegisterValue) -> Register | None:
    for one in registers:
        if value.register and one.register.casefold() == value.register.casefold():
            return one
    for one in registers:
        if value.reading_type and one.reading_type == value.reading_type:
            return one
    if value.reading_type or value.register not in _TOTAL:
        return None
    counting = [one for one in registers if is_cumulative(one)]
    totals = [one for one in counting if not one.tou_bucket and one.flow != "RECEIVED"]
    return totals[0] if totals else counting[0] if len(counting) == 1 else None
