"""The CIM reading type code (IEC 61968-9:2013, Annex C): 18 numbers that say what a value measures."""

from dataclasses import dataclass
from typing import Literal

Commodity = Literal["ELECTRICITY", "GAS", "WATER"]
Flow = Literal["DELIVERED", "RECEIVED", "NET", "TOTAL"]

_COMMODITIES: dict[int, Commodity] = {1: "ELECTRICITY", 2: "ELECTRICITY", 7: "GAS", 9: "WATER"}
_FLOWS: dict[int, Flow] = {0: "DELIVERED", 1: "DELIVERED", 4: "NET", 19: "RECEIVED", 20: "TOTAL"}


@dataclass(frozen=True, slots=True)
class ReadingType:
    """One reading type code, taken apart; unknown numbers are kept as they are."""

    fields: tuple[int, ...]
    """The 18 numbers in the standard's order."""

    def __post_init__(self) -> None:
        """Check the shape.

        Raises:
            ValueError: not 18 numbers.
        """
        if len(self.fields) != 18:
            raise ValueError(f"a reading type code has 18 fields, not {len(self.fields)}")

    def __str__(self) -> str:
        """Return the dotted code."""
        return ".".join(map(str, self.fields))

    @property
    def is_billing_quantity(self) -> bool:
        """Whether the value belongs to a whole billing period (macroPeriod 8)."""
        return self.fields[0] == 8

    @property
    def is_interval(self) -> bool:
        """Whether values are interval quantities (delta data over a measuring period)."""
        return self.fields[2] != 0 and self.fields[3] == 4

    @property
    def is_demand(self) -> bool:
        """Whether the value is a maximum demand (aggregate maximum of demand or power)."""
        return self.fields[1] == 8 and self.fields[6] in (8, 37)

    @property
    def commodity(self) -> Commodity:
        """What flows: electricity unless the code says gas or water."""
        return _COMMODITIES.get(self.fields[5], "ELECTRICITY")

    @property
    def flow(self) -> Flow:
        """Direction from the grid's side: delivered to the customer, or received from it."""
        return _FLOWS.get(self.fields[4], "DELIVERED")

    @property
    def tou(self) -> int:
        """Time-of-use tier, 0 for none."""
        return self.fields[11]

    @property
    def interval_minutes(self) -> int:
        """Length of the measuring period in minutes, 0 for none (the fixed lengths of Annex C)."""
        return _MINUTES.get(self.fields[2], 0)

    @property
    def power_of_ten(self) -> int:
        """Power of ten of the unit multiplier (3 for kilo)."""
        return self.fields[15]


_MINUTES = {
    1: 10,
    2: 15,
    3: 1,
    4: 1440,
    5: 30,
    6: 5,
    7: 60,
    10: 2,
    14: 3,
    31: 20,
    50: 60,
    51: 30,
    52: 20,
    53: 15,
    54: 10,
    55: 5,
}


def reading_type_from_text(code: str) -> ReadingType:
    """Return the reading type that 18 dotted numbers write.

    Raises:
        ValueError: not 18 numbers joined by dots (an alias belongs in a dialect table).
    """
    return ReadingType(tuple(map(int, code.split("."))))


def reading_type_to_text(reading_type: ReadingType) -> str:
    """Return the dotted code of a reading type."""
    return str(reading_type)


def register_code(commodity: Commodity, flow: Flow = "DELIVERED", tou: int = 0) -> str:
    """Return the code of a cumulative register: kWh for electricity, cubic meters for gas and water."""
    direction = {"DELIVERED": 1, "RECEIVED": 19, "NET": 4, "TOTAL": 20}[flow]
    kind, number, multiplier, unit = {
        "ELECTRICITY": (12, 1, 3, 72),
        "GAS": (58, 7, 0, 42),
        "WATER": (58, 9, 0, 42),
    }[commodity]
    return f"0.0.0.1.{direction}.{number}.{kind}.0.0.0.0.{tou}.0.0.0.{multiplier}.{unit}.0"


def interval_code(minutes: int, flow: Flow = "DELIVERED") -> str:
    """Return the code of interval energy in kWh (5, 15, 30 or 60 minutes)."""
    period = {5: 6, 15: 2, 30: 5, 60: 7}[minutes]
    direction = {"DELIVERED": 1, "RECEIVED": 19, "NET": 4, "TOTAL": 20}[flow]
    return f"0.0.{period}.4.{direction}.1.12.0.0.0.0.0.0.0.0.3.72.0"


def demand_code(minutes: int = 15, *, billing: bool = False) -> str:
    """Return the code of maximum demand in kW over fixed blocks of that many minutes."""
    block = {60: 50, 30: 51, 15: 53}[minutes]
    return f"{8 if billing else 0}.8.{block}.0.1.1.8.0.0.0.0.0.0.0.0.3.38.0"


def billing_code(code: str) -> str:
    """Return the same reading type as a quantity of a billing period (macroPeriod 8, delta data)."""
    fields = list(reading_type_from_text(code).fields)
    fields[0] = 8
    if fields[3] == 1:
        fields[3] = 4
    return ".".join(map(str, fields))
