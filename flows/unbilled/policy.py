"""The settings of the unbilled-revenue register: `[unbilled]` of the site file, with their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from canonical.metering import MultiplierState
from canonical.reading_types import Commodity
from flows.multipliers import is_applied


@dataclass(frozen=True, slots=True)
class Average:
    """What customers of one kind pay and use on average."""

    commodity: Commodity
    rate: Decimal
    """Price of one delivered kWh or m3, in major units of the currency."""

    tariff: str = ""
    """Tariff for which it holds; empty for all."""

    customer_class: str = ""
    """Customer class for which it holds; empty for all."""

    received_rate: Decimal = Decimal(0)
    """Credit for one kWh received."""

    daily_use: Decimal | None = None
    """Average daily use (the class profile); None where the site states none."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the register is kept."""

    zone: str
    """IANA zone of the utility: its business days."""

    currency: str = "USD"
    minor_digits: int = 2
    """Digits of the currency's minor unit (ISO 4217)."""

    silent_days: int = 3
    """Days without a valid read from which a meter counts as not communicating; longer stretches are averaged."""

    horizon_days: int = 400
    """How far back the register looks for bills and reads."""

    since: date | None = None
    """Local date before which energy was billed elsewhere; None: the register begins with the first bill it knows."""

    back_dated_days: int = 60
    """How late the hub may learn of an agreement that was never billed elsewhere (domain 2.6)."""

    usual_cycle_days: int = 31
    """Days after which a bill is due where no bill-cycle calendar says it."""

    grace_days: int = 0
    """Days after the bill date within which a bill that is being made is in its normal course."""

    batch: int = 2000
    """Agreements that are looked at together."""

    keep_days: int = 40
    """Days for which single entries are kept; totals are kept for good."""

    averages: tuple[Average, ...] = ()
    multipliers: Mapping[str, MultiplierState] = field(default_factory=dict)
    """Whether each feed's reads carry the multiplier already; the empty name stands for feeds that are not named."""

    @property
    def silence(self) -> timedelta:
        """Longest stretch without a read that is not averaged."""
        return timedelta(days=self.silent_days)

    def is_applied(self, source: str) -> bool:
        """Return whether the values of a feed carry the multiplier already."""
        return is_applied(source, self.multipliers)

    def average(self, *, tariff: str, customer_class: str, commodity: Commodity) -> Average | None:
        """Return the average that fits best: by tariff, then by class, then by commodity alone."""
        fitting = [
            one
            for one in self.averages
            if one.commodity == commodity and one.tariff in ("", tariff) and one.customer_class in ("", customer_class)
        ]
        return max(fitting, key=lambda one: (bool(one.tariff), bool(one.customer_class)), default=None)
