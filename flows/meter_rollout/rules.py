"""What a wave is made of: where, which meters and customers, when, how many a day, and what is hung there."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, time
from typing import Any, Literal

from canonical.rollout import Shortfall

Approval = Literal["plan", "release"]


@dataclass(frozen=True, slots=True)
class Hardware:
    """The meter that replaces an old one of some customers; an empty key means any."""

    model: str
    customer_class: str = ""
    commodity: str = ""
    configuration: str = ""
    """Configuration that it must leave the factory with; empty where the model says it all."""


@dataclass(frozen=True, slots=True)
class WaveRules:
    """The rule set of one wave; an empty collection of what is chosen by means: whatever it is."""

    wave: str
    first_day: date
    """Local days; the last one is included."""

    last_day: date
    capacity_per_day: int
    """Exchanges that the crews can do in one day."""

    zone: str = "UTC"
    """IANA zone of the wave's days."""

    districts: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    cycles: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    """Models of the meters that go."""

    customer_classes: frozenset[str] = frozenset()
    commodities: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    """Usage points (mRID or name) that are in whatever their district, cycle, model and class are."""

    exclude: Mapping[str, str] = field(default_factory=dict)
    """Usage points (mRID or name) that are out, and why: `opt-out`, `court order`."""

    net_metering: bool = True
    """Whether customers who deliver energy too are in."""

    special_needs: bool = False
    """Whether customers with a special need (life support) are in."""

    first_installations: bool = False
    """Whether usage points where no meter hangs are in."""

    working_days: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    """Days of the week, Monday is 0."""

    holidays: frozenset[date] = frozenset()
    window: tuple[time, time] = (time(8), time(17))
    """Local hours of a planned visit."""

    clear_before_days: int = 3
    """Working days before the read date of its cycle from which a usage point is left alone (EX11)."""

    clear_after_days: int = 5
    """Days after that date until which its bill is made; then it may be visited again."""

    clear_moves_days: int = 1
    """Days around a move-in or move-out on which nobody comes."""

    hardware: tuple[Hardware, ...] = ()
    """What is hung; the first that fits counts."""

    stock: Literal["must", "warn", "ignore"] = "warn"
    """Whether orders are released for which no meter lies in stock."""

    contractor: str = ""
    work_system: str = ""
    """Role that is told of the orders; empty: the site's."""

    orders_per_message: int = 1
    """How many orders go in one message, or one file; more than one only where the work system takes them so."""

    attempts: int = 3
    """Visits after which a person decides."""

    retry_after_days: int = 3
    """Days from a visit in vain to the next."""

    approvals: frozenset[Approval] = frozenset()
    """What a person decides: `plan` that the list is frozen, `release` that days are released."""

    release_ahead_days: int = 0
    """How many days ahead the hub releases by itself once a person has released the first; 0: never."""

    shortfall: Shortfall = "BILL_THROUGH"

    def hardware_for(self, customer_class: str, commodity: str) -> Hardware | None:
        """Return what is hung at a usage point, or None where the wave does not say it."""
        for one in self.hardware:
            if one.customer_class in ("", customer_class) and one.commodity in ("", commodity):
                return one
        return None

    def names(self, usage_point: str, name: str) -> bool:
        """Return whether a usage point is among those that are in by name."""
        return usage_point in self.include or bool(name and name in self.include)

    def excludes(self, usage_point: str, name: str) -> str:
        """Return why a usage point is out by name; empty where it is not."""
        return self.exclude.get(usage_point) or (self.exclude.get(name, "") if name else "")


_SETS = ("districts", "routes", "cycles", "models", "customer_classes", "commodities", "include", "approvals")


def facts_of(rules: WaveRules) -> dict[str, Any]:
    """Return a rule set as facts that JSON can hold: what is kept with the wave."""
    facts = asdict(rules)
    facts |= {name: sorted(facts[name]) for name in (*_SETS, "working_days")}
    facts |= {name: facts[name].isoformat() for name in ("first_day", "last_day")}
    facts["holidays"] = sorted(day.isoformat() for day in rules.holidays)
    facts["window"] = [one.isoformat(timespec="minutes") for one in rules.window]
    facts["exclude"] = dict(rules.exclude)
    facts["hardware"] = [asdict(one) for one in rules.hardware]
    return facts


def rules_from(facts: Mapping[str, Any]) -> WaveRules:
    """Return the rule set that facts hold."""
    given = dict(facts)
    given |= {name: frozenset(given[name]) for name in (*_SETS, "working_days")}
    given |= {name: date.fromisoformat(given[name]) for name in ("first_day", "last_day")}
    given["holidays"] = frozenset(date.fromisoformat(day) for day in given["holidays"])
    begin, end = (time.fromisoformat(one) for one in given["window"])
    given["window"] = (begin, end)
    given["hardware"] = tuple(Hardware(**one) for one in given["hardware"])
    return WaveRules(**given)
