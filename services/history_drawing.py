"""Lanes of beliefs along valid time as inline SVG: one lane for each system, equal values in equal colors."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from canonical.granularity import SECOND, Grain
from flows.history import Belief, History
from flows.history.disputes import compared, finest
from services.history_words import span, told_by, value, values

LANE, AXIS = 30, 24
"""Heights in pixels."""

LEFT, RIGHT = 40, 80
"""Room for what was so from ever, and for what is so for good."""

NARROWEST, WIDEST, PER_CHANGE = 1080, 30_000, 28
COLORS = 8
TICK, LETTER = 92, 7.5
"""Pixels between two dates of the axis, and of one letter."""

Known = tuple[datetime, datetime | None]
"""A span of known time; no end: until now."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Where instants of valid time lie: half of the room goes by duration, half by changes, so that each is seen."""

    instants: tuple[datetime, ...]
    width: int

    def x(self, at: datetime) -> float:
        """Return how many pixels from the left an instant lies; one outside lies at the edge."""
        if len(self.instants) < 2:
            return LEFT + (self.width - LEFT - RIGHT) / 2
        place = min(max(bisect_right(self.instants, at), 1), len(self.instants) - 1)
        start, end = self.instants[place - 1], self.instants[place]
        part = min(max((at - start) / (end - start), 0.0), 1.0)
        first, last = self.instants[0], self.instants[-1]
        by_change = (place - 1 + part) / (len(self.instants) - 1)
        by_time = min(max((at - first) / (last - first), 0.0), 1.0)
        return LEFT + (self.width - LEFT - RIGHT) * (by_change + by_time) / 2

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Yield place and text of the dates that have room."""
        last = float("-inf")
        for one in self.instants:
            place = self.x(one)
            if place - last >= TICK:
                last = place
                yield place, f"{one:%Y-%m-%d}"


def axis_of(history: History) -> Axis:
    """Return one axis for all that a history tells."""
    found = {at for one in history.beliefs for at in (one.valid_from, one.valid_to) if at is not None}
    width = min(max(NARROWEST, PER_CHANGE * len(found)), WIDEST)
    return Axis(tuple(sorted(found)), width)


def lanes_of(history: History, own: Sequence[Belief]) -> list[tuple[str, str, list[Belief]]]:
    """Return the beliefs of one thing by system and part, in the order of systems."""
    keys = sorted({(one.system, one.part) for one in own}, key=lambda key: (history.systems.index(key[0]), key[1]))
    return [(system, part, [b for b in own if (b.system, b.part) == (system, part)]) for system, part in keys]


def drawing(
    history: History, own: Sequence[Belief], *, axis: Axis, knowns: Sequence[datetime], shown: int, mark: datetime
) -> str:
    """Return the lanes of one thing; `knowns` are the known instants, of which the one at `shown` is drawn at first.

    What is not believed then is there and hidden. `mark` is a valid instant at which a line stands.
    """
    lanes = lanes_of(history, own)
    height = AXIS + LANE * len(lanes)
    look = _Look(knowns, shown, colors(own), disputed(own, history.grains), varying(own))
    parts = [
        f'<svg class="lanes" width="{axis.width}" height="{height}" viewBox="0 0 {axis.width} {height}" role="img" '
        f'aria-label="what each system believed, along valid time">'
    ]
    for place, text in axis.ticks():
        parts.append(f'<line class="tick" x1="{place:.1f}" x2="{place:.1f}" y1="{AXIS - 6}" y2="{height}"/>')
        parts.append(f'<text class="date" x="{place + 3:.1f}" y="{AXIS - 9}">{text}</text>')
    for row, (_, _, beliefs) in enumerate(lanes):
        top = AXIS + LANE * row
        parts.append(f'<line class="unknown" x1="0" x2="{axis.width}" y1="{top + LANE / 2}" y2="{top + LANE / 2}"/>')
        parts += [_span(history, one, axis, top, look) for one in beliefs]
    place = axis.x(mark)
    parts.append(f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="{AXIS - 6}" y2="{height}"/></svg>')
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class _Look:
    """What all boxes of one thing share."""

    knowns: Sequence[datetime]
    shown: int
    tints: Mapping[int, int]
    fights: Mapping[int, Sequence[Known]]
    names: frozenset[str]

    def places(self, since: datetime, until: datetime | None) -> tuple[int, int]:
        """Return the places of a span of known time; -1 for an end that is open."""
        end = -1 if until is None else bisect_right(self.knowns, until) - 1
        return bisect_right(self.knowns, since) - 1, end

    def covers(self, places: tuple[int, int]) -> bool:
        """Return whether a span of known time covers the instant that is shown."""
        return places[0] <= self.shown and (places[1] < 0 or self.shown < places[1])


def _span(history: History, one: Belief, axis: Axis, top: float, look: _Look) -> str:
    """Return one belief as a box that leads to the statement that brought it."""
    start = 0.0 if one.valid_from is None else axis.x(one.valid_from)
    end = float(axis.width) if one.valid_to is None else axis.x(one.valid_to)
    width = max(end - start - 1, 2.0)
    known = look.places(one.known_from, one.known_to)
    fights = [look.places(*each) for each in look.fights.get(id(one), ())]
    names = ["b", "absent" if one.facts is None else f"c{look.tints[id(one)]}"]
    names += ["fight"] if any(look.covers(each) for each in fights) else []
    names += [] if look.covers(known) else ["past"]
    spans = " ".join(f"{since}-{until if until >= 0 else ''}" for since, until in fights)
    text, title = _label(one, width, look.names), escape(_title(history, one, look.fights.get(id(one), ())))
    label = f'<text x="5" y="16">{escape(text)}</text>' if text else ""
    return (
        f'<a href="#s{one.by}"><svg class="{" ".join(names)}" data-f="{known[0]}" data-t="{known[1]}" '
        f'{f"""data-x="{spans}" """ if spans else ""}x="{start:.1f}" y="{top + 3:.1f}" width="{width:.1f}" '
        f'height="{LANE - 6}"><title>{title}</title><rect width="100%" height="100%" rx="3"/>{label}</svg></a>'
    )


def _label(one: Belief, width: float, names: frozenset[str]) -> str:
    """Return what of a belief fits into its box: first what is not the same in all beliefs of the thing."""
    room = int((width - 8) / LETTER)
    if room < 2:
        return ""
    if one.facts is None:
        return "not there" if room >= len("not there") else ""
    ordered = sorted(one.facts.items(), key=lambda item: item[0] not in names)
    told = [(name, value(name, fact.text)) for name, fact in ordered if fact.text]
    whole, special = ", ".join(text for _, text in told), ", ".join(text for name, text in told if name in names)
    text = whole if len(whole) <= room else special or whole
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _title(history: History, one: Belief, fights: Sequence[Known]) -> str:
    """Return all that a belief says, for who points at it."""
    lines = [
        f"{one.system}: {values(one.facts) if one.facts is not None else 'not there'}",
        f"valid {span(one.valid_from, one.valid_to, open_end='open')}",
        f"known {span(one.known_from, one.known_to, open_end='now')}",
        told_by(history, one),
    ]
    lines += [f"another system believed otherwise, known {span(*each, open_end='now')}" for each in fights]
    return "\n".join(lines)


def varying(own: Sequence[Belief]) -> frozenset[str]:
    """Return the fields of which beliefs of one thing hold different values."""
    held: dict[str, set[str]] = {}
    for one in own:
        for name, text in (one.texts or {}).items():
            held.setdefault(name, set()).add(text)
    return frozenset(name for name, texts in held.items() if len(texts) > 1)


def colors(own: Sequence[Belief]) -> dict[int, int]:
    """Return a color for each belief, by its identity: those that agree in all that both say have the same one.

    The fullest speak first, so that a system that states few fields joins whom it agrees with.
    """
    groups: list[dict[str, str]] = []
    found: dict[int, int] = {}
    for one in sorted((b for b in own if b.facts is not None), key=lambda b: (-len(b.facts or {}), b.known_from)):
        texts = {name: compared(name, text) for name, text in (one.texts or {}).items()}
        fits = [
            (sum(name in group for name in texts), -place)
            for place, group in enumerate(groups)
            if all(group.get(name, text) == text for name, text in texts.items())
        ]
        best = max(fits, default=(0, 0))
        if best[0]:
            found[id(one)] = -best[1] % COLORS
        else:
            found[id(one)] = len(groups) % COLORS
            groups.append(texts)
    return found


def disputed(own: Sequence[Belief], grains: Mapping[str, Grain]) -> dict[int, list[Known]]:
    """Return when beliefs, by identity, contradicted one of another system about some same time: known time.

    Not where that time is too short for how finely both keep it.
    """
    found: dict[int, list[Known]] = {}
    standing: list[Belief] = []
    for one in sorted(own, key=lambda b: (b.valid_from is not None, b.valid_from or b.known_from)):
        standing = [b for b in standing if b.valid_to is None or _before(one.valid_from, b.valid_to)]
        for other in standing:
            known = _known_together(one, other)
            if other.system == one.system or known is None or not _contradict(one, other):
                continue
            limit = finest(grains.get(one.system, SECOND), grains.get(other.system, SECOND))
            if _together(one, other) > limit:
                for each in (one, other):
                    found[id(each)] = _joined([*found.get(id(each), []), known])
        standing.append(one)
    return found


def _together(one: Belief, other: Belief) -> timedelta:
    """Return how long the valid times of two beliefs go together."""
    starts = [start for start in (one.valid_from, other.valid_from) if start is not None]
    ends = [end for end in (one.valid_to, other.valid_to) if end is not None]
    return min(ends) - max(starts) if starts and ends else timedelta.max


def _before(start: datetime | None, end: datetime) -> bool:
    return start is None or start < end


def _known_together(one: Belief, other: Belief) -> Known | None:
    """Return the known time over which two beliefs were held together; None when they never were."""
    since = max(one.known_from, other.known_from)
    until = min((end for end in (one.known_to, other.known_to) if end is not None), default=None)
    return (since, until) if until is None or since < until else None


def _joined(spans: Sequence[Known]) -> list[Known]:
    """Return spans of known time in order, those that touch as one."""
    found: list[Known] = []
    for since, until in sorted(spans, key=lambda one: one[0]):
        last = found[-1] if found else None
        if last is not None and (last[1] is None or since <= last[1]):
            found[-1] = (last[0], None if last[1] is None or until is None else max(last[1], until))
        else:
            found.append((since, until))
    return found


def _contradict(one: Belief, other: Belief) -> bool:
    if one.facts is None or other.facts is None:
        # A part of a thing, such as where it lies, says nothing of whether the thing is there.
        return (one.facts is None) != (other.facts is None) and not (one.part or other.part)
    return any(
        name in other.facts and compared(name, fact.text) != compared(name, other.facts[name].text)
        for name, fact in one.facts.items()
    )
