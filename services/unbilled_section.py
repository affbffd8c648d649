"""What a site file may say of the unbilled-revenue register: `[unbilled]`, and averages by kind of customer."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from canonical.reading_types import Commodity


class AverageSection(BaseModel):
    """What customers of one kind pay and use on average."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commodity: Commodity
    tariff: str = ""
    """Tariff for which it holds; all where it is not said."""

    customer_class: str = ""
    """Customer class for which it holds; all where it is not said."""

    rate: Decimal = Field(ge=0)
    """Price of one delivered kWh or m3, in major units of the currency."""

    received_rate: Decimal = Field(Decimal(0), ge=0)
    """Credit for one kWh received."""

    daily_use: Decimal | None = Field(None, ge=0)
    """Average daily use in kWh or m3, for customers without any bill."""


class UnbilledSection(BaseModel):
    """How the register is kept; without this section it has no prices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")
    minor_digits: int = Field(2, ge=0, le=4)
    silent_days: int = Field(3, ge=1)
    horizon_days: int = Field(400, ge=31)
    since: date | None = None
    back_dated_days: int = Field(60, ge=0)
    usual_cycle_days: int = Field(31, ge=1)
    grace_days: int = Field(0, ge=0)
    batch: int = Field(2000, ge=1, le=20000)
    keep_days: int = Field(40, ge=1)
    averages: tuple[AverageSection, ...] = ()

    @model_validator(mode="after")
    def _averages_differ(self) -> "UnbilledSection":
        """Check that no two averages are about the same kind of customer."""
        kinds = [(one.commodity, one.tariff, one.customer_class) for one in self.averages]
        twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if twice:
            said = ", ".join("/".join(part or "any" for part in kind) for kind in twice)
            raise ValueError(f"two averages for {said}")
        return self


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in the section or in one of its averages, for "did you mean"."""
    return list((AverageSection if path[1:2] == ("averages",) else UnbilledSection).model_fields)
