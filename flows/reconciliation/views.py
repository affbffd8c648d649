"""One object as one comparison sees it: what holds at an instant, in texts that are equal when both systems agree.

What has ended, or has not begun, is as if it were not there: a system need not keep what is past.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from canonical.granularity import Grain, comparable
from canonical.names import normal_serial
from flows.reconciliation.policy import Profile

Version = tuple[str, str, dict[str, str]]
"""Valid from, valid to (empty while open), facts; as `recon_holding.content` holds them."""

TIMELESS = frozenset({"bill_cycle_day"})
"""Kinds that are compared whatever the time: their period stands among their facts."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "account": ("cycle",),
    "usage_point": ("commodity", "read_source"),
    "meter": ("status",),
    "agreement": ("customer_class", "cycle"),
}
"""Fields by which objects are counted (domain 2.7, level 0)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a system holds of one object at an instant."""

    facts: Mapping[str, str]
    since: str
    """First instant of the versions that agree in every compared field, as the system said it."""

    until: str
    """Its end, as the system said it; empty while none is known."""


def instant_text(at: datetime) -> str:
    """Return an instant as contents hold it: UTC to the second, so that texts stand in order of time."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def content_of(versions: Iterable[tuple[str, str, str]]) -> str:
    """Return versions of one object (from, to, facts as JSON) in order as content."""
    return "[" + ",".join(f'["{begin}","{end}",{facts}]' for begin, end, facts in versions) + "]"


def hash_of(content: str) -> str:
    """Return the hash of a content."""
    return blake2b(content.encode(), digest_size=16).hexdigest()


def versions_of(content: str) -> Sequence[Version]:
    """Return the versions of a content, by valid time."""
    found: Sequence[Version] = json.loads(content)
    return found


def at_instant(versions: Sequence[Version], kind: str, at: str) -> int:
    """Return the place of the version that holds at an instant; -1 when none does."""
    if kind in TIMELESS:
        return len(versions) - 1
    for place in range(len(versions) - 1, -1, -1):
        begin, end, _ = versions[place]
        if begin <= at:
            return place if not end or at < end else -1
    return -1


def ended_at(versions: Sequence[Version], at: str) -> str:
    """Return when an object ended that does not hold at an instant; empty when it has not begun or never was."""
    for begin, end, _ in reversed(versions):
        if begin <= at:
            return end
    return ""


def standing(versions: Sequence[Version], kind: str, at: str, names: Sequence[str]) -> Standing | None:
    """Return what holds at an instant, with the span over which the named fields are the same; None when nothing."""
    place = at_instant(versions, kind, at)
    if place < 0:
        return None
    since, until, facts = versions[place]
    while place > 0 and versions[place - 1][1] == since and _alike(versions[place - 1][2], facts, names):
        place -= 1
        since = versions[place][0]
    for begin, end, later in versions[place + 1 :]:
        if begin == until and _alike(later, facts, names):
            until = end
    return Standing(facts, since, until)


def turn_after(versions: Sequence[Version], at: str) -> str:
    """Return the first instant behind `at` at which a version begins or ends; empty when there is none."""
    found = ""
    for begin, end, _ in versions:
        for one in (begin, end):
            if one > at and (not found or one < found):
                found = one
    return found


def value_of(facts: Mapping[str, str], name: str) -> str:
    """Return a field as it is compared: serials and makers as they are known by (domain 0.2), others as they stand."""
    value = facts.get(name, "")
    return normal_serial(value) if name in _NORMAL else value


_NORMAL = frozenset({"serial", "manufacturer"})


def _alike(one: Mapping[str, str], other: Mapping[str, str], names: Sequence[str]) -> bool:
    return all(value_of(one, name) == value_of(other, name) for name in names)


@lru_cache(maxsize=1 << 16)
def _comparable(text: str, own: Grain, by: Grain) -> str:
    return instant_text(comparable(datetime.fromisoformat(text), own=own, by=by)) if text else ""


def times_of(stood: Standing, profile: Profile, system: str) -> tuple[str, str]:
    """Return begin and end of what a side holds as both sides can tell them: by the coarser granularity (ruling 7)."""
    by = profile.grain
    if by.granularity == "second":
        return stood.since, stood.until
    own = profile.grain_of(system)
    return _comparable(stood.since, own, by), _comparable(stood.until, own, by)


@dataclass(slots=True)
class Digest:
    """The objects of one kind in one partition, put together so that their order does not matter."""

    objects: int = 0
    total: int = 0
    """Sum of the objects' hashes, 128 bits."""

    groups: dict[str, int] | None = None

    def add(self, text: str, facts: Mapping[str, str], names: Sequence[str]) -> None:
        """Add one object by the text that stands for it, and count it by the named facts."""
        self.objects += 1
        self.total += int.from_bytes(blake2b(text.encode(), digest_size=16).digest())
        if names:
            counted = self.groups if self.groups is not None else {}
            self.groups = counted
            for name in names:
                label = f"{name}={facts.get(name, '')}"
                counted[label] = counted.get(label, 0) + 1

    def facts(self) -> list[Any]:
        """Return it as it is stored: objects, sum in hex, counts by group."""
        return [self.objects, f"{self.total & _BITS:032x}", self.groups or {}]


_BITS = (1 << 128) - 1


def digests_of(
    contents: Mapping[tuple[str, str], str], profile: Profile, system: str, at: str
) -> tuple[dict[str, list[Any]], str]:
    """Return the digest of each kind of what a side holds in one partition, and the instant until which it is good.

    Objects are put in by id, compared fields and, for dated kinds, begin and end. The instant is empty when nothing
    in it begins or ends later.
    """
    found: dict[str, Digest] = {}
    good_until = ""
    for (kind, object_id), content in contents.items():
        names = profile.fields.get(kind)
        if names is None:
            continue
        versions = versions_of(content)
        if kind not in TIMELESS:
            turn = turn_after(versions, at)
            good_until = turn if turn and (not good_until or turn < good_until) else good_until
        stood = standing(versions, kind, at, names)
        if stood is None:
            continue
        facts = stood.facts
        parts = [object_id, *[value_of(facts, name) for name in names]]
        if kind in profile.dated:
            parts += times_of(stood, profile, system)
        digest = found.get(kind)
        if digest is None:
            digest = found[kind] = Digest()
        digest.add("\x1f".join(parts), facts, [one for one in GROUPS.get(kind, ()) if one in names])
    return {kind: digest.facts() for kind, digest in found.items()}, good_until
