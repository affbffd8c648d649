"""Comparing one partition: digests first, then objects, then fields (domain 2.7, levels L1 and L2)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flows.reconciliation.digesting import Digests
from flows.reconciliation.policy import Profile
from flows.reconciliation.views import Standing, ended_at, instant_text, standing, times_of, value_of, versions_of
from store import recon_holdings
from store.session import Session

Key = tuple[str, str]
"""Kind and id of an object."""

NOTHING: list[object] = [0, "0" * 32, {}]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one system holds of one object at the instant of comparison."""

    stands: Standing | None
    """None when it holds nothing then."""

    ended: str = ""
    """When it ended, of what was held and is no longer; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """One object that two systems do not hold alike."""

    kind: str
    object_id: str
    profile: Profile
    fields: tuple[str, ...] = ()
    """Fields that differ where both hold it; none when only its times differ, or only one of them holds it."""


def unlike_kinds(profile: Profile, partition: int, digests: Digests) -> list[str]:
    """Return the kinds of one partition of which two systems' digests differ."""
    left, right = (digests[(profile.id, system, partition)] for system in profile.systems)
    return [kind for kind in profile.fields if left.get(kind, NOTHING)[:2] != right.get(kind, NOTHING)[:2]]


def unlike(
    session: Session, partition: int, profiles: Sequence[Profile], digests: Digests, *, at: datetime
) -> Iterator[Unlike]:
    """Yield the objects of one partition that some two systems do not hold alike; equal parts are not looked at."""
    wanted = {profile.id: unlike_kinds(profile, partition, digests) for profile in profiles}
    kinds: dict[str, set[str]] = {}
    for profile in profiles:
        for system in profile.systems:
            kinds.setdefault(system, set()).update(wanted[profile.id])
    own = range(partition, partition + 1)
    held = {
        system: recon_holdings.contents(session, system, own, names)[partition]
        for system, names in kinds.items()
        if names
    }
    for profile in profiles:
        if wanted[profile.id]:
            names = frozenset(wanted[profile.id])
            yield from _between(profile, held[profile.left], held[profile.right], names, instant_text(at))


def _between(
    profile: Profile, left: Mapping[Key, str], right: Mapping[Key, str], kinds: Collection[str], at: str
) -> Iterator[Unlike]:
    """Yield what two systems do not hold alike of some kinds."""
    for key in {**left, **right}:
        kind, object_id = key
        if kind not in kinds:
            continue
        mine, other = left.get(key), right.get(key)
        if mine == other:
            continue
        found = compared(profile, kind, seen(mine, kind, at, profile), seen(other, kind, at, profile))
        if found is not None:
            yield Unlike(kind, object_id, profile, found)


def seen(content: str | None, kind: str, at: str, profile: Profile) -> Seen:
    """Return what a content, if any, says of an object at an instant, as one comparison looks at it."""
    if content is None:
        return Seen(None)
    versions = versions_of(content)
    stood = standing(versions, kind, at, profile.fields.get(kind, ()))
    return Seen(stood, "" if stood is not None else ended_at(versions, at))


def compared(profile: Profile, kind: str, left: Seen, right: Seen) -> tuple[str, ...] | None:
    """Return the fields in which two systems differ of one object (none: its being there, or its times); None: alike.

    What has ended is as if it were not there: a system need not keep what is past.
    """
    one, other = left.stands, right.stands
    if one is None or other is None:
        return None if one is other else ()
    fields = tuple(name for name in profile.fields[kind] if _differs(profile, kind, name, one, other))
    if fields:
        return fields
    if kind in profile.dated and times_of(one, profile, profile.left) != times_of(other, profile, profile.right):
        return ()
    return None


def _differs(profile: Profile, kind: str, name: str, left: Standing, right: Standing) -> bool:
    """Return whether a field differs that both sides state."""
    one, other = value_of(left.facts, name), value_of(right.facts, name)
    if one == other:
        return False
    unstated = (not one and (profile.left, kind) in profile.lenient) or (
        not other and (profile.right, kind) in profile.lenient
    )
    return not unstated
