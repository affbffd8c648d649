"""The versions of one thing over valid time, from single statements in whatever order they come.

Each version keeps, for each field, when its master stated it there; what is not stated there follows from the version
before. So the end is the same for every order of the same statements (I7), and nothing is overwritten: callers keep
what is replaced.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

Effect = Literal["APPLIED", "DUPLICATE", "SUPERSEDED", "NOT_THERE"]
"""What a statement did; NOT_THERE: the thing does not exist at that time."""


ENDS = "valid_to"
"""Under what a version keeps when the end of its life was said."""


@dataclass(frozen=True, slots=True)
class Version:
    """What holds from an instant on."""

    valid_from: datetime
    valid_to: datetime | None
    """First instant at which the thing no longer exists; None while it does. A later version ends this one too."""

    fields: Mapping[str, Any]
    said: Mapping[str, str] = field(default_factory=dict)
    """Stamp of the statement, for each field that was stated for this very instant."""


def state(
    versions: Sequence[Version],
    at: datetime,
    stated: Mapping[str, Any],
    *,
    stamp: str,
    begins: bool,
    ends: datetime | None = None,
    defaults: Mapping[str, Any],
) -> tuple[tuple[Version, ...], Effect]:
    """Return the versions after a master stated some fields from `at` on, and what that did.

    `begins`: the statement may begin a life of the thing; otherwise it has to exist at `at`. `ends` is the end that the
    statement gives by itself, `defaults` are the values of fields that nobody has stated.
    """
    own = next((one for one in versions if one.valid_from == at), None)
    before = holding(versions, at)
    if own is None and before is None and not begins:
        return tuple(versions), "NOT_THERE"
    if own is None:
        end = before.valid_to if before is not None else ends
        fresh = Version(at, end if ends is None else ends, dict(stated), dict.fromkeys(stated, stamp))
        return _folded((*versions, fresh), defaults), "APPLIED"
    newer = {name: value for name, value in stated.items() if stamp >= own.said.get(name, "")}
    merged = replace(
        own,
        fields={**own.fields, **newer},
        said={**own.said, **dict.fromkeys(newer, stamp)},
        valid_to=own.valid_to if ends is None else ends,
    )
    if merged.valid_to != own.valid_to or any(own.fields.get(name) != value for name, value in newer.items()):
        effect: Effect = "APPLIED"
    else:
        outdated = any(own.fields.get(name) != value for name, value in stated.items() if name not in newer)
        effect = "SUPERSEDED" if outdated else "DUPLICATE"
    return _folded(_with(versions, own, merged), defaults), effect


def end(versions: Sequence[Version], at: datetime, *, stamp: str = "") -> tuple[tuple[Version, ...], Effect]:
    """Return the versions after a thing ended at `at`, and what that did; what it would have become falls away."""
    if any(one.valid_to == at for one in versions):
        return tuple(versions), "DUPLICATE"
    life = _life(versions, at)
    if not life:
        return tuple(versions), "NOT_THERE"
    if stamp and stamp < _end_said(life):
        return tuple(versions), "SUPERSEDED"
    noted = {ENDS: stamp} if stamp else {}
    ended = (replace(one, valid_to=at, said={**one.said, **noted}) for one in life if one.valid_from < at)
    others = (one for one in versions if one not in life)
    return tuple(sorted((*others, *ended), key=lambda one: one.valid_from)), "APPLIED"


def span(
    versions: Sequence[Version],
    at: datetime,
    ends: datetime | None,
    stated: Mapping[str, Any],
    *,
    stamp: str,
    defaults: Mapping[str, Any],
) -> tuple[tuple[Version, ...], Effect]:
    """Return the versions after a system stated a whole one, from `at` to `ends`, and what that did.

    Spans that touch are one life, so that what a system does not state goes on. An end at which no other version begins
    is that of the life: the later said one counts, also that there is none.
    """
    joined = _joined(versions, at)
    found, effect = state(joined, at, stated, stamp=stamp, begins=True, defaults=defaults)
    found = _even(_ended(found, at, ends, stamp=stamp))
    if _content(found, defaults) != _content(versions, defaults):
        return found, "APPLIED"
    return found, effect if effect != "APPLIED" else "DUPLICATE"


def _content(versions: Sequence[Version], names: Iterable[str]) -> list[object]:
    """Return spans and values of versions, without when they were said."""
    return [(one.valid_from, one.valid_to, [one.fields.get(name) for name in names]) for one in versions]


def _joined(versions: Sequence[Version], at: datetime) -> tuple[Version, ...]:
    """Return the versions with the life that ends at an instant gone on, where none begins there."""
    if any(one.valid_from == at for one in versions) or holding(versions, at) is not None:
        return tuple(versions)
    return tuple(_open(one) if one.valid_to == at else one for one in versions)


def _open(version: Version) -> Version:
    """Return a version without its end, and without when that was said."""
    said = {name: stamp for name, stamp in version.said.items() if name != ENDS}
    return replace(version, valid_to=None, said=said)


def _even(versions: Sequence[Version]) -> tuple[Version, ...]:
    """Return versions in order, each with the end of the life that it belongs to."""
    found: list[Version] = []
    for one in sorted(versions, key=lambda version: version.valid_from, reverse=True):
        after = found[-1] if found else None
        lives_on = after is not None and (one.valid_to is None or one.valid_to > after.valid_from)
        found.append(replace(one, valid_to=after.valid_to) if after is not None and lives_on else one)
    return tuple(reversed(found))


def _ended(versions: Sequence[Version], at: datetime, ends: datetime | None, *, stamp: str) -> tuple[Version, ...]:
    """Return the versions with the end that a span of the version at `at` states for its life."""
    if ends is not None and any(one.valid_from == ends != at for one in versions):
        return tuple(versions)
    life = _life(versions, at) or tuple(one for one in versions if one.valid_from == at)
    if stamp < _end_said(life):
        return tuple(versions)
    found = []
    for one in versions:
        if one not in life:
            found.append(one)
        elif ends is None or one.valid_from < ends or one.valid_from == at:
            found.append(replace(one, valid_to=ends, said={**one.said, ENDS: stamp}))
    return tuple(found)


def _end_said(life: Sequence[Version]) -> str:
    """Return the stamp of the statement that gave a life its end, or said that it has none; empty while none did."""
    return max((one.said.get(ENDS, "") for one in life), default="")


def holding(versions: Sequence[Version], at: datetime) -> Version | None:
    """Return the version that holds at an instant: of those that have begun, the latest, if it has not ended."""
    begun = [one for one in versions if one.valid_from <= at]
    latest = max(begun, key=lambda one: one.valid_from, default=None)
    return latest if latest is not None and (latest.valid_to is None or at < latest.valid_to) else None


def _life(versions: Sequence[Version], at: datetime) -> tuple[Version, ...]:
    """Return the versions of the life that a thing has just before or at an instant, in order; none: it has none."""
    lives: list[list[Version]] = []
    for one in sorted(versions, key=lambda version: version.valid_from):
        last = lives[-1][-1] if lives else None
        if last is not None and (last.valid_to is None or last.valid_to > one.valid_from):
            lives[-1].append(one)
        else:
            lives.append([one])
    for life in lives:
        end_of_it = life[-1].valid_to
        if life[0].valid_from <= at and (end_of_it is None or at < end_of_it):
            return tuple(life)
    return ()


def _with(versions: Sequence[Version], old: Version, new: Version) -> tuple[Version, ...]:
    return tuple(new if one is old else one for one in versions)


def _folded(versions: Sequence[Version], defaults: Mapping[str, Any]) -> tuple[Version, ...]:
    """Return the versions in order, each with what it does not state taken from the one before it."""
    found: list[Version] = []
    for one in sorted(versions, key=lambda version: version.valid_from):
        before = found[-1] if found else None
        lives_on = before is not None and (before.valid_to is None or before.valid_to > one.valid_from)
        inherited = before.fields if before is not None and lives_on else defaults
        own = {name: value for name, value in one.fields.items() if name in one.said and name != ENDS}
        found.append(replace(one, fields={**defaults, **inherited, **own}))
    return tuple(found)
