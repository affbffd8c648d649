"""What a site compares: systems, what each of them holds, who is right about what, and what may be repaired."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Literal

from canonical.granularity import SECOND, Grain, coarser
from canonical.holdings import FIELDS, Kind

HUB = "hub"
"""The hub's own masters, as a system among the others."""

DifferenceClass = Literal[
    "MISSING_IN_X", "EXTRA_IN_X", "FIELD_DIFF", "EFFECTIVE_DATE_DIFF", "LATE", "KNOWN_WAIVED",
    "NO_SA", "NO_METER", "LINKED_TWICE",
]  # fmt: skip
"""Kinds of differences (domain 2.7), X being the system that differs; the last three lie within the masters."""

Cause = Literal["late", "lost", "mapping", "out_of_band"]
"""Why: on its way; told and not held, or never told; refused or wrongly translated; changed and told by nobody."""

DATED: tuple[Kind, ...] = ("installation", "agreement", "topology")
"""Kinds whose begin and end all systems have to agree on, unless the site says otherwise."""


@dataclass(frozen=True, slots=True)
class SystemPolicy:
    """How one system's extract is to be read."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields that it holds of each kind: one that it leaves empty is then a difference. A kind that is not named is
    learned from what it states, and what it leaves empty is not compared."""

    kinds: tuple[Kind, ...] = tuple(FIELDS)
    """Kinds that are compared."""

    dates: tuple[Kind, ...] = DATED
    """Kinds whose begin and end are compared."""

    grain: Grain = SECOND
    """How finely it keeps time (ruling 7)."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Differences that are repaired without asking a person; an empty part means any."""

    classes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()

    def covers(self, *, klass: str, kind: str, name: str, system: str) -> bool:
        """Return whether a difference falls under it."""
        return (
            (not self.classes or klass in self.classes)
            and (not self.kinds or kind in self.kinds)
            and (not self.fields or name in self.fields)
            and (not self.systems or system in self.systems)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """How a site reconciles."""

    systems: Mapping[str, SystemPolicy] = field(default_factory=dict)
    """By role; a role that sent an extract and is not named is compared by the defaults."""

    owners: Mapping[str, str] = field(default_factory=dict)
    """System of record by `kind.field` or `kind`; where none is named, the hub's value counts."""

    pairs: tuple[tuple[str, str], ...] = ()
    """Systems compared with each other directly; each is compared with the hub anyway."""

    feeds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Subscribers of the change log by the system that they are: what they were told is evidence, and how a system is
    told again."""

    feed_kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Kinds of which each subscriber is told."""

    reached: frozenset[str] = frozenset()
    """Systems that messages of master data can be sent to."""

    in_transit: timedelta = timedelta(hours=4)
    """How long a change may be on its way before it is a difference, business time."""

    portion: int = 64
    """Partitions, of 1,024, that one tick compares."""

    snapshot_age: timedelta = timedelta(hours=36)
    """Age of a system's last extract above which a person is told."""

    repairs: tuple[Allowed, ...] = ()
    """What is repaired without a person; nothing where it is empty."""

    mapping_from: int = 5
    """Objects of which one value is always held as the same other one, from which that is a wrong translation."""

    queue: str = "integration"
    """Owner of the work."""

    def of(self, system: str) -> SystemPolicy:
        """Return how a system's extract is read."""
        return self.systems.get(system, SystemPolicy())

    def owner_of(self, kind: str, name: str = "") -> str:
        """Return the system of record of a field, or of the thing itself; the hub where none is named."""
        return self.owners.get(f"{kind}.{name}") or self.owners.get(kind) or HUB

    def feeds_kind(self, subscriber: str, kind: str) -> bool:
        """Return whether a subscriber is told of a kind."""
        return kind in self.feed_kinds.get(subscriber, frozenset())

    def allows(self, *, klass: str, kind: str, name: str, system: str) -> bool:
        """Return whether a difference may be repaired without a person."""
        return any(one.covers(klass=klass, kind=kind, name=name, system=system) for one in self.repairs)


@dataclass(frozen=True)
class Profile:
    """How two systems are compared: only what both hold, times by the coarser of both."""

    left: str
    right: str
    fields: Mapping[str, tuple[str, ...]]
    """Compared fields by kind; a kind that is not in it is not compared."""

    dated: frozenset[str]
    grains: tuple[Grain, Grain]
    """Of left and right."""

    lenient: frozenset[tuple[str, str]] = frozenset()
    """(system, kind) of which an empty field means that nothing is stated."""

    @cached_property
    def id(self) -> str:
        """Name of this way of comparing: digests of another one do not count for it."""
        facts = [
            self.left, self.right, sorted((kind, *names) for kind, names in self.fields.items()), sorted(self.dated),
            [[one.granularity, one.day_belongs_to, one.zone] for one in self.grains],
        ]  # fmt: skip
        return f"{self.left}:{self.right}:{blake2b(json.dumps(facts).encode(), digest_size=6).hexdigest()}"

    @property
    def systems(self) -> tuple[str, str]:
        """Left and right."""
        return self.left, self.right

    def grain_of(self, system: str) -> Grain:
        """Return how a side keeps time."""
        return self.grains[0] if system == self.left else self.grains[1]

    @cached_property
    def grain(self) -> Grain:
        """How finely both sides can tell an instant."""
        return coarser(*self.grains)


def profile_of(policy: Policy, left: str, right: str, stated: Mapping[str, Mapping[str, int]]) -> Profile:
    """Return how two systems are compared; `stated` counts by system how often each `kind.field` was stated."""
    sides = [_held(policy, one, stated.get(one, {})) for one in (left, right)]
    fields: dict[str, tuple[str, ...]] = {
        kind: tuple(name for name in FIELDS[kind] if name in sides[0][kind] and name in sides[1][kind])
        for kind in FIELDS
        if all(kind in side for side in sides)
    }
    own = [(one, policy.of(one)) for one in (left, right)]
    return Profile(
        left=left,
        right=right,
        fields=fields,
        dated=frozenset(kind for kind in fields if all(kind in one.dates for _, one in own)),
        grains=(own[0][1].grain, own[1][1].grain),
        lenient=frozenset(
            (name, kind) for name, one in own for kind in fields if name != HUB and kind not in one.fields
        ),
    )


def _held(policy: Policy, system: str, stated: Mapping[str, int]) -> dict[Kind, frozenset[str]]:
    """Return the fields that a system holds of each kind: as the site says, or as its extract shows."""
    own = policy.of(system)
    if system == HUB:
        return {kind: frozenset(names) for kind, names in FIELDS.items()}
    found: dict[Kind, frozenset[str]] = {}
    for kind in own.kinds:
        if kind in own.fields:
            found[kind] = frozenset(own.fields[kind])
        elif stated.get(kind):
            found[kind] = frozenset(name for name in FIELDS[kind] if stated.get(f"{kind}.{name}"))
    return found
