"""By what one completion is judged: what it says, and what the hub knows of its usage point, meters and orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from canonical.holdings import registers_of
from canonical.metering import Register
from canonical.rollout import Completion
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.stays import Stay, Stays
from store.rollout_readings import Last
from store.rows import Row


class Place(NamedTuple):
    """Where a usage point lies, as far as is known."""

    street: str
    number: str
    seen: tuple[Decimal, Decimal] | None
    """Latitude and longitude (WGS 84) of an earlier work there that nobody doubted."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at; every rule is a function of this alone."""

    row: Row
    completion: Completion
    point: Row | None
    """The usage point as its master states it then; None: nobody has told of it."""

    order: Row | None
    named_order: Row | None
    """The order that the completion itself names."""

    place: Place | None
    agreements: tuple[Row, ...]
    removed: frozenset[str] | None
    """Meters that the removed one may be; None: the completion names none."""

    installed: frozenset[str] | None
    removed_at: datetime
    installed_at: datetime
    stays: Stays
    shipped: Mapping[str, Row]
    """Shipped meters among those that the installed one may be."""

    last_read: dict[tuple[str, str], Last]
    multipliers: Mapping[str, Mapping[str, str]]
    slaves: Mapping[str, Sequence[Row]]
    """Meters that are read by way of others, by these."""

    lock: datetime | None
    """When a person decides, where the usage point is being billed (EX11)."""

    conflict: str
    """What else is open at the usage point (EX12)."""

    policy: Policy
    now: datetime

    @property
    def usage_point(self) -> str:
        """Return the mRID of the usage point."""
        return str(self.row["usage_point"])

    @property
    def commodity(self) -> str:
        """Return what is delivered there; empty where nobody says."""
        return str(self.point["commodity"]) if self.point is not None else ""

    @property
    def hung(self) -> Stay | None:
        """Return what is believed to hang there when the old meter goes; also what another told to be gone then."""
        return self._gone() or self.stays.standing(self.usage_point, self.removed_at, self.commodity)

    def _gone(self) -> Stay | None:
        """Return the meter that the field removed, where it is known to be gone at that very instant."""
        stay = self.stays.left(self.usage_point, self.removed_at)
        return stay if stay is not None and self.removed and stay["meter"] in self.removed else None

    @property
    def old_meter(self) -> str:
        """Return the meter that was removed: of several with its serial the one that hangs there; empty if none."""
        if not self.removed:
            return ""
        stay = self.hung
        if stay is not None and stay["meter"] in self.removed:
            return str(stay["meter"])
        return next(iter(self.removed)) if len(self.removed) == 1 else ""

    @property
    def new_meter(self) -> str:
        """Return the meter that was installed; empty if none, not found, or one of several."""
        return next(iter(self.installed)) if self.installed and len(self.installed) == 1 else ""

    @property
    def agreement(self) -> Row | None:
        """Return the agreement in force when the new meter hangs; None: the premise is vacant."""
        at = self.installed_at
        for row in reversed(self.agreements):
            if row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"]):
                return row
        return None

    def configuration(self, meter: str, at: datetime) -> Mapping[str, Any] | None:
        """Return how a meter is configured at an instant."""
        return self.stays.configuration(meter, at) if meter else None

    def registers(self, meter: str, at: datetime) -> tuple[Register, ...]:
        """Return the registers of a meter at an instant; none where nobody says."""
        known = self.configuration(meter, at)
        return registers_of(known["registers"]) if known is not None else ()
