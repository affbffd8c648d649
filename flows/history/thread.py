"""What one system believes of one thing while its statements are gone through: versions over valid time.

A statement reaches forward in valid time until a version that says otherwise, as in the hub's own masters: what is not
stated follows from the version before. An extract, and a row of a table, counts as said whole.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from flows.history.evidence import Fact, Statement


class Piece(NamedTuple):
    """A span of valid time with what is believed of it; no facts: that the thing is not there."""

    valid_from: datetime | None
    valid_to: datetime | None
    facts: dict[str, Fact] | None
    by: int

    def says(self, other: "Piece") -> bool:
        """Return whether it says the same as another, whoever said so."""
        if self[:2] != other[:2] or (self.facts is None) != (other.facts is None):
            return False
        return texts_of(self.facts or {}) == texts_of(other.facts or {})


@dataclass(slots=True)
class Shown:
    """A piece that is believed now."""

    piece: Piece
    since: datetime


@dataclass(slots=True)
class Version:
    """What holds from an instant on, as far as it is stated for that instant, and with what it follows from."""

    valid_from: datetime
    valid_to: datetime | None
    own: dict[str, Fact]
    by: int
    begins: bool
    whole: bool = False
    ended_by: int = 0
    facts: dict[str, Fact] = field(default_factory=dict)
    shown: dict[str, Shown] = field(default_factory=dict)


@dataclass(slots=True)
class Thread:
    """One system's belief of one thing while its statements are gone through."""

    versions: list[Version] = field(default_factory=list)
    """In the order of valid time."""

    stale: set[datetime] = field(default_factory=set)
    """Instants at which something was said since beliefs were last drawn."""

    gone: dict[datetime, Version] = field(default_factory=dict)
    emptied_by: int = 0
    """The statement that it is not there at all."""

    head: dict[str, Shown] = field(default_factory=dict)
    """What is believed of the time before the first version."""

    done: list[tuple[Piece, datetime, datetime | None]] = field(default_factory=list)


def apply(thread: Thread, one: Statement) -> None:
    """Bring versions to what a statement says; what was touched is stale until it is drawn."""
    _ACTS[one.act](thread, one)


def _states(thread: Thread, one: Statement) -> None:
    """Let fields have values from an instant on."""
    at = _instant(one)
    place = place_of(thread, at)
    told = {name: Fact(text, one.number) for name, text in one.facts.items()}
    thread.stale.add(at)
    if place < len(thread.versions) and thread.versions[place].valid_from == at:
        same = thread.versions[place]
        same.own.update({n: f for n, f in told.items() if n not in same.own or same.own[n].text != f.text})
        same.by, same.begins = one.number, same.begins or one.begins
        if one.valid_to is not None or same.valid_to == at:
            same.valid_to, same.ended_by = one.valid_to, one.number
        return
    end, ended_by = one.valid_to, one.number
    before = thread.versions[place - 1] if place else None
    if end is None and before is not None and before.valid_to is not None and at < before.valid_to:
        end, ended_by = before.valid_to, before.ended_by
    _insert(thread, Version(at, end, told, one.number, one.begins, ended_by=ended_by))


def _ends(thread: Thread, one: Statement) -> None:
    """End the life that stands at an instant; what it would have become falls away."""
    at, versions = _instant(one), thread.versions
    if any(version.valid_to == at for version in versions):
        return
    first = last = bisect_right(versions, at, key=lambda version: version.valid_from) - 1
    if first < 0:
        _ended(thread, one, at)
        return
    while first and lives_on(versions[first - 1], versions[first]):
        first -= 1
    while last + 1 < len(versions) and lives_on(versions[last], versions[last + 1]):
        last += 1
    end = versions[last].valid_to
    if end is not None and end <= at:
        _ended(thread, one, at)
        return
    for version in versions[first : last + 1]:
        thread.stale.add(version.valid_from)
        if version.valid_from < at:
            version.valid_to, version.ended_by = at, one.number
    for version in [v for v in versions[first : last + 1] if v.valid_from >= at]:
        _remove(thread, version)
    if not versions:
        thread.emptied_by = one.number


def _ended(thread: Thread, one: Statement, at: datetime) -> None:
    """Let a thing that nobody has told of be there no more from an instant on."""
    place = place_of(thread, at)
    begins = place < len(thread.versions) and thread.versions[place].begins
    _insert(thread, Version(at, at, {}, one.number, begins, ended_by=one.number))


def _never(thread: Thread, one: Statement) -> None:
    """Let the thing never have been."""
    for version in list(thread.versions):
        _remove(thread, version)
    thread.emptied_by = one.number


def _holds(thread: Thread, one: Statement) -> None:
    """Let an extract be all that is believed."""
    _never(thread, one)
    for each in sorted(one.extract, key=lambda version: version.valid_from):
        told = {name: Fact(text, one.number) for name, text in each.facts.items()}
        _insert(thread, Version(each.valid_from, each.valid_to, told, one.number, True, True, one.number))


def _keeps(thread: Thread, one: Statement) -> None:
    """Let a version of a table be believed; a value that stood before comes from whoever said it first."""
    before = _standing(thread, _instant(one))
    told = {
        name: before[name] if name in before and before[name].text == text else Fact(text, one.number)
        for name, text in one.facts.items()
    }
    _insert(thread, Version(_instant(one), one.valid_to, told, one.number, one.begins, True, one.number))


def _standing(thread: Thread, at: datetime) -> dict[str, Fact]:
    """Return the values of the version that stood at an instant until now, or that reaches it."""
    if at in thread.gone:
        return thread.gone[at].facts
    place = bisect_right(thread.versions, at, key=lambda version: version.valid_from) - 1
    version = thread.versions[place] if place >= 0 else None
    if version is None or (version.valid_to is not None and version.valid_to < at):
        return {}
    return {**version.facts, **version.own}


def _drops(thread: Thread, one: Statement) -> None:
    """Let a version of a table be believed no more."""
    place = place_of(thread, _instant(one))
    if place < len(thread.versions) and thread.versions[place].valid_from == one.valid_from:
        _remove(thread, thread.versions[place])
        thread.emptied_by = one.number


_ACTS = {
    "states": _states,
    "ends": _ends,
    "never": _never,
    "holds": _holds,
    "keeps": _keeps,
    "drops": _drops,
}  # fmt: skip


def _instant(one: Statement) -> datetime:
    if one.valid_from is None:
        raise ValueError(f"statement {one.number} says no instant")
    return one.valid_from


def place_of(thread: Thread, at: datetime) -> int:
    """Return where the version of an instant stands, or would."""
    return bisect_left(thread.versions, at, key=lambda version: version.valid_from)


def _insert(thread: Thread, version: Version) -> None:
    """Put a version into its place, instead of the one that stands there; what was shown of that goes on as its."""
    place = place_of(thread, version.valid_from)
    if place < len(thread.versions) and thread.versions[place].valid_from == version.valid_from:
        _remove(thread, thread.versions[place])
    former = thread.gone.pop(version.valid_from, None)
    if former is not None:
        version.shown = former.shown
    thread.versions.insert(place, version)
    thread.stale.add(version.valid_from)


def _remove(thread: Thread, version: Version) -> None:
    del thread.versions[place_of(thread, version.valid_from)]
    thread.gone[version.valid_from] = version
    thread.stale.add(version.valid_from)


def lives_on(version: Version, following: Version) -> bool:
    """Return whether the thing is still there when the next version begins."""
    return version.valid_to is None or version.valid_to > following.valid_from


def texts_of(facts: dict[str, Fact]) -> dict[str, str]:
    """Return the values by field, whoever stated them."""
    return {name: fact.text for name, fact in facts.items()}
