"""What a NEM suffix and unit mean: flow, kind of energy, scale; as a CIM reading type."""

from dataclasses import dataclass
from typing import Literal

from canonical.codes.file import NEM_CHANNEL_UNKNOWN
from canonical.errors import RejectedError
from canonical.reading_types import Flow, ReadingType

Kind = Literal["active", "reactive"]

SUFFIXES: dict[str, tuple[Kind, Flow]] = {
    "E": ("active", "DELIVERED"),
    "B": ("active", "RECEIVED"),
    "Q": ("reactive", "DELIVERED"),
    "K": ("reactive", "RECEIVED"),
}
"""First letter of a NEM12 suffix. MDFF counts from the market: export (E, Q) flows to the customer."""

UNITS: dict[str, tuple[Kind, int]] = {
    "WH": ("active", -3),
    "KWH": ("active", 0),
    "MWH": ("active", 3),
    "VARH": ("reactive", -3),
    "KVARH": ("reactive", 0),
    "MVARH": ("reactive", 3),
}
"""Unit in upper case: kind of energy, and the power of ten that leads to kWh (kvarh)."""

_CIM_UNIT = {"active": 72, "reactive": 73}
_CIM_FLOW: dict[Flow, int] = {"DELIVERED": 1, "RECEIVED": 19, "NET": 4, "TOTAL": 20}
_CIM_PERIOD = {1: 3, 2: 10, 3: 14, 5: 6, 10: 1, 15: 2, 20: 31, 30: 5, 60: 7}


@dataclass(frozen=True, slots=True)
class Measured:
    """What the values of one channel are."""

    reading_type: str
    """CIM reading type code, kilo units."""

    power_of_ten: int
    """Power of ten by which a value in the channel's unit becomes kWh or kvarh."""


def interval_channel(suffix: str, unit: str, minutes: int) -> Measured:
    """Return what an interval channel (record 200) measures.

    The second character of the suffix numbers the channels of one flow: 1 (or none) stands for the plain reading type,
    any other becomes the code's consumption tier, so that E1 and E2 of one meter stay apart.

    Raises:
        RejectedError: suffix or unit is unknown, or they disagree.
    """
    known = SUFFIXES.get(suffix[:1].upper())
    if known is None:
        raise RejectedError(f"suffix {suffix!r} is none of E, B, Q, K", code=NEM_CHANNEL_UNKNOWN)
    kind, flow = known
    power = _power(unit, kind, suffix)
    return Measured(_code(_CIM_PERIOD[minutes], 4, flow, kind, _tier(suffix[1:2])), power)


def register_channel(suffix: str, unit: str, direction: str) -> Measured:
    """Return what a cumulative register (record 250) measures; `direction` is E (delivered) or I (received).

    The first digit of a NEM13 suffix numbers the register groups (1 general, 4 controlled load): 1 is the plain reading
    type, any other becomes the code's consumption tier.

    Raises:
        RejectedError: the unit is unknown, or disagrees with the suffix.
    """
    letter = suffix[:1].upper()
    kind, power = _unit(unit, suffix)
    if letter in SUFFIXES:
        power, number = _power(unit, SUFFIXES[letter][0], suffix), suffix[1:2]
    else:
        number = suffix[:1]
    return Measured(_code(0, 1, "DELIVERED" if direction == "E" else "RECEIVED", kind, _tier(number)), power)


def _unit(unit: str, suffix: str) -> tuple[Kind, int]:
    """Return kind and scale of a unit."""
    if unit.upper() not in UNITS:
        raise RejectedError(f"unit {unit!r} of suffix {suffix!r} is unknown", code=NEM_CHANNEL_UNKNOWN)
    return UNITS[unit.upper()]


def _power(unit: str, kind: Kind, suffix: str) -> int:
    """Return the scale of a unit that must be of this kind."""
    found, power = _unit(unit, suffix)
    if found != kind:
        raise RejectedError(f"unit {unit!r} does not measure suffix {suffix!r}", code=NEM_CHANNEL_UNKNOWN)
    return power


def _tier(number: str) -> int:
    """Return the consumption tier of a channel number: 1 to 9, then letters."""
    if number in ("", "1"):
        return 0
    if not (number.isascii() and number.isalnum()):
        raise RejectedError(f"channel number {number!r} is no digit or letter", code=NEM_CHANNEL_UNKNOWN)
    return int(number, 36)


def _code(period: int, accumulation: int, flow: Flow, kind: Kind, tier: int) -> str:
    """Return the reading type code of kilo energy."""
    fields = (0, 0, period, accumulation, _CIM_FLOW[flow], 1, 12, *(0,) * 6, tier, 0, 3, _CIM_UNIT[kind], 0)
    return str(ReadingType(fields))
