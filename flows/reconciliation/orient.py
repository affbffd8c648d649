"""Which system is wrong: the one that differs from the system of record, named once however many show it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canonical.granularity import Grain, same_time
from canonical.ids import mint
from flows.reconciliation.compare import Seen, Unlike, seen
from flows.reconciliation.policy import HUB, DifferenceClass, Policy, Profile
from flows.reconciliation.views import instant_text, times_of, value_of

Level = Literal["L1", "L2", "L3"]

SEMANTIC = frozenset(
    {
        *(("meter", "multiplier"), ("meter", "registers"), ("account", "cycle")),
        *(("agreement", "tariff"), ("agreement", "cycle"), ("agreement", "usage_point"), ("agreement", "tou_calendar")),
    }
)
"""Fields that bear on bills; links between things do in any case (domain 2.7, level 3)."""

PERSONAL = frozenset(
    {("customer", "name"), ("customer", "telephone"), ("customer", "special_need")}
    | {("location", name) for name in ("street", "number", "suite", "town", "postal_code", "access_method")}
)
"""Fields whose values are shown to people only where they ask for them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which one system differs from the system of record."""

    kind: str
    object_id: str
    field: str
    """Empty for the thing itself; `valid_from` or `valid_to` for its time."""

    system: str
    """The one that differs."""

    klass: DifferenceClass
    owner: str
    """System whose word counts: the system of record, or the hub where that one wrote no extract."""

    expected: str
    found: str
    said: Mapping[str, str]
    """What each system holds, by system."""

    @property
    def id(self) -> str:
        """The same for the same thing in the same system, whatever it holds."""
        return mint("recon", self.kind, self.object_id, self.field, self.system)

    @property
    def level(self) -> Level:
        """How deep one had to look (domain 2.7)."""
        if (self.kind, self.field) in SEMANTIC or self.kind == "installation":
            return "L3"
        return "L1" if self.klass in ("MISSING_IN_X", "EXTRA_IN_X") else "L2"


def differences(
    found: Iterable[Unlike], held: Mapping[tuple[str, str], Mapping[str, str]], policy: Policy, *, at: datetime
) -> dict[str, Difference]:
    """Return each difference once, by id; `held` is what every system holds of the objects, by kind and id."""
    named: dict[str, Difference] = {}
    for one in found:
        views = _Views(one, held.get((one.kind, one.object_id), {}), policy, instant_text(at))
        for difference in views.differences():
            named.setdefault(difference.id, difference)
    return named


@dataclass(frozen=True, slots=True)
class _Views:
    """One object as every system holds it, judged for one comparison."""

    unlike: Unlike
    held: Mapping[str, str]
    policy: Policy
    at: str

    def differences(self) -> Iterator[Difference]:
        """Yield in what which side is wrong."""
        left, right = (self._seen(system) for system in self._profile.systems)
        if left.stands is None or right.stands is None:
            yield self._being()
        elif self.unlike.fields:
            for name in self.unlike.fields:
                yield from self._field(name)
        else:
            yield from self._times()

    @property
    def _profile(self) -> Profile:
        return self.unlike.profile

    def _seen(self, system: str) -> Seen:
        return seen(self.held.get(system), self.unlike.kind, self.at, self._profile)

    def _being(self) -> Difference:
        """Return who is wrong about whether the thing is there."""
        left, right = self._profile.systems
        there, lacking = (left, right) if self._seen(left).stands is not None else (right, left)
        owner = self._owner()
        truth = self._seen(owner)
        if truth.stands is not None:
            ended = self._seen(lacking).ended
            if ended:
                return self._said("valid_to", lacking, "EFFECTIVE_DATE_DIFF", owner, truth.stands.until, ended)
            return self._said("", lacking, "MISSING_IN_X", owner, "held", "")
        stands = self._seen(there).stands
        if truth.ended and stands is not None:
            return self._said("valid_to", there, "EFFECTIVE_DATE_DIFF", owner, truth.ended, stands.until)
        return self._said("", there, "EXTRA_IN_X", owner, "", "held")

    def _field(self, name: str) -> Iterator[Difference]:
        """Yield who holds another value than the system of record."""
        owner = self._owner(name)
        truth = self._value(owner, name)
        for system in self._profile.systems:
            own = self._value(system, name)
            if own != truth:
                yield self._said(name, system, "FIELD_DIFF", owner, truth, own)

    def _times(self) -> Iterator[Difference]:
        """Yield who holds it over another span than the system of record."""
        owner = self._owner()
        truth = self._seen(owner).stands
        if truth is None:
            return
        times = [times_of(one.stands, self._profile, name) for name, one in self._sides() if one.stands is not None]
        fields = [("valid_from", 0), ("valid_to", 1)]
        for name, place in fields:
            if times[0][place] == times[1][place]:
                continue
            expected = (truth.since, truth.until)[place]
            for system, one in self._sides():
                own = (one.stands.since, one.stands.until)[place] if one.stands is not None else ""
                if system != owner and not self._agree(expected, owner, own, system):
                    yield self._said(name, system, "EFFECTIVE_DATE_DIFF", owner, expected, own)

    def _sides(self) -> list[tuple[str, Seen]]:
        return [(system, self._seen(system)) for system in self._profile.systems]

    def _agree(self, one: str, of: str, other: str, by: str) -> bool:
        """Return whether two systems may mean one instant (ruling 7)."""
        if not one or not other:
            return one == other
        grains = [self._grain(system) for system in (of, by)]
        return same_time(
            datetime.fromisoformat(one), datetime.fromisoformat(other), one_grain=grains[0], other_grain=grains[1]
        )

    def _grain(self, system: str) -> Grain:
        return self._profile.grain_of(system) if system in self._profile.systems else self.policy.of(system).grain

    def _owner(self, name: str = "") -> str:
        """Return whose word counts: the system of record where it says so itself, else the hub, which it told."""
        named = self.policy.owner_of(self.unlike.kind, name)
        if named in self._profile.systems and (not name or self._states(named, name)):
            return named
        if named in self.held and (not name or self._states(named, name)):
            return named
        if HUB in self.held or HUB in self._profile.systems:
            return HUB
        return self._profile.left

    def _states(self, system: str, name: str) -> bool:
        stands = self._seen(system).stands
        return stands is not None and bool(value_of(stands.facts, name))

    def _value(self, system: str, name: str) -> str:
        stands = self._seen(system).stands
        return value_of(stands.facts, name) if stands is not None else ""

    def _said(
        self, name: str, system: str, klass: DifferenceClass, owner: str, expected: str, found: str
    ) -> Difference:
        said = {one: self._word(one, name, klass) for one in sorted({*self.held, *self._profile.systems})}
        return Difference(
            self.unlike.kind, self.unlike.object_id, name, system, klass, owner, expected, found,
            {one: word for one, word in said.items() if word},
        )  # fmt: skip

    def _word(self, system: str, name: str, klass: DifferenceClass) -> str:
        """Return what one system holds, in one word."""
        one = self._seen(system)
        if klass == "FIELD_DIFF":
            return self._value(system, name)
        if one.stands is not None:
            return f"from {one.stands.since}" + (f" until {one.stands.until}" if one.stands.until else "")
        return f"ended {one.ended}" if one.ended else ""
